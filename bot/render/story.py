"""The report read as a story: which findings need action, in which order, and the way from symptom to cause.

Shared by all writers, so that Slack, the terminal and Markdown never disagree.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.model.finding import Confidence, Severity, Stage
from bot.model.report import Edge, Entry, Remedy, Report, Role, Root, Ruled, Skipped
from bot.model.text import T, Text
from bot.render import words

_RANK = {
    Severity.CRIT: 0,
    Severity.HIGH: 1,
    Severity.WARN: 2,
    Severity.INFO: 3,
    Severity.BYDESIGN: 4,
    Severity.NOISE: 5,
}
_SURE = {Confidence.CONFIRMED: 0, Confidence.LIKELY: 1, Confidence.POSSIBLE: 2}
CAUSES = "causes"
CITED = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Because:
    """One sentence of the chain.

    Attributes:
        entry: the finding that it states.
        first: the symptom; every other sentence begins with "because".
        last: the root cause.
    """

    entry: Entry
    first: bool
    last: bool


def needs_action(report: Report) -> tuple[Entry, ...]:
    """Findings that somebody must act on: roots first, then by severity and confidence."""
    acting = [e for e in report.entries if _RANK[e.finding.severity] <= _RANK[Severity.WARN]]
    return tuple(sorted(acting, key=lambda e: (e.role is not Role.ROOT, *_weight(e))))


def foremost(report: Report, count: int) -> tuple[Entry, ...]:
    """The findings to show in full, in the order of their ids, so that a chain reads in one direction."""
    chosen = {e.id for e in needs_action(report)[:count]}
    return tuple(e for e in report.entries if e.id in chosen)


def remarks(report: Report) -> tuple[Entry, ...]:
    """Findings that explain but do not alarm: information, by design, noise."""
    return tuple(sorted((e for e in report.entries if _RANK[e.finding.severity] > _RANK[Severity.WARN]), key=_weight))


def _weight(entry: Entry) -> tuple[int, int]:
    return _RANK[entry.finding.severity], _SURE[entry.finding.confidence]


def sentences(report: Report, root: Root) -> tuple[Because, ...]:
    """The chain of one root from the symptom down to the root."""
    ids = tuple(reversed(root.chain or (root.finding,)))
    return tuple(Because(entry=report.entry(i), first=n == 0, last=n == len(ids) - 1) for n, i in enumerate(ids))


def beside(report: Report, root: Root) -> tuple[Entry, ...]:
    """What the root explains beyond its chain: effects that hang on any sentence of it."""
    chain = set(root.chain) | {root.finding}
    found: list[Entry] = []
    reached = set(chain)
    todo = [e for e in report.edges if e.type == CAUSES and e.state == "active"]
    grown = True
    while grown:
        grown = False
        for edge in todo:
            if edge.cause in reached and edge.effect not in reached:
                reached.add(edge.effect)
                found.append(report.entry(edge.effect))
                grown = True
    return tuple(sorted(found, key=_weight))


@dataclass(frozen=True, slots=True, kw_only=True)
class Repairs:
    """Fixes by when they are wanted, each group in the order of repair.

    Attributes:
        now: what ends the incident: it stops the bleeding, or repairs a root. Where no root is named, every fix counts.
        later: for what should heal with the roots, and does not.
        posture: so that it does not happen again.
    """

    now: tuple[Remedy, ...]
    later: tuple[Remedy, ...]
    posture: tuple[Remedy, ...]


def repairs(report: Report) -> Repairs:
    """The fixes, told apart so that nobody has to read twenty to find the one."""
    roots = {r.finding for r in report.roots}
    posture = [r for r in report.remedies if _is_posture(report, r) and r.finding not in roots]
    others = [r for r in report.remedies if r not in posture]
    now = [r for r in others if not roots or r.finding in roots or r.fix.stage is Stage.MITIGATION]
    later = tuple(r for r in others if r not in now)
    return Repairs(now=tuple(now), later=later, posture=tuple(posture))


def _is_posture(report: Report, remedy: Remedy) -> bool:
    return remedy.fix.stage is Stage.POSTURE or (
        report.entry(remedy.finding).role is Role.CONTRIBUTING and bool(report.roots)
    )


def unproven(report: Report) -> tuple[Edge, ...]:
    """Causal edges that could be neither confirmed nor excluded."""
    ids = {e.id for e in report.entries}
    return tuple(e for e in report.edges if e.type == CAUSES and e.state == "possible" and {e.cause, e.effect} <= ids)


def doubt(report: Report, edge: Edge) -> Text:
    """An unproven edge in words, for people who do not know the ids by heart."""
    return T(
        "{effect} ({effect_title}) may also come from {cause} ({cause_title}): not proven",
        effect=edge.effect,
        effect_title=report.entry(edge.effect).finding.title,
        cause=edge.cause,
        cause_title=report.entry(edge.cause).finding.title,
    )


def next_fix(report: Report) -> Remedy | None:
    """The fix that the summary's "next" speaks of, so that its commands can be found."""
    return next((r for r in report.remedies if r.fix.what == report.summary.next), None)


