"""Durable execution: a job that was accepted is carried to its end whatever happens to the process.

The only user of dbos.

A job is a *flow* (a plain function) and a payload. What it does in :meth:`Engine.step` is written down when it is
done: after a kill the flow is run again from its start, and steps that were written down return what they returned
before. A step that was cut off in its middle runs again; making that harmless is the flow's task.

What dbos leaves to its user lives here: the version is pinned (a new release goes on with the jobs of the old one),
values are written as JSON (never pickle), the SQLite file is set to allow a writer beside readers, and finished jobs
are purged.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable
from datetime import UTC, datetime
from typing import Any, TypeVar

from dbos import DBOS, DBOSConfig, SetWorkflowID
from dbos._serialization import DBOSPortableJSONSerializer

from bot.runs.inbox import Inbox
from bot.runs.store import open_database
from bot.runs.survivors import Survivors

R = TypeVar("R")
Flow = Callable[[dict[str, Any]], None]
QUEUE = "kubewhy"
VERSION = "1"
POLL_SECONDS = 0.1
ENDED = ["SUCCESS", "ERROR", "CANCELLED", "MAX_RECOVERY_ATTEMPTS_EXCEEDED"]
RECOVERIES = 1000  # a run that kills its process is ended by its deadline, not by a count


class Engine:
    """The one durable engine of a process."""

    def __init__(self, url: str, inbox_url: str, *, executor_id: str = "kubewhy-0", parallel: int = 8) -> None:
        """Prepare the engine on the database ``url``.

        Args:
            url: ``sqlite:///…`` or ``postgresql+psycopg://…``.
            inbox_url: where accepted jobs wait; another file than ``url`` for SQLite, which has one writer a file.
            executor_id: the same after every restart of this replica, and of no other replica.
            parallel: how many jobs of this process run at once.
        """
        self._url = url
        self._flows: dict[str, Flow] = {}
        self._inbox = Inbox(inbox_url, self._enqueue)
        self._executor_id = executor_id
        self._parallel = parallel
        self._survivors: Survivors | None = None
        self._job: Callable[[str, dict[str, Any]], None] | None = None

    def flow(self, name: str, action: Flow) -> None:
        """Say what a kind of job does, before :meth:`start`; names are stored with jobs, so they never change."""
        self._flows[name] = action

    def start(self) -> None:
        """Open the database, go on with the jobs that an earlier process left, and take new ones."""
        logging.getLogger("dbos").setLevel(logging.WARNING)
        config: DBOSConfig = {
            "name": "kubewhy",
            "system_database_url": self._url,
            "application_version": VERSION,
            "executor_id": self._executor_id,
            "serializer": DBOSPortableJSONSerializer(),
            "log_level": "WARNING",
        }
        if self._url.startswith("sqlite"):
            config["system_database_engine"] = open_database(self._url)
        DBOS(config=config)
        flows = self._flows

        def job(flow: str, payload: dict[str, Any]) -> None:
            flows[flow](payload)

        self._job = DBOS.workflow(name="kubewhy.job", max_recovery_attempts=RECOVERIES)(job)
        DBOS.launch()
        DBOS.register_queue(
            QUEUE, worker_concurrency=self._parallel, polling_interval_sec=POLL_SECONDS, on_conflict="always_update"
        )
        self._inbox.start()
        if not self._url.startswith("sqlite"):
            self._survivors = Survivors(
                self._url,
                self._executor_id,
                owners=self._owners,
                recover=self._recover,
                adopt=self._inbox.adopt,
            )
            self._survivors.start()

    def stop(self, *, grace: int = 0) -> None:
        """Stop taking jobs, wait up to ``grace`` seconds for running ones; the next start goes on with the rest."""
        if self._survivors is not None:
            self._survivors.stop()
            self._survivors = None
        self._inbox.stop()
        DBOS.destroy(destroy_registry=True, workflow_completion_timeout_sec=grace)
        self._job = None

    def submit(self, flow: str, key: str, payload: dict[str, Any]) -> None:
        """Accept a job durably: when this returns, it will be done. The same ``key`` again is the same job.

        Raises:
            Exception: the database did not take it; then it was not accepted.
        """
        if flow not in self._flows:
            raise LookupError(f"no flow {flow}")
        self._inbox.put(flow, key, payload)

    def _enqueue(self, flow: str, key: str, payload: dict[str, Any]) -> None:
        """Hand a job to dbos; a second time changes nothing."""
        assert self._job is not None
        with SetWorkflowID(f"{flow}:{key}"):
            DBOS.enqueue_workflow(QUEUE, self._job, flow, payload)

    def _owners(self) -> set[str]:
        """The replicas that have begun jobs which are not done."""
        begun = DBOS.list_workflows(status="PENDING", load_input=False, load_output=False)
        return {workflow.executor_id for workflow in begun if workflow.executor_id}

    def _recover(self, executor_id: str) -> None:
        """Put the jobs of a replica that is gone back into the queue; dbos has no public call for it."""
        DBOS._recover_pending_workflows([executor_id])  # noqa: SLF001 - see above; a test on Postgres guards it

    def step(self, name: str, action: Callable[[], R]) -> R:
        """Inside a flow: do ``action`` once, or return what it returned before a kill; its result must be JSON."""
        return DBOS.run_step({"name": name}, action)

    def waiting(self) -> int:
        """How many accepted jobs have not ended."""
        return self._inbox.waiting() + len(
            DBOS.list_workflows(status=["PENDING", "ENQUEUED"], load_input=False, load_output=False)
        )

    def purge(self, before: float) -> int:
        """Forget jobs that ended before ``before`` (seconds since the epoch); return how many."""
        moment = datetime.fromtimestamp(before, UTC).isoformat()
        old = DBOS.list_workflows(
            status=ENDED, completed_before=moment, load_input=False, load_output=False, limit=1000
        )
        if old:
            DBOS.delete_workflows([w.workflow_id for w in old])
        return len(old)


def wait_idle(engine: Engine, *, timeout: float) -> bool:
    """Wait until no accepted job is left; whether that happened within ``timeout`` seconds."""
    end = time.monotonic() + timeout
    while engine.waiting():
        if time.monotonic() > end:
            return False
        time.sleep(POLL_SECONDS)
    return True
