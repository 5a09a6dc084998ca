"""How long Slack waits for an acknowledgement: one command alone, and fifty at once; one JSON line a case.

The bot runs in a process of its own against local-slack in Socket Mode; a question is stored before it is acknowledged.
Run as ``python tests/bench/bench_ack.py``; it says so and measures nothing when local-slack is not installed.
"""

from __future__ import annotations

import json
import multiprocessing
import statistics
import sys
import tempfile
import threading
import time
import urllib.request
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from bot.errors import SettingsError
from bot.playground import slack as local
from tests.bench.figures import Figures, skipped
from tests.slack.killable import Place
from tests.slack.killable import main as bot
from tests.slack.reports import COMMANDS

ALONE, AT_ONCE, ROUNDS, PARTS = 20, 50, 3, 6
PROMISED_MS = 100.0


def main() -> None:
    """Measure both cases."""
    try:
        slack = local.start(COMMANDS, channels=[f"c{n}" for n in range(AT_ONCE)])
    except SettingsError as error:
        skipped("ack", str(error))
        return
    try:
        with tempfile.TemporaryDirectory() as state:
            ours, theirs = multiprocessing.get_context("spawn").Pipe()
            process = multiprocessing.get_context("spawn").Process(
                target=bot, args=(Place(state=Path(state), url=slack.url), None, theirs)
            )
            process.start()
            theirs.close()
            ours.recv()
            _ask(slack, 0, "warm-up")
            _report("alone", [_ask(slack, 0, f"alone-{n}") for n in range(ALONE)])
            for number in range(ROUNDS):
                _rest(slack, number)
                _report(f"{AT_ONCE}-at-once-{number + 1}", _burst(slack, number))
            ours.close()
            process.terminate()
            process.join()
    finally:
        slack.stop()


def _burst(slack: local.LocalSlack, number: int) -> list[float]:
    """Send fifty commands at the same moment; the wait of each in milliseconds."""
    waits: list[float] = []
    gate = threading.Barrier(AT_ONCE)

    def one(n: int) -> None:
        gate.wait()
        waits.append(_ask(slack, n, f"burst-{number}-{n}"))

    threads = [threading.Thread(target=one, args=(n,)) for n in range(AT_ONCE)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    return waits


def _rest(slack: local.LocalSlack, rounds: int) -> None:
    """Wait until the runs of the rounds before have posted everything, and a little longer."""
    end = time.monotonic() + 120
    while time.monotonic() < end:
        channels = [f"{slack.url}/_control/messages/{local.channel_id(f'c{n}')}" for n in range(1, AT_ONCE)]
        if all(_count(url) >= PARTS * rounds for url in channels):
            break
        time.sleep(0.5)
    time.sleep(2)


def _count(url: str) -> int:
    with urllib.request.urlopen(url, timeout=10) as answer:
        return len(json.load(answer)["messages"])


def _ask(slack: local.LocalSlack, channel: int, target: str) -> float:
    body = {"channel": local.channel_id(f"c{channel}"), "user": "U00ALICE", "command": "/node-why", "text": target}
    request = urllib.request.Request(
        f"{slack.url}/_control/command", json.dumps(body).encode(), {"content-type": "application/json"}
    )
    began = time.perf_counter()
    with urllib.request.urlopen(request, timeout=30):
        return (time.perf_counter() - began) * 1000


def _report(case: str, waits: list[float]) -> None:
    ordered = sorted(waits)
    figures = Figures()
    figures.say(f"ack.{case}.median", statistics.median(ordered), "ms", reference=PROMISED_MS)
    figures.say(f"ack.{case}.p99", ordered[max(0, int(len(ordered) * 0.99) - 1)], "ms", reference=PROMISED_MS)


if __name__ == "__main__":
    main()
