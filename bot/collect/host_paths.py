"""Ways between nodes: connections to another node and its pods, and where the kernel would send such packets (D.3)."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, replace

from bot.collect.host_read import NoAnswerError, Trip
from bot.collect.sections import VALID, section
from bot.model.cluster import Nodes, PodsOnNode
from bot.model.evidence import PerNode
from bot.model.host import NodeReached, RoutingRules
from bot.model.host_traffic import CrossNode, Leg, Way
from bot.model.k8s import Pod
from bot.parse import reach, traffic
from bot.parse.common import UnparsableError
from bot.source import Section

MOST_PEERS, MOST_PODS = 2, 2
KUBELET = 10250
VXLAN = ("flannel.1", "vxlan.calico")  # Cilium's tunnels keep no forwarding database


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """What is asked of one node about the ways to others: unresolved legs and ways with their sections.

    Attributes:
        nodes: the addresses of the other nodes by name.
    """

    legs: tuple[tuple[Leg, Section], ...] = ()
    ways: tuple[tuple[Way, tuple[Section, ...]], ...] = ()
    nodes: Mapping[str, str]

    @property
    def sections(self) -> tuple[Section, ...]:
        """Everything once; what answers at once goes first."""
        parts = [*(s for _, found in self.ways for s in found), *(s for _, s in self.legs)]
        return tuple({s.key: s for s in parts}.values())


NOTHING = Asked(nodes={})


def asked(node: str, nodes: Nodes | None, pods: PerNode[PodsOnNode], rules: RoutingRules | None) -> Asked:
    """The other nodes that the diagnosis looks into, and at most two listening pods on each, are tried from here."""
    if nodes is None:
        return NOTHING
    others = [p for p in pods.by_node if p != node][:MOST_PEERS]
    addresses = {n: a for n in others if (o := nodes.get(n)) and (a := o.address()) and VALID["DST"](a)}
    legs = tuple(
        (leg, section("TCP", host=leg.address, port=str(leg.port))) for n in others for leg in _legs(n, addresses, pods)
    )
    first = {leg.peer: leg.address for leg, _ in reversed(legs) if leg.pod}
    ways = [_to_pod(peer, address, rules) for peer, address in first.items()]
    own = _own(node, pods, rules)
    inner = rules.way_to(own) if rules and own else None
    if own and inner and inner.device and VALID["IFACE"](inner.device):
        ways += [_from_pod(peer, to, own, inner.device) for peer, to in addresses.items() if peer in first]
    return Asked(legs=legs, ways=tuple(ways), nodes=addresses)


def _own(node: str, pods: PerNode[PodsOnNode], rules: RoutingRules | None) -> str | None:
    """The address of a pod of this node whose packets are asked about: one that no rule names first."""
    found = [p.status.pod_ip or "" for p in _of(node, pods) if p.ready and _has_address(p)]
    named = [a for a in found if rules and any(r.covers(a) for r in rules.rules)]
    return next((a for a in (*(a for a in found if a not in named), *named)), None)


def _of(node: str, pods: PerNode[PodsOnNode]) -> tuple[Pod, ...]:
    found = pods.get(node)
    return found.items if found else ()


def _has_address(pod: Pod) -> bool:
    return not pod.spec.host_network and VALID["DST"](pod.status.pod_ip or "")


def _legs(there: str, addresses: Mapping[str, str], pods: PerNode[PodsOnNode]) -> Iterator[Leg]:
    """What to try: the kubelet of the other node, then pods of it that listen; all of it unresolved yet."""
    if there in addresses:
        yield Leg(peer=there, address=addresses[there], port=KUBELET, result="")
    ordered = sorted(_of(there, pods), key=lambda p: (p.metadata.namespace != "kube-system", p.path))
    listening = [(p, port) for p in ordered if (port := _port(p))]
    for pod, port in listening[:MOST_PODS]:
        yield Leg(peer=there, address=pod.status.pod_ip or "", port=port, result="", pod=pod.path)


def _port(pod: Pod) -> int | None:
    """A TCP port on which a ready pod with an address of its own says that it listens."""
    if not pod.ready or not _has_address(pod):
        return None
    ports = [p for c in pod.spec.containers or () for p in c.ports or () if p.protocol == "TCP" and p.container_port]
    return ports[0].container_port if ports else None


def _to_pod(peer: str, address: str, rules: RoutingRules | None) -> tuple[Way, tuple[Section, ...]]:
    """Where packets to a pod go; by the main table, also what the kernel knows about the next hop and the tunnel."""
    parts = [section("RPATH", dst=address)]
    route = rules.way_to(address) if rules else None
    if route and route.device in VXLAN:
        if VALID["DST"](route.gateway):
            parts.append(section("NEIGH", dst=route.gateway))
        parts.append(section("FDB", iface=route.device))
    return Way(peer=peer, address=address), tuple(parts)


def _from_pod(peer: str, address: str, own: str, iface: str) -> tuple[Way, tuple[Section, ...]]:
    part = section("RPATH_FROM", dst=address, podip=own, iface=iface)
    return Way(peer=peer, address=address, source=own), (part,)


def cross_node(trip: Trip, what: Asked, reached: NodeReached) -> CrossNode:
    """The legs and ways as they turned out; a way that nobody could tell is left out.

    Raises:
        NoAnswerError: no leg to a pod was tried although there are some.
    """
    if not what.legs:
        return CrossNode(proof=reached.proof, node=trip.node, legs=())
    legs: list[Leg] = []
    lost: list[NoAnswerError | UnparsableError] = []
    for leg, part in what.legs:
        try:
            legs.append(_resolved(leg, trip.output(part.key).text))
        except (NoAnswerError, UnparsableError) as error:
            lost.append(error)
    if lost and not any(leg.pod for leg in legs):
        raise lost[0]
    ways = [found for way, parts in what.ways if (found := _told(way, parts, trip, what.nodes.get(way.peer, "")))]
    shown = [f"{leg.pod or leg.peer} {leg.address}:{leg.port}: {leg.result} {leg.said}".rstrip() for leg in legs]
    proof = trip.proof(*(part.key for _, part in what.legs[:1])).quote(*shown)
    return CrossNode(proof=proof, node=trip.node, legs=tuple(legs), ways=tuple(ways))


def _resolved(leg: Leg, text: str) -> Leg:
    said = next((line.strip() for line in text.splitlines() if "rc=" not in line and line.strip()), "")
    return replace(leg, result=reach.connected(text), said=said[:120])


def _told(way: Way, parts: tuple[Section, ...], trip: Trip, there: str) -> Way | None:
    """What the kernel said about a way; None when its answer is not there or not understood."""
    try:
        device, gateway, refused = traffic.way(trip.text(parts[0].key))
    except (NoAnswerError, UnparsableError):
        return None
    neighbour: str | None = None
    forwarded: bool | None = None
    for part in parts[1:]:
        output = trip.outputs.get(part.key)
        if output is None or output.rc != 0:
            continue
        if part.key.startswith("NEIGH"):
            neighbour = _neighbour(output.text)
        elif not output.truncated and " dst " in output.text:
            forwarded = f" dst {there} " in f"{output.text} ".replace("\n", " ")
    return replace(way, device=device, gateway=gateway, refused=refused, neighbour=neighbour, forwarded=forwarded)


def _neighbour(text: str) -> str | None:
    try:
        return reach.neighbour(text)
    except UnparsableError:
        return None
