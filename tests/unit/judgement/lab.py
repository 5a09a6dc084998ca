"""Every scenario diagnosed once: the report and the evidence that it was made of, shared by the tests of judgement."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

from bot import check as kernel
from bot.app import run_scenario
from bot.check import Check, Outcome
from bot.evaluate import Verdict, judge
from bot.model.evidence import Clock, Evidence, Gap, Known, NodeEvidence
from bot.model.finding import Finding
from bot.model.report import Report
from bot.scenario import Scenario, find

ROOT = Path(__file__).parents[3]
PLACES = (ROOT / "tests" / "scenarios", ROOT / "bot" / "playground" / "scenarios")


@dataclass(frozen=True, slots=True)
class Judged:
    """A scenario with everything that was known and said about it.

    Attributes:
        nodes: those that the diagnosis looked into.
        outcomes: of every check that its command runs.
    """

    scenario: Scenario
    verdict: Verdict
    report: Report | None
    known: Known
    nodes: tuple[str, ...]
    outcomes: tuple[Outcome, ...]


@cache
def scenarios() -> dict[str, Scenario]:
    """Every scenario of the project by its id."""
    return {s.id: s for place in PLACES for s in find(place)}


@cache
def judged(name: str) -> Judged:
    """Diagnose a scenario as ``kubewhy eval`` does, once, and keep what the checks were given."""
    reports: list[Report] = []

    def diagnose(scenario: Scenario) -> Report:
        reports.append(run_scenario(scenario))
        return reports[-1]

    with _listening() as heard:
        verdict = judge(scenarios()[name], diagnose)
    known, nodes, outcomes = heard[-1] if heard else (Known(), (), ())
    return Judged(
        scenario=scenarios()[name],
        verdict=verdict,
        report=reports[-1] if reports else None,
        known=known,
        nodes=nodes,
        outcomes=outcomes,
    )


@contextmanager
def _listening() -> Iterator[list[tuple[Known, tuple[str, ...], tuple[Outcome, ...]]]]:
    """Note what the kernel of checks is called with; its work is done as always."""
    heard: list[tuple[Known, tuple[str, ...], tuple[Outcome, ...]]] = []
    real = kernel.run

    def run(checks: Iterable[Check], known: Known, nodes: Sequence[str]) -> list[Outcome]:
        outcomes = real(checks, known, nodes)
        heard.append((known, tuple(nodes), tuple(outcomes)))
        return outcomes

    kernel.run = run
    try:
        yield heard
    finally:
        kernel.run = real


@cache
def checks() -> dict[str, Check]:
    """Every check by its row."""
    return kernel.load()


def positive(code: str) -> tuple[str, ...]:
    """The scenarios in which a row must be found: named under roots, find or info."""
    return tuple(
        s.id for s in scenarios().values() if any(x.code == code for x in (*(s.roots or ()), *s.find, *s.info))
    )


def findings(name: str, code: str) -> tuple[tuple[str, Finding], ...]:
    """The findings of a row in a scenario, with the node that the check was run for (empty when it runs once)."""
    return tuple((o.key, f) for o in judged(name).outcomes if o.check.code == code for f in o.findings)


def again(code: str, known: Known, key: str) -> Outcome:
    """Run one check anew, on other evidence."""
    item = checks()[code]
    return kernel.run((item,), known, (key,))[0]


def changed(known: Known, items: Iterable[Evidence | Gap]) -> Known:
    """The same knowledge with other pieces, or gaps, in place of those of the same type and key."""
    new = tuple(items)
    gone = {(item.type, item.key) for item in new if isinstance(item, Gap)}
    copy = Known()
    for item in (*known.all(), *known.gaps(), *new):
        if isinstance(item, Gap) or (type(item), item.key) not in gone:
            copy.put(item)
    return copy


def without(known: Known, kind: type[Evidence], key: str | None = None) -> Known:
    """The same knowledge without one type (about one node), as if its source had not answered."""
    copy = Known()
    for item in known.all():
        gone = type(item) is kind and key in {None, item.key}
        copy.put(Gap(type=kind, key=item.key, because="not answered") if gone else item)
    for gap in known.gaps():
        copy.put(gap)
    return copy


def clock(known: Known) -> Clock:
    """The clock of the observation."""
    found = known.get(Clock)
    assert found is not None
    return found


def about(known: Known, kind: type[Evidence], key: str) -> tuple[Evidence, ...]:
    """The pieces of a type that a check run for ``key`` is given: its node's alone, where it runs once a node."""
    mine = [e for e in known.all() if type(e) is kind]
    return tuple(e for e in mine if not key or not issubclass(kind, NodeEvidence) or e.key == key)
