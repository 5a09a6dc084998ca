"""NET-09: pods on one node talk to each other, pods on different nodes do not."""

from __future__ import annotations

from collections.abc import Iterator

from bot.check import check
from bot.model.cluster import Nodes, PodsOnNode
from bot.model.evidence import PerNode
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import Links, RoutingRules
from bot.model.host_traffic import CrossNode, Leg
from bot.model.k8s import Pod
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T, Text

TUNNELS = ("flannel.1", "cilium_vxlan", "cilium_geneve", "vxlan.calico", "tunl0", "flannel-wg", "wireguard.cali")


@check("NET-09")
def broken_cross_node_network(
    *,
    ways: CrossNode,
    nodes: Nodes,
    rules: RoutingRules | None,
    links: PerNode[Links],
    everywhere: PerNode[CrossNode],
    pods: PerNode[PodsOnNode],
) -> Iterator[Finding]:
    """The node reaches another node, but not the pods on it.

    Says:
        "Pods on the same node talk, across nodes not."
    Evidence:
        Connections from the node to the other node's kubelet and to pods there; the same from the other side; the
        routes to the other node's podCIDR; the tunnel's interface.
    Rule:
        The other node answers, and no pod on it does (silence or no route; a refusal is an answer). Confirmed when a
        missing route or tunnel shows why, or the other side fails in the same way.
    Cause:
        A port of the overlay is blocked (NET-08), a route is missing, the CNI's agent is down, podCIDRs clash, packets
        are too large (NET-10). It explains DNS-04, DNS-03, APISVC-03, APP-02.
    Fix:
        By what is missing: restart the CNI's pod on that node, or open the overlay's port between the nodes.
    Verify:
        All legs answer.
    Must not fire:
        When a NetworkPolicy forbids it (NET-14): then other pods of that node answer.
    Reasons:
        - no-route: the node has no route to the other node's pods
        - no-tunnel: the interface of the overlay is gone
        - same-pod-network: both nodes have the same podCIDR
        - no-answer: what stands between them is not known
    """
    broken = {peer: ways.of(peer) for peer in dict.fromkeys(leg.peer for leg in ways.legs) if _fails(ways.of(peer))}
    if not broken or _is_their_fault(ways, tuple(broken), everywhere):
        return
    peer = next(iter(broken))
    reason, why = _why(ways.node, peer, nodes, rules, links)
    back = everywhere.get(peer)
    mirrored = back is not None and _fails(back.of(ways.node))
    lost = tuple(leg for legs in broken.values() for leg in legs if leg.pod)
    several = len(lost) > 1 or lost[0].pod.startswith("kube-system/")  # one pod alone may have a policy of its own
    yield Finding(
        code="NET-09",
        reason=reason,
        title=_title(reason, ways.node, tuple(broken)),
        severity=Severity.CRIT,
        confidence=Confidence.CONFIRMED if why or mirrored else Confidence.LIKELY if several else Confidence.POSSIBLE,
        subject=node(ways.node),
        facts={
            "node": ways.node,
            "nodes": (ways.node, *broken),
            "peers": tuple(broken),
            "pods": tuple(leg.pod for leg in lost),
            "on_node": tuple(p.path for p in _with_address(pods.get(ways.node))),
        },
        proofs=(
            ways.proof.quote(*(_shown(leg) for legs in broken.values() for leg in legs)),
            *why,
            *_other(back, ways),
        ),
        fixes=(_look(peer, lost[0]),),
    )


def _fails(legs: tuple[Leg, ...]) -> bool:
    """The node answers, and none of its pods does."""
    hosts, there = [x for x in legs if not x.pod], [x for x in legs if x.pod]
    return bool(there) and any(x.passed for x in hosts) and not any(x.passed for x in there)


def _is_their_fault(ways: CrossNode, broken: tuple[str, ...], everywhere: PerNode[CrossNode]) -> bool:
    """Whether this node reaches others, and those that it does not reach reach nobody: they are judged themselves."""

    def alone(found: CrossNode | None) -> bool:
        return found is not None and all(_fails(found.of(p)) for p in {leg.peer for leg in found.legs if leg.pod})

    return not alone(ways) and all(alone(everywhere.get(peer)) for peer in broken)


def _why(
    here: str, peer: str, nodes: Nodes, rules: RoutingRules | None, links: PerNode[Links]
) -> tuple[str, tuple[Proof, ...]]:
    """What the node itself shows: clashing podCIDRs, a tunnel that only the others have, no route."""
    mine, other = nodes.get(here), nodes.get(peer)
    ours, theirs = (mine.spec.pod_cidr if mine else None), (other.spec.pod_cidr if other else None)
    if ours and ours == theirs:
        return "same-pod-network", (nodes.proof.quote(f"{here}: podCIDR={ours}", f"{peer}: podCIDR={theirs}"),)
    local = links.get(here)
    if local:
        usual = {t for other_links in links.others(here) for t in TUNNELS if other_links.get(t)}
        gone = [t for t in TUNNELS if t in usual and not ((found := local.get(t)) and found.up)]
        if gone:
            return "no-tunnel", (local.proof.quote(f"{here}: {gone[0]} is not there or down"),)
    if rules and theirs and rules.main and not any(r.destination == theirs for r in rules.main):
        routed = {r.destination for r in rules.main}
        if any(n.spec.pod_cidr in routed for n in nodes.items if n.name not in {here, peer} and n.spec.pod_cidr):
            return "no-route", (rules.proof.quote(f"{here}: no route to {theirs}"),)
    return "no-answer", ()


def _other(back: CrossNode | None, ways: CrossNode) -> tuple[Proof, ...]:
    legs = back.of(ways.node) if back else ()
    return (back.proof.quote(*(_shown(leg) for leg in legs)),) if back and legs else ()


def _shown(leg: Leg) -> str:
    return f"{leg.pod or leg.peer} {leg.address}:{leg.port}: {leg.result} {leg.said}".rstrip()


def _with_address(found: PodsOnNode | None) -> tuple[Pod, ...]:
    return tuple(p for p in (found.items if found else ()) if p.status.pod_ip and not p.spec.host_network)


def _title(reason: str, name: str, peers: tuple[str, ...]) -> Text:
    if reason == "no-route":
        return T("{node} has no route to the pods of {peers}", node=name, peers=peers)
    if reason == "no-tunnel":
        return T("the overlay's tunnel of {node} is gone: pods of {peers} are out of reach", node=name, peers=peers)
    if reason == "same-pod-network":
        return T("{node} and {peers} have the same pod network", node=name, peers=peers)
    return T("{node} reaches {peers}, but no pod there", node=name, peers=peers)


def _look(peer: str, leg: Leg) -> Fix:
    return Fix(
        what=T("On the node: see where packets to the pods of {peer} go, and what the CNI's agent says.", peer=peer),
        safety=Safety.READ_ONLY,
        commands=(f"ip route get {leg.address}", "ip -d link show type vxlan", "ip route show table main"),
        verify=(f"timeout 3 bash -c '</dev/tcp/{leg.address}/{leg.port}'; echo $?",),
    )
