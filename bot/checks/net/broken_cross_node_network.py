"""NET-09: pods on one node talk to each other, pods on different nodes do not."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.net.ways import Scene, Why, refused_way, why
from bot.model.cluster import Nodes, PodsOnNode
from bot.model.evidence import Ask, Clock, PerNode
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import Links, RoutingRules
from bot.model.host_traffic import CrossNode, Leg
from bot.model.k8s import Pod
from bot.model.policies import NetworkPolicies
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T, Text

OVERLAY = {"flannel.1": "UDP 8472", "cilium_vxlan": "UDP 8472", "vxlan.calico": "UDP 4789", "tunl0": "IP protocol 4"}


@check("NET-09")
def broken_cross_node_network(
    *,
    ways: CrossNode,
    nodes: Nodes,
    clock: Clock,
    ask: Ask,
    rules: PerNode[RoutingRules],
    links: PerNode[Links],
    everywhere: PerNode[CrossNode],
    pods: PerNode[PodsOnNode],
    policies: NetworkPolicies | None,
) -> Iterator[Finding]:
    """The node reaches another node, but not the pods on it, or its pods have no way to that node.

    Says:
        "Pods on the same node talk, across nodes not."
    Evidence:
        Connections from the node to the other node's kubelet and to pods there; the same from the other side; where
        the kernel would send packets to those pods, and its own pods' packets to that node (ip route get); the
        next hop's neighbour entry and the tunnel's forwarding database; routes and podCIDRs; the tunnel's interface;
        the CNI's pods on both nodes.
    Rule:
        The other node answers, and no pod on it does that no NetworkPolicy holds back (silence or no route; a refusal
        is an answer), or the kernel has no way from this node's pods to the other node. Confirmed when the
        nodes show why, or the other side fails in the same way; only possible when policies may not be read.
    Cause:
        A port of the overlay is blocked (NET-08), a route is missing, the CNI's agent is down, podCIDRs clash, packets
        are too large (NET-10). It explains DNS-04, DNS-03, APISVC-03, APP-02.
    Fix:
        By what is missing: restart the CNI's pod on that node, or open the overlay's port between the nodes.
    Verify:
        All legs answer.
    Must not fire:
        When a NetworkPolicy may forbid it (NET-14): it selects those pods, or other pods of that node answer.
    Reasons:
        - same-pod-network: both nodes have the same podCIDR
        - no-tunnel: the interface of the overlay is gone
        - no-route: the node or its pods have no route to the other side
        - no-neighbour: the tunnel does not know its other end
        - agent-down: the CNI's pod on one of the nodes does not work
        - no-answer: what stands between them is not known
    """
    broken = _broken(ways)
    if not broken or _is_their_fault(ways, tuple(broken), everywhere):
        return

    def at(seen: CrossNode) -> Scene:
        return Scene(ways=seen, nodes=nodes, rules=rules.get(seen.node), links=links, pods=pods, clock=clock)

    scene, peer = at(ways), next(iter(broken))
    found, back = why(scene, peer, broken[peer]), everywhere.get(peer)
    theirs = [
        why(at(b), ways.node, b.of(ways.node)) for p in broken if (b := everywhere.get(p)) and _fails(b.of(ways.node))
    ]
    speak = [p for p in broken if _speaks(everywhere.get(p), everywhere)]
    if len(speak) == len(broken) and _said_there(found, theirs, ways.node, tuple(broken), ask.target):
        return
    lost = tuple(leg for legs in broken.values() for leg in legs if leg.pod and not leg.passed)
    confidence = _confidence(found, lost, back is not None and _fails(back.of(ways.node)), pods, policies)
    if confidence is None:
        return
    yield Finding(
        code="NET-09",
        reason=found.reason,
        title=_title(found.reason, ways.node, tuple(broken)),
        severity=Severity.CRIT,
        confidence=confidence,
        subject=node(ways.node),
        facts={
            "node": ways.node,
            "peers": tuple(broken),
            "pods": tuple(leg.pod for leg in lost),
            "on_node": tuple(p.path for p in _with_address(pods.get(ways.node))),
            "agent": found.agent.path if found.agent else "",
        },
        proofs=(
            ways.proof.quote(*(_shown(leg) for legs in broken.values() for leg in legs)),
            *((found.proof,) if found.proof else ()),
            *_other(back, ways),
        ),
        fixes=tuple(_fixes(found, scene, peer, lost)),
    )


def _broken(ways: CrossNode) -> dict[str, tuple[Leg, ...]]:
    """The nodes that answer while none of their pods does, or to which the kernel knows no way for pods."""
    peers = dict.fromkeys(leg.peer for leg in ways.legs)
    return {p: ways.of(p) for p in peers if _fails(ways.of(p)) or (_reached(ways.of(p)) and refused_way(ways, p))}


def _speaks(there: CrossNode | None, everywhere: PerNode[CrossNode]) -> bool:
    """Whether the other end would say it itself, and not leave it to this one."""
    return there is None or not _is_their_fault(there, tuple(_broken(there)), everywhere)


def _reached(legs: tuple[Leg, ...]) -> bool:
    return any(leg.passed for leg in legs if not leg.pod)


def _fails(legs: tuple[Leg, ...]) -> bool:
    """The node answers, and none of its pods does."""
    there = [x for x in legs if x.pod]
    return bool(there) and _reached(legs) and not any(x.passed for x in there)


def _is_their_fault(ways: CrossNode, broken: tuple[str, ...], everywhere: PerNode[CrossNode]) -> bool:
    """Whether this node reaches others, and those that it does not reach reach nobody: they are judged themselves."""

    def alone(found: CrossNode | None) -> bool:
        return found is not None and all(_fails(found.of(p)) for p in {leg.peer for leg in found.legs if leg.pod})

    return not alone(ways) and all(alone(everywhere.get(peer)) for peer in broken)


def _said_there(found: Why, theirs: list[Why], here: str, broken: tuple[str, ...], asked: str) -> bool:
    """Whether the other end says it: both ends of a broken way see it, and one of them is to be repaired."""
    if found.own or len(theirs) < len(broken):
        return False
    if all(w.own for w in theirs):
        return True
    first = asked if asked in {here, *broken} else min(here, *broken)
    return first != here and not any(w.own for w in theirs)


def _confidence(
    found: Why, lost: tuple[Leg, ...], mirrored: bool, pods: PerNode[PodsOnNode], policies: NetworkPolicies | None
) -> Confidence | None:
    """How sure it is; None when every pod that is silent may be so by a policy, and nothing else shows."""
    if found.proof:
        return Confidence.CONFIRMED if lost else Confidence.LIKELY
    known = {p.path: p for there in pods for p in there.items}
    free = [x for x in lost if policies is None or ((pod := known.get(x.pod)) and not policies.hold_back(pod))]
    if not free:
        return None
    if policies is None:
        return Confidence.POSSIBLE
    if mirrored:
        return Confidence.CONFIRMED
    several = len(free) > 1 or free[0].pod.startswith("kube-system/")
    return Confidence.LIKELY if several else Confidence.POSSIBLE  # one pod alone may have trouble of its own


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
    if reason == "no-neighbour":
        return T(
            "the overlay's tunnel of {node} does not know {peers}: pods there are out of reach", node=name, peers=peers
        )
    if reason == "agent-down":
        return T("{node} reaches {peers}, but no pod there: the CNI's pod does not work", node=name, peers=peers)
    return T("{node} reaches {peers}, but no pod there", node=name, peers=peers)


def _fixes(found: Why, scene: Scene, peer: str, lost: tuple[Leg, ...]) -> Iterator[Fix]:
    verify = tuple(f"timeout 3 bash -c '</dev/tcp/{x.address}/{x.port}'; echo $?" for x in lost[:1])
    ways = tuple(f"ip route get {x.address}" for x in lost[:1])
    yield Fix(
        what=T("On {node}: see where packets to the pods of {peer} go.", node=scene.here, peer=peer),
        safety=Safety.READ_ONLY,
        commands=(*ways, "ip -d link show type vxlan", "ip route show table main"),
        verify=verify,
    )
    if found.agent:
        space, name = (shlex.quote(x or "") for x in (found.agent.metadata.namespace, found.agent.metadata.name))
        yield Fix(
            what=T("Restart the CNI's pod {pod}; running pods keep their addresses.", pod=found.agent.path),
            safety=Safety.DISRUPTIVE,
            commands=(f"kubectl -n {space} delete pod {name}",),
            verify=verify,
        )
    local, there = scene.links.get(scene.here), scene.nodes.get(peer)
    mine = scene.nodes.get(scene.here)
    port = next((p for t, p in OVERLAY.items() if local and local.get(t)), "")
    if found.reason == "no-answer" and port and mine and there:
        yield Fix(
            what=T(
                "Let {port} through between {a} and {b}, both ways: security group, network ACL, host firewalls.",
                port=port,
                a=mine.address() or scene.here,
                b=there.address() or peer,
            ),
            safety=Safety.REVERSIBLE,
            verify=verify,
        )
