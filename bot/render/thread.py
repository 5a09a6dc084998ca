"""Builds the rest of a run's thread: the chain from symptom to cause, the fixes, and the closing summary."""

from __future__ import annotations

from bot.model.finding import Confidence, Safety
from bot.model.report import Entry, Remedy, Report, Role, Root
from bot.model.text import T, Text
from bot.render import story, words
from bot.render.blocks import Block, Divider, Icon, Kind, Line, Message, Note, Person, Section, Span
from bot.render.compose import FULL_FIXES, SLOW_MS, Room, fix_id, unchecked
from bot.render.i18n import Voice, code, strong
from bot.render.pieces import lowered

NAMED_EFFECTS = 3


def chain(report: Report, voice: Voice, room: Room) -> Message:
    """T2: every root with its chain, then what was ruled out, what is not proven, what was not checked."""
    blocks: list[Block] = []
    several = story.several(report)
    if several is not None:
        blocks.append(Section(lines=(voice(several),)))
    for number, group in enumerate(report.causes(), 1):
        others = story.elsewhere(report, group)
        lines = _root(report, group[0], number, voice, room)
        blocks.append(Section(lines=(*lines, voice(others)) if others is not None else lines))
    if story.needs_action(report) and not report.roots:
        blocks.append(Section(lines=no_root(report, voice)))
    blocks += _doubts(report, voice, room)
    return Message(kind=Kind.CHAIN, run=report.run, text=_chain_text(report, voice), blocks=tuple(blocks))


def _chain_text(report: Report, voice: Voice) -> str:
    if not story.needs_action(report):
        return voice.text(T("What was ruled out, and what was not checked"))
    if not report.roots:
        return voice.text(T("Cause not proven"))
    entry = report.entry(report.roots[0].finding)
    return voice.text(T("{heading}: {title}", heading=story.heading(report, 1), title=entry.finding.title))


def _root(report: Report, root: Root, number: int, voice: Voice, room: Room) -> tuple[Line, ...]:
    entry = report.entry(root.finding)
    icon = Icon(words.SEVERITY[entry.finding.severity].emoji)
    head = (icon, *strong((*voice(story.heading(report, number)), Span("  "))), *voice(entry.finding.title))
    sure = voice(T("{finding} is {sureness}", finding=entry.id, sureness=story.sureness(entry)))
    steps = [step(n, s, voice) for n, s in enumerate(story.sentences(report, root), 1)]
    shown: list[Line] = [head, sure, *(steps if len(steps) > 1 else ())]
    shown += [voice(story.exposed(report, i)) for i in root.exposed_by]
    return (*shown, *also(report, root, voice, room.listed * 2), *caution(entry, voice))


def also(report: Report, root: Root, voice: Voice, listed: int) -> tuple[Line, ...]:
    """What a root explains beyond its chain: the worst in words, the others by their ids."""
    more = [e for e in story.beside(report, root) if e.role is not Role.NOISE]
    if not more:
        return ()
    named = [(Span("• "), code(e.id), Span("  "), *voice(e.finding.title)) for e in more[:NAMED_EFFECTS]]
    ids = tuple(e.id for e in more[NAMED_EFFECTS:listed])
    rest = ((Span("• "), *voice(T("and {findings}", findings=ids))),) if ids else ()
    return (voice(T("It also explains:")), *named, *rest)


def caution(entry: Entry, voice: Voice) -> tuple[Line, ...]:
    """The warning under a root that is not confirmed."""
    if entry.finding.confidence is Confidence.CONFIRMED:
        return ()
    return (voice(T("It rests on one source only: confirm it before you change anything.")),)


def step(number: int, because: story.Because, voice: Voice) -> Line:
    """One numbered sentence of a chain, with its number."""
    return (Span(f"{number}. "), *said(because, voice))


def said(because: story.Because, voice: Voice) -> Line:
    """One sentence of a chain: the symptom, or "because" and the next cause, with its finding and evidence."""
    text = because.entry.finding.title
    sentence = voice(text)
    if not because.first:
        sentence = (*voice(T("because")), Span(" "), *lowered(sentence))
    tail: Line = (Span("  "), code(because.entry.id))
    if because.entry.evidence:
        tail = (*tail, Span(" "), *voice(T("({evidence})", evidence=story.cited(because.entry.evidence))))
    mark: Line = (Span("  "), *strong(voice(T("root cause")))) if because.last else ()
    return (*sentence, *tail, *mark)


def no_root(report: Report, voice: Voice) -> tuple[Line, ...]:
    """What can be said when no cause is proven: the best guess, and what would decide it."""
    shown: list[Line] = [strong(voice(T("Cause not proven.")))]
    guesses = story.suspects(report)
    if guesses:
        best = guesses[0]
        sure = words.CONFIDENCE[best.finding.confidence]
        shown.append(
            voice(
                T(
                    "Most likely: {finding} {title} ({confidence}).",
                    finding=best.id,
                    title=best.finding.title,
                    confidence=sure,
                )
            )
        )
    if report.skipped:
        missing = tuple(voice.word(m) for m in story.not_checked(report.skipped)[0].missing[:3])
        shown.append(voice(T("What would decide it: {missing}.", missing=missing)))
    return tuple(shown)


