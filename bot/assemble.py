"""Turns outcomes and the causal story into a Report: ids, roles, order of repair, the verdict in three sentences."""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime

from bot.chain import Story
from bot.check import Outcome
from bot.errors import SourceError, UsageError
from bot.model.command import Question
from bot.model.evidence import Gap
from bot.model.finding import RuledOut, Severity
from bot.model.report import (
    Counts,
    Edge,
    Failed,
    Report,
    Role,
    Root,
    Ruled,
    Skipped,
    Status,
    Summary,
)
from bot.model.text import T, Text
from bot.numbering import Exhibits, entry, reading_ids, repairs
from bot.rows import matches
from bot.verdict import summarise

SERIOUS = {Severity.CRIT: Status.CRITICAL, Severity.HIGH: Status.WARNING, Severity.WARN: Status.WARNING}


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a report is about, beside what was found.

    Attributes:
        question: what was asked.
        owns: the rows of the command; their serious checks are mandatory.
        headlines: the rows that people came with.
        cluster: the name to show.
        run: the run id.
        observed_at: API-server time, UTC.
        duration_ms: how long it took.
        unreachable: why the API did not answer at all, if so.
        stopped: ``deadline``, ``cancelled`` or empty.
        ignored: rows the operator silenced (``CODE`` or ``CODE@Kind/name``).
        switched_off: switches that would have judged more.
        plainly_wrong: what is wrong with the target whether or not a check can say why; None when nothing is.
    """

    question: Question
    owns: tuple[str, ...]
    headlines: tuple[str, ...] = ()
    cluster: str
    run: str
    observed_at: datetime
    duration_ms: int
    unreachable: SourceError | None = None
    stopped: str = ""
    ignored: tuple[str, ...] = ()
    switched_off: tuple[str, ...] = ()
    plainly_wrong: Text | None = None


def assemble(case: Case, outcomes: Sequence[Outcome], story: Story) -> Report:
    """Build the report of a case from what every check said and from the causal story."""
    exhibits = Exhibits()
    story = _without_ignored(story, case.ignored)
    ids = reading_ids(story)
    remedies = repairs(story, ids)
    entries = tuple(entry(story, i, ids, exhibits, remedies) for i in ids)
    skipped = tuple(_skips(outcomes, case.owns))
    failed = tuple(_failures(outcomes, case.run))
    ruled = tuple(_ruled_out(outcomes, story, exhibits))
    roots = tuple(
        Root(finding=ids[t.root], chain=tuple(ids[i] for i in t.chain), exposed_by=tuple(ids[i] for i in t.exposed_by))
        for t in story.roots
    )
    status = _status(case, story, skipped, failed, outcomes)
    return Report(
        run=case.run,
        question=case.question,
        cluster=case.cluster,
        observed_at=case.observed_at,
        duration_ms=case.duration_ms,
        status=status,
        summary=_summary(case, status, story, skipped),
        roots=roots,
        entries=entries,
        ruled_out=ruled,
        skipped=skipped,
        failed=failed,
        edges=tuple(
            Edge(
                cause=ids[a.cause], effect=ids[a.effect], type=a.type.value, state="active" if a.active else "possible"
            )
            for a in story.arrows
        ),
        counts=_counts(outcomes),
        remedies=tuple(remedies),
        exhibits=exhibits.all(),
        note=_note(case.stopped),
        unread=tuple(_lost(o, o.without) for o in outcomes if o.without and not o.missing),
        ran=tuple(dict.fromkeys(o.check.code for o in outcomes if o.state in {"found", "clean"})),
    )


def _summary(case: Case, status: Status, story: Story, skipped: tuple[Skipped, ...]) -> Summary:
    if status is Status.INCOMPLETE and case.plainly_wrong is not None:
        return Summary(
            wrong=case.plainly_wrong,
            why=T("None of these checks can say why."),
            next=T("See what was not checked, and ask again when it can be read."),
        )
    summary = summarise(status, story, skipped, unreachable=case.unreachable, headlines=case.headlines)
    if status is Status.OK and case.switched_off:
        ask_on = T(
            "If people still see a fault, ask again with {switches}: more is judged then.", switches=case.switched_off
        )
        return replace(summary, next=ask_on)
    return summary


def _without_ignored(story: Story, ignored: tuple[str, ...]) -> Story:
    """Findings that the operator silenced are shown as by design and are no root."""
    silenced = {i for i, f in enumerate(story.findings) if f.code in ignored or f"{f.code}@{f.subject}" in ignored}
    if not silenced:
        return story
    return replace(
        story,
        findings=tuple(
            replace(f, severity=Severity.BYDESIGN) if i in silenced else f for i, f in enumerate(story.findings)
        ),
        roles=tuple(Role.BYDESIGN if i in silenced else r for i, r in enumerate(story.roles)),
        roots=tuple(t for t in story.roots if t.root not in silenced),
    )


def _skips(outcomes: Sequence[Outcome], owns: tuple[str, ...]) -> Iterable[Skipped]:
    for outcome in outcomes:
        if outcome.missing:
            mandatory = outcome.check.serious and matches(outcome.check.code, owns)
            yield _lost(outcome, outcome.missing, mandatory=mandatory)


def _lost(outcome: Outcome, gaps: tuple[Gap, ...], *, mandatory: bool = False) -> Skipped:
    return Skipped(
        code=outcome.check.code,
        key=outcome.key,
        missing=tuple(gap.words for gap in gaps),
        because=gaps[0].because,
        hint=next((gap.hint for gap in gaps if gap.hint), ""),
        mandatory=mandatory,
    )


def _failures(outcomes: Sequence[Outcome], run: str) -> Iterable[Failed]:
    for outcome in outcomes:
        if outcome.error:
            reference = hashlib.sha256(f"{run}{outcome.check.code}{outcome.key}".encode()).hexdigest()[:6]
            yield Failed(code=outcome.check.code, error=outcome.error, reference=reference)


def _ruled_out(outcomes: Sequence[Outcome], story: Story, exhibits: Exhibits) -> Iterable[Ruled]:
    """What checks ruled out; never a row and subject that another check found."""
    found = {(f.code, f.subject) for f in story.findings if f.confidence.counts}
    for outcome in outcomes:
        for result in outcome.results:
            if isinstance(result, RuledOut) and (result.code, result.subject) not in found:
                yield Ruled(
                    code=result.code,
                    subject=result.subject,
                    because=result.because,
                    evidence=exhibits.cite(result.proofs),
                )


def _counts(outcomes: Sequence[Outcome]) -> Counts:
    states = [outcome.state for outcome in outcomes]
    return Counts(
        found=states.count("found"),
        clean=states.count("clean"),
        skipped=states.count("skipped"),
        failed=states.count("failed"),
    )


def _status(
    case: Case,
    story: Story,
    skipped: tuple[Skipped, ...],
    failed: tuple[Failed, ...],
    outcomes: Sequence[Outcome],
) -> Status:
    """Catalogue section 0, "Severity to status"."""
    if case.stopped == "cancelled":
        return Status.CANCELLED
    counted = [f for f in story.findings if f.confidence.counts]
    serious = [SERIOUS[f.severity] for f in counted if f.severity in SERIOUS]
    if serious:
        return Status.CRITICAL if Status.CRITICAL in serious else Status.WARNING
    if case.unreachable is not None and not any(o.state in {"found", "clean"} for o in outcomes):
        return Status.FAILED
    broken = {f.code for f in failed if matches(f.code, case.owns)}
    if (
        broken
        or case.plainly_wrong
        or case.stopped
        or case.unreachable is not None
        or any(s.mandatory for s in skipped)
    ):
        return Status.INCOMPLETE
    return Status.INFO if counted else Status.OK


def _note(stopped: str) -> Text | None:
    if stopped == "deadline":
        return T("The time for the whole run was over: what had arrived by then is judged, the rest was not checked.")
    return None


def refused(question: Question, cluster: str, run: str, error: UsageError, at: datetime) -> Report:
    """The report of a question that asks about something that does not exist: nothing was checked."""
    nearest = T("Did you mean {nearest}?", nearest=error.nearest) if error.nearest else T("Look at the name again.")
    return Report(
        run=run,
        question=question,
        cluster=cluster,
        observed_at=at,
        duration_ms=0,
        status=Status.FAILED,
        summary=Summary(wrong=T("{problem}", problem=str(error)), why=T("Nothing was checked."), next=nearest),
    )
