"""Sends messages so that Slack keeps them: paced, found again after a kill, and told apart by how they fail.

Slack takes about one message a second and channel and may silently drop what comes faster. An answer that is lost
says nothing about the message, so before anything is sent a second time the channel is searched for it: each message
carries its mark ``run:<id>:<part>`` as a block id and as metadata, each file carries it in its name.
"""

from __future__ import annotations

import threading
import time
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import structlog
from slack_sdk import WebClient
from slack_sdk.errors import SlackApiError, SlackClientError

from bot.render.blocks import File
from bot.slack.failures import SendError, UnsureError, classify

log = structlog.get_logger()
PACE_SECONDS = 1.1
EDITS_PER_MINUTE = 40
SEARCH_PAGES = 5


@dataclass(frozen=True, slots=True, kw_only=True)
class Letter:
    """A message ready to be sent: ``text`` is the fallback and what is read aloud, ``mark`` its unmistakable name."""

    text: str
    blocks: list[dict[str, Any]]
    run: str
    part: str

    @property
    def mark(self) -> str:
        """The block id that says which run and part a message is."""
        return f"run:{self.run}:{self.part}"

    def stamped(self) -> list[dict[str, Any]]:
        """The blocks with the mark on the first one."""
        if not self.blocks or any(b.get("block_id") == self.mark for b in self.blocks):
            return self.blocks
        return [{**self.blocks[0], "block_id": self.mark}, *self.blocks[1:]]


class Outbox:
    """Everything that the bot says in one workspace goes through here."""

    def __init__(
        self, client: WebClient, *, pace: float = PACE_SECONDS, edits: int = EDITS_PER_MINUTE,
        clock: Callable[[], float] = time.monotonic, sleep: Callable[[float], None] = time.sleep,
    ) -> None:  # fmt: skip
        """Speak through ``client``, ``pace`` seconds apart in a channel, at most ``edits`` progress edits a minute."""
        self._client = client
        self._pace = pace
        self._clock = clock
        self._sleep = sleep
        self._lock = threading.Lock()
        self._next: dict[str, float] = {}
        self._bucket = Bucket(edits, 60.0, clock)

    def post(self, channel: str, letter: Letter, *, thread_ts: str = "") -> str:
        """Post and return the ts.

        Raises:
            SendError: one of the kinds above.
        """
        self._wait_turn(channel)
        arguments: dict[str, Any] = {
            "channel": channel, "text": letter.text, "parse": "none", "link_names": False,
            "unfurl_links": False, "unfurl_media": False,
            "metadata": {"event_type": "kubewhy_run", "event_payload": {"run": letter.run, "part": letter.part}},
        }  # fmt: skip
        if letter.blocks:
            arguments["blocks"] = letter.stamped()
        if thread_ts:
            arguments["thread_ts"] = thread_ts
        return str(self._call("chat.postMessage", arguments)["ts"])

    def edit(self, channel: str, ts: str, letter: Letter, *, final: bool = True) -> bool:
        """Replace a message; a progress edit (not ``final``) is left out when too many were made: then False.

        Raises:
            SendError: one of the kinds above.
        """
        if not self._bucket.take() and not final:
            return False
        self._call(
            "chat.update",
            {
                "channel": channel, "ts": ts, "text": letter.text, "blocks": letter.stamped(),
                "parse": "none", "link_names": False,
            },
        )  # fmt: skip
        return True

    def upload(self, channel: str, thread_ts: str, file: File, comment: str) -> None:
        """Share a file in a thread.

        Raises:
            SendError: one of the kinds above.
        """
        self._wait_turn(channel)
        with _translated():
            self._client.files_upload_v2(
                channel=channel, thread_ts=thread_ts, filename=file.name, title=file.title, content=file.content,
                alt_txt=file.alt or None, initial_comment=comment or None,
            )  # fmt: skip

    def private(self, channel: str, user: str, text: str, blocks: list[dict[str, Any]], *, thread_ts: str = "") -> None:
        """Say something that only ``user`` sees.

        Raises:
            SendError: one of the kinds above.
        """
        arguments = {"channel": channel, "user": user, "text": text, "blocks": blocks, "parse": "none"}
        self._call("chat.postEphemeral", arguments | ({"thread_ts": thread_ts} if thread_ts else {}))

    def link(self, channel: str, ts: str) -> str:
        """The permalink of a message; empty when Slack does not tell."""
        try:
            return str(self._call("chat.getPermalink", {"channel": channel, "message_ts": ts}).get("permalink", ""))
        except SendError:
            return ""

    def find(self, channel: str, mark: str, *, thread_ts: str, since: float, file: str = "") -> str:
        """The ts of the message that carries ``mark`` or ``file``; empty when there is none, or nobody may look.

        Args:
            channel: where.
            mark: a letter's mark.
            thread_ts: the thread to search; empty: the channel itself, from ``since`` on.
            since: seconds since the epoch.
            file: a file name that identifies the message as well.
        """
        for message in self._history(channel, thread_ts, since):
            names = {f.get("name") for f in message.get("files") or ()}
            if mark in _marks(message) or (file and file in names):
                return str(message["ts"])
        return ""

    def _history(self, channel: str, thread_ts: str, since: float) -> Iterator[Mapping[str, Any]]:
        method = "conversations.replies" if thread_ts else "conversations.history"
        arguments: dict[str, Any] = {"channel": channel, "limit": 200, "include_all_metadata": True}
        arguments |= {"ts": thread_ts} if thread_ts else {"oldest": f"{since:.6f}"}
        for _ in range(SEARCH_PAGES):
            try:
                page = self._call(method, arguments)
            except UnsureError:
                raise
            except SendError as error:
                log.warning("cannot look for a message of ours", channel=channel, error=error.code)
                return
            yield from page.get("messages") or ()
            cursor = (page.get("response_metadata") or {}).get("next_cursor")
            if not cursor:
                return
            arguments["cursor"] = cursor

    def _wait_turn(self, channel: str) -> None:
        with self._lock:
            now = self._clock()
            turn = max(now, self._next.get(channel, 0.0))
            self._next[channel] = turn + self._pace
        if turn > now:
            self._sleep(turn - now)

    def _call(self, method: str, arguments: dict[str, Any]) -> Mapping[str, Any]:
        with _translated():
            data = self._client.api_call(method, json=arguments) if method in JSON else self._query(method, arguments)
            return data if isinstance(data, dict) else dict(data.data)  # type: ignore[arg-type]  # JSON objects only

    def _query(self, method: str, arguments: dict[str, Any]) -> Any:
        return self._client.api_call(method, params=arguments)


