"""What a node counts and programs (catalogue D.3), and its kube-proxy: how the sections become evidence."""

from __future__ import annotations

from collections.abc import Iterator

from bot.collect.host_read import NoAnswerError, Trip
from bot.collect.logs import LOGS, read_logs, wanted_of
from bot.collector import collects
from bot.errors import SourceError
from bot.model.cluster import Log, PodsOnNode
from bot.model.evidence import Clock, Evidence
from bot.model.host import Links, Sysctls
from bot.model.host_traffic import Conntrack, ReversePath, ServiceProxy, ServiceRules, is_proxy
from bot.model.refs import NodeName
from bot.parse import traffic
from bot.parse.common import UnparsableError
from bot.source import Kube

COUNTS = ("CTCOUNT", "CTSTAT", "IPT_SVC", "NFT", "IPVS")


def conntrack(trip: Trip) -> Conntrack:
    """Section CTCOUNT and, where root is given, CTSTAT."""
    count, maximum = traffic.conntrack_count(trip.text("CTCOUNT"))
    try:
        failed = traffic.conntrack_stat(trip.text("CTSTAT"))
    except (NoAnswerError, UnparsableError):
        failed = None
    proof = trip.proof("CTCOUNT", *(["CTSTAT"] if failed is not None else []))
    return Conntrack(proof=proof, node=trip.node, count=count, maximum=maximum, failed=failed)


def service_rules(trip: Trip) -> ServiceRules:
    """Sections IPT_SVC, NFT, IPVS: one that could not be looked at is unknown, all three are a gap."""
    found: dict[str, int | bool | None] = {}
    because: NoAnswerError | UnparsableError | None = None
    for key, read in (("IPVS", traffic.ipvs_services), ("NFT", traffic.nft_tables), ("IPT_SVC", traffic.service_rules)):
        try:
            found[key] = read(trip.text(key))
        except (NoAnswerError, UnparsableError) as error:
            found[key], because = None, error
    if because is not None and set(found.values()) == {None}:
        raise because
    iptables, nftables, ipvs = found["IPT_SVC"], found["NFT"], found["IPVS"]
    return ServiceRules(
        proof=trip.proof("IPT_SVC", "NFT", "IPVS"),
        node=trip.node,
        iptables=None if iptables is None else int(iptables),
        nftables=None if nftables is None else bool(nftables),
        ipvs=None if ipvs is None else int(ipvs),
    )


def drops(trip: Trip, sysctls: Sysctls | None, links: Links | None, *, asked: bool) -> ReversePath:
    """Section RPFILTER, which is asked only where an interface filters strictly."""
    if asked:
        readings = traffic.reverse_path(trip.text("RPFILTER"))
        return ReversePath(proof=trip.proof("RPFILTER"), node=trip.node, readings=readings)
    if sysctls is None or links is None:
        raise NoAnswerError(f"{trip.node}: whether an interface filters strictly is not known")
    return ReversePath(proof=sysctls.proof, node=trip.node, readings=())


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
