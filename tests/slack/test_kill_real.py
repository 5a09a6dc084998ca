"""The bot is killed at every point where that could lose or double a message, and none is lost or doubled."""

from __future__ import annotations

import json
import multiprocessing
import random
import signal
import sys
import threading
import time
import urllib.request
from collections.abc import Iterator
from multiprocessing.process import BaseProcess
from pathlib import Path
from typing import Any

import pytest

from bot.playground import slack as local
from tests.slack.killable import Place, Plan, main
from tests.slack.postgres import postgres
from tests.slack.reports import COMMANDS

pytestmark = [pytest.mark.real, pytest.mark.timeout(420)]
SEED = 20261121
EACH = 4
STAGES = {
    "before the ack": ("before accepting", "after accepting", "before the ack"),
    "before it is begun": ("before handing over", "after handing over"),
    "while collecting": ("collecting", "after the diagnosis"),
    "between a post and its checkpoint": (
        "after chat.postMessage",
        "before the checkpoint",
        "before a post",
        "after chat.update",
    ),
    "during the upload": (
        "after files.getUploadURLExternal",
        "after upload",
        "after files.completeUploadExternal",
    ),
}
MOST_PASSINGS = {"collecting": 5, "after chat.postMessage": 4, "before the checkpoint": 5, "before a post": 6}
MOMENTS = 12
PARTS = 6
SETTLE_SECONDS = 60.0
ACK_SECONDS = 4.5  # local-slack waits five seconds for an ack, then gives up without a word
ACCEPTED = {"after accepting", "before the ack"}  # killed with the question accepted and Slack not told


class World:
    """A local Slack, and bots that come and go on one state directory."""

    def __init__(self, slack: local.LocalSlack, state: Path, database: str = "") -> None:
        self.slack = slack
        self.place = Place(state=state, url=slack.url, database=database)
        self.acked: set[str] = set()
        sys.path.insert(0, str(Path(__file__).parents[2]))
        self.context = multiprocessing.get_context("forkserver")
        self.context.set_forkserver_preload(["tests.slack.killable"])

    def bot(self, plan: Plan | None, name: str = "") -> tuple[BaseProcess, Any]:
        """Start a bot and wait until it listens; it may be dead by then, when it had work left."""
        ours, theirs = self.context.Pipe()
        process = self.context.Process(target=main, args=(self.place, plan, theirs, name), daemon=True)
        process.start()
        theirs.close()
        try:
            ours.recv()
        except EOFError:
            process.join()
        return process, ours

    def get(self, path: str) -> Any:
        """Ask the local Slack."""
        with urllib.request.urlopen(self.slack.url + path, timeout=10) as answer:
            return json.load(answer)

    def ask(self, channel: str) -> None:
        """Type the command; an answer may never come, because the bot dies."""
        body = {"channel": channel, "user": "U00ALICE", "command": "/node-why", "text": "node-3"}
        request = urllib.request.Request(
            f"{self.slack.url}/_control/command", json.dumps(body).encode(), {"content-type": "application/json"}
        )

        def send() -> None:
            began = time.monotonic()
            with urllib.request.urlopen(request, timeout=30):
                if time.monotonic() - began < ACK_SECONDS:
                    self.acked.add(channel)

        threading.Thread(target=send, daemon=True).start()

    def thread(self, channel: str) -> list[dict[str, Any]]:
        """What stands in a channel, without what differs from run to run: ids and times."""
        messages = self.get(f"/_control/messages/{channel}")["messages"]
        return [self._normal(m, messages) for m in messages]

    def _normal(self, message: dict[str, Any], messages: list[dict[str, Any]]) -> dict[str, Any]:
        shown = json.dumps({"text": message["text"], "blocks": message.get("blocks", [])}, sort_keys=True)
        run = _run_of(messages)
        files = [(f["name"].replace(run, "RUN"), f["size"]) for f in message.get("files", [])]
        roots = [m["ts"] for m in messages if not m.get("thread_ts")]
        place = "root" if message["ts"] in roots else f"below {roots.index(message['thread_ts'])}"
        return {"place": place, "files": files, **json.loads(shown.replace(run, "RUN"))}


def _run_of(messages: list[dict[str, Any]]) -> str:
    for message in messages:
        for block in message.get("blocks", []):
            if str(block.get("block_id", "")).startswith("run:"):
                return str(block["block_id"]).split(":")[1]
    return "no run"


@pytest.fixture
def world(tmp_path: Path) -> Iterator[World]:
    """A local Slack with a channel for every kill."""
    names = [f"c{n}" for n in range(len(plans()) + 1)]
    slack = local.start(COMMANDS, channels=names)
    yield World(slack, tmp_path)
    slack.stop()


