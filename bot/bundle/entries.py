"""One recorded command of a node or container, as ``commands.json`` holds it."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.bundle.recording import Bundle
from bot.errors import BundleError


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What a command printed when it was recorded.

    Attributes:
        command: the command line; may be empty when ``key`` is given.
        key: the key of catalogue section D, or empty.
        duration_ms: 0 when unknown.
    """

    command: str = ""
    exit: int = 0
    stdout: str = ""
    stderr: str = ""
    key: str = ""
    duration_ms: int = 0

    @property
    def text(self) -> str:
        """Both streams; a recording does not know how they were mixed."""
        gap = "\n" if self.stderr and self.stdout and not self.stdout.endswith("\n") else ""
        return f"{self.stdout}{gap}{self.stderr}"


def entries_of(bundle: Bundle, path: str) -> tuple[Entry, ...]:
    """The entries of a ``commands.json``; none when it was not recorded.

    Raises:
        BundleError: it is no list of entries.
    """
    data = bundle.json(path)
    if data is None:
        return ()
    if not isinstance(data, list):
        raise BundleError(f"{bundle.name}: {path} is no list")
    return tuple(_entry(item, f"{bundle.name}: {path}: entry {i}") for i, item in enumerate(data))


def _entry(item: Any, where: str) -> Entry:
    if not isinstance(item, Mapping) or not (item.get("command") or item.get("key")):
        raise BundleError(f"{where}: needs a command or a key")
    try:
        return Entry(
            command=str(item.get("command") or ""),
            exit=int(item.get("exit") or 0),
            stdout=str(item.get("stdout") or ""),
            stderr=str(item.get("stderr") or ""),
            key=str(item.get("key") or ""),
            duration_ms=int(item.get("duration_ms") or 0),
        )
    except (TypeError, ValueError) as error:
        raise BundleError(f"{where}: {error}") from None
