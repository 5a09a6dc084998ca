"""How fast and how small the bot looks over a large cluster, against ``kubectl get pods -A`` in the same run.

A real API server on loopback holds 20,000 pods, 1,000 nodes and 2,000 Deployments (tests/bench/big_cluster.py). The bot
reads every pod as a row and the wrong ones in full, as ``/metrics-api`` does; that has the pods' status, which is all
that ``kubectl get pods -A`` prints. Best of several rounds each, because other work on a machine only ever slows down.
Run as ``python tests/bench/bench_pods.py``; it needs the real parts (``make parts``).
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).parents[2]))

import pytest

from tests.bench.big_cluster import PODS, big_cluster
from tests.bench.figures import Figures, forget_peak, peak, resident, skipped
from tests.real.parts import binary

ROUNDS, KUBECTL_ROUNDS = 5, 2
PROMISED_RATIO, PROMISED_MIB = 10.0, 100.0
MIB = 1 << 20


def main() -> int:
    """Measure and print; the exit status."""
    try:
        kubectl = binary("kubectl"), binary("etcd"), binary("kube-apiserver")
    except (pytest.skip.Exception, pytest.fail.Exception) as missing:
        skipped("pods", str(missing))
        return 0
    figures = Figures()
    with tempfile.TemporaryDirectory() as folder, big_cluster(Path(folder)) as kubeconfig:
        theirs = min(_kubectl(kubectl[0], kubeconfig) for _ in range(KUBECTL_ROUNDS))
        ours = _bot(kubeconfig)
    assert ours["pods"] == PODS, ours
    ratio = theirs[0] / ours["seconds"]
    figures.say("pods.wall", ours["seconds"], "s", reference=theirs[0], ratio=ratio)
    figures.say("pods.cpu", ours["cpu"], "s", reference=theirs[1])
    figures.say("pods.memory", ours["memory"], "MiB above idle", reference=PROMISED_MIB)
    figures.say("pods.memory_of_kubectl", theirs[2], "MiB", reference=None)
    figures.say("workloads.wall", ours["workloads"], "s")
    figures.promise(ratio, PROMISED_RATIO)
    figures.promise(PROMISED_MIB / ours["memory"], 1.0)
    return figures.end()


def _kubectl(program: str, kubeconfig: Path) -> tuple[float, float, float]:
    """Seconds, seconds of CPU, and MiB at most of one ``kubectl get pods -A``."""
    command = [program, "--kubeconfig", str(kubeconfig), "get", "pods", "-A"]
    began = time.perf_counter()
    with tempfile.TemporaryFile() as out, subprocess.Popen(command, stdout=out) as process:
        _, status, usage = os.wait4(process.pid, 0)
        took = time.perf_counter() - began
        process.returncode = os.waitstatus_to_exitcode(status)
        lines = out.seek(0) or sum(1 for _ in out)
    assert (process.returncode, lines) == (0, PODS + 1), (process.returncode, lines)
    return took, usage.ru_utime + usage.ru_stime, usage.ru_maxrss * 1024 / MIB


def _bot(kubeconfig: Path) -> dict[str, Any]:
    """The figures of a process of its own, so that memory is its memory."""
    done = subprocess.run([sys.executable, __file__, str(kubeconfig)], check=True, capture_output=True, timeout=100)
    found: dict[str, Any] = json.loads(done.stdout)
    return found


def measure(kubeconfig: Path) -> dict[str, float]:
    """In the process that is measured: idle is with everything loaded and connected."""
    from bot import collector  # noqa: PLC0415 - only the measured process loads it
    from bot.clients.kube import from_kubeconfig  # noqa: PLC0415
    from bot.clients.reach import Reach  # noqa: PLC0415
    from bot.collect.apiservices import namespaces  # noqa: PLC0415
    from bot.collect.pods import pods  # noqa: PLC0415
    from bot.collect.workloads import workloads  # noqa: PLC0415
    from bot.model.evidence import Clock  # noqa: PLC0415
    from bot.model.proof import Proof, Source  # noqa: PLC0415

    collector.load()
    kube = from_kubeconfig(kubeconfig, "", Reach())
    at = kube.get("/version").date
    assert at is not None
    clock = Clock(proof=Proof(source=Source.API, what="GET /version"), now=at, window_seconds=1800)
    idle = resident()
    forget_peak()
    rounds = []
    for _ in range(ROUNDS):
        known = next(namespaces(kube))
        (rows, suspects), wall, cpu = _timed(lambda: list(pods(kube, next(namespaces(kube)), clock)))
        assert len(suspects.items) > 0
        _, later, _ = _timed(lambda known=known, rows=rows: list(workloads(kube, known, rows)))
        rounds.append((wall, cpu, later))
    wall, cpu, later = (min(each) for each in zip(*rounds, strict=True))
    memory = (peak() - idle) / MIB
    return {"pods": len(rows.rows), "seconds": wall, "cpu": cpu, "memory": memory, "workloads": later}


def _timed(work: Callable[[], Any]) -> tuple[Any, float, float]:
    wall, cpu = time.perf_counter(), time.process_time()
    result = work()
    return result, time.perf_counter() - wall, time.process_time() - cpu


if __name__ == "__main__":
    if len(sys.argv) > 1:
        sys.stdout.write(json.dumps(measure(Path(sys.argv[1]))))
    else:
        sys.exit(main())
