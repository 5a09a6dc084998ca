"""Reads what people type in Slack: takes off what Slack puts around it, and finds the command in it.

Slack turns ``example.com`` into a link, ``&`` into ``&amp;``, a mention into an id; a message may begin with the
bot's name, and every command can also be reached as ``/kubewhy <command>``. The grammar of the command itself is
:mod:`bot.ask`'s.
"""

from __future__ import annotations

import html
import re
from collections.abc import Mapping
from dataclasses import dataclass

from bot.ask import parse
from bot.errors import UsageError
from bot.model.command import Command, Question
from bot.rows import nearest

MENTION = re.compile(r"^\s*(?:<@[A-Z0-9]+(?:\|[^>]*)?>[\s:,]*)+")
LINK = re.compile(r"<(?:(?:https?|mailto|tel):(?://)?)?([^<>|\s]+)(?:\|([^<>]*))?>")
ALIAS = "kubewhy"
FOLLOW_UPS = re.compile(r"^(why|show|rerun|explain)\b", re.IGNORECASE)
CHINESE = {"中文", "zh", "zh-cn"}
ENGLISH = {"english", "en", "英文"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Spoken:
    """A line that a person typed: the command's name and the rest."""

    command: str
    rest: str

    @property
    def wants_help(self) -> bool:
        """Whether the person asks how to ask."""
        return self.command in {"", "help", "?"} or self.rest.strip().lower() in {"help", "--help", "-h", "?"}


@dataclass(frozen=True, slots=True, kw_only=True)
class FollowUp:
    """A question about a run: ``why F1``, ``show E2``, ``rerun since=30m``, ``explain NODE-04``, ``中文``."""

    verb: str
    subject: str = ""


def unwrap(text: str) -> str:
    """The text as it was typed."""
    return html.unescape(LINK.sub(lambda m: m.group(2) or m.group(1), MENTION.sub("", text))).strip()


def spoken(command: str, text: str) -> Spoken:
    """The command and its arguments, from a slash command or (``command`` empty) from a message."""
    name, rest = command.lstrip("/").strip(), unwrap(text)
    if name in {"", ALIAS}:
        name, _, rest = rest.lstrip("/").partition(" ")
        if name == ALIAS:
            name, _, rest = rest.strip().partition(" ")
    return Spoken(command=name.lower(), rest=rest.strip())


def follow_up(text: str) -> FollowUp | None:
    """The question about a run that a reply in its thread asks; None when it asks something else."""
    typed = unwrap(text)
    if typed.lower() in CHINESE:
        return FollowUp(verb="lang", subject="zh-CN")
    if typed.lower() in ENGLISH:
        return FollowUp(verb="lang", subject="en")
    if not FOLLOW_UPS.match(typed):
        return None
    verb, _, subject = typed.partition(" ")
    return FollowUp(verb=verb.lower(), subject=subject.strip())


def read(said: Spoken, commands: Mapping[str, Command], clusters: tuple[str, ...]) -> Question:
    """The question that was asked.

    Raises:
        UsageError: with the nearest match and an example.
    """
    return parse(said.rest, said.command, commands, clusters)


def corrected(said: Spoken, error: UsageError, commands: Mapping[str, Command]) -> Spoken | None:
    """The line as it was probably meant: the wrong word replaced by its nearest match; None when there is none."""
    if not error.nearest:
        return None
    best = error.nearest[0]
    if said.command not in commands:
        return Spoken(command=best, rest=said.rest)
    for word in re.findall(r"[^\s=]+", said.rest):
        if best in nearest(word.lstrip("-"), error.nearest) and word not in error.nearest:
            return Spoken(command=said.command, rest=said.rest.replace(word, _like(word, best), 1))
    return None


def _like(word: str, best: str) -> str:
    return "--" + best if word.startswith("--") else best
