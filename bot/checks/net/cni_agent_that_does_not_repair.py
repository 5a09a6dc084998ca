"""NET-04: the CNI's agent on the node is unhealthy, or does not restore what was lost."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import datetime

from bot.check import check
from bot.checks.net.about import dead_tables
from bot.model.cluster import Log, PodsOnNode
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import PolicyRouting
from bot.model.host_agents import CniAgent
from bot.model.k8s import Pod
from bot.model.proof import Proof
from bot.model.refs import Subject
from bot.model.text import T, Text

_FAILED = re.compile(
    r"failed to (?:add|setup|find|get) .*(?:route|rule|ENI|eni|device)|unable to (?:find|get) .*eth\d"
    r"|insufficient .*IP|timeout waiting for",
    re.IGNORECASE,
)


@check("NET-04")
def cni_agent_that_does_not_repair(
    *,
    agent: CniAgent,
    clock: Clock,
    pods: PodsOnNode,
    routing: PolicyRouting | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """The CNI's IPAM agent is unhealthy, or runs without restoring lost routes.

    Says:
        "ipamd is running, there is no error in its log, and the routes are missing."
    Evidence:
        State, restarts, start time and log of the agent's pod on the node; the routing tables.
    Rule:
        The agent is not ready or was restarted in the window; or its log shows a failed route, rule or interface;
        or it is ready and a table that it should keep has had no default route for longer than it needs to notice.
        A clean log does not clear it.
    Cause:
        A fault of the agent, or the API or metadata service is out of its reach. Unhealthy, it explains NET-02,
        POD-05 and NET-16; healthy, it only lets NET-02 last.
    Fix:
        Restart the agent's pod; running pods keep their network.
    Verify:
        The table has its default route within a minute.
    Must not fire:
        An agent that was started less than a minute ago.
    Reasons:
        - agent-not-ready: its pod is not ready
        - agent-restarting: its container was restarted within the window
        - failed-operation: its log names a route, rule or interface that it could not set up
        - does-not-reconcile: it is ready and does not restore what is missing
    """
    period = (expect.thresholds.get("NET-04", {}) if expect else {}).get("seconds", 60)
    dead = dead_tables(routing, pods) if routing else ()
    for pod in agent.pods:
        if _age(pod, clock) < period:
            continue
        log = agent.logs.get(pod.path)
        hits = [x.text for x in (log.lines if log else ()) if _FAILED.search(x.text)]
        reason = _reason(pod, clock, bool(hits), bool(dead))
        if reason:
            yield _finding(agent, pod, reason, log=log, hits=hits, routing=routing if dead else None)


def _started(pod: Pod) -> datetime | None:
    starts = [c.state.running.started_at for c in pod.status.container_statuses or () if c.state.running]
    known = [s for s in starts if s]
    return max(known) if known else pod.status.start_time


def _age(pod: Pod, clock: Clock) -> float:
    started = _started(pod)
    return clock.age(started) if started else clock.window_seconds


def _reason(pod: Pod, clock: Clock, failed: bool, dead: bool) -> str:
    ended = [c.last_state.terminated for c in pod.status.container_statuses or () if c.last_state.terminated]
    recent = [t for t in ended if t.finished_at and clock.age(t.finished_at) <= clock.window_seconds]
    if not pod.ready:
        return "agent-not-ready"
    if recent:
        return "agent-restarting"
    if failed:
        return "failed-operation"
    return "does-not-reconcile" if dead else ""


def _finding(
    agent: CniAgent, pod: Pod, reason: str, *, log: Log | None, hits: list[str], routing: PolicyRouting | None
) -> Finding:
    meta = pod.metadata
    state = f"{pod.path}: ready={pod.ready} restarts={pod.restarts} started={_started(pod)}"
    proofs: list[Proof] = [agent.proof.quote(state)]
    proofs += [log.proof.quote(*hits[-3:])] if log and hits else []
    proofs += [routing.proof] if routing else []
    restart = Fix(
        what=T("Restart the CNI agent of {node}; running pods keep their network.", node=agent.node),
        safety=Safety.DISRUPTIVE,
        commands=(f"kubectl -n {shlex.quote(meta.namespace or 'kube-system')} delete pod {shlex.quote(meta.name)}",),
        verify=("ip rule show",),
    )
    return Finding(
        code="NET-04",
        reason=reason,
        title=_title(reason, agent.node, pod.path),
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED if routing else Confidence.LIKELY,
        subject=Subject("Pod", meta.name, meta.namespace),
        facts={"node": agent.node, "pod": pod.path, "component": "cni-agent"},
        onset=_started(pod) if reason == "agent-restarting" else None,
        proofs=tuple(proofs),
        fixes=(restart,),
    )


def _title(reason: str, name: str, pod: str) -> Text:
    if reason == "agent-not-ready":
        return T("the CNI agent {pod} of {node} is not ready", pod=pod, node=name)
    if reason == "agent-restarting":
        return T("the CNI agent {pod} of {node} keeps restarting", pod=pod, node=name)
    if reason == "failed-operation":
        return T("the CNI agent {pod} of {node} cannot set up routes or interfaces", pod=pod, node=name)
    return T("the CNI agent {pod} of {node} is healthy and does not restore the lost routes", pod=pod, node=name)