def plans() -> list[tuple[str, Plan]]:
    """Every kill with its stage, in a seeded order."""
    chance = random.Random(SEED)
    found = [
        (stage, Plan(point=point, times=chance.randint(1, MOST_PASSINGS.get(point, 1))))
        for stage, points in STAGES.items()
        for point in points
        for _ in range(EACH)
    ]
    found += [("at any moment", Plan(point="moment", times=chance.randint(0, 900))) for _ in range(MOMENTS)]
    chance.shuffle(found)
    return found


def test_no_message_is_lost_or_doubled_by_fifty_kills(world: World) -> None:
    """After every kill the next bot carries on; in the end each thread equals one that nothing disturbed."""
    died, complete = _kill(world, plans())
    assert sum(died.values()) >= 50
    assert min(died[stage] for stage in STAGES) >= 3
    assert complete >= 40


def test_the_same_holds_on_postgres(tmp_path: Path) -> None:
    """Several replicas share a database; one of them is killed in each stage."""
    chosen = list({stage: (stage, plan) for stage, plan in plans()}.values())
    names = [f"c{n}" for n in range(len(chosen) + 1)]
    with postgres(tmp_path) as database:
        slack = local.start(COMMANDS, channels=names)
        try:
            died, _ = _kill(World(slack, tmp_path, database), chosen)
        finally:
            slack.stop()
    assert len(STAGES) + 1 == sum(died.values())


def test_another_replica_goes_on_with_the_runs_of_one_that_does_not_come_back(tmp_path: Path) -> None:
    """Scaled down, or its node is gone: the survivor finishes what was begun, once."""
    channel = local.channel_id("c1")
    with postgres(tmp_path) as database:
        slack = local.start(COMMANDS, channels=["c0", "c1"])
        try:
            world = World(slack, tmp_path, database)
            undisturbed = _undisturbed(world)
            process, _ = world.bot(Plan(point="after chat.postMessage", times=3), "bot-1")
            world.ask(channel)
            process.join(timeout=30)
            assert 0 < len(world.thread(channel)) < PARTS
            survivor, pipe = world.bot(None, "bot-0")
            _until(lambda: len(world.thread(channel)) >= PARTS)
            time.sleep(2)
            pipe.send("stop")
            survivor.join(timeout=60)
            assert undisturbed == world.thread(channel)
        finally:
            slack.stop()


def _kill(world: World, chosen: list[tuple[str, Plan]]) -> tuple[dict[str, int], int]:
    """Kill a bot by each plan, let the last one finish, compare; deaths by stage, and complete threads."""
    undisturbed = _undisturbed(world)
    died: dict[str, int] = {}
    asked: dict[str, Plan] = {}
    for number, (stage, plan) in enumerate(chosen, 1):
        channel = local.channel_id(f"c{number}")
        process, pipe = world.bot(plan)
        if process.is_alive():
            world.ask(channel)
            asked[channel] = plan
            if plan.point == "moment":
                pipe.send("asked")
        process.join(timeout=30)
        assert -signal.SIGKILL == process.exitcode, f"kill {number} ({plan}) did not happen"
        died[stage] = died.get(stage, 0) + 1
    _settle(world, asked)
    for channel, plan in asked.items():
        found = world.thread(channel)
        if plan.point == "before accepting":
            assert [] == found, plan
        elif channel in world.acked or plan.point in ACCEPTED or found:
            assert undisturbed == found, plan
    return died, len([c for c in asked if world.thread(c)])


def _undisturbed(world: World) -> list[dict[str, Any]]:
    channel = local.channel_id("c0")
    process, pipe = world.bot(None)
    world.ask(channel)
    _until(lambda: len(world.thread(channel)) == PARTS and _is_over(world, channel))
    pipe.send("stop")
    process.join(timeout=30)
    return world.thread(channel)


def _settle(world: World, asked: dict[str, Plan]) -> None:
    """Let a last bot finish everything, and give a message that would be doubled the time to appear."""
    process, pipe = world.bot(None)
    time.sleep(ACK_SECONDS + 1)
    must = [c for c, plan in asked.items() if c in world.acked or plan.point in ACCEPTED]
    _until(lambda: all(len(world.thread(c)) >= PARTS and _is_over(world, c) for c in must))
    time.sleep(3)
    pipe.send("stop")
    process.join(timeout=60)


def _is_over(world: World, channel: str) -> bool:
    return "hourglass" not in json.dumps(world.thread(channel))


def _until(true: Any) -> None:
    end = time.monotonic() + SETTLE_SECONDS
    while not true():
        assert time.monotonic() < end, "the runs did not end"
        time.sleep(0.2)
