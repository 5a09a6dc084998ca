"""Builds the messages of a run: the root with its verdict, and what stands in its thread, in the order of reading.

Every message is verdict first. How much of it is shown is a parameter, because a place may have room for less: what
does not fit is named and points to the evidence file.
"""

from __future__ import annotations

from dataclasses import dataclass

from bot.model.report import Entry, Report, Status
from bot.model.text import T
from bot.render import story, words
from bot.render.blocks import (
    Action,
    Block,
    Button,
    Buttons,
    Divider,
    Icon,
    Kind,
    Line,
    Message,
    Moment,
    Note,
    Person,
    Section,
    Span,
)
from bot.render.i18n import Voice, code, strong
from bot.render.pieces import about, excerpt, join, one_line, title, where

FULL_FINDINGS = 5
FULL_FIXES = 2
LISTED = 10
BRIEF = 3
SLOW_MS = 30_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Room:
    """How much of a message is shown; see :func:`rooms` for the order in which things are dropped.

    Attributes:
        proof: lines of proof under each finding.
        remarks: whether findings that need no action are listed.
        details: whether a finding has its second sentence.
        listed: items of a list before "and N more".
        commands: whether fixes show their commands.
    """

    proof: int = 6
    remarks: bool = True
    details: bool = True
    listed: int = LISTED
    commands: bool = True


ROOMS = (
    Room(),
    Room(proof=3),
    Room(proof=1),
    Room(proof=0),
    Room(proof=0, remarks=False),
    Room(proof=0, remarks=False, details=False, listed=5),
    Room(proof=0, remarks=False, details=False, listed=3, commands=False),
    Room(proof=0, remarks=False, details=False, listed=1, commands=False),
)


def headline(report: Report, voice: Voice) -> Line:
    """``CRITICAL · Node check · prod-eu / node-3``."""
    word = words.STATUS[report.status]
    return (
        *title(voice, word, report.question.command),
        *where(report.cluster, report.question.target),
    )


def verdict(report: Report, voice: Voice) -> tuple[Line, ...]:
    """What is wrong, why, what to do next; and whether this is an all-clear."""
    summary = report.summary
    rows = (
        (T("What is wrong"), summary.wrong),
        (T("Why"), summary.why),
        (T("Do next"), summary.next),
    )
    found: list[Line] = []
    for label, text in rows:
        if text.msgid:
            tail = fix_id(report) if text is summary.next else ()
            found.append((*strong(voice(label)), Span("  "), *voice(text), *tail))
        if text is summary.why and report.roots:
            found.append(sure(report, voice))
    return (*found, *caveats(report, voice))


def fix_id(report: Report) -> Line:
    """The id under which the commands of the next step stand, if they do."""
    remedy = story.next_fix(report)
    return (Span("  "), code(remedy.id)) if remedy is not None else ()


def caveats(report: Report, voice: Voice) -> tuple[Line, ...]:
    """What limits the verdict: it is no all-clear, it was stopped."""
    clear = (strong(voice(T("This is not an all-clear."))),) if report.status is Status.INCOMPLETE else ()
    return (*clear, *((voice(report.note),) if report.note is not None else ()))


def sure(report: Report, voice: Voice) -> Line:
    """How sure each named cause is, and on what it rests."""
    causes = [group[0] for group in report.causes()]
    entries = [report.entry(r.finding) for r in causes[:3]]
    said = [voice(T("{finding} {sureness}", finding=e.id, sureness=story.sureness(e))) for e in entries]
    more = len(causes) - len(entries)
    return join([*said, voice(T("and {count} more causes", count=more))] if more else said)


def root(report: Report, voice: Voice, by: str) -> Message:
    """The root message of a finished run."""
    blocks: list[Block] = [Section(lines=(headline(report, voice),)), Section(lines=verdict(report, voice))]
    if report.status in {Status.INCOMPLETE, Status.FAILED} or (report.unread and not report.entries):
        missing = unchecked(report, voice, BRIEF)
        if missing:
            blocks.append(Section(lines=(strong(voice(T("Not checked"))), *missing)))
    blocks += [Note(line=provenance(report, voice, by)), _root_buttons(report, voice)]
    return Message(kind=Kind.ROOT, run=report.run, text=fallback(report, voice), blocks=tuple(blocks))


def fallback(report: Report, voice: Voice) -> str:
    """The verdict in one line, for notifications and screen readers."""
    named = voice.text(words.command(report.question.command))
    place = " / ".join(part for part in (report.cluster, report.question.target) if part)
    status = voice.text(words.STATUS[report.status].text)
    parts = (report.summary.wrong, report.summary.why)
    said = " ".join(_sentence(voice.text(part)) for part in parts if part.msgid)
    head = voice.text(T("{command} on {place}: {status}.", command=named, place=place, status=status))
    return f"{head} {said} {voice.text(words.counts(report))}."


