"""Logs: journald's JSON and short-iso forms, dmesg, and the way klog writes what it means.

``journalctl -r`` prints the newest line first; every function here returns the oldest first. klog escapes quotes inside
``err="…"`` and spreads ``err=< … >`` over several lines: both are undone, so that patterns see one form.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import datetime

from bot.model.cluster import LogLine
from bot.parse.common import TimeBase, UnparsableError, json_lines

_SHORT = re.compile(r"^(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d[+-]\d\d:?\d\d) \S+ (\S+?)(?:\[\d+\])?: (.*)$")
_KLOG = re.compile(r"^[IWEF](\d\d)(\d\d) (\d\d:\d\d:\d\d)")
_DMESG = re.compile(r"^\[\w{3} (\w{3}\s+\d+ \d\d:\d\d:\d\d \d{4})\] (.*)$")


def journal(text: str, base: TimeBase) -> tuple[LogLine, ...]:
    """``journalctl -o json -r``: the lines, oldest first, joined and unescaped.

    Raises:
        UnparsableError: lines that are no journal entries.
    """
    entries = json_lines(text, "journal in JSON")
    if entries and not any("MESSAGE" in e or "__REALTIME_TIMESTAMP" in e for e in entries):
        raise UnparsableError("journal in JSON", text)
    newest_first = [LogLine(text=_message(e.get("MESSAGE")), at=_stamp(e, base)) for e in entries]
    return joined(reversed(newest_first))


def _message(value: object) -> str:
    """MESSAGE is a string, or an array of bytes when it is not clean UTF-8, or null when it is too long."""
    if isinstance(value, list):
        return bytes(b for b in value if isinstance(b, int) and 0 <= b < 256).decode("utf-8", "replace")  # noqa: PLR2004
    return value if isinstance(value, str) else ""


def _stamp(entry: dict[str, object], base: TimeBase) -> datetime | None:
    value = entry.get("__REALTIME_TIMESTAMP")
    return base.epoch(int(value) / 1e6) if isinstance(value, str) and value.isdigit() else None


def short_iso(text: str, base: TimeBase) -> tuple[LogLine, ...]:
    """``journalctl -o short-iso -r``: oldest first; the program's name stays in front: ``systemd-networkd: eth1: …``.

    Raises:
        UnparsableError: no line has that form.
    """
    kept = [line for line in text.splitlines() if line.strip() and not line.startswith("-- ")]
    found = [m for line in kept if (m := _SHORT.match(line))]
    if kept and not found:
        raise UnparsableError("journal", text)
    if found and found[0][1] >= found[-1][1]:
        found.reverse()
    return tuple(LogLine(text=f"{m[2]}: {m[3]}", at=base.read(m[1])) for m in found)


def unit_lines(text: str, base: TimeBase) -> tuple[LogLine, ...]:
    """As :func:`short_iso`, joined and without the program's name: for a systemd that has no ``--output-fields``."""
    return joined(LogLine(text=line.text.partition(": ")[2], at=line.at) for line in short_iso(text, base))


def klog_file(text: str, base: TimeBase, now: datetime) -> tuple[LogLine, ...]:
    """A log file of klog lines (oldest first, local time without year): the newest of them is not after ``now``.

    Raises:
        UnparsableError: no line has klog's heading.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    stamps = [_KLOG.match(line) for line in lines]
    if lines and not any(stamps):
        raise UnparsableError("kubelet log file", text)
    return joined(
        LogLine(text=line, at=_klog_time(m, base, now) if m else None) for line, m in zip(lines, stamps, strict=True)
    )


def _klog_time(m: re.Match[str], base: TimeBase, now: datetime) -> datetime | None:
    at = base.read(f"{now.year}-{m[1]}-{m[2]} {m[3]}")
    late = at is not None and (at - now).days > 0
    return base.read(f"{now.year - 1}-{m[1]}-{m[2]} {m[3]}") if late else at


def dmesg(text: str, base: TimeBase) -> tuple[LogLine, ...]:
    """``dmesg -T`` (oldest first, local time).

    Raises:
        UnparsableError: no line has that form.
    """
    found = [m for line in text.splitlines() if (m := _DMESG.match(line))]
    if text.strip() and not found:
        raise UnparsableError("kernel log", text)
    return tuple(LogLine(text=f"kernel: {m[2]}", at=_dmesg_time(m[1], base)) for m in found)


def _dmesg_time(text: str, base: TimeBase) -> datetime | None:
    try:
        naive = datetime.strptime(text, "%b %d %H:%M:%S %Y")  # noqa: DTZ007 - the zone follows from the node's
    except ValueError:
        return None
    return base.read(naive.isoformat())


def joined(lines: Iterable[LogLine]) -> tuple[LogLine, ...]:
    """Lines in time order with ``err=<`` … `` >`` drawn together and escaped quotes unescaped."""
    done: list[LogLine] = []
    held: LogLine | None = None
    for line in lines:
        if held is not None:
            closes = line.text.strip() == ">" or line.text.startswith(" >")
            held = LogLine(text=f"{held.text} {line.text.strip()}", at=held.at)
            if closes:
                done.append(_plain(held))
                held = None
        elif line.text.rstrip().endswith("=<"):
            held = line
        else:
            done.append(_plain(line))
    if held is not None:
        done.append(_plain(held))
    return tuple(done)


def _plain(line: LogLine) -> LogLine:
    return LogLine(text=line.text.replace('\\"', '"'), at=line.at)
