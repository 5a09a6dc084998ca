"""Runs every scenario of a folder and says how good the answers are: the measure of accuracy (``kubewhy eval``)."""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from bot.errors import KubewhyError
from bot.model.finding import Severity
from bot.model.report import Entry, Report
from bot.model.rows import rows
from bot.scenario import Expected, Scenario

Diagnose = Callable[[Scenario], Report]
TOP = 3
QUIET = {Severity.INFO, Severity.BYDESIGN, Severity.NOISE}


@dataclass(frozen=True, slots=True, kw_only=True)
class Verdict:
    """How one scenario came out.

    Attributes:
        missing: what was expected and not there, in words such as ``root NET-01``.
        forbidden: what was there and must not be.
        false_roots: roots named as confirmed or likely that the scenario does not expect.
        silent: rows whose check ran here with its evidence and stayed silent.
        ms: time of the diagnosis.
    """

    scenario: Scenario
    found_roots: tuple[str, ...] = ()
    top1: bool = False
    top3: bool = False
    missing: tuple[str, ...] = ()
    forbidden: tuple[str, ...] = ()
    skipped: tuple[str, ...] = ()
    false_roots: int = 0
    silent: tuple[str, ...] = ()
    error: str | None = None
    ms: int = 0

    @property
    def passed(self) -> bool:
        """Whether everything came out as expected."""
        return self.error is None and not self.missing and not self.forbidden and self.top1 and not self.false_roots


def evaluate(scenarios: Sequence[Scenario], diagnose: Diagnose) -> tuple[Verdict, ...]:
    """Run the scenarios one after the other."""
    return tuple(judge(scenario, diagnose) for scenario in scenarios)


def judge(scenario: Scenario, diagnose: Diagnose) -> Verdict:
    """Run one scenario and compare."""
    began = time.perf_counter()
    try:
        report = diagnose(scenario)
    except KubewhyError as error:
        return Verdict(scenario=scenario, error=str(error))
    return compare(scenario, report, int((time.perf_counter() - began) * 1000))


def compare(scenario: Scenario, report: Report, ms: int) -> Verdict:
    """What a report lacks and has too much, against what the scenario expects."""
    roots = [report.entry(root.finding) for root in report.roots]
    sure = [e for e in report.entries if e.finding.confidence.counts]
    expected = scenario.roots
    skipped = tuple(dict.fromkeys(s.code for s in report.skipped))
    missing = _missing(scenario, report, roots, sure)
    alarming = [e for e in sure if not _remark(scenario, e)]
    forbidden = [f"{x.code} found" for x in scenario.forbid if _has(x, alarming)]
    silent, broken = _silence(scenario, report, frozenset(e.finding.code for e in alarming))
    false = [] if expected is None else [r for r in roots if not any(_is(x, r) for x in expected)]
    return Verdict(
        scenario=scenario,
        found_roots=tuple(r.finding.code for r in roots),
        top1=_top(expected, roots, len(expected or ())),
        top3=_top(expected, roots, max(TOP, len(expected or ()))),
        missing=tuple(missing),
        forbidden=tuple(forbidden + broken + [f"root {r.finding.code}" for r in false]),
        skipped=skipped,
        false_roots=len(false),
        silent=silent,
        ms=ms,
    )


def _missing(scenario: Scenario, report: Report, roots: list[Entry], sure: list[Entry]) -> list[str]:
    missing = [f"root {_show(x)}" for x in scenario.roots or () if not _has(x, roots)]
    missing += [_show(x) for x in scenario.find if not _has(x, sure)]
    missing += [f"info {_show(x)}" for x in scenario.info if not _has(x, report.entries)]
    ruled = {r.code for r in report.ruled_out}
    missing += [f"ruled out {x.code}" for x in scenario.ruled_out if x.code not in ruled]
    skipped = {s.code for s in report.skipped}
    missing += [f"not checked {x.code}" for x in scenario.not_checked if x.code not in skipped]
    if scenario.status and scenario.status != report.status.value:
        missing.append(f"status {scenario.status} (is {report.status.value})")
    return missing


