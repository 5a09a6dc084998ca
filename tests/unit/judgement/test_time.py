"""Causes come before their effects, and "exposed by" is said only when the order of the times allows it."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.chain import ONSET_SLACK
from bot.edges.special import AFTER_BOOT
from bot.model.finding import Finding
from bot.model.report import Report
from tests.unit.judgement.lab import judged, scenarios

pytestmark = pytest.mark.xdist_group("judgement")  # every scenario is judged once, in one process

SLACK = timedelta(minutes=2)  # boots are dated to the second, effects by their first log line
WHOLE = sorted(name for name, scenario in scenarios().items() if scenario.command)


def found(report: Report, name: str) -> Finding:
    """The finding of that id."""
    return report.entry(name).finding


@pytest.mark.parametrize("name", WHOLE)
def test_what_exposed_a_root_happened_before_it(name: str) -> None:
    """The trigger has a time, so has the root, and the root began with it or within a quarter of an hour."""
    report = judged(name).report
    assert report is not None
    pairs = [(found(report, by), found(report, root.finding)) for root in report.roots for by in root.exposed_by]
    wrong = [
        f"{by.code} at {by.onset}, {root.code} since {root.onset}"
        for by, root in pairs
        if by.onset is None or root.onset is None or not -SLACK <= root.onset - by.onset <= AFTER_BOOT
    ]
    assert [] == wrong


@pytest.mark.parametrize("name", WHOLE)
def test_no_cause_begins_after_its_effect(name: str) -> None:
    """An edge that is followed never leads back in time, as far as both times are known."""
    report = judged(name).report
    assert report is not None
    active = [(found(report, e.cause), found(report, e.effect)) for e in report.edges if e.state == "active"]
    wrong = [
        f"{cause.code} since {cause.onset} causes {effect.code} since {effect.onset}"
        for cause, effect in active
        if cause.onset and effect.onset and cause.onset > effect.onset + ONSET_SLACK
    ]
    assert [] == wrong


@pytest.mark.parametrize("name", WHOLE)
def test_nothing_begins_in_the_future(name: str) -> None:
    """Times of a node whose clock is ahead are corrected before anything is said with them."""
    run = judged(name)
    assert run.report is not None
    now = run.report.observed_at
    late = [
        f"{e.finding.code} {e.finding.onset}" for e in run.report.entries if e.finding.onset and e.finding.onset > now
    ]
    assert [] == late


def test_some_root_is_exposed_by_a_reboot() -> None:
    """Else the test above would prove nothing."""
    reports = [r for name in WHOLE if (r := judged(name).report)]
    assert any(root.exposed_by for report in reports for root in report.roots)


@pytest.mark.parametrize(
    ("name", "exposed"),
    [("NODE-30-exposed-although-the-clock-is-ahead", {"NODE-30"}), ("NODE-30-booted-after-the-fault", set())],
)
def test_a_reboot_exposes_only_what_began_after_it(name: str, exposed: set[str]) -> None:
    """A clock that is an hour ahead does not hide it; a kubelet that failed before the boot was not stopped by it."""
    report = judged(name).report
    assert report is not None
    root = next(r for r in report.roots if found(report, r.finding).code == "NODE-04")
    assert exposed == {found(report, by).code for by in root.exposed_by}
