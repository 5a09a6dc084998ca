"""A bot in HTTP mode against the strict Slack, one for a whole file of tests; each test takes channels of its own."""

from __future__ import annotations

import itertools
import socket
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any

import pytest

from bot.config import Settings
from bot.diagnose import Progress
from bot.model.command import Question
from bot.model.report import Report
from bot.slack import delivery, thread
from bot.slack.app import SlackApp
from tests.slack import fake
from tests.slack.reports import COMMANDS, diagnose

_numbers = itertools.count(1)


@dataclass(slots=True)
class Office:
    """A bot and its Slack, and hands to type and press with."""

    slack: fake.StrictSlack
    app: SlackApp
    diagnose: Callable[[Question, Progress], Report] = diagnose
    asked: list[Question] = field(default_factory=list)

    def command(self, channel: str, text: str, *, name: str = "/node-why", user: str = "UALICE", **more: str) -> Any:
        """Type a slash command; the private answer in the acknowledgement."""
        body = {"command": name, "text": text, "channel_id": channel, "user_id": user, "team_id": "T1"} | more
        status, said = fake.send(self.app.port, {"trigger_id": f"t{next(_numbers)}"} | body, form=True)
        assert 200 == status
        return said

    def mention(self, channel: str, text: str, *, event_id: str = "", **event: str) -> int:
        """Mention the bot; the HTTP status."""
        ts = f"{next(_numbers)}.5"
        inner = {
            "type": "app_mention",
            "user": "UALICE",
            "channel": channel,
            "text": f"<@UBOT> {text}",
            "ts": ts,
        } | event
        outer = {"type": "event_callback", "event_id": event_id or f"E{ts}", "team_id": "T1", "event": inner}
        return fake.send(self.app.port, outer)[0]

    def press(self, channel: str, action: str, value: str, *, team: str = "T1") -> None:
        """Press a button on a message of the bot."""
        person = {"id": "UALICE", "team_id": team}
        body = {"type": "block_actions", "trigger_id": f"t{next(_numbers)}", "user": person, "channel": {"id": channel}}
        press = {"message": {"ts": "1.0"}, "actions": [{"action_id": action, "value": value, "type": "button"}]}
        assert 200 == fake.send(self.app.port, body | press)[0]

    def ended(self, channel: str, parts: int = 6) -> list[dict[str, Any]]:
        """Wait until a channel has its verdict and so many messages; the messages."""
        return until(lambda: (m := self.slack.thread(channel)) and len(m) >= parts and "RUNNING" not in str(m) and m)

    def private(self, channel: str) -> dict[str, Any]:
        """Wait for a private word in a channel."""
        return until(lambda: next((p for p in self.slack.private if p["channel"] == channel), None))


def until(true: Callable[[], Any], seconds: float = 15.0) -> Any:
    """Wait until something is there, and return it."""
    end = time.monotonic() + seconds
    while time.monotonic() < end:
        found = true()
        if found:
            return found
        time.sleep(0.02)
    raise AssertionError("it did not happen in time")


@pytest.fixture(scope="module")
def office(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Office]:
    """A running bot; pauses between attempts are cut short."""
    with pytest.MonkeyPatch.context() as patch, socket.socket() as probe:
        patch.setattr(delivery, "PAUSES", (0.0, 0.05, 0.1, 0.1))
        patch.setattr(thread, "EDIT_SECONDS", 0.1)
        patch.setattr(thread, "EDIT_SECONDS_PER_RUN", 0.0)
        patch.setattr(delivery, "SHARE_PAUSES", (0.0, 0.05, 0.1))
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]
        probe.close()
        slack = fake.StrictSlack()
        own = {"bot_token": "xoxb", "signing_secret": fake.SECRET, "mode": "http", "port": port, "base_url": slack.url}
        settings = Settings(
            state=tmp_path_factory.mktemp("state"),
            slack=own | {"allowed_users": ["UALICE", "UBOB"]},
            clusters={"prod-eu": {}, "stage": {}},
            default_cluster="prod-eu",
            channels={"CZH": {"lang": "zh-CN", "cluster": "stage"}},
        )
        held: list[Office] = []

        def look(question: Question, progress: Progress) -> Report:
            held[0].asked.append(question)
            return held[0].diagnose(question, progress)

        app = SlackApp(settings, COMMANDS, look, pace=0.0)
        held.append(Office(slack=slack, app=app))
        app.start()
        yield held[0]
        app.stop()
        slack.stop()
