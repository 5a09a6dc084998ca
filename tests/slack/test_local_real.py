"""The playground's Slack: what a newcomer without a workspace sees, over Socket Mode."""

from __future__ import annotations

import json
import urllib.request
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest

from bot.playground import slack as local
from bot.slack.app import SlackApp
from tests.slack.conftest import until
from tests.slack.killable import settings
from tests.slack.reports import COMMANDS, diagnose

pytestmark = pytest.mark.real
CHANNEL = local.channel_id("incidents")
Control = Callable[[str, "dict[str, Any] | None"], Any]


@pytest.fixture
def control(tmp_path: Path) -> Iterator[Control]:
    """A bot in a local Slack; hands to type and press there."""
    slack = local.start(COMMANDS)
    app = SlackApp(settings(tmp_path, slack.url), COMMANDS, diagnose, pace=0.0)
    app.start()

    def call(path: str, body: dict[str, Any] | None = None) -> Any:
        data = json.dumps({"channel": CHANNEL, "user": "U00ALICE"} | body).encode() if body is not None else None
        request = urllib.request.Request(f"{slack.url}/_control/{path}", data, {"content-type": "application/json"})
        with urllib.request.urlopen(request, timeout=10) as answer:
            return json.load(answer)

    yield call
    app.stop()
    slack.stop()


def messages(control: Control) -> list[dict[str, Any]]:
    """What stands in the channel."""
    found: list[dict[str, Any]] = control(f"messages/{CHANNEL}", None)["messages"]
    return found


def test_a_newcomer_asks_reads_and_asks_on(control: Control) -> None:
    """Command, verdict, thread, follow-up by mention, button, App Home."""
    control("command", {"command": "/node-why", "text": "node-3"})
    shown = until(lambda: (m := messages(control)) and len(m) >= 6 and m)
    root = shown[0]
    control("message", {"text": f"<@{local.BOT}> why F1", "thread_ts": root["ts"]})
    until(lambda: "nothing was measured again" in json.dumps(messages(control)))
    button = root["blocks"][-1]["elements"][0]
    control("interact", {"messageTs": root["ts"], "action": button | {"block_id": root["blocks"][-1]["block_id"]}})
    until(lambda: len([m for m in messages(control) if not m.get("thread_ts")]) == 2)
    control("open-home", {})
    until(lambda: "views.publish" in json.dumps(control("log", None)))


def test_without_the_program_one_is_told_how_to_get_it(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    """The message names the package and the setting."""
    for name in (local.VARIABLE, "KUBEWHY_PARTS"):
        monkeypatch.delenv(name, raising=False)
    monkeypatch.setenv("PATH", str(tmp_path))
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))
    monkeypatch.chdir(tmp_path)
    with pytest.raises(local.SettingsError, match=r"npm install --prefix \.parts local-slack-linux-x64"):
        local.find()
