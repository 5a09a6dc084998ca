"""How long it takes from the command to the verdict, in seconds and in seconds of CPU, held against the promise.

Recorded incidents are served over the real protocols on loopback (``kubewhy playground``); the command runs as a
process of its own, as a person starts it, interpreter and imports included. Best of several rounds, because other work
on a machine only ever slows down. Run as ``python tests/bench/bench_incident.py``.
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parents[2]))

from bot.playground.demos import demo
from bot.playground.run import start
from bot.scenario import Scenario
from tests.bench.figures import Figures

ROUNDS, DEMO_ROUNDS = 2, 1
PROMISED = {"W1": 5.0, "W1-modern": 5.0, "W2": 10.0}  # W2 waits for name servers that stay silent
KUBEWHY = (sys.executable, "-m", "bot")
ROOT = Path(__file__).parents[2]


def main() -> int:
    """Measure and print; the exit status."""
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder:
        environment = os.environ | {"KUBEWHY_STATE": folder}
        environment.pop("KUBEWHY_CONFIG", None)
        wall, cpu = min(_run(["--help"], environment)[:2] for _ in range(ROUNDS))
        figures.say("incident.start_of_the_command", wall, "s")
        for name, promised in PROMISED.items():
            wall, cpu, inside = min(_verdict(demo(name), environment) for _ in range(ROUNDS))
            figures.say(f"incident.{name}.wall", wall, "s", reference=promised)
            figures.say(f"incident.{name}.cpu", cpu, "s")
            figures.say(f"incident.{name}.diagnosis_alone", inside, "s")
            figures.promise(promised / cpu, 1.0)  # CPU, because the wall also shows what else the machine does
        for name, promised in PROMISED.items():
            wall, cpu, _ = min(_run(["demo", name, "-o", "json"], environment) for _ in range(DEMO_ROUNDS))
            figures.say(f"incident.{name}.demo_with_its_servers", wall, "s", reference=promised)
    return figures.end()


def _verdict(scenario: Scenario, environment: dict[str, str]) -> tuple[float, float, float]:
    """Ask the scenario's question; seconds, seconds of CPU, and seconds of the diagnosis without the start."""
    command, *words = scenario.command.lstrip("/").split()
    with start(scenario.bundle(), "recorded", dict(scenario.config)) as running:
        wall, cpu, out = _run([command, *words, "--config", str(running.config), "-o", "json"], environment)
    report = json.loads(out)
    roots = {root["code"] for root in report["roots"]}
    assert roots >= {expected.code for expected in scenario.roots or ()}, roots
    return wall, cpu, report["duration_ms"] / 1000


def _run(words: list[str], environment: dict[str, str]) -> tuple[float, float, bytes]:
    """Run the command; seconds, seconds of CPU, what it printed."""
    began = time.perf_counter()
    with (
        tempfile.TemporaryFile() as out,
        subprocess.Popen(
            [*KUBEWHY, *words], stdout=out, stderr=subprocess.DEVNULL, env=environment, cwd=ROOT
        ) as process,
    ):
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode in range(4), (words, process.returncode)
        out.seek(0)
        return took, usage.ru_utime + usage.ru_stime, out.read()


if __name__ == "__main__":
    sys.exit(main())
