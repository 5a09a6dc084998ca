"""Guards of edges: pure, three-valued, built from a few joins (catalogue C.1b).

A guard compares what two findings are about: nodes, pods, Services, API groups, names, upstreams. A finding that does
not say gives *unknown*, so its edge stays possible and is never followed.
"""

from __future__ import annotations

from bot.link import Case, Guard, Tri
from bot.model.finding import Finding, fact_set


def always(_: Case) -> Tri:
    """The two rows say it themselves."""
    return Tri.TRUE


def undecided(_: Case) -> Tri:
    """What decides this edge is not collected by any command yet: the edge stays possible."""
    return Tri.UNKNOWN


def same_node(case: Case) -> Tri:
    """Both are about one node."""
    return _meet(case.cause.nodes, case.effect.nodes)


def pair_of_nodes(case: Case) -> Tri:
    """The cause is on one end of the ways that fail: where they begin, or on the one node that they do not reach.

    Of several nodes out of reach it may explain its own alone: the edge stays possible then.
    """
    begins, peers = fact_set(case.effect.facts, "node"), fact_set(case.effect.facts, "peers")
    if not peers or begins & case.cause.nodes:
        return same_node(case)
    if not peers & case.cause.nodes:
        return Tri.FALSE
    return Tri.TRUE if peers <= case.cause.nodes else Tri.UNKNOWN


def whole_on_node(case: Case) -> Tri:
    """Every node of the effect is a node of the cause: nothing is left elsewhere."""
    if not case.cause.nodes or not case.effect.nodes:
        return Tri.UNKNOWN
    return Tri.of(case.effect.nodes <= case.cause.nodes)


def same(*keys: str) -> Guard:
    """Both name one thing under these facts (or as their subject): ``same("pod", "pods")``."""

    def guard(case: Case) -> Tri:
        return _meet(_named(case.cause, keys), _named(case.effect, keys))

    return guard


def fact(key: str, *values: str, of: str = "effect") -> Guard:
    """One of the findings (``of`` is ``cause`` or ``effect``) has the fact with one of the values."""

    def guard(case: Case) -> Tri:
        finding = case.cause if of == "cause" else case.effect
        found = fact_set(finding.facts, key)
        if not found and isinstance(finding.facts.get(key), bool):
            found = frozenset({str(finding.facts[key]).lower()})
        return Tri.of(bool(found & set(values))) if found else Tri.UNKNOWN

    return guard


def reason(*words: str, of: str = "effect") -> Guard:
    """The finding's reason is one of the words."""

    def guard(case: Case) -> Tri:
        return Tri.of((case.cause if of == "cause" else case.effect).reason in words)

    return guard


def both(*guards: Guard) -> Guard:
    """All hold; false beats unknown."""

    def guard(case: Case) -> Tri:
        verdicts = {g(case) for g in guards}
        return Tri.FALSE if Tri.FALSE in verdicts else Tri.UNKNOWN if Tri.UNKNOWN in verdicts else Tri.TRUE

    return guard


def either(*guards: Guard) -> Guard:
    """One holds; true beats unknown."""

    def guard(case: Case) -> Tri:
        verdicts = {g(case) for g in guards}
        return Tri.TRUE if Tri.TRUE in verdicts else Tri.UNKNOWN if Tri.UNKNOWN in verdicts else Tri.FALSE

    return guard


def negate(guard: Guard) -> Guard:
    """It does not hold; unknown stays unknown."""

    def negated(case: Case) -> Tri:
        return {Tri.TRUE: Tri.FALSE, Tri.FALSE: Tri.TRUE}.get(guard(case), Tri.UNKNOWN)

    return negated


def _meet(left: frozenset[str], right: frozenset[str]) -> Tri:
    return Tri.of(bool(left & right)) if left and right else Tri.UNKNOWN


SUBJECT_KEYS = {
    "pod": "Pod",
    "pods": "Pod",
    "service": "Service",
    "name": "DNSName",
    "upstream": "Address",
    "group": "APIGroup",
    "webhook": "ValidatingWebhookConfiguration",
    "claim": "PersistentVolumeClaim",
    "volume": "PersistentVolume",
}


def _named(finding: Finding, keys: tuple[str, ...]) -> frozenset[str]:
    """What the finding calls by these keys: facts, and its subject where the kind fits."""
    names = set(fact_set(finding.facts, *keys))
    if finding.subject.kind in {SUBJECT_KEYS.get(key) for key in keys}:
        subject = finding.subject
        names.add(f"{subject.namespace}/{subject.name}" if subject.namespace else subject.name)
    return frozenset(names)
