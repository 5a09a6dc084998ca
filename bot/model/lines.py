"""Which log lines count: the freshness rule of the catalogue (section 0), and how a line tells its own time."""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import UTC, datetime, timedelta

from bot.model.cluster import Log, LogLine
from bot.model.evidence import Clock

RECENT = 600.0
ENOUGH = 3
_STAMP = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d)) ?(.*)$", re.DOTALL)
_KLOG = re.compile(r"^[IWEF](\d\d)(\d\d) (\d\d):(\d\d):(\d\d)\.(\d{1,6})")
_JSON_TS = re.compile(r'"ts":"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d(?:\.\d+)?(?:Z|[+-]\d\d:?\d\d))"')
_PLAIN = re.compile(r"^(\d{4}-\d\d-\d\d) (\d\d:\d\d:\d\d)(\.\d+)? ")


def parse_lines(text: str, now: datetime) -> tuple[LogLine, ...]:
    """Split a log into lines with their times; a klog line, which has no year, is from the year up to ``now``.

    Accepts the form of ``timestamps=true`` (an RFC 3339 time in front), klog, etcd's JSON and etcd 3.3's plain form.
    Times without a zone are UTC, as containers have them.
    """
    lines: list[LogLine] = []
    for raw in text.splitlines():
        if not raw.strip():
            continue
        stamped = _STAMP.match(raw)
        if stamped:
            lines.append(LogLine(text=stamped[2].replace('\\"', '"'), at=_rfc3339(stamped[1])))
        else:
            lines.append(LogLine(text=raw.replace('\\"', '"'), at=_own_time(raw, now)))
    return tuple(lines)


def _own_time(line: str, now: datetime) -> datetime | None:
    found = _KLOG.match(line)
    if found:
        month, day, hour, minute, second, fraction = found.groups()
        micro = int(fraction.ljust(6, "0"))
        try:
            at = datetime(now.year, int(month), int(day), int(hour), int(minute), int(second), micro, UTC)
            return at if at <= now + timedelta(days=1) else at.replace(year=now.year - 1)
        except ValueError:
            return None
    json_time = _JSON_TS.search(line)
    if json_time:
        return _rfc3339(json_time[1])
    plain = _PLAIN.match(line)
    return _rfc3339(f"{plain[1]}T{plain[2]}{plain[3] or ''}Z") if plain else None


def _rfc3339(text: str) -> datetime | None:
    cut = re.sub(r"(\.\d{1,6})\d*", r"\1", text).replace("Z", "+00:00")
    try:
        return datetime.fromisoformat(cut)
    except ValueError:
        return None


def in_window(lines: Iterable[LogLine], clock: Clock, started: datetime | None = None) -> tuple[LogLine, ...]:
    """The lines inside ``--since`` and newer than ``started``; a line without a time takes that of the one before."""
    kept: list[LogLine] = []
    last: datetime | None = None
    for line in lines:
        last = line.at or last
        fresh = last is None or clock.age(last) <= clock.window_seconds
        if fresh and (last is None or started is None or last >= started):
            kept.append(line)
    return tuple(kept)


def is_current(lines: Iterable[LogLine], clock: Clock) -> bool:
    """Whether matching lines count as now: the newest is at most 10 minutes old, or there are at least 3."""
    found = tuple(lines)
    newest = max((line.at for line in found if line.at), default=None)
    return len(found) >= ENOUGH or (bool(found) and newest is not None and clock.age(newest) <= RECENT)


def current(
    lines: Iterable[LogLine], pattern: re.Pattern[str], clock: Clock, started: datetime | None = None
) -> tuple[LogLine, ...]:
    """The lines that match and count as now: in the window, newer than ``started``, and lately or often enough."""
    found = tuple(line for line in in_window(lines, clock, started) if pattern.search(line.text))
    return found if is_current(found, clock) else ()


def matching(log: Log, pattern: re.Pattern[str], clock: Clock) -> tuple[LogLine, ...]:
    """The lines of a log that match and are inside the window."""
    return tuple(line for line in in_window(log.lines, clock) if pattern.search(line.text))


def span(lines: Iterable[LogLine]) -> tuple[datetime | None, datetime | None]:
    """The times of the first and the last line that has one."""
    times = [line.at for line in lines if line.at]
    return (min(times), max(times)) if times else (None, None)
