"""What findings about the control plane have in common."""

from __future__ import annotations

import re
from datetime import datetime

from bot.model.cluster import ControlPlaneLogs, Leaders, Log, LogLine, SystemPods
from bot.model.evidence import Clock
from bot.model.k8s import Pod
from bot.model.lines import is_current, matching
from bot.model.proof import Proof
from bot.model.refs import Subject

KCM = "kube-controller-manager"
SCHEDULER = "kube-scheduler"
OFTEN = 3


def subject(component: str, pods: SystemPods | None) -> Subject:
    """The component's only pod, else the Lease that its instances compete for."""
    own = pods.component(component) if pods else ()
    return (
        Subject("Pod", own[0].metadata.name, "kube-system")
        if len(own) == 1
        else Subject("Lease", component, "kube-system")
    )


def running(pod: Pod) -> bool:
    """Whether every container runs now."""
    statuses = pod.status.container_statuses or ()
    return bool(statuses) and all(s.state.running for s in statuses)


def restarts_often(pod: Pod, clock: Clock) -> bool:
    """At least 3 restarts, the last of them inside the window, or waiting for the next."""
    return pod.restarts >= OFTEN and (_ended_lately(pod, clock) or not running(pod))


def _ended_lately(pod: Pod, clock: Clock) -> bool:
    at = last_end(pod)
    return at is not None and clock.age(at) <= clock.window_seconds


def last_end(pod: Pod) -> datetime | None:
    """When a container of the pod last ended."""
    states = [
        t for s in pod.status.container_statuses or () for t in (s.last_state.terminated, s.state.terminated) if t
    ]
    return max((t.finished_at for t in states if t.finished_at), default=None)


def leader_proof(leaders: Leaders, component: str, clock: Clock) -> Proof:
    """Who leads and since when nothing was heard."""
    leader = leaders.by_component[component]
    age = f"{clock.age(leader.renewed):.0f} s ago" if leader.renewed else "never"
    return leader.proof.quote(f"{component}: holder {leader.holder or '(none)'}, renewed {age}")


def current_lines(
    logs: ControlPlaneLogs | None, component: str, pattern: re.Pattern[str], clock: Clock
) -> tuple[tuple[Log, tuple[LogLine, ...]], ...]:
    """The logs of a component whose matching lines are current, with those lines; previous logs are left out."""
    found: list[tuple[Log, tuple[LogLine, ...]]] = []
    for log in logs.by_component.get(component, ()) if logs else ():
        hits = matching(log, pattern, clock)
        if not log.previous and is_current(hits, clock):
            found.append((log, hits))
    return tuple(found)


def group_of(text: str) -> str:
    """The group of ``metrics.k8s.io/v1beta1`` or ``v1beta1.metrics.k8s.io``."""
    left, slash, _ = text.partition("/")
    if slash:
        return left
    version, dot, rest = text.partition(".")
    return rest if dot and re.fullmatch(r"v\d+\w*", version) else text
