"""Answers to questions below a verdict: ``why F1``, ``show E2``, ``explain NODE-04``, or the other language.

A grammar, no guessing; every answer comes from the stored report or from the page of a check, and says when it was
measured.
"""

from __future__ import annotations

from bot import check
from bot.model.report import Entry, Report
from bot.model.rows import rows
from bot.model.text import T
from bot.render import compose, story
from bot.render import thread as parts
from bot.render.blocks import Block, Buttons, Kind, Line, Message, Note, Section, Span
from bot.render.i18n import Voice, code, strong
from bot.slack.arguments import FollowUp

BODY_LINES = 40
PAGE_CHARS = 2500


def answer(report: Report | None, run_id: str, asked: FollowUp, voice: Voice) -> Message:
    """What is known about the subject of a follow-up."""
    if asked.verb == "explain":
        return _explain(run_id, asked.subject.upper(), voice)
    if report is None:
        return _said(run_id, voice(T("This run has no report: it is still going on, or it ended without one.")))
    if asked.verb == "lang":
        return _verdict(report, Voice(asked.subject))
    subject = asked.subject.upper()
    entry = next((e for e in report.entries if e.id == subject), None)
    if entry is not None:
        return _why(report, entry, voice)
    return _show(report, subject, voice) or _unknown(report, subject, voice)


def _why(report: Report, entry: Entry, voice: Voice) -> Message:
    """A finding with its proof, and the sentences of the chain that it stands in."""
    blocks = compose.finding(report, entry, voice, compose.ROOMS[0])
    root = next((r for r in report.roots if entry.id in r.chain or entry.id == r.finding), None)
    if root is not None and len(root.chain) > 1:
        steps = tuple(parts.step(n, s, voice) for n, s in enumerate(story.sentences(report, root), 1))
        blocks.append(Section(lines=steps))
    return _message(report, [*blocks, _measured(report, voice)], f"{entry.id} {voice.text(entry.finding.title)}")


def _show(report: Report, subject: str, voice: Voice) -> Message | None:
    """A piece of evidence or a fix; None when there is none of that id."""
    for exhibit in report.exhibits:
        if exhibit.id == subject:
            head = (*strong((Span(f"{exhibit.id} "),)), code(exhibit.proof.what))
            body = "\n".join((exhibit.proof.body or exhibit.proof.shown).splitlines()[:BODY_LINES])
            return _message(report, [Section(lines=(head,), fence=body), _measured(report, voice)], exhibit.proof.what)
    for remedy in report.remedies:
        if remedy.id == subject:
            blocks = parts.fix(report, remedy, voice, compose.ROOMS[0])
            note = Note(line=voice(T("This bot has no write permission: it prints commands and never runs them.")))
            return _message(report, [*blocks, note], f"{remedy.id} {voice.text(remedy.fix.what)}")
    return None


def _explain(run_id: str, subject: str, voice: Voice) -> Message:
    """The page of a check."""
    row = rows().get(subject)
    if row is None:
        return _said(run_id, voice(T("There is no check {code}.", code=subject[:20])))
    head = strong((Span(f"{row.code}  {row.title}"),))
    known = check.load().get(row.code)
    page = known.page[:PAGE_CHARS] if known else ""
    blocks: list[Block] = [Section(lines=(head,), fence=page)]
    if known is None:
        blocks.append(Note(line=voice(T("This release has no check for it."))))
    return Message(kind=Kind.ANSWER, run=run_id, text=f"{row.code} {row.title}", blocks=tuple(blocks))


def _verdict(report: Report, voice: Voice) -> Message:
    """The verdict and the chain in another language."""
    blocks = [*compose.root(report, voice, "").blocks, *parts.chain(report, voice, compose.ROOMS[3]).blocks]
    kept: list[Block] = [b for b in blocks if not isinstance(b, Buttons)]
    return _message(report, kept, compose.fallback(report, voice))


def _unknown(report: Report, subject: str, voice: Voice) -> Message:
    kinds = (report.entries, report.exhibits, report.remedies)
    ids = [f"{items[0].id}–{items[-1].id}" for items in kinds if items]
    lines = [voice(T("This run has no {subject}.", subject=subject[:20] or "?"))]
    if ids:
        lines.append(voice(T("It has {ids}.", ids=tuple(ids))))
    return _message(report, [Section(lines=tuple(lines))], "".join(span.plain for span in lines[0]))


def _measured(report: Report, voice: Voice) -> Note:
    return Note(line=voice(T("From the data of {moment}; nothing was measured again.", moment=report.observed_at)))


def _said(run_id: str, line: Line) -> Message:
    text = "".join(span.plain for span in line)
    return Message(kind=Kind.ANSWER, run=run_id, text=text, blocks=(Section(lines=(line,)),))


def _message(report: Report, blocks: list[Block], text: str) -> Message:
    return Message(kind=Kind.ANSWER, run=report.run, text=text, blocks=tuple(blocks))
