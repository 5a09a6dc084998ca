"""Accepts jobs durably in well under a millisecond each, so that fifty commands at once are all acknowledged at once.

The engine's own enqueue writes several rows and costs milliseconds of processor; under a burst the last command would
wait for all the others. So a job is first written here, many in one transaction, and handed to the engine when the
burst is over. A job that was written is never forgotten: what a killed process did not hand over, the next one does,
under the same key.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

import msgspec
import sqlalchemy as sa
import structlog
from sqlalchemy.dialects import postgresql, sqlite

from bot.runs.store import open_database

log = structlog.get_logger()
Forward = Callable[[str, str, dict[str, Any]], None]
QUIET_SECONDS = 0.05
PATIENCE_SECONDS = 0.5
WAIT_SECONDS = 2.5  # Slack waits three
RETRY_SECONDS = 1.0
_tables = sa.MetaData()
_jobs = sa.Table(
    "kubewhy_inbox",
    _tables,
    sa.Column("flow", sa.String(40), primary_key=True),
    sa.Column("key", sa.String(200), primary_key=True),
    sa.Column("payload", sa.LargeBinary, nullable=False),
)


@dataclass(slots=True)
class Job:
    """One job on its way in."""

    flow: str
    key: str
    payload: dict[str, Any]
    written: threading.Event = field(default_factory=threading.Event)
    error: Exception | None = None

    @property
    def row(self) -> dict[str, Any]:
        """As it is written."""
        return {"flow": self.flow, "key": self.key, "payload": msgspec.json.encode(self.payload)}


class Inbox:
    """A durable list of jobs that the engine does not know yet."""

    def __init__(self, url: str, forward: Forward) -> None:
        """Keep jobs in the database ``url`` until ``forward(flow, key, payload)`` has taken them."""
        self._database = open_database(url)
        self._forward = forward
        self._changed = threading.Condition()
        self._new: list[Job] = []
        self._written: list[Job] = []
        self._last = 0.0
        self._stopped = False
        self._threads: list[threading.Thread] = []

    def start(self) -> None:
        """Take jobs; those that were left here come first."""
        with self._database.begin() as connection:
            _tables.create_all(connection)
        self.adopt()
        for name, work in (("inbox-write", self._write), ("inbox-forward", self._hand_over)):
            thread = threading.Thread(target=work, name=name, daemon=True)
            thread.start()
            self._threads.append(thread)

    def adopt(self) -> None:
        """Take what stands on disk and is not in hand: left by a process that died, or on its way elsewhere."""
        with self._database.connect() as connection:
            left = list(connection.execute(sa.select(_jobs)))
        jobs = [Job(flow=row.flow, key=row.key, payload=msgspec.json.decode(row.payload)) for row in left]
        with self._changed:
            known = {(job.flow, job.key) for job in (*self._new, *self._written)}
            self._written += [job for job in jobs if (job.flow, job.key) not in known]
            self._changed.notify_all()

    def stop(self) -> None:
        """Stop; what was not handed over stays."""
        with self._changed:
            self._stopped = True
            self._changed.notify_all()
        for thread in self._threads:
            thread.join(timeout=5)
        self._database.dispose()

    def put(self, flow: str, key: str, payload: dict[str, Any]) -> None:
        """Accept a job: when this returns, it is on disk. The same flow and key again is the same job.

        Raises:
            TimeoutError: the disk is too slow; the job may or may not have been accepted.
            Exception: the database refused; it was not accepted.
        """
        job = Job(flow=flow, key=key, payload=payload)
        with self._changed:
            self._new.append(job)
            self._last = time.monotonic()
            self._changed.notify_all()
        if not job.written.wait(WAIT_SECONDS):
            raise TimeoutError("the job was not written in time")
        if job.error is not None:
            raise job.error

    def waiting(self) -> int:
        """How many jobs the engine does not know yet."""
        with self._changed:
            return len(self._new) + len(self._written)

    def _write(self) -> None:
        """Write whatever has come in since the last time, in one transaction."""
        dialect = sqlite if self._database.dialect.name == "sqlite" else postgresql
        insert = dialect.insert(_jobs).on_conflict_do_nothing()
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._new or self._stopped)
                batch, self._new = self._new, []
                if not batch:
                    return
            try:
                with self._database.begin() as connection:
                    connection.execute(insert, [job.row for job in batch])
            except Exception as error:  # noqa: BLE001 - whatever it is, the callers must hear of it
                for job in batch:
                    job.error = error
            else:
                with self._changed:
                    self._written += batch
                    self._changed.notify_all()
            for job in batch:
                job.written.set()

    def _hand_over(self) -> None:
        """Hand written jobs to the engine, oldest first, when no burst is going on."""
        while True:
            with self._changed:
                self._changed.wait_for(lambda: self._written or self._stopped)
                if self._stopped:
                    return
                job = self._written[0]
            self._let_burst_pass()
            try:
                self._forward(job.flow, job.key, job.payload)
                with self._database.begin() as connection:
                    connection.execute(sa.delete(_jobs).where(_jobs.c.flow == job.flow, _jobs.c.key == job.key))
            except Exception:
                log.exception("a job could not be handed over; it is tried again", key=job.key)
                time.sleep(RETRY_SECONDS)
                continue
            with self._changed:
                self._written.pop(0)

    def _let_burst_pass(self) -> None:
        """Acknowledging the next command matters more than starting the last one."""
        began = time.monotonic()
        while True:
            now = time.monotonic()
            if now - self._last >= QUIET_SECONDS or now - began >= PATIENCE_SECONDS:
                return
            time.sleep(QUIET_SECONDS / 5)
