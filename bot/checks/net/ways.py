"""What stands between two nodes whose pods do not reach each other: the classes of NET-09, most telling first."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.checks.net.about import running_since, runs
from bot.model.cluster import Nodes, PodsOnNode
from bot.model.evidence import Clock, PerNode
from bot.model.host import Links, RoutingRules
from bot.model.host_agents import is_network
from bot.model.host_traffic import CrossNode, Leg, Way
from bot.model.k8s import Pod
from bot.model.proof import Proof

TUNNELS = ("flannel.1", "cilium_vxlan", "cilium_geneve", "vxlan.calico", "tunl0", "flannel-wg", "wireguard.cali")
NO_ENTRY = frozenset({"", "FAILED", "INCOMPLETE"})
NO_WAY = ("unreachable", "No route to host")
YOUNG = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Scene:
    """What is known about one node and its ways."""

    ways: CrossNode
    nodes: Nodes
    rules: RoutingRules | None
    links: PerNode[Links]
    pods: PerNode[PodsOnNode]
    clock: Clock

    @property
    def here(self) -> str:
        """The node that is judged."""
        return self.ways.node


@dataclass(frozen=True, slots=True, kw_only=True)
class Why:
    """A class of NET-09 with its proof.

    Attributes:
        agent: the pod of the CNI to restart, where one is to blame.
        own: whether it is the judged node that has the fault, and not the other one or the way between them.
    """

    reason: str
    proof: Proof | None = None
    agent: Pod | None = None
    own: bool = False


def why(scene: Scene, peer: str, legs: tuple[Leg, ...]) -> Why:
    """What shows on the nodes themselves; ``no-answer`` when nothing does."""
    found = (
        *_clash(scene, peer),
        *_tunnel(scene),
        *_route(scene, peer, legs),
        *_next_hop(scene, peer),
        *_agent(scene, peer),
    )
    return found[0] if found else Why(reason="no-answer")


def refused_way(ways: CrossNode, peer: str) -> Way | None:
    """The pods' way to another node, when the kernel has none (their leg of the matrix, without sending anything)."""
    return next((w for w in ways.ways if w.peer == peer and w.source and any(x in w.refused for x in NO_WAY)), None)


def _clash(scene: Scene, peer: str) -> Iterator[Why]:
    mine, other = scene.nodes.get(scene.here), scene.nodes.get(peer)
    ours, theirs = (mine.spec.pod_cidr if mine else None), (other.spec.pod_cidr if other else None)
    if ours and ours == theirs:
        shown = (f"{scene.here}: podCIDR={ours}", f"{peer}: podCIDR={theirs}")
        yield Why(reason="same-pod-network", proof=scene.nodes.proof.quote(*shown))


def _tunnel(scene: Scene) -> Iterator[Why]:
    local = scene.links.get(scene.here)
    if local is None:
        return
    usual = {t for other in scene.links.others(scene.here) for t in TUNNELS if (link := other.get(t)) and link.up}
    for name in TUNNELS:
        found = local.get(name)
        if name in usual and not (found and found.up):
            shown = f"{scene.here}: {name} is {'down' if found else 'not there'}"
            yield Why(reason="no-tunnel", proof=local.proof.quote(shown), agent=_carrier(scene, scene.here), own=True)


def _route(scene: Scene, peer: str, legs: tuple[Leg, ...]) -> Iterator[Why]:
    """The kernel has no way to the pods, or only the default route where other nodes' pods have a route of theirs."""
    told = [w for w in scene.ways.ways if w.peer == peer and any(x in w.refused for x in NO_WAY)]
    if told:
        whose = f"from {told[0].source} to" if told[0].source else "to"
        shown = f"{scene.here}: ip route get {whose} {told[0].address}: {told[0].refused}"
        yield Why(reason="no-route", proof=scene.ways.proof.quote(shown), agent=_carrier(scene, scene.here), own=True)
    lost = [leg.address for leg in legs if leg.pod and not leg.passed]
    if scene.rules is None or not lost or not scene.rules.main:
        return
    if _is_special(scene.rules, lost[0]) is False and any(_is_special(scene.rules, a) for a in _elsewhere(scene, peer)):
        proof = scene.rules.proof.quote(f"{scene.here}: only the default route leads to {lost[0]}, a pod of {peer}")
        yield Why(reason="no-route", proof=proof, agent=_carrier(scene, scene.here), own=True)


def _is_special(rules: RoutingRules, address: str) -> bool:
    """Whether a route other than the default one leads to an address."""
    route = rules.way_to(address)
    return route is not None and route.destination not in {"default", "0.0.0.0/0", "::/0"}


def _elsewhere(scene: Scene, peer: str) -> Iterator[str]:
    """An address in the pod network of every third node."""
    for found in scene.nodes.items:
        if found.name not in {scene.here, peer} and found.spec.pod_cidr:
            yield found.spec.pod_cidr.partition("/")[0]
    for name, pods in scene.pods.by_node.items():
        if name not in {scene.here, peer}:
            yield from (p.status.pod_ip for p in pods.items if p.status.pod_ip and not p.spec.host_network)


def _next_hop(scene: Scene, peer: str) -> Iterator[Why]:
    """The tunnel's next hop has no neighbour entry, or the tunnel does not know the other node."""
    for way in (w for w in scene.ways.ways if w.peer == peer and not w.source):
        hop = way.gateway or way.address
        if way.neighbour in NO_ENTRY and way.neighbour is not None:
            shown = f"{scene.here}: ip neigh show {hop}: {way.neighbour or 'no entry'}"
        elif way.forwarded is False:
            shown = f"{scene.here}: bridge fdb show dev {way.device}: no entry for {peer}"
        else:
            continue
        yield Why(
            reason="no-neighbour", proof=scene.ways.proof.quote(shown), agent=_carrier(scene, scene.here), own=True
        )


def _agent(scene: Scene, peer: str) -> Iterator[Why]:
    """The CNI's pod does not work on one of the two nodes."""
    for name in (scene.here, peer):
        pod, found = _carrier(scene, name), scene.pods.get(name)
        if pod is None or found is None or runs(pod):
            continue
        began = running_since(pod)
        if began is None or scene.clock.age(began) >= YOUNG:
            shown = f"{pod.path} on {name}: not ready, restarts={pod.restarts}"
            yield Why(reason="agent-down", proof=found.proof.quote(shown), agent=pod, own=name == scene.here)


def _carrier(scene: Scene, name: str) -> Pod | None:
    """The CNI's pod on a node; one that does not work first."""
    found = scene.pods.get(name)
    ours = [p for p in (found.items if found else ()) if is_network(p) and not p.finished]
    return min(ours, key=runs, default=None)
