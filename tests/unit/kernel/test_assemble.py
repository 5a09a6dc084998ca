"""Assembling a report: ids, order of repair, what was ignored, and which status may be claimed."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace

import pytest

from bot.assemble import Case, assemble
from bot.chain import explain
from bot.check import Outcome
from bot.errors import Kind, SourceError
from bot.model.command import Question
from bot.model.evidence import Gap
from bot.model.finding import Confidence, Finding, Fix, RuledOut, Safety, Severity, Stage
from bot.model.proof import Proof, Source
from bot.model.refs import node
from bot.model.report import Report, Role, Status
from bot.model.text import T
from tests.unit.kernel.parts import PROOF, OnNode, Small, a_check
from tests.unit.kernel.stories import NOW, found, known

GONE = SourceError(Kind.REFUSED, "GET /version", "connection refused", hint="see whether it runs")


def rule(small: Small) -> Iterator[Finding]:
    """Stands for any check."""
    yield from ()


def outcome(code: str, *results: Finding | RuledOut, missing: tuple[Gap, ...] = (), error: str = "") -> Outcome:
    """What became of the check of a row."""
    return Outcome(check=a_check(code, rule), results=results, missing=missing, error=error)


def report(*outcomes: Outcome, **more: object) -> Report:
    """Assemble a report of /node-why from the outcomes."""
    findings = tuple(f for o in outcomes for f in o.findings)
    values = {
        "question": Question(command="node-why", target="node-3", options={}),
        "owns": ("NODE-*",),
        "cluster": "prod",
        "run": "node-1",
        "observed_at": NOW,
        "duration_ms": 5,
        **more,
    }
    case = Case(**values)  # type: ignore[arg-type]
    return assemble(case, outcomes, explain(findings, known(), ("NODE-*",)))


def fix(what: str, stage: Stage = Stage.ROOT) -> Fix:
    """A repair."""
    return Fix(what=T("repair"), safety=Safety.REVERSIBLE, commands=(what,), stage=stage)


SKIPPED = outcome(
    "NODE-04", missing=(Gap(type=OnNode, key="node-3", because="SSH to node-3: refused", hint="open 22"),)
)


def test_findings_are_numbered_as_a_person_reads_them() -> None:
    """The root and its chain first, whatever order the checks ran in."""
    said = report(
        outcome("NODE-03", found("NODE-03", active=False)),
        outcome("NODE-04", found("NODE-04", active=False, at_start=True)),
    )
    assert [("F1", "NODE-04", Role.ROOT), ("F2", "NODE-03", Role.EFFECT)] == [
        (e.id, e.finding.code, e.role) for e in said.entries
    ]
    assert (("F1", "F2"), ("F1",)) == (said.roots[0].chain, said.entry("F2").explained_by)


def test_equal_proofs_share_a_number() -> None:
    """Two findings that rest on one reading cite one exhibit."""
    shared, own = PROOF, Proof(source=Source.NODE, what="node-3: systemctl show kubelet")
    said = report(
        outcome("NODE-03", replace(found("NODE-03", active=False), proofs=(shared, own))),
        outcome("NODE-04", replace(found("NODE-04", active=False, at_start=True), proofs=(shared,))),
    )
    assert [("E1",), ("E1", "E2")] == [e.evidence for e in said.entries]
    assert ["E1", "E2"] == [x.id for x in said.exhibits]


def test_repairs_come_in_their_order_and_once() -> None:
    """Mitigation, root, consumers, posture (catalogue C.2, step 8); the same commands are printed once."""
    effect = replace(found("NODE-03", active=False), fixes=(fix("restart", Stage.CONSUMERS), fix("cp")))
    cause = replace(found("NODE-04", active=False, at_start=True), fixes=(fix("cp"), fix("scale", Stage.MITIGATION)))
    posture = replace(found("CTRL-10"), fixes=(fix("three masters", Stage.POSTURE),))
    said = report(outcome("NODE-03", effect), outcome("NODE-04", cause), outcome("CTRL-10", posture))
    assert [("X1", "scale"), ("X2", "cp"), ("X3", "restart"), ("X4", "three masters")] == [
        (r.id, r.fix.commands[0]) for r in said.remedies
    ]
    assert said.remedies[1].finding == "F1"


def test_a_possible_finding_gets_no_repair() -> None:
    """A pattern is no reason to change anything."""
    said = report(
        outcome("NODE-03", replace(found("NODE-03", confidence=Confidence.POSSIBLE), fixes=(fix("restart"),)))
    )
    assert ((), ()) == (said.remedies, said.roots)


def test_what_the_operator_ignores_is_shown_and_is_no_root() -> None:
    """By row, or by row and subject; it does not count for the status."""
    one = outcome("NODE-03", found("NODE-03"), found("NODE-03", "Node/node-4"))
    by_row, by_subject = report(one, ignored=("NODE-03",)), report(one, ignored=("NODE-03@Node/node-4",))
    assert ((), Status.INFO) == (by_row.roots, by_row.status)
    assert [("node-3", Role.ROOT), ("node-4", Role.BYDESIGN)] == [
        (e.finding.subject.name, e.role) for e in by_subject.entries
    ]


def test_the_worst_finding_that_counts_decides_the_status() -> None:
    """Critical, warning, information."""

    def status(**members: object) -> Status:
        return report(outcome("NODE-03", found("NODE-03", **members))).status  # type: ignore[arg-type]

    assert [Status.CRITICAL, Status.WARNING, Status.WARNING, Status.INFO, Status.OK] == [
        status(severity=Severity.CRIT),
        status(severity=Severity.HIGH),
        status(severity=Severity.WARN),
        status(severity=Severity.INFO),
        status(severity=Severity.CRIT, confidence=Confidence.POSSIBLE),
    ]


def test_nothing_found_is_ok_only_when_every_mandatory_check_ran() -> None:
    """A serious check of the command's own rows that was skipped makes it incomplete; one that runs along does not."""
    along = outcome("NET-02", missing=SKIPPED.missing)
    assert [Status.OK, Status.INCOMPLETE, Status.OK] == [
        report(outcome("NODE-03")).status,
        report(outcome("NODE-03"), SKIPPED).status,
        report(outcome("NODE-03"), along).status,
    ]
    said = report(SKIPPED).skipped[0]
    assert (("the thing of node-3",), "SSH to node-3: refused", "open 22", True) == (
        said.missing,
        said.because,
        said.hint,
        said.mandatory,
    )


