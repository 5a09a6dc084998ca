"""What the store knows of runs, deliveries and offers."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from bot.model.command import Question
from bot.runs.run import Run, State, run_id
from bot.runs.store import Sent, Store, database_url
from tests.slack.reports import report

QUESTION = Question(command="node-why", target="node-3", options={"since": "30m"}, cluster="prod-eu")


def a_run(key: str, *, created: float = 1000.0, channel: str = "C1", question: Question = QUESTION) -> Run:
    """A run accepted at ``created``, with 400 seconds to live."""
    return Run(
        id=run_id(question.command, key),
        question=question,
        channel=channel,
        user="U1",
        created=created,
        deadline=created + 400,
    )


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """An empty store in a file."""
    opened = Store(database_url("", tmp_path / "state", "runs.db"))
    yield opened
    opened.close()


def test_a_run_begun_twice_is_one_run(store: Store) -> None:
    """The second time changes nothing, not even what happened since."""
    run = a_run("k")
    store.begin(run)
    store.change(run.id, root="1.0", thread="1.0")
    store.begin(run)
    record = store.get(run.id)
    assert record is not None
    assert (run, "1.0", State.RUNNING) == (record.run, record.root, record.state)


def test_a_report_is_kept_with_its_run(store: Store) -> None:
    """And can be shown long after."""
    run = a_run("k")
    store.begin(run)
    assert store.report(run.id) is None
    store.save_report(run.id, report(QUESTION))
    assert report(QUESTION) == store.report(run.id)


def test_a_delivery_is_not_sent_then_perhaps_then_surely(store: Store) -> None:
    """A note without a ts is what a killed process leaves."""
    assert (Sent.NOT_YET, "") == store.delivery("r", "root")
    store.sending("r", "root")
    store.sending("r", "root")
    assert (Sent.PERHAPS, "") == store.delivery("r", "root")
    store.sent("r", "root", "1.0")
    assert (Sent.YES, "1.0") == store.delivery("r", "root")


def test_the_same_question_is_found_while_it_runs_and_for_a_minute_after(store: Store) -> None:
    """Not in another channel, not about another target, not after that minute, not when it was forgotten by all."""
    first = a_run("a")
    store.begin(first)
    again = a_run("b", created=1010.0)
    assert first.id == getattr(store.same(again, within=60), "run", again).id
    assert store.same(replace(again, channel="C2"), within=60) is None
    assert store.same(replace(again, question=replace(QUESTION, target="node-4")), within=60) is None
    assert store.same(a_run("c", created=1500.0), within=60) is None
    store.change(first.id, state=State.DONE.value, finished=1020.0)
    assert store.same(a_run("d", created=1070.0), within=60) is not None
    assert store.same(a_run("e", created=1090.0), within=60) is None


def test_a_run_that_is_over_cannot_be_cancelled(store: Store) -> None:
    """Nor one that never was."""
    run = a_run("k")
    store.begin(run)
    assert store.cancel(run.id)
    assert not store.cancel(run.id)
    assert not store.cancel("unknown")


def test_runs_that_nobody_works_on_are_found_after_their_deadline(store: Store) -> None:
    """Those that ended are not among them."""
    left, done = a_run("left"), a_run("done")
    for run in (left, done):
        store.begin(run)
    store.change(done.id, state=State.DONE.value, finished=1001.0)
    assert [] == store.late(1300.0)
    assert [left.id] == [record.run.id for record in store.late(1500.0)]


def test_an_offer_is_an_opaque_id_for_a_question(store: Store) -> None:
    """The button carries nothing else."""
    offer = store.offer(a_run("k"))
    assert "node-3" not in offer
    assert QUESTION == store.offered(offer)
    assert store.offered("q:unknown") is None


def test_what_is_older_than_the_retention_is_forgotten(store: Store) -> None:
    """With its deliveries and offers."""
    old, new = a_run("old"), a_run("new", created=2000.0)
    for run in (old, new):
        store.begin(run)
        store.sending(run.id, "root")
    offer = store.offer(old)
    assert 1 == store.purge(1500.0)
    assert [new.id] == [record.run.id for record in store.recent()]
    assert (Sent.NOT_YET, "") == store.delivery(old.id, "root")
    assert store.offered(offer) is None


def test_the_state_directory_is_for_its_owner_only(tmp_path: Path) -> None:
    """Reports hold what the cluster said."""
    database_url("", tmp_path / "new" / "state", "runs.db")
    assert 0o700 == (tmp_path / "new" / "state").stat().st_mode & 0o777


@pytest.mark.parametrize("given", ["postgres://u@h/d", "postgresql://u@h/d", "postgresql+psycopg://u@h/d"])
def test_every_spelling_of_a_postgres_url_is_understood(given: str) -> None:
    """The driver is ours to choose."""
    assert "postgresql+psycopg://u@h/d" == database_url(given, Path("/nowhere"), "runs.db")
