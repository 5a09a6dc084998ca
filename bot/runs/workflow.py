"""The life of a run as a durable flow: receipt, diagnosis, verdict, details; whatever dies, each happens once.

The flow knows neither Slack nor clusters: a :class:`Desk` talks to the people, a :data:`Diagnose` function looks at
the cluster. The diagnosis runs in an executor of its own, so that a diagnosis that hangs holds up neither the flow
nor the next question.
"""

from __future__ import annotations

import dataclasses
import secrets
import threading
import time
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from concurrent.futures import TimeoutError as NotYet
from dataclasses import dataclass
from typing import Any, Protocol

import structlog

from bot.diagnose import Progress
from bot.gather import Step
from bot.model.command import Question
from bot.model.report import Report, Status
from bot.runs.codec import build
from bot.runs.engine import Engine
from bot.runs.run import Run, State
from bot.runs.store import Store

log = structlog.get_logger()
Diagnose = Callable[[Question, Progress], Report]
GRACE_SECONDS = 15.0  # beyond its own deadline, before a diagnosis is given up from outside
TICK = 0.2


class Desk(Protocol):
    """Whoever talks to the asker. Every method may be called again after a kill and must not do its work twice."""

    def open(self, run: Run) -> bool:
        """Show that the run has begun; False when it cannot be shown to anybody (they were told privately)."""
        ...

    def progress(self, run: Run, step: Step) -> None:
        """Show how far the run is. Called often; never raises."""
        ...

    def verdict(self, run: Run, report: Report) -> None:
        """Turn the receipt into the verdict."""
        ...

    def parts(self, run: Run, report: Report) -> list[str]:
        """The names of the messages with the details, in order."""
        ...

    def post(self, run: Run, report: Report, part: str) -> None:
        """Post one of them."""
        ...

    def ended(self, run: Run, status: Status, reference: str) -> None:
        """Turn the receipt into the notice that there is no verdict; ``reference`` is what the log calls a failure."""
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Work:
    """What the flow works with."""

    store: Store
    desk: Desk
    diagnose: Diagnose
    pool: ThreadPoolExecutor
    clock: Callable[[], float] = time.time


class Conductor:
    """The flow named ``run``."""

    def __init__(self, work: Work) -> None:
        self._work = work
        self._stops: dict[str, threading.Event] = {}

    def flow(self, engine: Engine, payload: dict[str, Any]) -> None:
        """Carry one run from its receipt to its last message."""
        run: Run = build(Run, payload)
        desk, store = self._work.desk, self._work.store
        if not engine.step("open", lambda: self._open(run)):
            return
        ending = engine.step("diagnose", lambda: self._diagnose(run))
        status, _, reference = ending.partition(" ")
        report = store.report(run.id) if status == "report" else None
        if report is None:
            state = Status(status) if status in {"cancelled", "expired"} else Status.FAILED
            engine.step("ended", lambda: desk.ended(run, state, reference))
            engine.step("finish", lambda: self._finish(run, State(state.value)))
            return
        engine.step("verdict", lambda: desk.verdict(run, report))
        for part in engine.step("parts", lambda: desk.parts(run, report)):
            engine.step("post", lambda part=part: desk.post(run, report, part))  # type: ignore[misc]  # binds the loop's part
        engine.step("finish", lambda: self._finish(run, State.DONE))

    def expire(self, engine: Engine, payload: dict[str, Any]) -> None:
        """End a run that nobody works on any more, so that its root does not say "running" for ever."""
        run: Run = build(Run, payload)
        record = self._work.store.get(run.id)
        if record is not None and record.finished is None:
            engine.step("ended", lambda: self._work.desk.ended(run, Status.EXPIRED, ""))
            engine.step("finish", lambda: self._finish(run, State.EXPIRED))

    def stop(self, run_id: str) -> bool:
        """Ask a run to stop; False when it is over or unknown. A run of another replica notices within a second."""
        asked = self._work.store.cancel(run_id)
        event = self._stops.get(run_id)
        if event is not None:
            event.set()
        return asked

    def _open(self, run: Run) -> bool:
        self._work.store.begin(run)
        if self._work.desk.open(run):
            return True
        self._finish(run, State.FAILED)
        return False

    def _finish(self, run: Run, state: State) -> None:
        self._work.store.change(run.id, state=state.value, finished=self._work.clock())

    def _diagnose(self, run: Run) -> str:
        """Diagnose, or find out why not: ``report``, ``cancelled``, ``expired`` or ``failed REFERENCE``."""
        if self._cancelled(run):
            return "cancelled"
        if self._work.clock() > run.deadline:
            return "expired"
        stop = self._stops.setdefault(run.id, threading.Event())
        latest: list[Step] = []
        watch = Progress(step=lambda step: latest.__setitem__(slice(None), [step]), cancelled=stop.is_set)
        try:
            report = self._wait(run, self._work.pool.submit(self._work.diagnose, run.question, watch), latest, stop)
        except NotYet:
            return "expired"
        except Exception:
            reference = secrets.token_hex(2)
            log.exception("a diagnosis failed", run=run.id, reference=reference)
            return f"failed {reference}"
        finally:
            stop.set()  # a diagnosis that was given up stops as soon as it looks
            self._stops.pop(run.id, None)
        if report is None:
            return "cancelled"
        self._work.store.save_report(run.id, dataclasses.replace(report, run=run.id))
        return "report"

    def _wait(self, run: Run, future: Future[Report], latest: list[Step], stop: threading.Event) -> Report | None:
        """Wait for the report and show progress meanwhile; None when the run was cancelled.

        Raises:
            TimeoutError: it did not come in time.
        """
        looked = time.monotonic()
        while True:
            try:
                report = future.result(timeout=TICK)
                return None if stop.is_set() else report
            except NotYet:
                if future.done():  # the diagnosis itself raised a TimeoutError
                    raise
            if self._work.clock() > run.deadline + GRACE_SECONDS:
                raise NotYet
            if time.monotonic() - looked > 1.0:
                looked = time.monotonic()
                if self._cancelled(run):
                    stop.set()
            if stop.is_set():
                return None
            if latest:
                self._work.desk.progress(run, latest[0])

    def _cancelled(self, run: Run) -> bool:
        record = self._work.store.get(run.id)
        return record is not None and record.state is State.CANCELLED
