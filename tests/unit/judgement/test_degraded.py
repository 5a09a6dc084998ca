"""Diagnoses of a cluster that lets itself be seen only in part: what is missing is named, and nobody is accused for it.

The cluster is recorded, served on loopback and read by the real clients. Its fault is known: node-3 lost its kubelet's
configuration file. A report may find it or not; it may never name another cause, and never say that all is well.
"""

from __future__ import annotations

import json
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from bot.app import commands, run_live
from bot.ask import parse
from bot.bundle.recording import Bundle
from bot.bundle.store import layered
from bot.config import Settings, load
from bot.model.report import Report, Status
from bot.playground.faults import Fault, Forbidden, Half, Instead, Reset, Slow, Throttled
from bot.playground.run import Playground, start
from bot.scenario import read
from bot.source import Response
from tests.unit.judgement.lab import PLACES

pytestmark = pytest.mark.xdist_group("judgement")  # every scenario is judged once, in one process

MOVED = read(PLACES[0] / "NODE-04-config-moved-to-backup")
TRUE = {"NODE-03", "NODE-04", "CTRL-17"}  # what is so in this cluster, as far as it can be seen
UNAUTHORIZED = json.dumps(
    {"kind": "Status", "status": "Failure", "message": "Unauthorized", "reason": "Unauthorized", "code": 401}
)


def incident(folder: Path, overlay: str = "") -> Bundle:
    """The recorded cluster, with a further overlay."""
    if not overlay:
        return MOVED.bundle()
    (folder / "kubewhy").mkdir(parents=True)
    (folder / "kubewhy" / "overlay.yaml").write_text(overlay)
    return layered(MOVED.bundle(), folder)


@pytest.fixture(scope="module")
def served() -> Iterator[Playground]:
    """The cluster as it is."""
    with start(MOVED.bundle(), "prod") as running:
        yield running


@contextmanager
def faulty(served: Playground, pattern: str, fault: Fault) -> Iterator[Settings]:
    """Settings that reach the cluster while requests of this pattern go wrong."""
    served.api.faults.on(pattern, fault)
    try:
        yield load(served.config)
    finally:
        served.api.faults.clear()


def ask(settings: Settings, text: str = "node-3 timeout=12s", command: str = "node-why") -> Report:
    """Diagnose the live cluster."""
    return run_live(parse(text, command, commands(), tuple(settings.clusters)), settings)


def roots(report: Report) -> set[str]:
    """The rows that are named as root."""
    return {report.entry(r.finding).finding.code for r in report.roots}


def reasons(report: Report) -> str:
    """Everything that the report says about what it could not look at."""
    return "\n".join(f"{s.code} {' '.join(s.missing)}: {s.because} | {s.hint}" for s in report.skipped)


def test_whole_it_names_the_file(served: Playground) -> None:
    """The measure for the tests below: with everything in reach the cause is found."""
    report = ask(load(served.config))
    assert ({"NODE-04"}, Status.CRITICAL) == (roots(report), report.status)


@pytest.mark.parametrize(
    ("pattern", "fault", "words"),
    [
        ("/api/v1/nodes*", Forbidden(), "resources: [nodes], verbs: [list]"),
        ("*leases*", Forbidden(), "resources: [leases]"),
        ("/api/v1/pods*", Half(), "/api/v1/pods"),
        ("/api/v1/nodes*", Throttled(1), "/api/v1/nodes"),
        ("/api/v1/nodes*", Reset(), "/api/v1/nodes"),
        ("/api/v1/nodes*", Instead(Response(status=200, body=b"<html>log in</html>")), "/api/v1/nodes"),
    ],
    ids=["403-nodes", "403-leases", "half-a-list", "429", "reset", "log-in-page"],
)
def test_a_part_of_the_api_that_does_not_answer_is_named(
    served: Playground, pattern: str, fault: Fault, words: str
) -> None:
    """The missing right or the request that failed, and no cause but the true one."""
    with faulty(served, pattern, fault) as settings:
        report = ask(settings)
    assert words in reasons(report)
    assert roots(report) <= TRUE
    assert report.status not in {Status.OK, Status.INFO}


