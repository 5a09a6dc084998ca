"""Every scenario comes out as expected, and every row has one in which it speaks and one in which it is silent."""

from __future__ import annotations

import pytest

from bot.check import Need, Outcome
from bot.evaluate import coverage
from bot.model.dns_answers import ClusterAnswers
from bot.model.evidence import Ask, Clock, Evidence, Expectations
from bot.model.finding import Confidence, Finding
from bot.model.host import HostUnits, KubeletHealth
from bot.model.metrics import NodeMetrics, Scrapes
from tests.unit.judgement.lab import Judged, again, checks, judged, scenarios, without

pytestmark = pytest.mark.xdist_group("judgement")  # every scenario is judged once, in one process

RANK = {Confidence.POSSIBLE: 0, Confidence.LIKELY: 1, Confidence.CONFIRMED: 2}
ALWAYS: set[type[Evidence]] = {Clock, Ask, Expectations}  # known before anything is read
# What a row may still say when a piece that speaks for somebody is missing, and why that is true all the same.
EXCUSED: dict[tuple[str, type[Evidence]], str] = {
    (
        "METRICS-03",
        KubeletHealth,
    ): "that metrics-server gets nothing from the node is so whether the kubelet is back or not",
    ("METRICS-03", HostUnits): "as above",
    ("METRICS-03", NodeMetrics): "only a sample tells that a node whose failures are current is scraped again",
    ("METRICS-03", Scrapes): "that the node has no sample is so whatever the log names as the reason",
    ("METRICS-06", NodeMetrics): "only a sample tells that a kubelet whose refusals are current lets it in again",
    ("DNS-03", ClusterAnswers): "lines about names of several zones are unanswered questions by themselves",
}


@pytest.mark.parametrize("name", sorted(scenarios()))
def test_a_scenario_comes_out_as_expected(name: str) -> None:
    """The roots first and no others, everything that must be found, nothing that must not."""
    verdict = judged(name).verdict
    assert (None, (), (), True, 0) == (
        verdict.error,
        verdict.missing,
        verdict.forbidden,
        verdict.top1,
        verdict.false_roots,
    )


@pytest.mark.parametrize("name", sorted(scenarios()))
def test_no_check_fails_in_a_scenario(name: str) -> None:
    """A check that raises is a hole in the answer."""
    report = judged(name).report
    assert () == (report.failed if report else ())


@pytest.mark.parametrize("name", sorted(scenarios()))
def test_every_reason_that_is_said_is_on_the_page_of_its_check(name: str) -> None:
    """Whoever routes reports by reason looks it up there."""
    report = judged(name).report
    said = {(e.finding.code, e.finding.reason) for e in report.entries} if report else set()
    assert [] == [f"{code} {reason}" for code, reason in said if f"- {reason}: " not in checks()[code].page]


@pytest.mark.timeout(600)  # every scenario is judged for it
def test_every_row_has_a_positive_and_a_silent_scenario() -> None:
    """The silent one runs the check with its evidence, so that its silence means something."""
    covered = coverage(judged(name).verdict for name in scenarios())
    assert [] == [code for code in checks() if not covered.positive[code]], "no scenario expects it (roots, find, info)"
    assert [] == [code for code in checks() if not covered.silent[code]], "no scenario is silent while its check runs"


@pytest.mark.parametrize("name", sorted(scenarios()))
def test_without_what_it_requires_a_check_is_skipped(name: str) -> None:
    """Unknown is no evidence: each required piece, taken away, leaves the check unrun and says which piece it was."""
    run = judged(name)
    wrong = [
        f"{outcome.check.code} without {need.name}: {after.state}"
        for outcome in _matter(run)
        for need in outcome.check.needs
        if need.required
        for after in [_less(run, outcome, need)]
        if after.state != "skipped" or all(gap.type is not need.type for gap in after.missing)
    ]
    assert [] == wrong


@pytest.mark.parametrize("name", sorted(scenarios()))
def test_less_evidence_never_makes_a_finding_surer(name: str) -> None:
    """Each optional piece, taken away, creates no finding and raises no confidence: the unknown accuses nobody."""
    run = judged(name)
    wrong = [
        f"{f.code} {f.subject} {f.reason} without {need.name}: {f.confidence}"
        for outcome in _matter(run)
        for need in outcome.check.needs
        if not need.required and need.type not in ALWAYS and (outcome.check.code, need.type) not in EXCUSED
        for f in _less(run, outcome, need).findings
        if f.confidence.counts and RANK[f.confidence] > _ceiling(outcome, f)
    ]
    assert [] == wrong


def _matter(run: Judged) -> list[Outcome]:
    """The outcomes that the scenario is about: what it finds, and what it must stay silent about."""
    silent = set(run.scenario.silent) | {x.code for x in run.scenario.forbid}
    return [o for o in run.outcomes if o.findings or (o.state == "clean" and o.check.code in silent)]


def _less(run: Judged, outcome: Outcome, need: Need) -> Outcome:
    """The check once more, without one piece."""
    key = None if need.every_node else _key(need.per_node, outcome.key)
    return again(outcome.check.code, without(run.known, need.type, key), outcome.key)


def _ceiling(outcome: Outcome, after: Finding) -> int:
    """How sure it was before; a finding may change its subject when the object that it named is not known."""
    same = [f for f in outcome.findings if f.subject == after.subject]
    alike = [f for f in outcome.findings if f.reason == after.reason and f.subject.kind != after.subject.kind]
    return max((RANK[f.confidence] for f in same or alike), default=-1)


def _key(per_node: bool, key: str) -> str:
    return key if per_node else ""
