"""The logs of a node: how far back they are read, and in which form (journal as JSON or text, file, ring buffer)."""

from __future__ import annotations

from bot.collect.host_read import NoAnswerError, Trip, log_proof
from bot.collect.sections import section
from bot.model.cluster import LogLine
from bot.model.evidence import Clock
from bot.model.host import HostUnits, KernelLog, KubeletLog, RuntimeLog
from bot.parse import journal
from bot.parse.common import TimeBase, UnparsableError
from bot.source import Section

MARGIN = 60


def since(units: HostUnits | None, clock: Clock, ahead: float) -> str:
    """How far back the kubelet's log is read: the window, or the last start attempt of a kubelet that does not run."""
    kubelet = units.kubelet if units else None
    if kubelet and not kubelet.running and kubelet.started and clock.age(kubelet.started) > clock.window_seconds:
        return f"@{int(kubelet.started.timestamp() + ahead) - MARGIN}"
    return f"-{max(1, clock.window_seconds // 60)}min"


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


def kubelet_log(trip: Trip, times: TimeBase) -> KubeletLog:
    """The journal; where it is empty or cannot be had, the file that old kubelets wrote."""
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
    return KubeletLog(proof=log_proof(trip, key, lines), node=trip.node, lines=lines)


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
