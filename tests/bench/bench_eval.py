"""How many scenarios a second ``kubewhy eval`` judges, and the memory that it takes.

Run as ``python tests/bench/bench_eval.py``.
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

from tests.bench.figures import Figures

ROOT = Path(__file__).parents[2]
SCENARIOS = ROOT / "tests" / "scenarios"
PROMISED_PER_SECOND = 4.0  # 440 scenarios in two minutes, the time that the fast tests have
MIB = 1 << 20


def main() -> int:
    """Measure and print; the exit status."""
    figures = Figures()
    command = [sys.executable, "-m", "bot", "eval", str(SCENARIOS), "-o", "json"]
    began = time.perf_counter()
    with (
        tempfile.TemporaryFile() as out,
        subprocess.Popen(command, stdout=out, stderr=subprocess.DEVNULL, cwd=ROOT) as process,
    ):
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        assert process.returncode in (0, 1), process.returncode
        out.seek(0)
        result = json.load(out)
    count = len(result["scenarios"])
    rate = count / took
    slowest = max(result["scenarios"], key=lambda s: s["ms"])
    figures.say("eval.rate", rate, "scenarios/s", reference=PROMISED_PER_SECOND, ratio=rate / PROMISED_PER_SECOND)
    figures.say("eval.cpu", 1000 * (usage.ru_utime + usage.ru_stime) / count, "ms a scenario")
    figures.say("eval.slowest", slowest["ms"], f"ms ({slowest['id']})")
    figures.say("eval.memory", usage.ru_maxrss * 1024 / MIB, "MiB")
    figures.say("eval.scenarios", count, "scenarios")
    return figures.end()


if __name__ == "__main__":
    sys.exit(main())
