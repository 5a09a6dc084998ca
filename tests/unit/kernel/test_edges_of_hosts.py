"""What a host's resources explain, and what they do not: guards of the edges of NODE-18 to NODE-35."""

from __future__ import annotations

import pytest

from bot.chain import explain
from bot.model.finding import Finding
from tests.unit.kernel.stories import found, known


def roots(*findings: Finding) -> list[str]:
    """The codes of the roots, sorted."""
    story = explain(findings, known())
    return sorted(story.findings[t.root].code for t in story.roots)


FULL = found("NODE-18", minutes=30, pressure=True, error_class="no-space")
ROOMY = found("NODE-18", minutes=30, pressure=False, error_class="no-space")


@pytest.mark.parametrize(
    ("cause", "effect", "expected"),
    [
        (FULL, found("NODE-10", minutes=20, reason="unit-failed"), ["NODE-18"]),
        (FULL, found("NODE-10", minutes=20, reason="unit-stopped"), ["NODE-10", "NODE-18"]),
        (ROOMY, found("NODE-10", minutes=20, reason="unit-failed"), ["NODE-10", "NODE-18"]),
        (found("NODE-21", minutes=30), found("NODE-10", minutes=20, reason="unit-failed"), ["NODE-21"]),
        (found("NODE-21", minutes=30), found("NODE-10", minutes=20, reason="unit-stopped"), ["NODE-10", "NODE-21"]),
        (found("NODE-24", said=True), found("NODE-06"), ["NODE-24"]),
        (found("NODE-24", said=False), found("NODE-06"), ["NODE-06", "NODE-24"]),
        (found("NODE-25", late=True), found("NODE-06"), ["NODE-25"]),
        (found("NODE-25"), found("NODE-06"), ["NODE-06", "NODE-25"]),
        (found("NODE-35", reason="not-on-host"), found("METRICS-03", "Node/node-3"), ["NODE-35"]),
        (found("NODE-07"), found("POD-10"), ["NODE-07"]),
        (found("NODE-08", refuses=True), found("POD-10"), ["NODE-08"]),
        (found("NODE-08", refuses=False), found("POD-10"), ["NODE-08", "POD-10"]),
        (found("NODE-13"), found("POD-10"), ["NODE-13"]),
        (found("NODE-02"), found("METRICS-06", reason="unauthorized"), ["NODE-02"]),
        (found("NODE-02"), found("METRICS-06", reason="forbidden"), ["METRICS-06", "NODE-02"]),
        (found("NODE-35", reason="duplicate-machine"), found("METRICS-03", "Node/node-3"), ["METRICS-03", "NODE-35"]),
    ],
)
def test_what_a_host_explains(cause: Finding, effect: Finding, expected: list[str]) -> None:
    """Who stops a runtime is no effect of a full disk; a hang none of cgroups that nobody complains of."""
    assert expected == roots(cause, effect)


@pytest.mark.parametrize(
    ("holds", "effect", "expected"),
    [
        (("kubelet", "runtime"), found("NODE-03", reason="crash-looping", active="false"), ["NODE-28"]),
        (("kubelet", "runtime"), found("NODE-03", reason="stopped", active="false"), ["NODE-03", "NODE-28"]),
        (("runtime",), found("NODE-03", reason="crash-looping", active="false"), ["NODE-03", "NODE-28"]),
        (("runtime",), found("NODE-10", reason="unit-failed"), ["NODE-28"]),
        (("others",), found("NODE-10", reason="unit-failed"), ["NODE-10", "NODE-28"]),
    ],
)
def test_a_failing_disk_explains_what_lies_on_it(holds: tuple[str, ...], effect: Finding, expected: list[str]) -> None:
    """A data disk with errors beside a kubelet that was stopped is a second fault, not its cause."""
    assert expected == roots(found("NODE-28", device="sdb", holds=holds), effect)