def test_a_token_that_is_refused_is_no_all_clear(served: Playground) -> None:
    """401 on everything: nothing of the API is known, and the report says why."""
    with faulty(served, "*", Instead(Response(status=401, body=UNAUTHORIZED.encode()))) as settings:
        report = ask(settings)
    assert "401" in reasons(report) or "nauthorized" in reasons(report)
    assert roots(report) <= TRUE
    assert report.status in {Status.FAILED, Status.INCOMPLETE, Status.CRITICAL}


def test_a_slow_api_is_given_up_in_time(served: Playground) -> None:
    """Answers after 30 s, a time limit of 4 s: the report is there soon after, incomplete, and says so."""
    began = time.monotonic()
    with faulty(served, "/api/*", Slow(30)) as settings:
        report = ask(settings, "node-3 timeout=4s")
    assert time.monotonic() - began < 12
    assert roots(report) <= TRUE
    assert report.status not in {Status.OK, Status.INFO}
    assert report.note is not None or report.skipped


def test_an_api_that_is_gone_is_a_failure_and_no_finding(tmp_path: Path) -> None:
    """Nothing listens any more: what only the API knows could not be checked; the node still tells its own cause."""
    with start(incident(tmp_path), "prod") as running:
        settings = load(running.config)
        running.api.stop()
        metrics, node = ask(settings, "timeout=12s", "metrics-api"), ask(settings)
    assert (set(), Status.FAILED) == (roots(metrics), metrics.status)
    assert roots(node) <= TRUE
    assert "refused" in reasons(node)


@pytest.mark.parametrize(
    ("overlay", "words"),
    [
        ("nodes: {node-3: {unreachable: connection refused}}", "refused"),
        ("nodes: {node-3: {unreachable: host key changed}}", "host key"),
        ("nodes: {node-3: {unreachable: permission denied (publickey)}}", "node-3"),
        ("nodes: {node-3: {unreachable: connection reset}}", "node-3"),
    ],
    ids=["refused", "host-key-changed", "key-refused", "reset"],
)
def test_a_node_that_lets_nobody_in_is_not_accused(tmp_path: Path, overlay: str, words: str) -> None:
    """Its file cannot be looked at: the cause is not named, and the reason is."""
    with start(incident(tmp_path, overlay), "prod") as running:
        report = ask(load(running.config))
    assert words in reasons(report).lower()
    assert set() == roots(report) - {"CTRL-17"}
    assert report.status not in {Status.OK, Status.INFO}


def test_sections_that_sudo_denies_are_unknown(tmp_path: Path) -> None:
    """Files and log may not be read: that the kubelet does not run is seen; why is not said, and the right is named."""
    overlay = """
nodes:
  node-3:
    commands:
      KCFG: {stdout: "stat: cannot statx '/var/lib/kubelet/config.yaml': Permission denied\\n"}
      KCFG_ROOT: {exit: 1, stdout: "", stderr: "sudo: a password is required\\n", command: "sudo -n stat"}
      KCFG_LIST: {exit: 1, stdout: "", stderr: "sudo: a password is required\\n", command: "sudo -n ls"}
      KLOG: {exit: 1, stdout: "", stderr: "sudo: a password is required\\n"}
"""
    with start(incident(tmp_path, overlay), "prod") as running:
        report = ask(load(running.config))
    assert roots(report) == {"NODE-03"}
    assert "allow in sudoers" in reasons(report)


def test_dns_that_is_silent_to_the_bot_alone_accuses_nobody(served: Playground) -> None:
    """The bot may have no route to cluster addresses; its own silence is no evidence about cluster DNS."""
    report = ask(load(served.config), "no-such-question.example.com timeout=20s no-ssh", "dns-check")
    assert set() == roots(report)
    assert report.status is not Status.OK
