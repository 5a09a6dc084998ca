"""Gathering: everything that was asked for ends as evidence or as a gap that says why, in time."""

from __future__ import annotations

import logging
import time
from collections.abc import Iterator
from threading import Event

import pytest

from bot.collector import Collector
from bot.errors import Kind, SourceError
from bot.gather import Gathering, Step, types_needed
from bot.model.evidence import Evidence, Gap, Known, PerNode
from bot.model.refs import NodeName
from bot.source import Kube, Shell
from tests.unit.kernel.parts import PROOF, OnNode, Other, Small, empty, made, sources, visiting


def small(kube: Kube) -> Iterator[Small]:
    """Yields at once."""
    yield Small(proof=PROOF, value="there")


def of_small(first: Small) -> Iterator[Other]:
    """Builds on the small thing."""
    yield Other(proof=PROOF, value=f"of {first.value}")


def of_node(shell: Shell, node: NodeName) -> Iterator[OnNode]:
    """Reads a node over SSH."""
    yield OnNode(proof=PROOF, node=node, value=f"seen on {node}")


def _unanswered(what: str) -> Iterator[Small]:
    raise SourceError(Kind.TIMED_OUT, what)


def gather(
    *collectors: Collector, nodes: tuple[str, ...] = (), limit: float = 5.0, no_ssh: str = "", stop: bool = False
) -> tuple[Known, Gathering]:
    """Run the collectors for everything that they provide."""
    known = empty()
    wanted = frozenset(kind for c in collectors for kind in c.provides)
    gathering = Gathering(known, sources(no_ssh), collectors, wanted, visiting(*nodes))
    gathering.run(deadline=time.monotonic() + limit, progress=lambda _: None, cancelled=lambda: stop)
    return known, gathering


def test_what_builds_on_something_is_read_after_it() -> None:
    """Whatever the order of the collectors."""
    known, gathering = gather(made(of_small, Other), made(small, Small))
    assert Other(proof=PROOF, value="of there") == known.get(Other)
    assert gathering.stopped == ""


def test_the_types_that_are_needed_include_those_on_the_way() -> None:
    """A check that needs the other thing makes the small one needed too."""
    chain = (made(of_small, Other), made(small, Small))
    from tests.unit.kernel.parts import a_check  # noqa: PLC0415 - only here

    def needs_other(other: Other) -> Iterator[None]:
        yield None

    wanted = types_needed((a_check("NODE-03", needs_other),), visiting(), chain)  # type: ignore[arg-type]
    assert frozenset({Other, Small}) == wanted


def test_an_error_of_a_source_becomes_a_gap_for_what_is_still_owed() -> None:
    """What was yielded before the error is kept; the rest says why, with the hint, and so does what builds on it."""

    def breaks(kube: Kube) -> Iterator[Evidence]:
        yield Small(proof=PROOF, value="kept")
        raise SourceError(Kind.FORBIDDEN, "GET /other", "403", hint="Grant: get others")

    def on_other(other: Other) -> Iterator[OnNode]:
        yield OnNode(proof=PROOF, node="never")

    known, _ = gather(made(breaks, Small, Other), made(on_other, OnNode), nodes=("node-1",))
    assert Small(proof=PROOF, value="kept") == known.get(Small)
    assert ("GET /other: 403", "Grant: get others") == (known.gap(Other).because, known.gap(Other).hint)
    assert known.get(OnNode, "never") is None


def test_a_bug_in_one_collector_does_not_end_the_diagnosis(caplog: pytest.LogCaptureFixture) -> None:
    """It is logged with its trace; people are told that kubewhy failed; the others are read."""

    def wrong(kube: Kube) -> Iterator[Other]:
        yield Other(proof=PROOF, value=str(1 / 0))

    with caplog.at_level(logging.ERROR):
        known, _ = gather(made(wrong, Other), made(small, Small))
    assert known.gap(Other).because == "kubewhy failed to read it: ZeroDivisionError"
    assert known.get(Small) is not None
    assert "ZeroDivisionError" in caplog.text


def test_what_a_collector_leaves_out_is_a_gap() -> None:
    """An answer without the piece is not a piece without content."""

    def nothing(kube: Kube) -> Iterator[Other]:
        yield from ()

    known, _ = gather(made(nothing, Other))
    assert known.gap(Other).because == "the answer did not hold it"


def test_a_late_collector_is_given_up_alone() -> None:
    """Its own deadline; what it delivers later is not used."""
    release = Event()

    def late(kube: Kube) -> Iterator[Other]:
        release.wait(5)
        yield Other(proof=PROOF)

    known, gathering = gather(made(late, Other, deadline=0.3), made(small, Small))
    release.set()
    assert (None, "no answer within 0.3 s", "") == (known.get(Other), known.gap(Other).because, gathering.stopped)
    assert known.get(Small) is not None


