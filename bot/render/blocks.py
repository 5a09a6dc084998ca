"""What a message is made of before it becomes Block Kit, Markdown or lines on a terminal.

Composers build these; writers know how to show them. A span knows whether it is ours or data of the cluster: data is
always quoted, escaped and never parsed.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass, field
from datetime import datetime
from typing import TypeAlias

from bot.model.text import plain

Json: TypeAlias = "dict[str, object]"


class Style(enum.Enum):
    """How a span is meant: our words, stressed or faint, or quoted data."""

    PLAIN = "plain"
    STRONG = "strong"
    CODE = "code"


@dataclass(frozen=True, slots=True)
class Span:
    """A run of characters of one style."""

    text: str
    style: Style = Style.PLAIN

    @property
    def plain(self) -> str:
        """The characters alone."""
        return self.text


@dataclass(frozen=True, slots=True)
class Moment:
    """A time; each reader sees it in the local time where the place allows it."""

    at: datetime

    @property
    def plain(self) -> str:
        """In UTC."""
        return plain(self.at)


@dataclass(frozen=True, slots=True)
class Person:
    """A Slack user, mentioned."""

    id: str

    @property
    def plain(self) -> str:
        """The id with the sign that people know."""
        return f"@{self.id}"


@dataclass(frozen=True, slots=True)
class Icon:
    """An emoji by its Slack name; always followed by the word that it stands for, so it can be left out."""

    name: str

    @property
    def plain(self) -> str:
        """Nothing: the word follows."""
        return ""


Inline: TypeAlias = "Span | Moment | Person | Icon"
Line: TypeAlias = "tuple[Inline, ...]"


def merged(spans: Line) -> list[Inline]:
    """Join neighbours of one style, so that a stressed phrase has one pair of marks."""
    found: list[Inline] = []
    for span in spans:
        last = found[-1] if found else None
        if isinstance(span, Span) and isinstance(last, Span) and span.style is last.style is not Style.CODE:
            found[-1] = Span(last.text + span.text, span.style)
        else:
            found.append(span)
    return found


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """Some lines, and below them data in a fence.

    Attributes:
        fence: verbatim data or commands; empty for none.
        commands: the fence holds commands to copy: never shorten its lines.
        fold: where the place can fold, the fence is folded under this title.
    """

    lines: tuple[Line, ...]
    fence: str = ""
    commands: bool = False
    fold: Line = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Note:
    """One faint line: provenance, ids, hints."""

    line: Line


@dataclass(frozen=True, slots=True, kw_only=True)
class Divider:
    """A rule between parts."""


class Action(enum.StrEnum):
    """What a button does; the listener registers one handler for each. Every one has a command that does the same."""

    CANCEL = "run_cancel"
    RERUN = "rerun"
    EXPLAIN = "explain"
    DETAILS = "details"
    SUGGESTED = "suggested"


@dataclass(frozen=True, slots=True, kw_only=True)
class Button:
    """A button; ``value`` is an opaque id, all state stays with us.

    Attributes:
        action: what it does.
        label: at most 20 Latin or 12 Chinese characters.
        value: ``<run>`` or ``<run>:<id>``.
        says: the whole effect, for screen readers; at most 75 characters.
        number: tells apart several buttons of one action in one message.
    """

    action: Action
    label: str
    value: str
    says: str = ""
    number: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Buttons:
    """A row of buttons."""

    items: tuple[Button, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Task:
    """A step of a running diagnosis; ``state`` is ``complete``, ``in_progress``, ``error`` or ``pending``."""

    title: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks:
    """How far a run is."""

    title: Line
    items: tuple[Task, ...]


Block: TypeAlias = "Section | Note | Divider | Buttons | Tasks"


class Kind(enum.StrEnum):
    """The part a message plays in a run, or outside one."""

    ROOT = "root"
    FINDINGS = "findings"
    CHAIN = "chain"
    FIXES = "fixes"
    EVIDENCE = "evidence"
    SUMMARY = "summary"
    ANSWER = "answer"
    HELP = "help"
    ERROR = "error"


@dataclass(frozen=True, slots=True, kw_only=True)
class Message:
    """A message before it is written for a place; ``text`` stands for it in notifications and to screen readers."""

    kind: Kind
    run: str
    text: str
    blocks: tuple[Block, ...]
    files: tuple[File, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class File:
    """A file to upload.

    Attributes:
        name: ``evidence-<run>.md``.
        title: what people see.
        alt: what a screen reader says; at most 1,000 characters.
    """

    name: str
    title: str
    content: str
    alt: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Outgoing:
    """A message ready for Slack.

    Attributes:
        kind: which part of the run.
        key: ``<run>:<kind>``, the same in every profile, so that a message is sent once and a rejected one is
            replaced by the same message of a simpler profile.
        text: the fallback, escaped for Slack.
        blocks: Block Kit; empty in the profile ``plain``.
        files: to be uploaded into the thread, after the text messages.
        plain: the whole message as plain text.
    """

    kind: Kind
    key: str
    text: str
    blocks: tuple[Json, ...] = ()
    files: tuple[File, ...] = field(default=())
    plain: str = ""
