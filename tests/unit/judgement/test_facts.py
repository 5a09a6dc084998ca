"""No finding outlives the facts it rests on: each is taken away, one by one, from every scenario that has it."""

from __future__ import annotations

import pytest

from bot.model.evidence import Evidence, Gap
from bot.model.finding import Confidence, Finding, Severity
from tests.unit.judgement.fact import Fact, Scene
from tests.unit.judgement.facts import FACTS
from tests.unit.judgement.lab import about, again, changed, checks, clock, findings, judged, positive

pytestmark = pytest.mark.xdist_group("judgement")  # every scenario is judged once, in one process

QUIET = {Severity.INFO, Severity.BYDESIGN, Severity.NOISE}
CASES = [pytest.param(code, name, id=f"{code}-in-{name}") for code in checks() for name in positive(code)]


@pytest.mark.parametrize(("code", "name"), CASES)
def test_a_finding_weakens_with_each_fact_that_is_not_so(code: str, name: str) -> None:
    """The rule joins its facts by AND: with one of them undone, the finding is gone, skipped, or less sure."""
    found = findings(name, code)
    assert found, f"{name} expects {code}, and its check finds nothing"
    wrong = [
        f"{fact.says}: {after.confidence} {after.severity} {after.reason}"
        for key, finding in found
        for fact in FACTS.get(code, ())
        if fact.applies(finding)
        for after in _after(code, name, key, finding, fact)
        if not _weaker(after, finding, fact)
    ]
    assert [] == wrong


def _after(code: str, name: str, key: str, finding: Finding, fact: Fact) -> list[Finding]:
    """What the check still finds about the subject, beside what it found there for other reasons."""
    before = [f for _, f in findings(name, code) if f != finding]
    pieces = _undone(name, key, finding, fact)
    outcome = again(code, changed(judged(name).known, pieces), key)
    assert not outcome.error, f"{fact.says}: {outcome.error}"
    siblings = {(f.subject, f.reason) for f in before} - {(finding.subject, finding.reason)}
    return [f for f in outcome.findings if f.subject == finding.subject and (f.subject, f.reason) not in siblings]


def _undone(name: str, key: str, finding: Finding, fact: Fact) -> list[Evidence | Gap]:
    """The pieces of evidence as they are without the fact."""
    known = judged(name).known
    scene = Scene(finding=finding, key=key, known=known, clock=clock(known))
    at = "" if fact.everywhere else key
    return [change(piece, scene) for kind, change in fact.changes.items() for piece in about(known, kind, at)]


def _weaker(after: Finding, before: Finding, fact: Fact) -> bool:
    """Whether what is left of a finding is as little as the fact allows."""
    if fact.left == "quiet":
        return after.severity in QUIET
    if fact.left == "likely" and before.confidence is Confidence.CONFIRMED:
        return after.confidence is not Confidence.CONFIRMED
    if fact.left == "likely":
        return True
    return not after.confidence.counts or before.confidence is Confidence.POSSIBLE


@pytest.mark.parametrize("code", sorted(checks()))
def test_every_check_declares_the_facts_of_its_rule(code: str) -> None:
    """At least one fact must end the finding altogether; facts of a second source alone would prove little."""
    ends = [fact for fact in FACTS.get(code, ()) if fact.left == "nothing"]
    assert ends, f"declare in tests/unit/judgement/facts what {code} joins by AND, each fact as its opposite"


def test_no_facts_are_declared_for_a_check_that_is_gone() -> None:
    """A row that was renamed would be tested by nothing."""
    assert set(FACTS) == set(checks())


@pytest.mark.parametrize(("code", "number"), [(code, n) for code, facts in FACTS.items() for n in range(len(facts))])
def test_every_fact_is_really_undone_somewhere(code: str, number: int) -> None:
    """The changed evidence differs in a scenario that has the finding; else the test above would prove nothing."""
    fact = FACTS[code][number]
    rests = [(n, key, f) for n in positive(code) for key, f in findings(n, code) if fact.applies(f)]
    assert any(_differs(name, piece) for name, key, f in rests for piece in _undone(name, key, f, fact)), fact.says


def _differs(name: str, piece: Evidence | Gap) -> bool:
    """Whether a piece is not what the scenario holds."""
    return isinstance(piece, Gap) or judged(name).known.get(type(piece), piece.key) != piece