def test_findings_keep_their_status_beside_what_was_skipped() -> None:
    """A run with findings and skipped checks is as bad as its findings."""
    assert Status.CRITICAL == report(outcome("NODE-03", found("NODE-03")), SKIPPED).status


def test_a_check_that_failed_is_reported_with_a_reference_and_is_no_all_clear() -> None:
    """The reference is what the log calls it."""
    said = report(outcome("NODE-03", error="ValueError: x"), outcome("NODE-05"))
    assert (Status.INCOMPLETE, "NODE-03", "ValueError: x") == (said.status, said.failed[0].code, said.failed[0].error)
    assert len(said.failed[0].reference) == 6


def test_an_api_that_does_not_answer_is_failed_unless_something_was_judged() -> None:
    """Nothing ran: failed. A node told something: what it told, never OK."""
    assert [Status.FAILED, Status.INCOMPLETE, Status.CRITICAL] == [
        report(SKIPPED, unreachable=GONE).status,
        report(outcome("NODE-03"), unreachable=GONE).status,
        report(outcome("NODE-03", found("NODE-03")), unreachable=GONE).status,
    ]


@pytest.mark.parametrize(("stopped", "status"), [("cancelled", Status.CANCELLED), ("deadline", Status.INCOMPLETE)])
def test_a_run_that_was_stopped_is_no_all_clear(stopped: str, status: Status) -> None:
    """Cancelled says so; out of time is incomplete, with a note."""
    said = report(outcome("NODE-03"), stopped=stopped)
    assert (status, stopped == "deadline") == (said.status, said.note is not None)


def test_what_was_ruled_out_is_told_unless_it_was_found() -> None:
    """A row that was found about a subject is not ruled out about it."""
    cleared = RuledOut(code="NODE-10", subject=node("node-3"), because=T("it answers"), proofs=(PROOF,))
    assert ["NODE-10"] == [r.code for r in report(outcome("NODE-10", cleared)).ruled_out]


def test_every_check_is_counted_once() -> None:
    """Found, clean, skipped, failed."""
    counts = report(
        outcome("NODE-03", found("NODE-03")), outcome("NODE-05"), SKIPPED, outcome("NODE-10", error="KeyError: 1")
    ).counts
    assert (1, 1, 1, 1) == (counts.found, counts.clean, counts.skipped, counts.failed)
