"""Guards that say more than a join: each is the sentence of one edge of catalogue C.1."""

from __future__ import annotations

from datetime import timedelta

from bot.edges.guards import same, same_node
from bot.link import Case, Tri
from bot.model.finding import fact_set

AFTER_BOOT = timedelta(minutes=15)
LEGACY_GROUPS = frozenset({"metrics"})


def soon_after_boot(case: Case) -> Tri:
    """The effect began with the boot: not before it, and within 15 minutes of it."""
    boot, effect = case.cause.onset, case.effect.onset
    if boot is None or effect is None:
        return Tri.UNKNOWN
    return Tri.of(-timedelta(minutes=2) <= effect - boot <= AFTER_BOOT)


def same_device(case: Case) -> Tri:
    """The effect names no other network interface than the one that is missing."""
    named = fact_set(case.effect.facts, "interface")
    return Tri.of(not named or bool(named & fact_set(case.cause.facts, "interface")))


def component_stopped(case: Case) -> Tri:
    """The controller-manager has no leader or exits: both rows speak of one component."""
    return same("component")(case)


def stray_holds_lease(case: Case) -> Tri:
    """The stray component leads, or leadership keeps changing while it runs."""
    held = fact_set(case.cause.facts, "leases")
    if "leases" not in case.cause.facts and "transitions_grow" not in case.effect.facts:
        return Tri.UNKNOWN
    wanted = fact_set(case.effect.facts, "component")
    return Tri.of(bool(held & wanted) or case.effect.facts.get("transitions_grow") is True)


def scrape_failure_breaks_api(case: Case) -> Tri:
    """One unscraped node breaks the API only in three cases.

    metrics-server runs there, or no node is scraped, or the group is the legacy one.
    """
    if fact_set(case.effect.facts, "group") & LEGACY_GROUPS:
        return Tri.TRUE
    if case.cause.facts.get("none_scraped") is True:
        return Tri.TRUE
    return same_node(case)


def legacy_group(case: Case) -> Tri:
    """The effect is about ``metrics/v1alpha1``."""
    groups = fact_set(case.effect.facts, "group")
    return Tri.of(bool(groups & LEGACY_GROUPS)) if groups else Tri.UNKNOWN


def external_name(case: Case) -> Tri:
    """The name that fails lies outside the cluster."""
    return _name_is(case, external=True)


def cluster_name(case: Case) -> Tri:
    """The name that fails lies in the cluster, or the DNS server never finished its first synchronisation."""
    if case.cause.facts.get("unsynced") is True:
        return Tri.TRUE
    return _name_is(case, external=False)


def _name_is(case: Case, *, external: bool) -> Tri:
    value = case.effect.facts.get("external")
    return Tri.of(value is external) if isinstance(value, bool) else Tri.UNKNOWN
