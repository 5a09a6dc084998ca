"""The third round trip to a node whose network is asked about: what it counts, programs and reaches (D.3)."""

from __future__ import annotations

from collections.abc import Iterator

from bot.collect.host_read import NoAnswerError, Trip
from bot.collect.logs import LOGS, read_logs, wanted_of
from bot.collect.sections import VALID, base, section
from bot.collector import collects
from bot.errors import SourceError
from bot.model.cluster import Log, Nodes, PodsOnNode
from bot.model.evidence import Clock, Evidence, Gap, PerNode
from bot.model.host import Links, NodeReached, Sysctls
from bot.model.host_traffic import (
    Conntrack,
    CrossNode,
    Leg,
    ReversePath,
    ServiceProxy,
    ServiceRules,
    is_proxy,
    strict_interfaces,
)
from bot.model.k8s import Pod
from bot.model.refs import NodeName
from bot.parse import traffic
from bot.parse.common import UnparsableError
from bot.source import Kube, Section, Shell

COUNTS = ("CTCOUNT", "CTSTAT", "IPT_SVC", "NFT", "IPVS")
MOST_PEERS, MOST_PODS = 2, 2
KUBELET = 10250
_RESULTS = {"0": "ok", "124": "timeout"}


@collects(Conntrack, ServiceRules, ReversePath)
def host_traffic(
    *, shell: Shell, node: NodeName, clock: Clock, reached: NodeReached, sysctls: Sysctls | None, links: Links | None
) -> Iterator[Evidence | Gap]:
    """Counters and rules; reverse-path drops are counted only where an interface filters strictly."""
    strict = strict_interfaces(sysctls, links) if sysctls and links else ()
    sections = [*base(*COUNTS), *([section("RPFILTER")] if strict else [])]
    trip = Trip.make(shell, node, clock, sections)
    yield trip.get(Conntrack, lambda: _conntrack(trip))
    yield trip.get(ServiceRules, lambda: _rules(trip))
    if strict or sysctls is None or links is None:
        yield trip.get(ReversePath, lambda: _drops(trip))
    else:
        yield ReversePath(proof=sysctls.proof, node=reached.node, readings=())


def _conntrack(trip: Trip) -> Conntrack:
    count, maximum = traffic.conntrack_count(trip.text("CTCOUNT"))
    try:
        failed = traffic.conntrack_stat(trip.text("CTSTAT"))
    except (NoAnswerError, UnparsableError):
        failed = None
    proof = trip.proof("CTCOUNT", *(["CTSTAT"] if failed is not None else []))
    return Conntrack(proof=proof, node=trip.node, count=count, maximum=maximum, failed=failed)


def _rules(trip: Trip) -> ServiceRules:
    iptables: int | None = None
    nftables: bool | None = None
    ipvs: int | None = None
    because: NoAnswerError | UnparsableError | None = None
    try:
        iptables = traffic.service_rules(trip.text("IPT_SVC"))
    except (NoAnswerError, UnparsableError) as error:
        because = error
    try:
        nftables = traffic.nft_tables(trip.text("NFT"))
    except (NoAnswerError, UnparsableError):
        nftables = None
    try:
        ipvs = traffic.ipvs_services(trip.text("IPVS"))
    except NoAnswerError:
        ipvs = None
    if because is not None and not nftables and not ipvs:
        raise because
    proof = trip.proof("IPT_SVC", "NFT", "IPVS")
    return ServiceRules(proof=proof, node=trip.node, iptables=iptables, nftables=nftables, ipvs=ipvs)


def _drops(trip: Trip) -> ReversePath:
    return ReversePath(
        proof=trip.proof("RPFILTER"), node=trip.node, readings=traffic.reverse_path(trip.text("RPFILTER"))
    )