def _remark(scenario: Scenario, entry: Entry) -> bool:
    """Whether a row says only what the scenario expects it to mention, without calling it a fault."""
    return entry.finding.severity is Severity.INFO and any(_is(x, entry) for x in scenario.info)


def _silence(scenario: Scenario, report: Report, found: frozenset[str]) -> tuple[tuple[str, ...], list[str]]:
    """Rows that ran and stayed silent, and complaints about those that did not."""
    skipped = {s.code for s in report.skipped} | {f.code for f in report.failed}
    ran = set(report.ran)
    silent: list[str] = []
    broken: list[str] = []
    for code in scenario.silent:
        if code in found:
            broken.append(f"{code} not silent")
        elif code in skipped or code not in ran:
            broken.append(f"{code} did not run")
        else:
            silent.append(code)
    return tuple(silent), broken


def _top(expected: tuple[Expected, ...] | None, roots: list[Entry], count: int) -> bool:
    if expected is None:
        return True
    if not expected:
        return not roots
    first = roots[:count]
    return all(_has(x, first) for x in expected)


def _is(expected: Expected, entry: Entry) -> bool:
    if expected.code != entry.finding.code:
        return False
    return not expected.subject or expected.subject == str(entry.finding.subject)


def _has(expected: Expected, entries: Iterable[Entry]) -> bool:
    return any(_is(expected, entry) for entry in entries)


def _show(expected: Expected) -> str:
    return f"{expected.code} {expected.subject}".strip()


@dataclass(slots=True)
class Coverage:
    """Which scenarios are positive and silent cases of which row."""

    positive: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))
    silent: dict[str, list[str]] = field(default_factory=lambda: defaultdict(list))


def coverage(verdicts: Iterable[Verdict]) -> Coverage:
    """Count the rows that the scenarios cover (contract: ``rows``)."""
    covered = Coverage()
    for verdict in verdicts:
        scenario = verdict.scenario
        positive = {x.code for x in (*(scenario.roots or ()), *scenario.find)}
        positive |= {x.code for x in scenario.info if x.code in rows() and rows()[x.code].severity in QUIET}
        for code in sorted(positive):
            covered.positive[code].append(scenario.id)
        for code in verdict.silent:
            covered.silent[code].append(scenario.id)
    return covered


def as_json(verdicts: Sequence[Verdict]) -> Mapping[str, Any]:
    """The result as the contract has it (``kubewhy/eval/v1``)."""
    covered = coverage(verdicts)
    codes = sorted({*covered.positive, *covered.silent})
    count = len(verdicts) or 1
    return {
        "schema": "kubewhy/eval/v1",
        "scenarios": [_row(v) for v in verdicts],
        "rows": {c: {"positive": covered.positive.get(c, []), "silent": covered.silent.get(c, [])} for c in codes},
        "totals": {
            "scenarios": len(verdicts),
            "passed": sum(v.passed for v in verdicts),
            "top1": round(sum(v.top1 for v in verdicts) / count, 4),
            "top3": round(sum(v.top3 for v in verdicts) / count, 4),
            "false_roots": sum(v.false_roots for v in verdicts),
            "rows": len(codes),
            "rows_positive": sum(1 for c in codes if covered.positive.get(c)),
            "rows_silent": sum(1 for c in codes if covered.silent.get(c)),
        },
    }


def _row(verdict: Verdict) -> dict[str, Any]:
    scenario = verdict.scenario
    return {
        "id": scenario.id,
        "title": scenario.title,
        "command": scenario.command,
        "expected_roots": [x.code for x in scenario.roots or ()],
        "found_roots": list(verdict.found_roots),
        "top1": verdict.top1,
        "top3": verdict.top3,
        "passed": verdict.passed,
        "missing": list(verdict.missing),
        "forbidden": list(verdict.forbidden),
        "skipped": list(verdict.skipped),
        "error": verdict.error,
        "ms": verdict.ms,
    }
