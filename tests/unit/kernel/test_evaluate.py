"""The measure of accuracy: what counts as right, wrong, missing and silent."""

from __future__ import annotations

from pathlib import Path

from bot.errors import BundleError
from bot.evaluate import as_json, compare, coverage, judge
from bot.model.finding import Severity
from bot.model.report import Report
from bot.scenario import Expected, Scenario
from tests.unit.kernel.stories import found
from tests.unit.kernel.test_assemble import SKIPPED, outcome, report

BOTH = (outcome("NODE-04", found("NODE-04")), outcome("CTRL-09", found("CTRL-09")))


def scenario(**members: object) -> Scenario:
    """A scenario that expects these things."""
    return Scenario(id="X-1", path=Path("X-1"), title="x", command="/node-why node-3", **members)  # type: ignore[arg-type]


def expecting(*codes: str) -> tuple[Expected, ...]:
    """Rows without subjects."""
    return tuple(Expected(code=c) for c in codes)


def test_the_expected_roots_first_and_no_others() -> None:
    """top1 is about the first N, in any order."""
    verdict = compare(scenario(roots=expecting("CTRL-09", "NODE-04")), report(*BOTH), 1)
    assert (True, True, 0, True) == (verdict.top1, verdict.top3, verdict.false_roots, verdict.passed)


def test_a_root_that_nobody_expects_is_false() -> None:
    """It counts and is named."""
    verdict = compare(scenario(roots=expecting("NODE-04")), report(*BOTH), 1)
    assert (1, ("root CTRL-09",), False) == (verdict.false_roots, verdict.forbidden, verdict.passed)


def test_a_root_behind_a_false_one_is_in_the_first_three_only() -> None:
    """The order matters to a reader."""
    first = report(*BOTH).roots[0]
    other = "CTRL-09" if report(*BOTH).entry(first.finding).finding.code == "NODE-04" else "NODE-04"
    verdict = compare(scenario(roots=expecting(other)), report(*BOTH), 1)
    assert (False, True) == (verdict.top1, verdict.top3)


def test_no_root_is_an_expectation_too() -> None:
    """``roots: []`` fails as soon as one is named; without the key nothing is said."""
    assert [False, True, True] == [
        compare(scenario(roots=()), report(*BOTH), 1).top1,
        compare(scenario(roots=()), report(outcome("NODE-03")), 1).top1,
        compare(scenario(), report(*BOTH), 1).passed,
    ]


def test_a_subject_that_is_named_must_fit() -> None:
    """The right row about the wrong node is missing, and false."""
    wanted = (Expected(code="NODE-04", subject="Node/node-9"),)
    verdict = compare(scenario(roots=wanted), report(BOTH[0]), 1)
    assert (("root NODE-04 Node/node-9",), 1) == (verdict.missing, verdict.false_roots)


def test_what_must_be_found_ruled_out_or_unchecked_is_missed_by_name() -> None:
    """Every list of expected.yaml."""
    verdict = compare(
        scenario(
            find=expecting("NODE-03"),
            info=expecting("NODE-32"),
            ruled_out=expecting("NODE-10"),
            not_checked=expecting("NODE-05"),
            status="warning",
        ),
        report(BOTH[0]),
        1,
    )
    assert verdict.missing == (
        "NODE-03",
        "info NODE-32",
        "ruled out NODE-10",
        "not checked NODE-05",
        "status warning (is critical)",
    )


def test_silence_counts_only_when_the_check_ran() -> None:
    """A skipped check is not silent, a finding is not silent, a row that the command does not run is not silent."""
    silent = {"NODE-03": "a", "NODE-04": "b", "NODE-05": "c"}
    said: Report = report(outcome("NODE-03"), SKIPPED)
    verdict = compare(scenario(silent=silent), said, 1)
    assert (("NODE-03",), ("NODE-04 did not run", "NODE-05 did not run")) == (verdict.silent, verdict.forbidden)
    assert ("NODE-04 not silent",) == compare(scenario(silent={"NODE-04": "b"}), report(BOTH[0]), 1).forbidden


def test_what_is_forbidden_must_not_be_likely() -> None:
    """Named with its row."""
    assert ("NODE-04 found",) == compare(scenario(forbid=expecting("NODE-04")), report(BOTH[0]), 1).forbidden


def test_a_remark_that_is_expected_is_neither_forbidden_nor_loud() -> None:
    """A likely finding of severity info, named under ``info``; without the name it is too much."""
    said = report(outcome("NODE-27", found("NODE-27", severity=Severity.INFO)))
    wanted = {"forbid": expecting("NODE-27"), "silent": {"NODE-27": "x"}}
    assert ((), ("NODE-27 found", "NODE-27 not silent")) == (
        compare(scenario(**wanted, info=expecting("NODE-27")), said, 1).forbidden,
        compare(scenario(**wanted), said, 1).forbidden,
    )


def test_a_bundle_that_cannot_be_read_is_an_error_of_its_scenario_alone() -> None:
    """The others go on."""

    def broken(_: Scenario) -> Report:
        raise BundleError("overlay.yaml: nodes: node-9 is not recorded")

    verdict = judge(scenario(), broken)
    assert ("overlay.yaml: nodes: node-9 is not recorded", False) == (verdict.error, verdict.passed)


def test_a_quiet_row_may_be_positive_by_info() -> None:
    """Rows of severity info, bydesign, noise; others only by roots and find."""
    verdict = compare(
        scenario(info=expecting("NODE-32", "NODE-04")),
        report(outcome("NODE-32", found("NODE-32", severity=Severity.INFO)), BOTH[0]),
        1,
    )
    assert {"NODE-32": ["X-1"]} == dict(coverage((verdict,)).positive)


def test_the_totals_are_of_all_scenarios() -> None:
    """As the contract has them."""
    good = compare(scenario(roots=expecting("NODE-04"), silent={}), report(BOTH[0]), 3)
    bad = compare(scenario(roots=expecting("NODE-05")), report(BOTH[0]), 4)
    totals = as_json((good, bad))["totals"]
    assert (2, 1, 0.5, 0.5, 1) == tuple(totals[k] for k in ("scenarios", "passed", "top1", "top3", "false_roots"))