def suspects(report: Report) -> tuple[Entry, ...]:
    """The best guesses when no root is proven: what nothing explains, best first, at most three."""
    if report.roots:
        return ()
    explained = {e.effect for e in report.edges if e.type == CAUSES}
    return tuple(e for e in needs_action(report) if e.id not in explained)[:3]


def heading(report: Report, number: int) -> Text:
    """What the n-th root (from 1) is called."""
    count = len(report.causes())
    return T("Root cause") if count == 1 else T("Root cause {number} of {count}", number=number, count=count)


def elsewhere(report: Report, group: tuple[Root, ...]) -> Text | None:
    """Where else the same fault is; None when it is in one place."""
    others = tuple(f"{r.finding} {report.entry(r.finding).finding.subject}" for r in group[1:])
    return T("The same fault is on {others}.", others=others) if others else None


def several(report: Report) -> Text | None:
    """What must be said when there are independent roots: repairing one is not the end."""
    first, *rest = (group[0].finding for group in report.causes()) if report.roots else ("",)
    if not rest:
        return None
    return T(
        "These causes are independent: fixing {first} will probably reveal {rest}. "
        "The symptom is gone only when all are fixed.",
        first=first,
        rest=tuple(rest),
    )


def cited(evidence: tuple[str, ...]) -> tuple[str, ...]:
    """The ids of evidence, the most telling first; beyond four, three and how many more."""
    return evidence if len(evidence) <= CITED else (*evidence[: CITED - 1], f"+{len(evidence) - CITED + 1}")


def sureness(entry: Entry) -> Text:
    """The confidence of a finding and what it rests on."""
    word = words.CONFIDENCE[entry.finding.confidence]
    if entry.evidence:
        return T("{confidence}, evidence {evidence}", confidence=word, evidence=cited(entry.evidence))
    return word


def exposed(report: Report, finding_id: str) -> Text:
    """A trigger: it brought the defect to light and is no cause."""
    entry = report.entry(finding_id)
    title, onset = entry.finding.title, entry.finding.onset
    if onset is not None:
        return T("Exposed by {finding} at {onset}: {title}", finding=finding_id, onset=onset, title=title)
    return T("Exposed by {finding}: {title}", finding=finding_id, title=title)


def ruled_out(item: Ruled) -> Text:
    """One suspicion that is not it, and the fact that says so."""
    if item.evidence:
        return T(
            "{code} {subject}: {because} ({evidence})",
            code=item.code,
            subject=str(item.subject),
            because=item.because,
            evidence=cited(item.evidence),
        )
    return T("{code} {subject}: {because}", code=item.code, subject=str(item.subject), because=item.because)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unchecked:
    """Checks that could not run for one and the same reason."""

    codes: tuple[str, ...]
    missing: tuple[str, ...]
    because: str
    hint: str
    mandatory: bool

    def text(self) -> Text:
        """One line: which rows, and why."""
        if len(self.codes) > 6:  # noqa: PLR2004 - more codes are a wall
            return T(
                "{codes} and {more} more: {because}",
                codes=self.codes[:5],
                more=len(self.codes) - 5,
                because=self.because,
            )
        return T("{codes}: {because}", codes=self.codes, because=self.because)


def judged_without(report: Report) -> tuple[Text, ...]:
    """What was judged with less than there might be: the missing evidence, the reason, the remedy; a line a reason."""
    return tuple(
        T("judged without {missing}: {because}. {hint}", missing=g.missing, because=g.because, hint=g.hint)
        for g in not_checked(report.unread)
    )


def not_checked(skipped: tuple[Skipped, ...]) -> tuple[Unchecked, ...]:
    """What was not checked, grouped by reason: what blocks an all-clear first, then the reason that blocks most."""
    groups: dict[tuple[str, str], list[Skipped]] = {}
    for item in skipped:
        groups.setdefault((item.because, item.hint), []).append(item)
    found = [
        Unchecked(
            codes=tuple(dict.fromkeys(i.code for i in items)),
            missing=tuple(dict.fromkeys(m for i in items for m in i.missing)),
            because=because,
            hint=hint,
            mandatory=any(i.mandatory for i in items),
        )
        for (because, hint), items in groups.items()
    ]
    return tuple(sorted(found, key=lambda u: (not u.mandatory, -len(u.codes))))
