"""What every parser shares: the error for output that is not that thing, JSON in noise, and the node's time base."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta, timezone
from typing import Any
from zoneinfo import ZoneInfo

_ELEMENT = re.compile(r"[\s,]*(?=\{)")
ISO = re.compile(r"(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d)(?:\.\d+)?\s*(Z|[+-]\d\d:?\d\d|[A-Z]{2,5})?")


class UnparsableError(ValueError):
    """The output is not what the command should have printed; the message says what came instead, one line."""

    def __init__(self, what: str, text: str) -> None:
        first = next((line.strip() for line in text.splitlines() if line.strip()), "nothing")
        super().__init__(f"no {what}: {first[:120]}")


@dataclass(frozen=True, slots=True)
class TimeBase:
    """How a node's times become API-server times.

    Attributes:
        offset: seconds that the node's clock is ahead.
        zone: IANA name of the node's time zone; empty when unknown, then local times cannot be read.
    """

    offset: float = 0.0
    zone: str = ""

    def correct(self, moment: datetime) -> datetime:
        """A node's moment (aware) in API-server time, UTC."""
        return moment.astimezone(UTC) - timedelta(seconds=self.offset)

    def epoch(self, seconds: float) -> datetime:
        """Seconds since 1970 by the node's clock, in API-server time."""
        return self.correct(datetime.fromtimestamp(seconds, UTC))

    def read(self, text: str) -> datetime | None:
        """A time as systemd, ls or journalctl print it; None when empty or in a zone that is not known."""
        found = ISO.search(text)
        if not found:
            return None
        naive = datetime.fromisoformat(f"{found[1]}T{found[2]}")
        zone = self._zone(found[3] or "")
        return self.correct(naive.replace(tzinfo=zone)) if zone else None

    def _zone(self, name: str) -> timezone | ZoneInfo | None:
        if name in {"UTC", "GMT", "Z"}:
            return UTC
        if name and name[0] in "+-":
            minutes = int(name[1:3]) * 60 + int(name[-2:])
            return timezone(timedelta(minutes=minutes if name[0] == "+" else -minutes))
        try:
            return ZoneInfo(self.zone) if self.zone else None
        except (ValueError, OSError):
            return None


def find_json(text: str, what: str) -> Any:
    """The first JSON array or object that begins a line, whatever stands around it.

    Raises:
        UnparsableError: there is none, or it is cut off.
    """
    for found in re.finditer(r"(?m)^\s*[\[{]", text):
        try:
            return json.JSONDecoder().raw_decode(text[found.end() - 1 :])[0]
        except json.JSONDecodeError:
            continue
    raise UnparsableError(what, text)


def listed(text: str, key: str, what: str) -> tuple[list[dict[str, Any]], bool]:
    """The elements of the list ``key`` of the first JSON object, and whether that is all of them.

    An answer that was cut off is read as far as it goes, up to its last whole element.

    Raises:
        UnparsableError: no object begins, or it has no such list.
    """
    begin = re.search(rf'(?m)^\s*(\{{)\s*"{re.escape(key)}"\s*:\s*(?:null\s*\}}|\[)', text)
    if not begin:
        raise UnparsableError(what, text)
    decoder = json.JSONDecoder()
    try:
        data = decoder.raw_decode(text, begin.start(1))[0]
    except (json.JSONDecodeError, RecursionError):
        return _begun(decoder, text, begin.end()), False
    return [item for item in data[key] or () if isinstance(item, dict)], True


def _begun(decoder: json.JSONDecoder, text: str, at: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = []
    while element := _ELEMENT.match(text, at):
        try:
            item, at = decoder.raw_decode(text, element.end())
        except (json.JSONDecodeError, RecursionError):
            break
        found.append(item)
    return found


def json_lines(text: str, what: str) -> list[dict[str, Any]]:
    """One JSON object a line; a last line that was cut off is left out.

    Raises:
        UnparsableError: there are lines, but none is an object.
    """
    lines = [line for line in text.splitlines() if line.strip() and not line.startswith("-- ")]
    found: list[dict[str, Any]] = []
    for line in lines:
        try:
            value = json.loads(line)
        except json.JSONDecodeError:
            continue
        if isinstance(value, dict):
            found.append(value)
    if lines and not found:
        raise UnparsableError(what, text)
    return found


def integer(text: str | None) -> int | None:
    """A whole number, or None for anything else (``[not set]``)."""
    return int(text) if text is not None and re.fullmatch(r"-?\d+", text.strip()) else None
