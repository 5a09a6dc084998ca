"""The words for status, severity, confidence, role and safety: the same in Slack, on the terminal and in Markdown."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta

from bot.model.finding import Confidence, Safety, Severity
from bot.model.report import Entry, Report, Role, Status
from bot.model.text import T, Text, duration


@dataclass(frozen=True, slots=True)
class Word:
    """A word with its emoji (Slack name) and its colour on a terminal (rich style)."""

    text: Text
    emoji: str
    style: str


RUNNING = Word(T("RUNNING"), "hourglass_flowing_sand", "dim")
_CRITICAL = Word(T("CRITICAL"), "red_circle", "bold red")
_WARNING = Word(T("WARNING"), "large_yellow_circle", "yellow")
_INFO = Word(T("INFO"), "large_blue_circle", "blue")

STATUS = {
    Status.CRITICAL: _CRITICAL,
    Status.WARNING: _WARNING,
    Status.INFO: _INFO,
    Status.OK: Word(T("OK"), "white_check_mark", "green"),
    Status.INCOMPLETE: Word(T("INCOMPLETE"), "grey_question", "magenta"),
    Status.FAILED: Word(T("COULD NOT CHECK"), "x", "magenta"),
    Status.CANCELLED: Word(T("CANCELLED"), "no_entry_sign", "dim"),
    Status.EXPIRED: Word(T("EXPIRED"), "no_entry_sign", "dim"),
}

SEVERITY = {
    Severity.CRIT: _CRITICAL,
    Severity.HIGH: _WARNING,
    Severity.WARN: _WARNING,
    Severity.INFO: _INFO,
    Severity.BYDESIGN: Word(T("BY DESIGN"), "large_blue_circle", "blue"),
    Severity.NOISE: Word(T("NOISE"), "white_circle", "dim"),
}

CONFIDENCE = {
    Confidence.CONFIRMED: T("confirmed"),
    Confidence.LIKELY: T("likely"),
    Confidence.POSSIBLE: T("possible"),
}

SAFETY = {
    Safety.READ_ONLY: T("only looks"),
    Safety.REVERSIBLE: T("changes state, can be taken back"),
    Safety.DISRUPTIVE: T("disruptive: restarts, drains or deletes"),
}

COMMANDS = {
    "dns-check": T("DNS check"),
    "node-why": T("Node check"),
    "metrics-api": T("Metrics API check"),
    "control-plane": T("Control plane check"),
    "cluster-sweep": T("Cluster sweep"),
    "pod-why": T("Pod check"),
    "volume-why": T("Volume check"),
    "svc-check": T("Service check"),
    "hpa-why": T("HPA check"),
    "autoscale-why": T("Autoscaler check"),
    "app-path": T("Application path check"),
    "kubectl-why": T("kubectl check"),
}


def command(name: str) -> Text:
    """What a command is called in a headline."""
    return COMMANDS.get(name) or T("{command}", command=name)


def role(entry: Entry) -> Text:
    """The part that a finding plays, with the findings that explain it."""
    if entry.role is Role.EFFECT and entry.explained_by:
        return T("effect of {findings}", findings=entry.explained_by)
    return {
        Role.ROOT: T("root cause"),
        Role.EFFECT: T("effect"),
        Role.CONTRIBUTING: T("contributing"),
        Role.TRIGGER: T("trigger, not a cause"),
        Role.NOISE: T("noise, explains nothing"),
        Role.BYDESIGN: T("works as designed"),
    }[entry.role]


def counts(report: Report) -> Text:
    """How many checks came out how."""
    c = report.counts
    if c.failed:
        return T(
            "checks: {found} found something, {clean} clean, {skipped} not run, {failed} failed",
            found=c.found,
            clean=c.clean,
            skipped=c.skipped,
            failed=c.failed,
        )
    return T(
        "checks: {found} found something, {clean} clean, {skipped} not run",
        found=c.found,
        clean=c.clean,
        skipped=c.skipped,
    )


def took(report: Report) -> str:
    """The duration of a run: ``11.4 s`` below a minute, ``1 min 4 s`` above."""
    seconds = report.duration_ms / 1000
    return f"{seconds:.1f} s" if seconds < 60 else duration(timedelta(seconds=seconds))  # noqa: PLR2004 - a minute
