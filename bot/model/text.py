"""Text that people read, kept apart from the data inside it until it is shown.

A check never writes a finished sentence: it names a message of the catalogue and the values that go into it. So one
report can be shown in any language, and a renderer knows which parts came from the cluster (and must be quoted,
escaped and never parsed) and which parts are ours.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TypeAlias

Value: TypeAlias = "str | int | float | datetime | timedelta | Text | tuple[str, ...]"


@dataclass(frozen=True, slots=True)
class Text:
    """A message id (the English sentence with ``{name}`` placeholders) and the values of its placeholders."""

    msgid: str
    values: tuple[tuple[str, Value], ...] = ()

    def render(self, translate: Callable[[str], str], show: Callable[[Value], str]) -> str:
        """Return the sentence in the language of ``translate``, each value written by ``show``."""
        shown = {name: v.render(translate, show) if isinstance(v, Text) else show(v) for name, v in self.values}
        return translate(self.msgid).format(**shown)

    def __str__(self) -> str:
        return self.render(lambda msgid: msgid, plain)


def T(msgid: str, /, **values: Value) -> Text:  # noqa: N802 - the mark that the catalogue extraction looks for
    """Name a message; ``pybabel`` collects the first argument, so it must be a literal."""
    return Text(msgid, tuple(values.items()))


def plain(value: Value) -> str:
    """Write a value without any quoting: numbers as they are, times in UTC, durations in words."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S UTC")
    if isinstance(value, timedelta):
        return duration(value)
    if isinstance(value, tuple):
        return ", ".join(value)
    if isinstance(value, float):
        return f"{value:g}"
    return str(value)


def duration(value: timedelta) -> str:
    """Write a duration with its two largest units: ``1 h 4 min``, ``42 s``."""
    seconds = int(abs(value.total_seconds()))
    units = (("d", 86400), ("h", 3600), ("min", 60), ("s", 1))
    parts: list[str] = []
    for unit, size in units:
        count, seconds = divmod(seconds, size)
        if count and len(parts) < 2:  # noqa: PLR2004 - two units are enough to read
            parts.append(f"{count} {unit}")
    return " ".join(parts) or "0 s"


Facts = Mapping[str, str | int | float | bool | tuple[str, ...]]
