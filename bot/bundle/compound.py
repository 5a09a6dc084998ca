"""Several commands recorded as one: joined where one answer is wanted, taken apart where each has its own.

Catalogue section D has rows of several commands (``crictl info; crictl ps -o json; …``). Where all but the last
print one JSON document each, or each prints lines of a look of its own, their outputs can be told apart; other
compounds stay whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from bot.bundle.entries import Entry
from bot.bundle.signatures import told_apart
from bot.bundle.words import split_list, split_pipe, words

_FATAL = re.compile(r"FATA\[|level=fatal")
MISSING = 127
TIMED_OUT = 124

_JSON = re.compile(r"(?:^|\s)-o[= ]?json\b|^crictl (?:--timeout \S+ )?info$|^ip (?:.* )?-j\b|^ip -j\b")


def joined(entries: Sequence[Entry]) -> Entry | None:
    """The entries as one, in order; None when there are none."""
    if len(entries) <= 1:
        return entries[0] if entries else None
    return replace(
        entries[0],
        exit=entries[-1].exit,
        stdout="".join(_ended(e.stdout) for e in entries),
        stderr="".join(_ended(e.stderr) for e in entries),
        duration_ms=sum(e.duration_ms for e in entries),
    )


def split(entry: Entry) -> tuple[Entry, ...]:
    """The entries of which a compound one is made; empty when it is none, or its outputs cannot be told apart."""
    pieces = split_list(entry.command)
    if len(pieces) <= 1 or any(operator not in {"", ";"} for operator, _ in pieces):
        return ()
    if all(_JSON.search(" ".join(words(piece))) for _, piece in pieces[:-1]):
        return _by_documents(entry, [piece for _, piece in pieces])
    return _by_lines(entry, [unlimited(piece) for _, piece in pieces])


def _by_documents(entry: Entry, pieces: list[str]) -> tuple[Entry, ...]:
    parts: list[Entry] = []
    rest = entry.stdout
    for number, piece in enumerate(pieces[:-1]):
        if failed := _failures(f"{rest}{entry.stderr}", entry.exit, pieces[number:]):
            return (*parts, *failed)
        try:
            _, end = json.JSONDecoder().raw_decode(rest.lstrip())
        except (ValueError, RecursionError):
            return ()
        rest = rest.lstrip()
        parts.append(Entry(command=piece, stdout=f"{rest[:end]}\n"))
        rest = rest[end:].lstrip("\n")
    return (*parts, Entry(command=pieces[-1], exit=entry.exit, stdout=rest, stderr=entry.stderr))


def _failures(text: str, status: int, pieces: list[str]) -> tuple[Entry, ...]:
    """What is left when no further call answered: each timed out in silence, or each ended with an error of its own."""
    if not text.strip() and status == TIMED_OUT:
        return tuple(Entry(command=piece, exit=TIMED_OUT) for piece in pieces)
    errors = _errors(text)
    if len(errors) != len(pieces) or "".join(errors).strip() != text.strip():
        return ()
    return tuple(Entry(command=p, exit=status or 1, stderr=e) for p, e in zip(pieces, errors, strict=True))


def _errors(text: str) -> list[str]:
    """The calls of crictl that fail: lines of its log, then one that ends it; none where an answer stands among them.

    Line by line: an answer may have megabytes.
    """
    found: list[str] = []
    lines: list[str] = []
    for line in text.splitlines(keepends=True):
        end = _FATAL.search(line)
        if "{" in (line[: end.start()] if end else line):
            return []
        lines.append(line)
        if end:
            found.append("".join(lines))
            lines = []
    return found


def _by_lines(entry: Entry, pieces: list[str]) -> tuple[Entry, ...]:
    parts = told_apart([" ".join(words(piece)) for piece in pieces], entry.text)
    last = len(pieces) - 1
    return tuple(
        Entry(command=piece, exit=_status(part, entry.exit if i == last else 0), stdout=part)
        for i, (piece, part) in enumerate(zip(pieces, parts, strict=False))
        if part is not None
    )


def _status(text: str, recorded: int) -> int:
    return MISSING if text.rstrip().endswith(": not found") else recorded


def unlimited(piece: str) -> str:
    """The command without the ``| head`` that only keeps it short."""
    first, *rest = split_pipe(piece)
    return first if len(rest) == 1 and words(rest[0])[:1] == ("head",) else piece


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"
