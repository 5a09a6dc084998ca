"""A job that was accepted reaches the engine, once a key, whatever fails in between."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.runs import inbox as module
from bot.runs.inbox import Inbox
from bot.runs.store import database_url


def _until(true: Callable[[], bool]) -> None:
    end = time.monotonic() + 10
    while not true():
        assert time.monotonic() < end
        time.sleep(0.01)


def test_a_burst_from_many_threads_arrives_complete(tmp_path: Path) -> None:
    """Each job once, in the order in which it was written."""
    taken: list[str] = []
    box = Inbox(database_url("", tmp_path, "inbox.db"), lambda _, key, __: taken.append(key))
    box.start()
    threads = [threading.Thread(target=box.put, args=("run", f"k{n}", {"n": n})) for n in range(50)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    _until(lambda: box.waiting() == 0)
    box.stop()
    assert {f"k{n}" for n in range(50)} == set(taken)
    assert 50 == len(taken)


def test_what_was_not_handed_over_is_handed_over_by_the_next_process(tmp_path: Path, monkeypatch: Any) -> None:
    """The engine was down; the job waits on disk."""
    monkeypatch.setattr(module, "RETRY_SECONDS", 0.01)

    def down(flow: str, key: str, payload: dict[str, Any]) -> None:
        raise OSError("down")

    first = Inbox(database_url("", tmp_path, "inbox.db"), down)
    first.start()
    first.put("run", "k", {"n": 1})
    first.stop()
    taken: list[tuple[str, str, dict[str, Any]]] = []
    second = Inbox(database_url("", tmp_path, "inbox.db"), lambda *job: taken.append(job))
    second.start()
    _until(lambda: bool(taken))
    second.stop()
    assert [("run", "k", {"n": 1})] == taken


def test_a_disk_that_refuses_is_heard_of_before_the_ack(tmp_path: Path) -> None:
    """The caller gets the error, so that nothing is acknowledged that was not kept."""
    box = Inbox(database_url("", tmp_path, "inbox.db"), lambda *_: None)
    box.start()
    with pytest.raises(Exception, match="NOT NULL"):
        box.put("run", None, {})  # type: ignore[arg-type]  # what the database refuses
    box.stop()