def _sentence(text: str) -> str:
    """A title with a full stop, where it has none."""
    return text if text.endswith((".", "!", "?", "。")) else f"{text}."


def provenance(report: Report, voice: Voice, by: str = "") -> Line:
    """Which run, for whom, when, how long, how many checks."""
    whom: Line = (Span("  ·  "), Person(by)) if by else ()
    when = (Moment(report.observed_at), Span(f", {words.took(report)}"))
    return (
        *voice(T("Run {run}", run=report.run)),
        *whom,
        Span("  ·  "),
        *when,
        Span("  ·  "),
        *voice(words.counts(report)),
    )


def _root_buttons(report: Report, voice: Voice) -> Buttons:
    retry = T("Retry missing checks") if report.status is Status.INCOMPLETE else T("Run again")
    items = [Button(action=Action.RERUN, label=voice.text(retry), value=report.run)]
    if report.roots:
        entry = report.entry(report.roots[0].finding)
        label = voice.text(T("Explain {code}", code=entry.finding.code))
        items.append(Button(action=Action.EXPLAIN, label=label, value=f"{report.run}:{entry.id}"))
    if report.status is Status.OK:
        items.append(Button(action=Action.DETAILS, label=voice.text(T("What was checked")), value=report.run))
    return Buttons(items=tuple(items))


def findings(report: Report, voice: Voice, room: Room) -> Message:
    """T1: what needs action, the first five in full."""
    acting = story.needs_action(report)
    head = strong(voice(T("Findings that need action: {count}", count=len(acting))))
    blocks: list[Block] = [Section(lines=(head,))]
    full = story.foremost(report, FULL_FINDINGS)
    for entry in full:
        blocks += finding(report, entry, voice, room)
    others = [e for e in report.entries if e in acting and e not in full]
    if others:
        listed = [one_line(e, voice) for e in others[: room.listed]]
        rest = len(others) - len(listed)
        more = (voice(T("{count} more in the evidence file", count=rest)),) if rest else ()
        blocks += [Divider(), Section(lines=(strong(voice(T("Also found"))), *listed, *more))]
    blocks += _remarks(report, voice, room)
    blocks.append(Note(line=voice(words.counts(report))))
    text = voice.text(T("Findings that need action: {count}", count=len(acting)))
    return Message(kind=Kind.FINDINGS, run=report.run, text=text, blocks=tuple(blocks))


def _remarks(report: Report, voice: Voice, room: Room) -> list[Block]:
    items = story.remarks(report)
    if not items:
        return []
    if not room.remarks:
        return [Note(line=voice(T("{count} remarks that need no action: in the evidence file", count=len(items))))]
    listed = tuple(one_line(e, voice) for e in items[: room.listed])
    rest = len(items) - len(listed)
    more = (voice(T("{count} more in the evidence file", count=rest)),) if rest else ()
    return [Section(lines=(strong(voice(T("Good to know, no action needed"))), *listed, *more))]


def finding(report: Report, entry: Entry, voice: Voice, room: Room) -> list[Block]:
    """One finding: title, meaning, proof, provenance."""
    word = words.SEVERITY[entry.finding.severity]
    head = (
        Icon(word.emoji),
        *strong((Span(f"{entry.id} "), *voice(word.text), Span("  "))),
        *voice(entry.finding.title),
    )
    detail = entry.finding.detail
    meaning = (voice(detail),) if detail is not None and room.details else ()
    proof, left = excerpt(report, entry, room.proof)
    more = (voice(T("… more lines in evidence {evidence}: {count}", count=left, evidence=entry.evidence[:1])),)
    fold = voice(T("Evidence {evidence}", evidence=story.cited(entry.evidence))) if proof else ()
    section = Section(lines=(head, *meaning, *(more if left and room.proof else ())), fence=proof, fold=fold)
    return [section, Note(line=about(entry, voice))]


def unchecked(report: Report, voice: Voice, listed: int) -> tuple[Line, ...]:
    """What was not checked and why, and what would make it possible."""
    groups = story.not_checked(report.skipped)
    found: list[Line] = []
    for group in groups[:listed]:
        found.append((Span("• "), *voice(group.text())))
        if group.hint:
            found.append((Span("   "), *voice(T("To make it possible: {hint}", hint=group.hint))))
    less = story.judged_without(report)
    found += [(Span("• "), *voice(line)) for line in less[: max(0, listed - len(groups))]]
    rest = len(groups) + len(less) - listed
    if rest > 0:
        found.append(voice(T("{count} more in the evidence file", count=rest)))
    return tuple(found)
