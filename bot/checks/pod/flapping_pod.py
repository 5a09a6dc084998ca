"""POD-18: a pod that is Running whenever one looks, and keeps restarting."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime

from bot.check import check
from bot.checks.pod.about import subject
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.health import is_mirror
from bot.model.k8s import ContainerStatus, Pod
from bot.model.text import T
from bot.model.workloads import SuspectPods

TWICE = 2


@check("POD-18")
def flapping_pod(suspects: SuspectPods, clock: Clock) -> Iterator[Finding]:
    """A pod is Running, but its container has restarted at least twice in the window.

    Says:
        "the status was Running when we checked".
    Evidence:
        restartCount, the start of the running container, start and end of the one before.
    Rule:
        The container runs now, and both this run and the one before began as restarts inside the window. One source, so
        likely; confirmed when the previous run also ended with an error.
    Cause:
        What ends the container: DNS-02, POD-07, POD-09.
    Fix:
        Repair what ends it.
    Verify:
        No restart for 10 min.
    Must not fire:
        Control-plane pods (their own rows tell); finished pods and Jobs; a rollout's new pods; a single restart.
    Reasons:
        - restarts: the container restarts
    """
    for pod in suspects.items:
        if is_mirror(pod) or pod.finished or _is_job(pod) or pod.metadata.deletion_timestamp is not None:
            continue
        for status in pod.status.container_statuses or ():
            if _flaps(status, clock):
                yield _finding(pod, status, suspects)
                break


def _is_job(pod: Pod) -> bool:
    owner = pod.metadata.controller
    return owner is not None and owner.kind == "Job"


def _flaps(status: ContainerStatus, clock: Clock) -> bool:
    """Two restarts that are known to be inside the window: this start, and the start before it."""
    now, before = status.state.running, status.last_state.terminated
    if now is None or before is None or status.restart_count < TWICE:
        return False
    return _inside(now.started_at, clock) and _inside(before.started_at, clock)


def _inside(at: datetime | None, clock: Clock) -> bool:
    return at is not None and clock.age(at) <= clock.window_seconds


def _finding(pod: Pod, status: ContainerStatus, suspects: SuspectPods) -> Finding:
    meta = pod.metadata
    before = status.last_state.terminated
    failed = before is not None and before.exit_code != 0
    where = f"-n {shlex.quote(meta.namespace or 'default')} {shlex.quote(meta.name)} -c {shlex.quote(status.name)}"
    ended = f"last ended {before.finished_at} {before.reason} exit {before.exit_code}" if before else ""
    return Finding(
        code="POD-18",
        reason="restarts",
        title=T("{pod} is Running, but flaps: {count} restarts", pod=pod.path, count=status.restart_count),
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED if failed else Confidence.LIKELY,
        subject=subject(pod),
        facts={"pod": pod.path, "container": status.name, "node": pod.spec.node_name or ""},
        onset=before.started_at if before else None,
        proofs=(suspects.proof.quote(f"{pod.path}: restarts={status.restart_count}, {ended}"),),
        fixes=(
            Fix(
                what=T("Read why the run before ended."),
                safety=Safety.READ_ONLY,
                commands=(f"kubectl logs {where} --previous --tail=50",),
                verify=(f"kubectl -n {shlex.quote(meta.namespace or 'default')} get pod {shlex.quote(meta.name)}",),
            ),
        ),
    )