JSON = {"chat.postMessage", "chat.update", "chat.postEphemeral", "views.publish", "views.open"}


class _translated:  # noqa: N801 - reads as a clause of the with statement
    """No error of slack_sdk or of the network leaves this module."""

    def __enter__(self) -> None:
        return None

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, SlackApiError):
            raise classify(str(_field(error, "error"))) from error
        if isinstance(error, (OSError, SlackClientError, ValueError)) and not isinstance(error, SendError):
            raise UnsureError(type(error).__name__) from error


def _field(error: SlackApiError, name: str) -> object:
    response = error.response
    return response.get(name, "unknown") if hasattr(response, "get") else "unknown"


def _marks(message: Mapping[str, Any]) -> set[str]:
    marks = {str(block.get("block_id", "")) for block in message.get("blocks") or ()}
    payload = (message.get("metadata") or {}).get("event_payload") or {}
    return marks | ({f"run:{payload.get('run')}:{payload.get('part')}"} if payload else set())


class Bucket:
    """At most ``size`` takes in any ``window`` seconds."""

    def __init__(self, size: int, window: float, clock: Callable[[], float]) -> None:
        self._size, self._window, self._clock = size, window, clock
        self._taken: list[float] = []
        self._lock = threading.Lock()

    def take(self) -> bool:
        """Take one; False when none is left now (it counts all the same: the caller may go on in spite of it)."""
        with self._lock:
            now = self._clock()
            self._taken = [t for t in self._taken if t > now - self._window]
            free = len(self._taken) < self._size
            if free:
                self._taken.append(now)
            return free
