"""NODE-22: the node has nearly no process numbers left."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.check import check
from bot.checks.node.about import Around
from bot.checks.node.space import pressed, pressed_since
from bot.model.cluster import Nodes
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import KubeletLog
from bot.model.host_resources import Tasks
from bot.model.lines import current
from bot.model.refs import node
from bot.model.text import T

_FAILED = re.compile(r"fork: (?:retry: )?Resource temporarily unavailable|runtime: failed to create new OS thread")
LIMIT = 90.0


@check("NODE-22")
def exhausted_process_ids(
    *, tasks: Tasks, clock: Clock, nodes: Nodes | None, log: KubeletLog | None, expect: Expectations | None
) -> Iterator[Finding]:
    """Nearly all process and thread numbers of a node are taken.

    Says:
        "fork: Resource temporarily unavailable", "failed to create new OS thread".
    Evidence:
        The number of threads, kernel.pid_max and kernel.threads-max, the PIDPressure condition, the kubelet's log.
    Rule:
        There are more than 90 % as many threads as there may be. Confirmed when the kubelet reports PIDPressure or
        cannot fork.
    Cause:
        A program that makes threads or children without end. It explains a hanging kubelet and pods that cannot be
        made.
    Fix:
        Find it and restart its pod; give pods a limit of their own (podPidsLimit).
    Verify:
        The number falls.
    Must not fire:
        A pod that reached its own pids.max, while the node has numbers left.
    Reasons:
        - no-pids-left: the node's limit is nearly reached
    """
    limit = (expect.thresholds.get("NODE-22", {}) if expect else {}).get("percent", LIMIT)
    percent = 100.0 * max(tasks.threads, tasks.processes) / tasks.limit if tasks.limit else 0.0
    if percent <= limit:
        return
    here = nodes.get(tasks.node) if nodes else None
    lines = current(log.lines, _FAILED, clock) if log else ()
    pressure = pressed(here, "PIDPressure")
    onset = pressed_since(here, "PIDPressure") or next((x.at for x in lines if x.at), None)
    yield Finding(
        code="NODE-22",
        reason="no-pids-left",
        title=T(
            "{count} of at most {limit} threads run on {node}", count=tasks.threads, limit=tasks.limit, node=tasks.node
        ),
        severity=Around(node=tasks.node, clock=clock, nodes=nodes).severity(Severity.HIGH, onset),
        confidence=Confidence.CONFIRMED if pressure or lines else Confidence.LIKELY,
        subject=node(tasks.node),
        facts={"node": tasks.node, "threads": tasks.threads, "error_class": "no-pids"},
        onset=onset,
        proofs=(
            tasks.proof.quote(
                f"kernel.pid_max = {tasks.pid_max}, kernel.threads-max = {tasks.threads_max}",
                f"{tasks.processes} processes, {tasks.threads} threads",
            ),
            *((nodes.proof.quote(f"{tasks.node}: PIDPressure=True"),) if nodes and pressure else ()),
            *((log.proof.quote(*(x.text for x in lines[-2:])),) if log and lines else ()),
        ),
        fixes=(
            Fix(
                what=T("On the node: see which program has the most threads."),
                safety=Safety.READ_ONLY,
                commands=("ps -eo nlwp,pid,comm --sort=-nlwp | head -15",),
            ),
            Fix(
                what=T("Restart the pod that leaks, and set podPidsLimit in the kubelet's configuration."),
                safety=Safety.DISRUPTIVE,
                verify=("cat /proc/loadavg",),
            ),
        ),
    )
