"""The third round trip to a node: what the first one named, and what a diagnosis of its network asks (catalogue D.3).

One visit for all of it: which commands it holds depends on what this run has a use for, and on what the first trip saw.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.collect import host_paths as paths
from bot.collect import host_resources as resources
from bot.collect import host_traffic as traffic
from bot.collect.host_read import NoAnswerError, Trip
from bot.collect.sections import VALID, base, section
from bot.collector import Wanted, collects
from bot.model.cluster import Nodes, PodsOnNode
from bot.model.evidence import Clock, Evidence, Gap, PerNode
from bot.model.host import Disks, Links, NodeReached, PolicyRouting, Route, RoutingRules, Sysctls
from bot.model.host_resources import DiskUse, Images
from bot.model.host_traffic import Conntrack, CrossNode, ReversePath, ServiceRules, strict_interfaces
from bot.model.refs import NodeName
from bot.parse import ip
from bot.source import Section, Shell

MOST_TABLES = 64
SOON, LATE = 30.0, 75.0  # seconds; reading what fills a disk takes its time


@collects(PolicyRouting, Conntrack, ServiceRules, ReversePath, CrossNode, Images, DiskUse, deadline=80.0)
def host_targeted(
    *,
    shell: Shell,
    node: NodeName,
    clock: Clock,
    wanted: Wanted,
    reached: NodeReached,
    rules: RoutingRules | None,
    sysctls: Sysctls | None,
    links: Links | None,
    disks: Disks | None,
    nodes: Nodes | None,
    pods: PerNode[PodsOnNode],
) -> Iterator[Evidence | Gap]:
    """Every table that a rule names, counters and rules, ways to other nodes, what fills a disk that is nearly full."""
    tables = _tables(rules) if PolicyRouting in wanted else {}
    counted = {Conntrack, ServiceRules} & wanted.types
    strict = bool(ReversePath in wanted and sysctls and links and strict_interfaces(sysctls, links))
    asked = paths.asked(node, nodes, pods, rules) if CrossNode in wanted else paths.NOTHING
    full = resources.is_crowded(disks) and bool({Images, DiskUse} & wanted.types)
    sections = (
        *tables.values(),
        *(base(*traffic.COUNTS) if counted else ()),
        *asked.sections,
        *((section("RPFILTER"),) if strict else ()),
        *(base(*resources.SPACE) if full else ()),
    )
    trip = Trip.make(shell, node, clock, sections, deadline=LATE if full else SOON)
    yield trip.get(PolicyRouting, lambda: _routing(trip, rules, tables))
    yield trip.get(Conntrack, lambda: traffic.conntrack(trip))
    yield trip.get(ServiceRules, lambda: traffic.service_rules(trip))
    yield trip.get(ReversePath, lambda: traffic.drops(trip, sysctls, links, asked=strict))
    yield trip.get(CrossNode, lambda: paths.cross_node(trip, asked, reached))
    yield from resources.space(trip, disks, asked=full)


def _tables(rules: RoutingRules | None) -> Mapping[str, Section]:
    """The section for each table that a rule names."""
    if rules is None:
        return {}
    key = "RULES_T" if rules.as_json else "RULES_TEXT"
    return {t: section(key, table=t) for t in rules.tables[:MOST_TABLES] if VALID["TABLE"](t)}


def _routing(trip: Trip, rules: RoutingRules | None, tables: Mapping[str, Section]) -> PolicyRouting:
    if rules is None:
        raise NoAnswerError(f"{trip.node}: the routing rules were not read")
    found: dict[str, tuple[Route, ...]] = {t: ip.routes(trip.text(s.key)) for t, s in tables.items()}
    proof = trip.proof(*(s.key for s in tables.values())) if tables else rules.proof
    return PolicyRouting(proof=proof, node=trip.node, rules=rules.rules, tables=found, main=rules.main)
