"""Names the roots: findings and edges in, an ordered causal story out (catalogue C.2).

Pure: the same findings, evidence and edges always tell the same story. Only ``causes`` edges whose guard holds are
followed; a guard that cannot be decided leaves its edge *possible*, shown and never followed.
"""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

from bot.edges import LINKS
from bot.link import Case, Link, Tri, Type
from bot.model.evidence import Known
from bot.model.finding import Confidence, Finding, Severity
from bot.model.report import Role
from bot.model.rows import rows
from bot.paths import best_path, break_cycles, reach
from bot.rows import matches

ONSET_SLACK = timedelta(seconds=120)
POSTURE = ("CTRL-10", "ETCD-07", "DNS-01", "DNS-20", "HYG-*", "NODE-17", "NODE-29")
SYMPTOMS = ("APP-01", "APP-02", "APP-03")  # the catalogue: a symptom row needs a parent
LAYERS = (
    "NODE",
    "NET",
    "STOR",
    "ETCD",
    "CTRL",
    "APISVC",
    "METRICS",
    "DNS",
    "SVC",
    "ING",
    "AUTO",
    "HPA",
    "POD",
    "KUBECTL",
    "APP",
)
RANK = {Severity.CRIT: 0, Severity.HIGH: 1, Severity.WARN: 2, Severity.INFO: 3, Severity.BYDESIGN: 4, Severity.NOISE: 5}
SURE = {Confidence.CONFIRMED: 0, Confidence.LIKELY: 1, Confidence.POSSIBLE: 2}
LATE = datetime.max.replace(tzinfo=UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrow:
    """One edge between two findings of this case, by their positions."""

    cause: int
    effect: int
    type: Type
    active: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """One root with the path to its symptom and the triggers that exposed it, by positions."""

    root: int
    chain: tuple[int, ...]
    exposed_by: tuple[int, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Story:
    """The causal story of one diagnosis.

    Attributes:
        findings: what was found, in the order of the positions used below.
        roles: the part each plays.
        arrows: edges of every type, active or possible.
        roots: best first.
    """

    findings: tuple[Finding, ...]
    roles: tuple[Role, ...]
    arrows: tuple[Arrow, ...]
    roots: tuple[Told, ...]

    def explained_by(self, position: int) -> tuple[int, ...]:
        """The findings that cause this one by active edges."""
        return tuple(a.cause for a in self.arrows if a.effect == position and a.active and a.type is Type.CAUSES)

    def explains(self, position: int) -> frozenset[int]:
        """The findings that this one causes by active edges, directly or not."""
        causes = {(a.cause, a.effect) for a in self.arrows if a.active and a.type is Type.CAUSES}
        return frozenset(reach(position, causes))


def explain(
    findings: Iterable[Finding], known: Known, owns: tuple[str, ...] = (), links: Iterable[Link] = LINKS
) -> Story:
    """Tell the story of these findings; ``owns`` are the rows of the command: the person's symptom is among them."""
    ordered = tuple(sorted(findings, key=_reading_order))
    arrows = _arrows(ordered, known, links)
    eligible = {i for i, f in enumerate(ordered) if f.confidence.counts and _may_matter(f)}
    causes = {(a.cause, a.effect) for a in arrows if a.type is Type.CAUSES and a.active}
    causes = {(c, e) for c, e in causes if c in eligible and e in eligible}
    causes = break_cycles(causes, [f.onset for f in ordered], [_layer(f) for f in ordered])
    effects = {e for _, e in causes}
    roots = {i for i in eligible - effects if _may_be_root(ordered, i, arrows)}
    told = sorted(
        (_told(ordered, i, arrows, causes, owns) for i in roots), key=lambda t: _root_order(ordered, t, causes, owns)
    )
    kept = tuple(a for a in arrows if a.type is not Type.CAUSES or not a.active or (a.cause, a.effect) in causes)
    roles = tuple(_role(ordered, i, roots, effects, arrows) for i in range(len(ordered)))
    return Story(findings=ordered, roles=roles, arrows=kept, roots=tuple(told))


def _reading_order(f: Finding) -> tuple[int, int, int, str, str]:
    return RANK[f.severity], SURE[f.confidence], _layer(f), f.code, str(f.subject)


def _layer(f: Finding) -> int:
    """The position of the row's family from the host upwards (catalogue C.2, step 3)."""
    family = rows()[f.code].family
    return LAYERS.index(family) if family in LAYERS else len(LAYERS)


def _may_matter(f: Finding) -> bool:
    return f.severity not in {Severity.NOISE, Severity.BYDESIGN} and not matches(f.code, POSTURE)


def _arrows(findings: tuple[Finding, ...], known: Known, links: Iterable[Link]) -> tuple[Arrow, ...]:
    by_code: dict[str, list[int]] = defaultdict(list)
    for i, f in enumerate(findings):
        by_code[f.code].append(i)
    arrows: dict[tuple[int, int, Type], Arrow] = {}
    for link in links:
        for c in by_code.get(link.cause, ()):
            for e in by_code.get(link.effect, ()):
                verdict = _holds(link, findings, c, e, known)
                if verdict is Tri.FALSE:
                    continue
                arrow = Arrow(cause=c, effect=e, type=link.type, active=verdict is Tri.TRUE)
                before = arrows.get((c, e, link.type))
                if before is None or (arrow.active and not before.active):
                    arrows[c, e, link.type] = arrow
    return tuple(arrows.values())


def _holds(link: Link, findings: tuple[Finding, ...], c: int, e: int, known: Known) -> Tri:
    cause, effect = findings[c], findings[e]
    if link.type is not Type.MASKS and cause.onset and effect.onset and cause.onset > effect.onset + ONSET_SLACK:
        return Tri.FALSE
    return link.guard(Case(cause=cause, effect=effect, known=known, findings=findings))


def _may_be_root(findings: tuple[Finding, ...], i: int, arrows: tuple[Arrow, ...]) -> bool:
    """Catalogue C.2, steps 3 and 4; what it causes need not be certain itself."""
    if findings[i].severity in {Severity.INFO, Severity.WARN} or matches(findings[i].code, SYMPTOMS):
        return False
    outgoing = {a.type for a in arrows if a.cause == i and a.active}
    if Type.TRIGGERS in outgoing:
        return False
    return Type.CAUSES in outgoing or not outgoing


def _told(
    findings: tuple[Finding, ...],
    root: int,
    arrows: tuple[Arrow, ...],
    causes: set[tuple[int, int]],
    owns: tuple[str, ...],
) -> Told:
    path = best_path(root, causes, lambda i: (findings[i].severity is Severity.CRIT, matches(findings[i].code, owns)))
    exposed = tuple(
        a.cause
        for a in arrows
        if a.type is Type.TRIGGERS and a.active and a.effect == root and not matches(findings[a.cause].code, POSTURE)
    )
    return Told(root=root, chain=path, exposed_by=exposed)


def _root_order(
    findings: tuple[Finding, ...], told: Told, causes: set[tuple[int, int]], owns: tuple[str, ...]
) -> tuple[bool, int, datetime, int, int, str]:
    """Path to the symptom, most explained, earliest, lowest, surest (catalogue C.2, step 3)."""
    f = findings[told.root]
    explained = reach(told.root, causes)
    symptom = any(matches(findings[i].code, owns) for i in explained | {told.root})
    onset = f.onset or LATE
    return not symptom, -len(explained), onset, _layer(f), SURE[f.confidence], f"{f.code} {f.subject}"


def _role(findings: tuple[Finding, ...], i: int, roots: set[int], effects: set[int], arrows: tuple[Arrow, ...]) -> Role:
    f = findings[i]
    if f.severity is Severity.NOISE:
        return Role.NOISE
    if f.severity is Severity.BYDESIGN:
        return Role.BYDESIGN
    if i in roots:
        return Role.ROOT
    if i in effects:
        return Role.EFFECT
    triggers = any(a.cause == i and a.active and a.type is Type.TRIGGERS for a in arrows)
    return Role.TRIGGER if triggers and not matches(f.code, POSTURE) else Role.CONTRIBUTING
