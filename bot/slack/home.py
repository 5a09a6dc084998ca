"""The App Home: what was asked lately, and how to ask. Published to whoever opens it, and to nobody else."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime
from typing import Any

from bot.model.command import Command
from bot.model.report import Report
from bot.model.text import T
from bot.render import compose, words
from bot.render.blocks import Block, Divider, Icon, Kind, Line, Message, Moment, Note, Outgoing, Section, Span
from bot.render.i18n import Voice, code, strong
from bot.runs.run import State
from bot.runs.store import Record

RECENT = 10
MODAL_TITLE = 24
BLOCKS = 100


def home(voice: Voice, recent: list[Record], commands: Mapping[str, Command], now: float) -> Message:
    """The page of one person."""
    listed = [_row(voice, record) for record in recent[:RECENT]]
    nothing = voice(T("Nothing was asked yet."))
    asks: list[Line] = [(code("/" + c.name), Span("  "), *voice(c.symptom)) for c in commands.values()]
    blocks: tuple[Block, ...] = (
        Section(lines=(strong(voice(T("Your recent runs"))), *(listed or [nothing]))),
        Divider(),
        Section(lines=(strong(voice(T("What you can ask"))), *asks)),
        Note(line=(*voice(T("Updated")), Span(" "), Moment(datetime.fromtimestamp(now, UTC)))),
    )
    return Message(kind=Kind.HELP, run="home", text="kubewhy", blocks=blocks)


def _row(voice: Voice, record: Record) -> Line:
    word = words.STATUS[record.status] if record.status else words.RUNNING
    if record.state in {State.CANCELLED, State.EXPIRED, State.FAILED}:
        word = next(w for status, w in words.STATUS.items() if status.value == record.state.value)
    question = record.run.question
    asked = f"/{question.command} {question.target}".strip()
    link: Line = (Span(f"  {record.link}"),) if record.link else ()
    return (
        Icon(word.emoji), *strong(voice(word.text)), Span("  "), code(asked), Span("  "),
        Moment(datetime.fromtimestamp(record.run.created, UTC)), *link,
    )  # fmt: skip


def checked(report: Report, voice: Voice) -> Message:
    """What a run looked at, for the dialog behind "What was checked"."""
    blocks: list[Block] = [Section(lines=(compose.headline(report, voice), *compose.verdict(report, voice)))]
    if report.ran:
        blocks.append(
            Section(lines=(strong(voice(T("Checks that ran"))), tuple(voice(T("{codes}", codes=report.ran)))))
        )
    missing = compose.unchecked(report, voice, RECENT)
    if missing:
        blocks.append(Section(lines=(strong(voice(T("Not checked"))), *missing)))
    blocks.append(Note(line=compose.provenance(report, voice)))
    return Message(kind=Kind.ANSWER, run=report.run, text=compose.fallback(report, voice), blocks=tuple(blocks))


def as_home(out: Outgoing) -> dict[str, Any]:
    """The view to publish."""
    return {"type": "home", "blocks": list(out.blocks)[:BLOCKS]}


def as_dialog(out: Outgoing, title: str, close: str) -> dict[str, Any]:
    """The view to open."""
    return {
        "type": "modal",
        "title": {"type": "plain_text", "text": title[:MODAL_TITLE]},
        "close": {"type": "plain_text", "text": close[:MODAL_TITLE]},
        "blocks": list(out.blocks)[:BLOCKS],
    }
