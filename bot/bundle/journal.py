"""``journalctl`` as recorded, in the order and form that is asked for.

The journal is recorded once, as JSON lines newest first (catalogue section D, KLOG), or by other tools as text oldest
first. People who log in to the playground ask in yet other ways.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from bot.bundle.entries import Entry
from bot.bundle.lines import KEYED
from bot.bundle.words import words

_TAKES_VALUE = {"-u", "--unit", "-o", "--output", "-n", "--lines", "-p", "--priority", "-S", "--since", "-U", "--until"}
_TAKES_VALUE |= {"--output-fields", "-b", "--boot", "-t"}
_LINES_DEFAULT = 10


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """What a ``journalctl`` command line asks for.

    Attributes:
        kernel: ``-k``.
        lines: at most so many, the newest; None for all.
        other: any option that this reader does not know; such a command is matched as a whole or not at all.
    """

    units: frozenset[str]
    kernel: bool = False
    output: str = "short"
    newest_first: bool = False
    lines: int | None = None
    other: bool = False


def question(command: str) -> Question | None:
    """Read a ``journalctl`` command line; None for another program."""
    program, *rest = words(command) or ("",)
    if program != "journalctl":
        return None
    asked, units = Question(units=frozenset()), set[str]()
    for option, value in _options(rest):
        if option in {"-u", "--unit"}:
            units.add(value.removesuffix(".service"))
        elif option in {"-k", "--dmesg"}:
            asked = replace(asked, kernel=True)
        elif option in {"-o", "--output"}:
            asked = replace(asked, output=value)
        elif option in {"-r", "--reverse"}:
            asked = replace(asked, newest_first=True)
        elif option in {"-n", "--lines"}:
            asked = replace(asked, lines=int(value) if value.isdigit() else _LINES_DEFAULT)
        elif option not in _TAKES_VALUE | {"-l", "-a", "-e", "-x", "-xe", "-q"}:
            asked = replace(asked, other=True)
    return replace(asked, units=frozenset(units))


def _options(rest: Sequence[str]) -> Iterable[tuple[str, str]]:
    waiting = iter(rest)
    for word in waiting:
        name, equals, value = word.partition("=")
        if word.startswith("--") and equals:
            yield name, value
        elif word in _TAKES_VALUE:
            yield word, next(waiting, "")
        elif word[:2] in {"-u", "-o", "-n"} and len(word) > 2:  # noqa: PLR2004 - a short option with its value attached
            yield word[:2], word[2:]
        else:
            yield word, ""


def find(asked: Question, entries: Iterable[Entry], node: str) -> Entry | None:
    """The recorded journal that answers the question: of the same units (or some of them), in whatever form."""
    if asked.other or not (asked.kernel or asked.units):
        return None
    parts = [(e, q) for e in entries if (q := question(e.command or KEYED.get(e.key, ""))) and _fits(q, asked)]
    same_form = [p for p in parts if p[1].output == asked.output] or parts
    complete = [p for p in same_form if p[1].units == asked.units][:1] or _disjoint(same_form)
    if not complete:
        return None
    texts = [_in_form(entry, recorded, asked, node) for entry, recorded in complete]
    return replace(complete[0][0], stdout="".join(texts))


def _fits(recorded: Question, asked: Question) -> bool:
    if recorded.other or recorded.kernel != asked.kernel:
        return False
    return asked.kernel or (bool(recorded.units) and recorded.units <= asked.units)


def _disjoint(parts: list[tuple[Entry, Question]]) -> list[tuple[Entry, Question]]:
    """Recordings of some of the units each, none twice."""
    seen: set[str] = set()
    kept = []
    for entry, recorded in parts:
        if not recorded.units & seen:
            kept.append((entry, recorded))
            seen |= recorded.units
    return kept


def _in_form(entry: Entry, recorded: Question, asked: Question, node: str) -> str:
    lines = [line for line in entry.stdout.splitlines() if line]
    if not recorded.newest_first:
        lines.reverse()
    if asked.lines is not None:
        lines = lines[: asked.lines]
    if recorded.output.startswith("json") and not asked.output.startswith("json"):
        lines = [_as_text(line, asked, node) for line in lines]
    if not asked.newest_first:
        lines.reverse()
    return "".join(f"{line}\n" for line in lines)


def _as_text(line: str, asked: Question, node: str) -> str:
    try:
        record: Any = json.loads(line)
        message = record.get("MESSAGE", "")
        text = bytes(message).decode("utf-8", "replace") if isinstance(message, list) else str(message)
        at = datetime.fromtimestamp(int(record["__REALTIME_TIMESTAMP"]) / 1_000_000, UTC)
    except (ValueError, KeyError, TypeError, AttributeError, OverflowError):
        return line
    if asked.output == "cat":
        return text
    stamp = at.strftime("%Y-%m-%dT%H:%M:%S%z" if asked.output == "short-iso" else "%b %d %H:%M:%S")
    unit = "kernel" if asked.kernel else min(asked.units, default="?")
    return f"{stamp} {node} {unit}[{record.get('_PID', '?')}]: {text}"
