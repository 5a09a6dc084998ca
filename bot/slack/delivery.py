"""Delivers each message of a run once, in the best form that Slack takes.

Before a message is sent, a note is made; a note without a ts, found after a kill, means "perhaps", and the thread is
searched before anything is sent again. When Slack refuses the form of a message, the same content is said more
plainly: rich blocks, plain blocks, text with the whole as a file, the log. A finding is never lost because a block
was refused.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from dataclasses import dataclass

import structlog

from bot.render.blocks import File, Outgoing
from bot.runs.run import Run
from bot.runs.store import Sent, Store
from bot.slack.failures import FilesError, RefusedError, SendError, UnsureError
from bot.slack.outbox import Letter, Outbox

log = structlog.get_logger()
PAUSES = (0.0, 1.0, 2.0, 4.0, 8.0, 16.0, 30.0, 60.0, 60.0, 60.0)
SHARE_PAUSES = (0.0, 0.5, 1.0, 2.0, 4.0)
CLOCK_SKEW = 60.0
POOR_SECONDS = 24 * 3600.0
TEXT_BYTES = 3500
NO_TS = "-"
Say = Callable[[str], Outgoing]


@dataclass(frozen=True, slots=True, kw_only=True)
class Errand:
    """One message to be delivered.

    Attributes:
        run: whose it is.
        part: its name within the run.
        say: the message in a profile.
        thread_ts: where it hangs; empty for the channel itself.
    """

    run: Run
    part: str
    say: Say
    thread_ts: str

    def letter(self, outgoing: Outgoing) -> Letter:
        """The message with its mark."""
        return Letter(text=outgoing.text, blocks=list(outgoing.blocks), run=self.run.id, part=self.part)


class Delivery:
    """Brings messages to Slack."""

    def __init__(
        self, outbox: Outbox, store: Store, profile: str,
        *, clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        """Send in ``profile``: ``rich``, ``baseline`` or ``local``."""
        self.outbox = outbox
        self._store = store
        self.profile = profile
        self._clock = clock
        self._sleep = sleep
        self._poor_until = 0.0

    def deliver(self, errand: Errand) -> str:
        """Send the message if it was not sent yet; return its ts.

        Raises:
            SendError: Slack said no, or did not answer clearly for minutes.
        """
        state, ts = self._store.delivery(errand.run.id, errand.part)
        if state is Sent.YES:
            return ts
        if state is Sent.PERHAPS:
            ts = self.insist(lambda: self._find(errand))
        if not ts:
            self._store.sending(errand.run.id, errand.part)
            ts = self.insist(lambda: self._by_ladder(errand, self._send), lambda: self._find(errand))
        self._store.sent(errand.run.id, errand.part, ts)
        return ts

    def edit(self, errand: Errand, ts: str) -> None:
        """Turn the message ``ts`` into this one.

        Raises:
            SendError: as :meth:`deliver`; GoneError when it cannot be edited any more.
        """

        def update(errand: Errand, outgoing: Outgoing) -> str:
            self.outbox.edit(errand.run.channel, ts, errand.letter(outgoing))
            return ts

        self.insist(lambda: self._by_ladder(errand, update))

    def insist(self, action: Callable[[], str], find: Callable[[], str] | None = None) -> str:
        """Do it until Slack says yes or no; after an answer that was lost, look first whether it was done all the same.

        Raises:
            SendError: see :meth:`deliver`.
        """
        last = UnsureError("")
        for pause in PAUSES:
            self._sleep(pause)
            try:
                found = find() if find and pause else ""
                return found or action()
            except UnsureError as error:
                log.warning("slack did not answer clearly", error=error.code)
                last = error
        raise last

    def _find(self, errand: Errand) -> str:
        """The ts of the message, when it is in Slack already."""
        run = errand.run
        file = next((file.name for file in errand.say(self.profile).files), "")
        mark = Letter(text="", blocks=[], run=run.id, part=errand.part).mark
        since = run.created - CLOCK_SKEW
        return self.outbox.find(run.channel, mark, thread_ts=errand.thread_ts, since=since, file=file)

    def _send(self, errand: Errand, outgoing: Outgoing) -> str:
        channel, letter = errand.run.channel, errand.letter(outgoing)
        if not outgoing.files:
            return self.outbox.post(channel, letter, thread_ts=errand.thread_ts)
        try:
            self.outbox.upload(channel, errand.thread_ts, outgoing.files[0], outgoing.text)
        except FilesError as error:
            log.warning("files may not be uploaded", run=errand.run.id, error=error.code)
            return self.outbox.post(channel, letter, thread_ts=errand.thread_ts)
        return self._shared(errand)

    def _shared(self, errand: Errand) -> str:
        """Wait until a file shows in its thread, so that what follows stands below it; its ts where that is known."""
        for pause in SHARE_PAUSES:
            self._sleep(pause)
            ts = self._find(errand)
            if ts:
                return ts
        return NO_TS

    def _by_ladder(self, errand: Errand, send: Callable[[Errand, Outgoing], str]) -> str:
        outgoing = errand.say(self.profile)
        for profile in self._profiles():
            outgoing = errand.say(profile)
            try:
                return send(errand, outgoing)
            except RefusedError as error:
                log.warning("slack refused blocks", run=errand.run.id, profile=profile, error=error.code)
                if profile == "rich":
                    self._poor_until = self._clock() + POOR_SECONDS
        whole = outgoing.plain or outgoing.text
        bare = Outgoing(kind=outgoing.kind, key=outgoing.key, text=cut(outgoing.text), plain=whole)
        ts = send(errand, bare)
        self._attach(errand, whole)
        return ts

    def _profiles(self) -> list[str]:
        if self.profile != "rich":
            return [self.profile]
        return ["baseline"] if self._clock() < self._poor_until else ["rich", "baseline"]

    def _attach(self, errand: Errand, whole: str) -> None:
        """What text alone could not hold, as a file in the thread; in the log when even that is refused."""
        record = self._store.get(errand.run.id)
        name = f"{errand.part}-{errand.run.id}.txt"
        try:
            thread = errand.thread_ts or (record.thread if record else "")
            self.outbox.upload(errand.run.channel, thread, File(name=name, title=name, content=whole), "")
        except SendError as error:
            log.exception("a message was cut", run=errand.run.id, part=errand.part, error=error.code, message=whole)


def cut(text: str) -> str:
    """A text that Slack takes without blocks."""
    raw = text.encode()
    return text if len(raw) <= TEXT_BYTES else raw[:TEXT_BYTES].decode(errors="ignore") + " …"
