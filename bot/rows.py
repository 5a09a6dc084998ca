"""Which rows a question is about: what its command owns and runs along, and the rows that need a switch."""

from __future__ import annotations

import difflib
from collections.abc import Iterable, Mapping
from fnmatch import fnmatchcase

from bot.check import Check
from bot.model.command import Command, Question


def matches(code: str, patterns: tuple[str, ...]) -> bool:
    """Whether a row is meant by one of the patterns (``NODE-*``, ``CTRL-04``)."""
    return any(fnmatchcase(code, pattern) for pattern in patterns)


def wanted(checks: Mapping[str, Check], command: Command, question: Question) -> tuple[Check, ...]:
    """The checks that answer this question, in catalogue order."""
    off = tuple(
        pattern
        for switch, patterns in command.switched.items()
        if question.options.get(switch, "") in {"", "false", "no", "0"}
        for pattern in patterns
    )
    return tuple(
        check for code, check in checks.items() if matches(code, command.owns + command.runs) and not matches(code, off)
    )


def nearest(word: str, known: Iterable[str]) -> tuple[str, ...]:
    """The closest known words, best first, at most three."""
    written = {name.lower(): name for name in known}
    return tuple(written[m] for m in difflib.get_close_matches(word.lower(), list(written), n=3, cutoff=0.5))
