"""What findings about the control plane have in common."""

from __future__ import annotations

import re

from bot.model.cluster import ControlPlaneLogs, Leaders, Log, LogLine, SystemPods
from bot.model.evidence import Clock
from bot.model.lines import is_current, matching
from bot.model.proof import Proof
from bot.model.refs import Subject

KCM = "kube-controller-manager"
SCHEDULER = "kube-scheduler"


def subject(component: str, pods: SystemPods | None) -> Subject:
    """The component's only pod, else the Lease that its instances compete for."""
    own = pods.component(component) if pods else ()
    return (
        Subject("Pod", own[0].metadata.name, "kube-system")
        if len(own) == 1
        else Subject("Lease", component, "kube-system")
    )


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