@collects(CrossNode)
def cross_node(
    *,
    shell: Shell,
    node: NodeName,
    clock: Clock,
    reached: NodeReached,
    nodes: Nodes,
    pods: PerNode[PodsOnNode],
) -> Iterator[Evidence | Gap]:
    """The other nodes that the diagnosis looks into, and at most two listening pods on each, are tried from here."""
    asked: dict[str, tuple[Leg, Section]] = {}
    for there in [p for p in pods.by_node if p != node][:MOST_PEERS]:
        for leg in _legs(there, nodes, pods):
            asked[f"{leg.address}:{leg.port}"] = (leg, section("TCP", host=leg.address, port=str(leg.port)))
    if not asked:
        yield CrossNode(proof=reached.proof, node=node, legs=())
        return
    trip = Trip.make(shell, node, clock, [s for _, s in asked.values()])
    yield trip.get(CrossNode, lambda: _tried(trip, list(asked.values())))


def _legs(there: str, nodes: Nodes, pods: PerNode[PodsOnNode]) -> Iterator[Leg]:
    """What to try: the kubelet of the other node, then pods of it that listen; all of it unresolved yet."""
    other, found = nodes.get(there), pods.get(there)
    address = other.address() if other else None
    if address and VALID["DST"](address):
        yield Leg(peer=there, address=address, port=KUBELET, result="")
    ordered = sorted(found.items if found else (), key=lambda p: (p.metadata.namespace != "kube-system", p.path))
    listening = [(p, port) for p in ordered if (port := _port(p))]
    for pod, port in listening[:MOST_PODS]:
        yield Leg(peer=there, address=pod.status.pod_ip or "", port=port, result="", pod=pod.path)


def _port(pod: Pod) -> int | None:
    """A TCP port on which a ready pod with an address of its own says that it listens."""
    if pod.spec.host_network or not pod.ready or not VALID["DST"](pod.status.pod_ip or ""):
        return None
    ports = [p for c in pod.spec.containers or () for p in c.ports or () if p.protocol == "TCP" and p.container_port]
    return ports[0].container_port if ports else None


def _tried(trip: Trip, asked: list[tuple[Leg, Section]]) -> CrossNode:
    legs: list[Leg] = []
    lost: list[NoAnswerError] = []
    for leg, part in asked:
        try:
            legs.append(_resolved(leg, trip.output(part.key).text))
        except NoAnswerError as error:
            lost.append(error)
    if lost and not any(leg.pod for leg in legs):
        raise lost[0]
    shown = [f"{leg.pod or leg.peer} {leg.address}:{leg.port}: {leg.result} {leg.said}".rstrip() for leg in legs]
    proof = trip.proof(*(part.key for _, part in asked[:1])).quote(*shown)
    return CrossNode(proof=proof, node=trip.node, legs=tuple(legs))


def _resolved(leg: Leg, text: str) -> Leg:
    code = text.rpartition("rc=")[2].strip()
    result = _RESULTS.get(code) or ("refused" if "refused" in text else "unreachable")
    said = next((line.strip() for line in text.splitlines() if "rc=" not in line and line.strip()), "")
    return Leg(peer=leg.peer, address=leg.address, port=leg.port, result=result, pod=leg.pod, said=said[:120])


@collects(ServiceProxy, rights=(LOGS,))
def service_proxy(kube: Kube, clock: Clock, node: NodeName, pods: PodsOnNode) -> Iterator[Evidence]:
    """kube-proxy among the node's pods; a log that may not be read is left out, the pod's state still counts."""
    found = tuple(p for p in pods.items if is_proxy(p))
    logs: tuple[Log, ...] = ()
    wanted = tuple(w for pod in found for w in wanted_of(pod) if not w.previous)
    if wanted:
        try:
            logs, _ = read_logs(kube, wanted, clock, some=False)
        except SourceError:
            logs = ()
    by_pod = {log.origin.rpartition("/")[0]: log for log in logs}
    yield ServiceProxy(proof=pods.proof, node=node, pods=found, logs=by_pod)
