"""The third round trip to a node: the routing tables that the rules name (catalogue D.3, RULES_T)."""

from __future__ import annotations

from collections.abc import Iterator

from bot.collect.host_read import Trip
from bot.collect.sections import VALID, section
from bot.collector import collects
from bot.model.evidence import Clock, Evidence, Gap
from bot.model.host import PolicyRouting, Route, RoutingRules
from bot.model.refs import NodeName
from bot.parse import ip
from bot.source import Section, Shell

MOST_TABLES = 64


@collects(PolicyRouting)
def policy_routing(shell: Shell, node: NodeName, clock: Clock, rules: RoutingRules) -> Iterator[Evidence | Gap]:
    """Every table that a rule names; a node without such rules is not visited again."""
    key = "RULES_T" if rules.as_json else "RULES_TEXT"
    tables = {t: section(key, table=t) for t in rules.tables[:MOST_TABLES] if VALID["TABLE"](t)}
    trip = Trip.make(shell, node, clock, tuple(tables.values()))
    yield trip.get(PolicyRouting, lambda: _routing(trip, rules, tables))


def _routing(trip: Trip, rules: RoutingRules, tables: dict[str, Section]) -> PolicyRouting:
    found: dict[str, tuple[Route, ...]] = {t: ip.routes(trip.text(s.key)) for t, s in tables.items()}
    proof = trip.proof(*(s.key for s in tables.values())) if tables else rules.proof
    return PolicyRouting(proof=proof, node=trip.node, rules=rules.rules, tables=found, main=rules.main)
