"""Several commands recorded as one: joined where one answer is wanted, taken apart where each has its own.

Catalogue section D has rows of several commands (``crictl info; crictl ps -o json; …``). Where all but the last
print one JSON document each, their outputs can be told apart; other compounds stay whole.
"""

from __future__ import annotations

import json
import re
from collections.abc import Sequence
from dataclasses import replace

from bot.bundle.entries import Entry
from bot.bundle.words import split_list, words

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
    if not all(_JSON.search(" ".join(words(piece))) for _, piece in pieces[:-1]):
        return ()
    parts: list[Entry] = []
    rest = entry.stdout
    for _, piece in pieces[:-1]:
        try:
            _, end = json.JSONDecoder().raw_decode(rest.lstrip())
        except (ValueError, RecursionError):
            return ()
        rest = rest.lstrip()
        parts.append(Entry(command=piece, stdout=f"{rest[:end]}\n"))
        rest = rest[end:].lstrip("\n")
    return (*parts, Entry(command=pieces[-1][1], exit=entry.exit, stdout=rest, stderr=entry.stderr))


def _ended(text: str) -> str:
    return text if not text or text.endswith("\n") else f"{text}\n"
