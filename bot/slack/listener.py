"""Takes what Slack sends: tells commands, mentions, buttons and the App Home apart, and answers Slack at once.

It is one Bolt middleware, not a set of listeners, for two reasons. Bolt acknowledges an event *before* its listener
runs, so a kill in between would lose it; a middleware runs before, and when it raises, nothing is acknowledged and
Slack sends the event again. And a listener costs a thread and a polling sleep that fifty commands at once would wait
for.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import structlog
from slack_bolt.response import BoltResponse

from bot.render.blocks import Action, Message, Outgoing
from bot.slack.access import caller_of
from bot.slack.arguments import spoken
from bot.slack.failures import SendError
from bot.slack.front import Front, Request
from bot.slack.outbox import Outbox

log = structlog.get_logger()
Body = Mapping[str, Any]
ACTION = re.compile("|".join(action.value for action in Action))
SHORTCUT = "diagnose_message"


@dataclass(frozen=True, slots=True, kw_only=True)
class Hands:
    """What the listener can do besides asking the front desk.

    Attributes:
        write: a neutral message as Slack blocks.
        stop: ask a run to stop.
        details: open the dialog with what a run checked (trigger id, run id).
        home: publish the App Home of a person.
    """

    outbox: Outbox
    write: Callable[[Message], Outgoing]
    stop: Callable[[str], bool]
    details: Callable[[str, str], None]
    home: Callable[[str], None]


class Listener:
    """The middleware."""

    def __init__(self, front: Front, hands: Hands, *, workers: int = 4) -> None:
        """Ask ``front`` what to do; do with ``hands`` what may be done after Slack was answered."""
        self._front = front
        self._hands = hands
        self._afterwards = ThreadPoolExecutor(workers, thread_name_prefix="afterwards")

    def stop(self) -> None:
        """Let what was begun end."""
        self._afterwards.shutdown(wait=True, cancel_futures=True)

    def receive(self, body: Body) -> BoltResponse:
        """Handle one verified request; what it returns acknowledges it, and an exception does not."""
        if body.get("command"):
            return self._command(body)
        kind = body.get("type")
        if kind == "event_callback":
            self._event(body, body.get("event") or {})
        elif kind == "block_actions":
            for action in body.get("actions") or ():
                self._action(body, action)
        elif kind == "message_action":
            self._shortcut(body)
        return BoltResponse(status=200, body="")

    def _command(self, body: Body) -> BoltResponse:
        request = Request(
            caller=caller_of(body),
            key=str(body.get("trigger_id") or ""),
            response_url=str(body.get("response_url") or ""),
        )  # fmt: skip
        reply = self._front.say(request, spoken(str(body["command"]), str(body.get("text") or "")))
        if reply is None:
            return BoltResponse(status=200, body="")
        out = self._hands.write(reply)
        return BoltResponse(
            status=200, body={"response_type": "ephemeral", "text": out.text, "blocks": list(out.blocks)}
        )

    def _event(self, body: Body, event: Body) -> None:
        if event.get("type") == "app_home_opened":
            self._later(lambda: self._hands.home(str(event.get("user"))))
        if event.get("type") != "app_mention" or event.get("bot_id"):
            return
        ts = str(event.get("thread_ts") or event.get("ts") or "")
        request = Request(caller=caller_of(body), key=str(body.get("event_id") or ts), thread_ts=ts)
        self._tell(request, self._front.mention(request, str(event.get("text") or "")))

    def _shortcut(self, body: Body) -> None:
        """The shortcut "Diagnose this message": the first command that the message names."""
        message = body.get("message") or {}
        ts = str(message.get("thread_ts") or message.get("ts") or "")
        request = Request(caller=caller_of(body), key=str(body.get("trigger_id") or ""), thread_ts=ts)
        found = self._front.command_in(str(message.get("text") or ""))
        self._tell(request, self._front.say(request, found))

    def _action(self, body: Body, action: Body) -> None:
        named = ACTION.match(str(action.get("action_id") or ""))
        if named is None:
            return
        message, container = body.get("message") or {}, body.get("container") or {}
        ts = str(message.get("thread_ts") or container.get("thread_ts") or "")
        key = str(body.get("trigger_id") or "")
        url = str(body.get("response_url") or "")
        request = Request(caller=caller_of(body), key=key, thread_ts=ts, response_url=url)
        self._tell(request, self._press(request, Action(named.group()), str(action.get("value") or "")))

    def _press(self, request: Request, action: Action, value: str) -> Message | None:
        run, _, subject = value.partition(":")
        match action:
            case Action.CANCEL:
                return self._front.stop(request, run, self._hands.stop)
            case Action.RERUN:
                return self._front.again(request, value)
            case Action.EXPLAIN | Action.SUGGESTED:
                return self._front.ask_on(request, run, subject)
            case Action.DETAILS:
                refusal = self._front.refusal(request)
                if refusal is None:
                    self._later(lambda: self._hands.details(request.key, run))
                return refusal

    def _tell(self, request: Request, message: Message | None) -> None:
        """Say something privately, after Slack was answered."""
        if message is not None:
            self._later(lambda: self._whisper(request, message))

    def _whisper(self, request: Request, message: Message) -> None:
        out = self._hands.write(message)
        self._hands.outbox.private(
            request.caller.channel, request.caller.user, out.text, list(out.blocks), thread_ts=request.thread_ts
        )

    def _later(self, action: Callable[[], None]) -> None:
        def attempt() -> None:
            try:
                action()
            except SendError as error:
                log.warning("a private word was not delivered", error=error.code)
            except Exception:
                log.exception("something that follows a request failed")

        self._afterwards.submit(attempt)