def test_when_the_time_is_over_what_has_arrived_is_kept() -> None:
    """The overall deadline: prompt, with a reason for everything that is missing."""
    release = Event()

    def late(kube: Kube) -> Iterator[Other]:
        release.wait(5)
        yield Other(proof=PROOF)

    began = time.monotonic()
    known, gathering = gather(made(late, Other), made(small, Small), limit=0.4)
    release.set()
    assert time.monotonic() - began < 2
    assert ("deadline", "the time for the whole run was over") == (gathering.stopped, known.gap(Other).because)
    assert known.get(Small) is not None


def test_a_cancelled_run_ends_at_once() -> None:
    """And says that somebody stopped it."""
    release = Event()

    def late(kube: Kube) -> Iterator[Other]:
        release.wait(5)
        yield Other(proof=PROOF)

    known, gathering = gather(made(late, Other), stop=True)
    release.set()
    assert ("cancelled", "the run was cancelled") == (gathering.stopped, known.gap(Other).because)


def test_every_visited_node_is_read() -> None:
    """One reading a node, each about its own node."""
    known, _ = gather(made(of_node, OnNode), nodes=("node-1", "node-2"))
    assert {"node-1": "seen on node-1", "node-2": "seen on node-2"} == {e.node: e.value for e in known.per_node(OnNode)}


def test_a_node_that_fails_is_a_gap_of_that_node() -> None:
    """The others are there."""

    def picky(shell: Shell, node: NodeName) -> Iterator[OnNode]:
        if node == "node-2":
            raise SourceError(Kind.REFUSED, f"SSH to {node}", "connection refused")
        yield OnNode(proof=PROOF, node=node)

    known, _ = gather(made(picky, OnNode), nodes=("node-1", "node-2"))
    assert ["node-1"] == [e.node for e in known.per_node(OnNode)]
    assert known.gap(OnNode, "node-2").because == "SSH to node-2: connection refused"


def test_a_reading_of_all_nodes_may_come_from_one_question_to_the_cluster() -> None:
    """A collector without node parameter that yields pieces about nodes; the node it leaves out is a gap."""

    def rows(kube: Kube) -> Iterator[Evidence | Gap]:
        yield OnNode(proof=PROOF, node="node-1", value="row")
        yield Gap(type=OnNode, key="node-2", because="no such row")

    def count(all_of: PerNode[OnNode]) -> Iterator[Other]:
        yield Other(proof=PROOF, value=str(len(all_of)))

    known, _ = gather(made(rows, OnNode), made(count, Other), nodes=("node-1", "node-2"))
    assert ("1", "no such row") == (getattr(known.get(Other), "value", None), known.gap(OnNode, "node-2").because)


def test_without_ssh_nothing_is_asked_of_a_node() -> None:
    """The gap says who switched it off."""
    known, _ = gather(made(of_node, OnNode), nodes=("node-1",), no_ssh="SSH is switched off for this run (--no-ssh)")
    assert known.gap(OnNode, "node-1").because == "SSH is switched off for this run (--no-ssh)"


def test_optional_evidence_that_is_missing_is_passed_as_none() -> None:
    """A collector that can do without is run without."""

    def fails(kube: Kube) -> Iterator[Small]:
        yield from _unanswered("GET /small")

    def copes(first: Small | None) -> Iterator[Other]:
        yield Other(proof=PROOF, value="without" if first is None else "with")

    known, _ = gather(made(copes, Other), made(fails, Small))
    assert Other(proof=PROOF, value="without") == known.get(Other)


def test_collectors_that_wait_for_each_other_do_not_wait_forever() -> None:
    """A circle is a mistake of ours; it ends as gaps."""

    def one(other: Other) -> Iterator[Small]:
        yield Small(proof=PROOF)

    def two(first: Small) -> Iterator[Other]:
        yield Other(proof=PROOF)

    began = time.monotonic()
    known, _ = gather(made(one, Small), made(two, Other))
    assert time.monotonic() - began < 2
    assert "nothing provides" in known.gap(Small).because


def test_progress_ends_with_everything_done() -> None:
    """What people see: the last step has nothing left."""
    steps: list[Step] = []
    known = empty()
    gathering = Gathering(known, sources(), (made(small, Small),), frozenset({Small}), visiting())
    gathering.run(deadline=time.monotonic() + 5, progress=steps.append, cancelled=lambda: False)
    assert (1, 1) == (steps[-1].done, steps[-1].total)
