"""Times relative to the recording, so that a handwritten scenario reads ``-40min`` where a cluster says a date.

``-40min``, ``@-1h30min`` or ``@now`` as a whole value becomes the time in RFC 3339; inside text, ``@{-40min}`` does,
and ``@{-40min:klog}`` writes it as klog would.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.errors import BundleError

_AMOUNT = r"(?:\d+(?:\.\d+)?(?:ms|min|d|h|m|s))+"
_WHOLE = re.compile(rf"@?[+-]{_AMOUNT}|@now")
_PART = re.compile(r"(\d+(?:\.\d+)?)(ms|min|d|h|m|s)")
_INLINE = re.compile(r"@\{([^{}:]+)(?::([a-z0-9-]+))?\}")
_SECONDS = {"ms": 0.001, "s": 1, "m": 60, "min": 60, "h": 3600, "d": 86400}
_MICRO = frozenset({"renewTime", "acquireTime", "eventTime", "lastObservedTime"})
FORMATS: Mapping[str, Callable[[datetime], str]] = {
    "rfc3339": lambda t: f"{t:%Y-%m-%dT%H:%M:%SZ}",
    "micro": lambda t: f"{t:%Y-%m-%dT%H:%M:%S.%fZ}",
    "nano": lambda t: f"{t:%Y-%m-%dT%H:%M:%S.%f}000Z",
    "unix": lambda t: f"{t.timestamp():.0f}",
    "us": lambda t: f"{t.timestamp() * 1e6:.0f}",
    "klog": lambda t: f"{t:%m%d %H:%M:%S.%f}",
    "systemd": lambda t: f"{t:%a %Y-%m-%d %H:%M:%S UTC}",
    "short-iso": lambda t: f"{t:%Y-%m-%dT%H:%M:%S+0000}",
    "ls": lambda t: f"{t:%Y-%m-%d %H:%M:%S}.000000000 +0000",
    "openssl": lambda t: f"{t:%b} {t.day:2d} {t:%H:%M:%S %Y GMT}",
    "syslog": lambda t: f"{t:%b} {t.day:2d} {t:%H:%M:%S}",
    "last": lambda t: f"{t:%a %b} {t.day:2d} {t:%H:%M}",
}


def is_relative(text: str) -> bool:
    """Whether the whole text is a relative time."""
    return _WHOLE.fullmatch(text) is not None


def duration(text: str) -> timedelta:
    """``1h30min`` → 90 minutes; the sign counts.

    Raises:
        ValueError: it is no duration.
    """
    bare = text.removeprefix("@")
    if bare == "now":
        return timedelta()
    if not re.fullmatch(rf"[+-]?{_AMOUNT}", bare):
        raise ValueError(f"{text!r} is no duration such as -40min or 1h30min")
    seconds = sum(float(amount) * _SECONDS[unit] for amount, unit in _PART.findall(bare))
    return timedelta(seconds=-seconds if bare.startswith("-") else seconds)


class Clock:
    """The time of a recording, to which relative times refer."""

    def __init__(self, now: datetime) -> None:
        self.now = now

    def at(self, text: str) -> datetime:
        """The moment that ``text`` names, relative or RFC 3339.

        Raises:
            ValueError: it names none.
        """
        if is_relative(text):
            return self.now + duration(text)
        value = datetime.fromisoformat(text)
        return value if value.tzinfo else value.replace(tzinfo=self.now.tzinfo)

    def write(self, text: str, form: str = "rfc3339") -> str:
        """``text`` with every relative time in it written out; a whole value in ``form``."""
        if is_relative(text):
            return FORMATS[form](self.at(text))
        return _INLINE.sub(self._inline, text)

    def _inline(self, match: re.Match[str]) -> str:
        form = match[2] or "rfc3339"
        if form not in FORMATS:
            raise BundleError(f"{match[0]}: there is no time form {form!r}; there are: {', '.join(FORMATS)}")
        try:
            return FORMATS[form](self.now + duration(match[1]))
        except ValueError as error:
            raise BundleError(f"{match[0]}: {error}") from None

    def resolve(self, value: Any, key: str = "") -> Any:
        """A copy of a document with every relative time written as the field ``key`` has it."""
        if isinstance(value, str):
            return self.write(value, "micro" if key in _MICRO else "rfc3339")
        if isinstance(value, dict):
            return {k: self.resolve(v, str(k)) for k, v in value.items()}
        if isinstance(value, list):
            return [self.resolve(v, key) for v in value]
        return value
