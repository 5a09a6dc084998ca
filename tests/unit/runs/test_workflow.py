"""How a run ends when it does not end well."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

import pytest

from bot.diagnose import Progress
from bot.gather import Step
from bot.model.command import Question
from bot.model.report import Report, Status
from bot.runs.codec import plain
from bot.runs.run import Run, State
from bot.runs.store import Store, database_url
from bot.runs.workflow import Conductor, Work
from tests.slack.reports import diagnose, report

QUESTION = Question(command="node-why", target="node-3")
RUN = Run(id="node-1", question=QUESTION, channel="C1", user="U1", created=1000.0, deadline=1400.0)


class Straight:
    """An engine that does each step at once and remembers their names."""

    def __init__(self) -> None:
        self.steps: list[str] = []

    def step(self, name: str, action: Callable[[], Any]) -> Any:
        """Do it."""
        self.steps.append(name)
        return action()


class Notes:
    """A desk that writes down what it is told."""

    def __init__(self, *, opens: bool = True) -> None:
        self.said: list[str] = []
        self._opens = opens

    def open(self, run: Run) -> bool:
        """Receipt."""
        self.said.append("open")
        return self._opens

    def progress(self, run: Run, step: Step) -> None:
        """Progress is not of interest here."""

    def verdict(self, run: Run, report: Report) -> None:
        """Verdict."""
        self.said.append(f"verdict {report.run}")

    def parts(self, run: Run, report: Report) -> list[str]:
        """Two messages."""
        return ["findings", "summary"]

    def post(self, run: Run, report: Report, part: str) -> None:
        """One of them."""
        self.said.append(part)

    def ended(self, run: Run, status: Status, reference: str) -> None:
        """No verdict."""
        self.said.append(f"{status.value} {bool(reference)}")


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store."""
    opened = Store(database_url("", tmp_path, "runs.db"))
    yield opened
    opened.close()


def conduct(
    store: Store, desk: Notes, look: Callable[[Question, Progress], Report] = diagnose, *, now: float = 1001.0
) -> tuple[Straight, State]:
    """Carry RUN through at the time ``now``; the engine and the state in the end."""
    engine = Straight()
    with ThreadPoolExecutor(1) as pool:
        work = Work(store=store, desk=desk, diagnose=look, pool=pool, clock=lambda: now)
        Conductor(work).flow(engine, plain(RUN))  # type: ignore[arg-type]  # has the one method that a flow uses
    record = store.get(RUN.id)
    assert record is not None
    return engine, record.state


def test_a_run_is_receipt_verdict_details(store: Store) -> None:
    """In this order; the report carries the id of the run."""
    desk = Notes()
    engine, state = conduct(store, desk)
    assert ["open", "verdict node-1", "findings", "summary"] == desk.said
    assert ["open", "diagnose", "verdict", "parts", "post", "post", "finish"] == engine.steps
    assert State.DONE is state


def test_a_run_that_is_picked_up_too_late_is_expired_and_not_diagnosed(store: Store) -> None:
    """An answer to yesterday's question helps nobody."""
    asked: list[Question] = []

    def look(question: Question, _: Progress) -> Report:
        asked.append(question)
        return report(question)

    desk = Notes()
    _, state = conduct(store, desk, look, now=1401.0)
    assert (["open", "expired False"], [], State.EXPIRED) == (desk.said, asked, state)


def test_a_run_cancelled_before_it_began_is_not_diagnosed(store: Store) -> None:
    """The button was faster."""
    store.begin(RUN)
    store.cancel(RUN.id)
    desk = Notes()
    _, state = conduct(store, desk)
    assert (["open", "cancelled False"], State.CANCELLED) == (desk.said, state)


def test_a_diagnosis_that_raises_is_a_failed_run_with_a_reference(store: Store) -> None:
    """Even one that raises a time-out of its own."""

    def look(_: Question, __: Progress) -> Report:
        raise ConnectionError("boom")

    desk = Notes()
    _, state = conduct(store, desk, look)
    assert (["open", "failed True"], State.FAILED) == (desk.said, state)


def test_a_run_that_cannot_be_shown_is_not_diagnosed(store: Store) -> None:
    """The person was told privately."""
    desk = Notes(opens=False)
    engine, state = conduct(store, desk)
    assert (["open"], ["open"], State.FAILED) == (desk.said, engine.steps, state)


def test_a_run_that_nobody_works_on_is_ended(store: Store) -> None:
    """Its root does not say "running" for ever; a run that is over is left alone."""
    store.begin(RUN)
    desk = Notes()
    with ThreadPoolExecutor(1) as pool:
        conductor = Conductor(Work(store=store, desk=desk, diagnose=diagnose, pool=pool))
        for _ in range(2):
            conductor.expire(Straight(), plain(RUN))  # type: ignore[arg-type]  # see conduct
    assert ["expired False"] == desk.said
