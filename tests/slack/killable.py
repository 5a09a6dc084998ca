"""The real bot in a process that kills itself (SIGKILL) at a chosen point; the product knows nothing of it."""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass
from functools import wraps
from multiprocessing.connection import Connection
from pathlib import Path
from typing import Any

from slack_sdk import WebClient
from slack_sdk.socket_mode.builtin import SocketModeClient

from bot.config import Settings
from bot.diagnose import Progress
from bot.gather import Step
from bot.model.command import Question
from bot.model.report import Report
from bot.playground import slack as local
from bot.runs import survivors
from bot.runs.engine import Engine
from bot.runs.store import Store
from bot.slack.app import SlackApp
from tests.slack.reports import COMMANDS, report

STEPS = 5
PAUSE = 0.03


@dataclass(frozen=True, slots=True, kw_only=True)
class Plan:
    """Where to die: at the ``times``-th passing of ``point``; at the point ``moment``, after ``times`` ms."""

    point: str
    times: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Place:
    """Where a bot lives: its state directory or database, and its Slack."""

    state: Path
    url: str
    database: str = ""


class Trap:
    """Counts passings of one point and kills the process at the planned one."""

    def __init__(self, plan: Plan | None) -> None:
        self._plan = plan
        self._passed = 0
        self._lock = threading.Lock()

    def passing(self, point: str) -> None:
        """Die here, if this is the place."""
        if self._plan is None or self._plan.point != point:
            return
        with self._lock:
            self._passed += 1
            if self._passed == self._plan.times:
                os.kill(os.getpid(), signal.SIGKILL)

    def around(self, owner: type, name: str, *, before: str = "", after: str = "") -> None:
        """Make the method of a class pass points before and after it did its work."""
        original: Callable[..., Any] = getattr(owner, name)

        @wraps(original)
        def wrapped(*args: Any, **kwargs: Any) -> Any:
            self.passing(before)
            result = original(*args, **kwargs)
            self.passing(after)
            return result

        setattr(owner, name, wrapped)

    def web_api(self) -> None:
        """Pass a point ``after METHOD`` behind every Web API call, and ``after upload`` behind the bytes of a file."""
        original = WebClient.api_call

        @wraps(original)
        def call(client: WebClient, api_method: str, **kwargs: Any) -> Any:
            result = original(client, api_method, **kwargs)
            self.passing(f"after {api_method}")
            return result

        WebClient.api_call = call  # type: ignore[method-assign]
        self.around(WebClient, "_upload_file", after="after upload")

    def diagnose(self, question: Question, progress: Progress) -> Report:
        """A diagnosis that passes the point ``collecting`` at each of its steps."""
        for done in range(STEPS):
            progress.step(Step(done=done, total=STEPS, now="the nodes"))
            time.sleep(PAUSE)
            self.passing("collecting")
        return report(question)


def settings(state: Path, url: str, database: str = "") -> Settings:
    """The settings of a bot in the local Slack at ``url``."""
    slack = {"bot_token": local.BOT_TOKEN, "app_token": local.APP_TOKEN, "base_url": f"{url}/api/", "flavor": "local"}
    return Settings(
        state=state, slack=slack, clusters={"prod-eu": {}}, default_cluster="prod-eu", database_url=database
    )


def main(place: Place, plan: Plan | None, ready: Connection, name: str = "") -> None:
    """Run the bot (as the replica ``name``) until it dies or the parent closes the connection."""
    os.environ["HOSTNAME"] = name or "bot-0"
    survivors.SWEEP_SECONDS = 1.0
    trap = Trap(plan)
    trap.web_api()
    trap.around(Engine, "submit", before="before accepting", after="after accepting")
    trap.around(Engine, "_enqueue", before="before handing over", after="after handing over")
    trap.around(SocketModeClient, "send_socket_mode_response", before="before the ack", after="after the ack")
    trap.around(Store, "sending", after="before a post")
    trap.around(Store, "sent", before="before the note", after="before the checkpoint")
    trap.around(Store, "save_report", after="after the diagnosis")
    app = SlackApp(settings(place.state, place.url, place.database), COMMANDS, trap.diagnose, pace=0.0)
    app.start()
    ready.send("ready")
    if plan is not None and plan.point == "moment":
        ready.recv()  # the parent has asked its question
        time.sleep(plan.times / 1000)
        os.kill(os.getpid(), signal.SIGKILL)
    try:
        ready.recv()
    except EOFError:
        return
    app.stop()
