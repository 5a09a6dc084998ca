"""A run as people see it: one root message that turns from receipt into verdict, and a thread with the details."""

from __future__ import annotations

import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Protocol

import structlog

from bot.gather import Step
from bot.model.report import Report, Status
from bot.render.blocks import Outgoing
from bot.runs.run import Run
from bot.runs.store import Store
from bot.slack.delivery import Delivery, Errand, Say
from bot.slack.failures import ClosedError, GoneError, SendError, UnsureError

log = structlog.get_logger()
EDIT_SECONDS = 2.0
EDIT_SECONDS_PER_RUN = 1.5
QUICK_MS = 3000
ROOT = "root"


class Look(Protocol):
    """How the messages of a run look; pure."""

    def running(self, run: Run, step: Step | None) -> Outgoing:
        """The receipt, with how far the run is."""
        ...

    def verdict(self, run: Run, report: Report, profile: str) -> Outgoing:
        """The receipt turned into the verdict."""
        ...

    def details(self, run: Run, report: Report, profile: str) -> list[Outgoing]:
        """The messages of the thread, in order."""
        ...

    def notice(self, run: Run, status: Status, reference: str) -> Outgoing:
        """There is no verdict, and why."""
        ...


@dataclass(slots=True)
class Pacing:
    """When each running root was last edited, and to what."""

    lock: threading.Lock = field(default_factory=threading.Lock)
    at: dict[str, float] = field(default_factory=dict)
    shown: dict[str, Step] = field(default_factory=dict)


class SlackDesk:
    """The :class:`bot.runs.workflow.Desk` of Slack."""

    def __init__(
        self, delivery: Delivery, store: Store, look: Look, closed: Callable[[Run, str], None],
        *, clock: Callable[[], float] = time.monotonic,
    ) -> None:  # fmt: skip
        """Show runs through ``delivery``; ``closed`` tells the asker privately that the bot may not speak there."""
        self._delivery = delivery
        self._store = store
        self._look = look
        self._closed = closed
        self._clock = clock
        self._pacing = Pacing()

    def open(self, run: Run) -> bool:
        """Post the receipt; False when the bot may not speak there and the person was told so."""
        receipt = Errand(run=run, part=ROOT, say=lambda _: self._look.running(run, None), thread_ts=run.thread_ts)
        try:
            ts = self._delivery.deliver(receipt)
        except ClosedError as error:
            self._closed(run, error.code)
            return False
        link = self._delivery.outbox.link(run.channel, ts)
        self._store.change(run.id, root=ts, thread=run.thread_ts or ts, link=link)
        return True

    def progress(self, run: Run, step: Step) -> None:
        """Edit the receipt, unless it was edited a moment ago, nothing changed, or too many edits were made."""
        pacing, now = self._pacing, self._clock()
        with pacing.lock:
            apart = max(EDIT_SECONDS, EDIT_SECONDS_PER_RUN * len(pacing.at))
            if now - pacing.at.setdefault(run.id, now) < apart or pacing.shown.get(run.id) == step:
                return
            pacing.at[run.id], pacing.shown[run.id] = now, step
        record = self._store.get(run.id)
        if record is None or not record.root:
            return
        receipt = Errand(run=run, part=ROOT, say=lambda _: self._look.running(run, step), thread_ts=run.thread_ts)
        try:
            letter = receipt.letter(receipt.say(self._delivery.profile))
            self._delivery.outbox.edit(run.channel, record.root, letter, final=False)
        except SendError as error:
            log.info("a progress edit was left out", run=run.id, error=error.code)

    def verdict(self, run: Run, report: Report) -> None:
        """Edit the receipt into the verdict."""
        self._conclude(run, lambda profile: self._look.verdict(run, report, profile))

    def ended(self, run: Run, status: Status, reference: str) -> None:
        """Edit the receipt into the notice that there is no verdict."""
        self._conclude(run, lambda _: self._look.notice(run, status, reference))

    def _conclude(self, run: Run, say: Say) -> None:
        """Edit the root for the last time; where that is not possible any more, say it in a message of its own."""
        with self._pacing.lock:
            self._pacing.at.pop(run.id, None)
            self._pacing.shown.pop(run.id, None)
        record = self._store.get(run.id)
        root = record.root if record else ""
        try:
            try:
                self._delivery.edit(Errand(run=run, part=ROOT, say=say, thread_ts=run.thread_ts), root)
            except (GoneError, UnsureError):
                self._delivery.deliver(Errand(run=run, part="verdict", say=say, thread_ts=run.thread_ts))
        except ClosedError as error:
            self._closed(run, error.code)

    def parts(self, run: Run, report: Report) -> list[str]:
        """The names of the messages in the thread; none for good news that came quickly."""
        if report.status is Status.OK and report.duration_ms < QUICK_MS:
            return []
        return [o.kind.value for o in self._look.details(run, report, self._delivery.profile)]

    def post(self, run: Run, report: Report, part: str) -> None:
        """Post one message of the thread; a part that this release no longer knows is left out."""
        record = self._store.get(run.id)
        known = {o.kind.value for o in self._look.details(run, report, self._delivery.profile)}
        if record is None or part not in known:
            return

        def say(profile: str) -> Outgoing:
            return next(o for o in self._look.details(run, report, profile) if o.kind.value == part)

        self.answer(run, part, say, record.thread)

    def answer(self, run: Run, part: str, say: Say, thread_ts: str) -> None:
        """Post one message in a thread, once for every ``part``; where that is forbidden, tell the asker."""
        try:
            self._delivery.deliver(Errand(run=run, part=part, say=say, thread_ts=thread_ts))
        except ClosedError as error:
            log.warning("a message could not be posted", run=run.id, part=part, error=error.code)
            self._closed(run, error.code)
