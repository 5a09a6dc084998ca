"""The terminal: what stands where, how wide, and in which colours."""

from __future__ import annotations

import io
from dataclasses import replace

import pytest
from rich.cells import cell_len

from bot.model.finding import Severity
from bot.render.terminal import colored, terminal
from tests.unit.render.reports import REMEDIES, REPORTS, crowded, metrics_incident, unproven

COMMANDS = {c for r in REMEDIES[:2] for c in (*r.fix.commands, *r.fix.verify, *r.fix.undo)}


@pytest.mark.parametrize("lang", ["en", "zh-CN"])
@pytest.mark.parametrize("width", [60, 80, 110])
def test_no_line_but_a_command_is_wider_than_the_terminal(width: int, lang: str) -> None:
    """Chinese letters take two columns."""
    for report in REPORTS.values():
        known = {c for r in report.remedies for c in (*r.fix.commands, *r.fix.verify, *r.fix.undo)}
        lines = terminal(report, lang=lang, width=width).splitlines()
        assert [one for one in lines if cell_len(one) > width and one.strip() not in known] == []


def test_a_command_stands_alone_on_an_unbroken_line() -> None:
    """So that it can be copied."""
    lines = {one.strip() for one in terminal(metrics_incident(), width=60).splitlines()}
    assert lines >= COMMANDS


def test_only_what_ends_the_incident_is_shown_with_its_commands() -> None:
    """A fix for what heals by itself is one line."""
    text = terminal(metrics_incident())
    assert ("X3   If metrics.k8s.io is still missing" in text, "rollout restart" in text) == (True, False)


def test_the_verdict_comes_first() -> None:
    """Status, then wrong, why, next, all before the first finding."""
    text = terminal(metrics_incident())
    places = [text.index(w) for w in ("CRITICAL", "\nwrong", "\nwhy", "\nnext", "FINDINGS", "ROOT CAUSE", "FIXES")]
    assert places == sorted(places)


def test_without_a_fault_there_is_no_cause_to_prove() -> None:
    """Information alone has no chain."""
    report = unproven()
    known = tuple(replace(e, finding=replace(e.finding, severity=Severity.INFO)) for e in report.entries)
    texts = [terminal(r) for r in (report, replace(report, entries=known, roots=()))]
    assert [True, False] == ["Cause not proven" in text for text in texts]


def test_without_colour_there_is_no_escape() -> None:
    """Neither ours nor that of a hostile name."""
    assert [name for name, r in REPORTS.items() if "\x1b" in terminal(r)] == []


def test_colour_changes_nothing_but_colour() -> None:
    """No meaning hangs on it."""
    painted = terminal(metrics_incident(), color=True)
    plain = io.StringIO()
    skip = False
    for c in painted:
        skip = skip or c == "\x1b"
        plain.write("" if skip else c)
        skip = skip and c != "m"
    assert "\x1b[1;31m" in painted
    assert [one.rstrip() for one in plain.getvalue().splitlines()] == terminal(metrics_incident()).splitlines()


class Tty(io.StringIO):
    """A stream that says it is a terminal."""

    def isatty(self) -> bool:
        """It is."""
        return True


@pytest.mark.parametrize(
    ("stream", "environ", "wanted"),
    [
        (Tty(), {}, True),
        (Tty(), {"NO_COLOR": "1"}, False),
        (Tty(), {"TERM": "dumb"}, False),
        (io.StringIO(), {}, False),
    ],
)
def test_colour_is_for_terminals_that_want_it(stream: io.StringIO, environ: dict[str, str], wanted: bool) -> None:
    """NO_COLOR is honoured."""
    assert colored(stream, environ) is wanted


def test_a_crowded_report_still_fits_in_memory_of_a_reader() -> None:
    """Only the first five findings have their proof shown."""
    assert sum(one.strip().startswith("| ") for one in terminal(crowded()).splitlines()) == 15