def _doubts(report: Report, voice: Voice, room: Room) -> list[Block]:
    """Ruled out, still possible, not checked, failed."""
    blocks: list[Block] = (
        [Divider()] if report.entries and (report.ruled_out or report.skipped or report.failed) else []
    )
    ruled: list[Line] = [(Span("• "), *voice(story.ruled_out(r))) for r in report.ruled_out]
    possible: list[Line] = [(Span("• "), *voice(story.doubt(report, e))) for e in story.unproven(report)]
    failed: list[Line] = [
        (Span("• "), *voice(T("{code} failed (ref {reference})", code=f.code, reference=f.reference)))
        for f in report.failed
    ]
    for label, items in (
        (T("Ruled out"), ruled),
        (T("Possible, not proven"), possible),
        (T("Checks that failed; nothing was concluded from them"), failed),
    ):
        if items:
            rest = len(items) - room.listed
            more = (voice(T("{count} more in the evidence file", count=rest)),) if rest > 0 else ()
            blocks.append(Section(lines=(strong(voice(label)), *items[: room.listed], *more)))
    missing = unchecked(report, voice, room.listed)
    if missing:
        blocks.append(Section(lines=(strong(voice(T("Not checked"))), *missing)))
    return blocks


def fixes(report: Report, voice: Voice, room: Room) -> Message:
    """T3: all fixes in the order of repair, the first two in full."""
    count = len(report.remedies)
    head = strong(voice(T("Fixes, in the order of repair: {count}", count=count)))
    blocks: list[Block] = [Section(lines=(head,))]
    by_need = story.repairs(report)
    for remedy in by_need.now[:FULL_FIXES]:
        blocks += fix(report, remedy, voice, room)
    for label, others in later_groups(by_need, FULL_FIXES):
        if others:
            listed = [one_fix(r, voice) for r in others[: room.listed]]
            rest = len(others) - len(listed)
            more = (voice(T("{count} more in the evidence file", count=rest)),) if rest else ()
            blocks += [Divider(), Section(lines=(strong(voice(label)), *listed, *more))]
    if count > FULL_FIXES:
        example = f"show {report.remedies[-1].id}"
        blocks.append(Note(line=voice(T("Commands of the others: mention me with {example}", example=example))))
    blocks.append(Note(line=voice(T("This bot has no write permission: it prints commands and never runs them."))))
    text = voice.text(T("Fixes, in the order of repair: {count}", count=count))
    return Message(kind=Kind.FIXES, run=report.run, text=text, blocks=tuple(blocks))


def later_groups(by_need: story.Repairs, full: int) -> tuple[tuple[Text, tuple[Remedy, ...]], ...]:
    """The fixes that are only listed, under what they are for."""
    return (
        (T("Then"), by_need.now[full:]),
        (T("If something is still broken after that"), by_need.later),
        (T("So that it does not happen again"), by_need.posture),
    )


def fix(report: Report, remedy: Remedy, voice: Voice, room: Room) -> list[Block]:
    """One fix: what it does and risks, then Do, Check, Undo, each in a fence of its own."""
    blocks: list[Block] = [Section(lines=(one_fix(remedy, voice), risk(report, remedy, voice)))]
    for label, commands in purposes(remedy):
        if commands and room.commands:
            blocks.append(Section(lines=(strong(voice(label)),), fence="\n".join(commands), commands=True))
    return blocks


def purposes(remedy: Remedy) -> tuple[tuple[Text, tuple[str, ...]], ...]:
    """The commands of a fix by purpose."""
    return (
        (T("Look") if remedy.fix.safety is Safety.READ_ONLY else T("Do"), remedy.fix.commands),
        (T("Check"), remedy.fix.verify),
        (T("Undo"), remedy.fix.undo),
    )


def one_fix(remedy: Remedy, voice: Voice) -> Line:
    """A fix in one line."""
    return (*strong((Span(f"{remedy.id}  "),)), *voice(remedy.fix.what))


def risk(report: Report, remedy: Remedy, voice: Voice) -> Line:
    """How safe a fix is, and which finding it repairs."""
    entry: Entry = report.entry(remedy.finding)
    safety = words.SAFETY[remedy.fix.safety]
    repairs = voice(T("repairs {finding} on {subject}", finding=entry.id, subject=str(entry.finding.subject)))
    return (*voice(safety), Span("  ·  "), *repairs)


def summary(report: Report, voice: Voice, by: str) -> Message:
    """T5: four bullets for those who follow the thread; mentions the requester only after a long run."""
    s = report.summary
    rows = [(T("Wrong"), s.wrong), (T("Why"), s.why), (T("Do next"), s.next)]
    bullets: list[Line] = [
        (Span("• "), *strong(voice(label)), Span("  "), *voice(text), *(fix_id(report) if text is s.next else ()))
        for label, text in rows
        if text.msgid
    ]
    groups = story.not_checked(report.skipped)
    if groups:
        said = groups[0].text()
        more = voice(T(" and {count} other reasons", count=len(groups) - 1)) if len(groups) > 1 else ()
        bullets.append((Span("• "), *strong(voice(T("Not checked"))), Span("  "), *voice(said), *more))
    whom: tuple[Line, ...] = ((Person(by),),) if by and report.duration_ms > SLOW_MS else ()
    blocks: tuple[Block, ...] = (Section(lines=(*whom, *bullets)), Note(line=hints(report, voice)))
    return Message(kind=Kind.SUMMARY, run=report.run, text=voice.text(s.wrong), blocks=blocks)


def hints(report: Report, voice: Voice) -> Line:
    """How to ask on in this thread."""
    first = report.entries[0] if report.entries else None
    asks = ("rerun",) if first is None else (f"why {first.id}", "show E1", f"explain {first.finding.code}", "rerun")
    return voice(T("Ask on in this thread: mention me with {examples}", examples=asks))
