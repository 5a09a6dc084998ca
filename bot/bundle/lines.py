"""Log lines written by hand, with relative times: as a container's log, as the journal's JSON, as the kernel's text.

A line is ``-3min E kubelet.go:2412] "Container runtime network not ready"`` or a map: ``{at: -20min, until: -1min,
every: 10s, message: …}``. A letter of klog (``E``, ``W``, ``I``, ``F``) before a source position
becomes its full header.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from bot.bundle.merge import PatchError
from bot.bundle.times import FORMATS, Clock, duration, is_relative

_SHORT = re.compile(r"(\S+)(?: (.*))?", re.DOTALL)
_KLOG = re.compile(r"([IWEF]) (?=\S+\.go:\d+\])")
_PRIORITY = {"I": 6, "W": 4, "E": 3, "F": 2}
_MAX = 2000
# The journals of catalogue section D by key, as far as their commands matter.
KEYED = {
    "KLOG": "journalctl -u kubelet -o json -r",
    "RTLOG": "journalctl -u containerd -u crio -u docker -o json -r",
    "KERN": "journalctl -k -o short-iso -r",
    "NETLOG": "journalctl -u systemd-networkd -u NetworkManager -o short-iso -r",
}
_INFO = 6
_PID = 812


@dataclass(frozen=True, slots=True, kw_only=True)
class Written:
    """One line; ``at`` is None when its time was not given."""

    at: datetime | None
    message: str
    priority: int = _INFO
    pid: int = _PID


def written(value: Any, clock: Clock) -> list[Written]:
    """The lines of a text or a list, in the order given.

    Raises:
        PatchError: a line is wrong.
    """
    if isinstance(value, str):
        value = value.splitlines()
    if not isinstance(value, list):
        raise PatchError("lines are a text or a list")
    try:
        return [line for item in value for line in _lines(item, clock)]
    except ValueError as error:
        raise PatchError(str(error)) from None


def _lines(item: Any, clock: Clock) -> Iterator[Written]:
    if isinstance(item, dict):
        yield from _repeated(item, clock)
        return
    match = _SHORT.fullmatch(str(item))
    if match and is_relative(match[1]):
        yield _line(clock.at(match[1]), match[2] or "", clock)
    else:
        yield _line(None, str(item), clock)


def _repeated(item: dict[Any, Any], clock: Clock) -> Iterator[Written]:
    known = {"at", "until", "every", "message", "priority", "pid"}
    if not {"at", "message"} <= set(item) or set(item) - known:
        raise PatchError(f"a line has at and message, and may have {', '.join(sorted(known))}")
    at, until = clock.at(str(item["at"])), clock.at(str(item.get("until", item["at"])))
    step = duration(str(item.get("every", "1min")))
    more = {key: int(item[key]) for key in ("priority", "pid") if key in item}
    for _ in range(_MAX):
        yield _line(at, str(item["message"]), clock, **more)
        at += step
        if at > until or step.total_seconds() <= 0:
            return


def _line(at: datetime | None, message: str, clock: Clock, *, priority: int | None = None, pid: int = _PID) -> Written:
    text = clock.write(message) if not is_relative(message) else message
    letter = _KLOG.match(text)
    if letter and at is not None:
        text = f"{letter[1]}{FORMATS['klog'](at)} {pid:7d} {text[letter.end() :]}"
    found = _PRIORITY[letter[1]] if letter else _INFO
    return Written(at=at, message=text, priority=found if priority is None else priority, pid=pid)


def log_lines(value: Any, clock: Clock) -> str:
    """A container's log, with the runtime's times in front where they were given."""
    found, said = written(value, clock), []
    last = next((line.at for line in found if line.at), None)
    for line in found:
        last = line.at or last
        said.append(f"{FORMATS['nano'](last)} {line.message}\n" if last else f"{line.message}\n")
    return "".join(said)


def journal_lines(value: Any, clock: Clock) -> list[str]:
    """The journal as JSON lines, newest first."""
    return [
        json.dumps(
            {
                "__REALTIME_TIMESTAMP": FORMATS["us"](line.at or clock.now),
                "PRIORITY": str(line.priority),
                "_PID": str(line.pid),
                "MESSAGE": line.message,
            }
        )
        for line in _newest_first(written(value, clock), clock)
    ]


def text_lines(value: Any, clock: Clock, *, node: str, unit: str) -> list[str]:
    """The journal as short-iso text, newest first."""
    return [
        f"{FORMATS['short-iso'](line.at or clock.now)} {node} {unit}: {line.message}"
        for line in _newest_first(written(value, clock), clock)
    ]


def _newest_first(found: list[Written], clock: Clock) -> list[Written]:
    return sorted(found, key=lambda line: line.at or clock.now, reverse=True)
