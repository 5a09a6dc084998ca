"""The logs of a node: how far back they are read, and in which form (journal as JSON or text, file, ring buffer)."""

from __future__ import annotations

import re
from datetime import datetime, timedelta

from bot.collect.host_read import NoAnswerError, Trip, log_proof
from bot.collect.sections import section
from bot.model.cluster import LogLine
from bot.model.evidence import Clock
from bot.model.host import HostUnits, KernelLog, KubeletLog, RuntimeLog, Unit
from bot.parse import journal
from bot.parse.common import TimeBase, UnparsableError
from bot.source import Section

MARGIN = 60
SECOND = timedelta(seconds=2)  # systemd tells a unit's times in whole seconds
AT_START = timedelta(minutes=10)  # a kubelet that lived longer did not fail at its start
FIRST = 100  # lines that are read of a start
_ERROR = re.compile(r"command failed|^F\d{4} |[Ff]ailed to (?:load|parse|validate|run|start)|unknown flag")


def since(units: HostUnits | None, clock: Clock, ahead: float) -> str:
    """How far back the kubelet's log is read: the window, or the last start attempt of a kubelet that does not run."""
    kubelet = units.kubelet if units else None
    if kubelet and not kubelet.running and kubelet.started and clock.age(kubelet.started) > clock.window_seconds:
        return f"@{int(kubelet.started.timestamp() + ahead) - MARGIN}"
    return f"-{max(1, clock.window_seconds // 60)}min"


def start(units: HostUnits | None, clock: Clock, ahead: float) -> list[Section]:
    """The first lines of the last start of a kubelet that did not get through it: much may stand behind its error."""
    began = _failed_start(units, clock)
    if began is None:
        return []
    key = "KLOG_START_OLD" if is_old(units) else "KLOG_START"
    return [section(key, since=f"@{int(began.timestamp() + ahead) - 1}")]


def _failed_start(units: HostUnits | None, clock: Clock) -> datetime | None:
    """When the last start began, of a kubelet that is down and did not live long after it."""
    kubelet: Unit | None = units.kubelet if units else None
    if kubelet is None or not kubelet.down or kubelet.started is None:
        return None
    ended = kubelet.inactive_since or clock.now
    return kubelet.started if ended - kubelet.started <= AT_START else None


def old_logs(log: dict[str, str], window: dict[str, str]) -> list[Section]:
    """The forms of an old systemd, and the file that old kubelets wrote."""
    return [section("KLOG_OLD", **log), section("RTLOG_OLD", **window), section("KLOG_FILE", lines=log["lines"])]


def is_old(units: HostUnits | None) -> bool:
    """Whether systemd is older than 235: it counts no restarts, and its journalctl knows no ``--output-fields``."""
    return units is not None and bool(units.by_name) and all(u.restarts is None for u in units.by_name.values())


def _unit_log(trip: Trip, key: str, times: TimeBase) -> tuple[str, tuple[LogLine, ...]]:
    """A unit's log and the key that it came by: the JSON form, or where that cannot be had, the text form."""
    try:
        return key, journal.journal(trip.text(key), times)
    except (NoAnswerError, UnparsableError):
        if f"{key}_OLD" not in trip.outputs:
            raise
    return f"{key}_OLD", journal.unit_lines(trip.text(f"{key}_OLD"), times)


def kubelet_log(trip: Trip, times: TimeBase, units: HostUnits | None = None) -> KubeletLog:
    """The journal with the lines of a start that failed; where it is empty or cannot be had, the file of old kubelets.

    Raises:
        NoAnswerError: neither can be had, or what was read does not hold the error of the last start.
    """
    try:
        key, lines = _unit_log(trip, "KLOG", times)
    except (NoAnswerError, UnparsableError):
        if "KLOG_FILE" not in trip.outputs:
            raise
        key, lines = "KLOG_FILE", _file(trip, times)
    if not lines and key != "KLOG_FILE" and "KLOG_FILE" in trip.outputs:
        try:
            key, lines = "KLOG_FILE", _file(trip, times)
        except (NoAnswerError, UnparsableError):
            lines = ()  # the journal answered: nothing was logged
    cut = _is_cut(trip, key, lines)
    if cut and key != "KLOG_FILE" and (began := _failed_start(units, trip.clock)):
        lines = _with_start(trip, lines, began - SECOND, times)
    return KubeletLog(proof=log_proof(trip, key, lines), node=trip.node, lines=lines, cut=cut)


def _with_start(trip: Trip, lines: tuple[LogLine, ...], began: datetime, times: TimeBase) -> tuple[LogLine, ...]:
    """The lines with those of the last start in front, where the newest do not reach back to it."""
    oldest = next((line.at for line in lines if line.at), None)
    if oldest is None or oldest <= began:
        return lines
    try:
        first = _first(trip, times)
    except (NoAnswerError, UnparsableError):
        first = ()
    older = tuple(line for line in first if line.at and began <= line.at < oldest)
    whole = (*older, *lines)
    if (not older or len(first) >= FIRST) and not any(_ERROR.search(line.text) for line in whole):
        raise NoAnswerError(f"{trip.node}: what was read of the kubelet's log does not reach back to its last start")
    return whole


def _first(trip: Trip, times: TimeBase) -> tuple[LogLine, ...]:
    """The first lines of the start, which come oldest first."""
    if "KLOG_START_OLD" in trip.outputs:
        return journal.unit_lines(trip.text("KLOG_START_OLD"), times)
    return journal.journal("\n".join(reversed(trip.text("KLOG_START").splitlines())), times)


def _is_cut(trip: Trip, key: str, lines: tuple[LogLine, ...]) -> bool:
    """Whether older lines were left out: by the cap, or by the number of lines that was asked for."""
    asked = next((a for a in trip.sections[key].arguments if a.isdigit()), "0")
    return (
        trip.outputs[key].truncated or trip.outputs[key].text.count("\n") + 1 >= int(asked) or len(lines) >= int(asked)
    )


def _file(trip: Trip, times: TimeBase) -> tuple[LogLine, ...]:
    return journal.klog_file(trip.text("KLOG_FILE"), times, trip.clock.now)


def runtime_log(trip: Trip, times: TimeBase) -> RuntimeLog:
    """The journal of whichever runtime runs."""
    key, lines = _unit_log(trip, "RTLOG", times)
    return RuntimeLog(proof=log_proof(trip, key, lines), node=trip.node, lines=lines)


def kernel_log(trip: Trip, times: TimeBase) -> KernelLog:
    """The kernel's journal, or its ring buffer."""
    try:
        key, lines = "KERN", journal.short_iso(trip.text("KERN"), times)
    except (NoAnswerError, UnparsableError):
        key, lines = "KERN_DMESG", journal.dmesg(trip.text("KERN_DMESG"), times)
    return KernelLog(proof=log_proof(trip, key, lines), node=trip.node, lines=lines)
