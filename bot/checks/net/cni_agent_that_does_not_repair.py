"""NET-04: the CNI's agent on the node is unhealthy, or does not restore what was lost."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace

from bot.check import check
from bot.checks.net.about import broken_tables, running_since, runs
from bot.model.cluster import Log, PodsOnNode
from bot.model.evidence import Clock, Expectations, PerNode
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import HostUnits, Links, PolicyRouting
from bot.model.host_agents import CniAgent
from bot.model.k8s import Pod
from bot.model.lines import RECENT, current
from bot.model.proof import Proof
from bot.model.refs import Subject
from bot.model.text import T, Text

_FAILED = re.compile(
    r"failed to (?:add|setup|find|get) .*(?:route|rule|ENI|eni|device)|unable to (?:find|get) .*eth\d"
    r"|insufficient .*IP|timeout waiting for",
    re.IGNORECASE,
)
_NO_ADDRESS = re.compile(r"insufficient .*(?:IP|address)|InsufficientFreeAddresses", re.IGNORECASE)


@check("NET-04")
def cni_agent_that_does_not_repair(
    *,
    agent: CniAgent,
    clock: Clock,
    pods: PodsOnNode,
    routing: PolicyRouting | None,
    peers: PerNode[PolicyRouting],
    links: Links | None,
    units: HostUnits | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """The CNI's IPAM agent is unhealthy, or runs without restoring lost routes.

    Says:
        "ipamd is running, there is no error in its log, and the routes are missing."
    Evidence:
        State, restarts, start time and log of the agent's pod on the node; the routing tables.
    Rule:
        The agent is not ready or keeps being restarted; or it is ready and a table that it should keep has had no
        default route for longer than it needs to notice. A clean log does not clear it; a log that names a failed
        route, rule or interface is only possible as long as no route is missing and no pod waits for an address, and
        so is one that says no more than that the subnet has no free address (NET-16).
    Cause:
        A fault of the agent, or the API or metadata service is out of its reach. Unhealthy, it explains NET-02,
        POD-05 and NET-16; healthy, it only lets NET-02 last.
    Fix:
        Restart the agent's pod; running pods keep their network.
    Verify:
        The table has its default route within a minute.
    Must not fire:
        An agent that was started less than a minute ago; routes that were lost less than a minute ago; pods that
        count as not ready because their kubelet is silent.
    Reasons:
        - agent-not-ready: its pod is not ready
        - agent-restarting: its container was restarted within the window
        - failed-operation: its log names a route, rule or interface that it could not set up
        - does-not-reconcile: it is ready and does not restore what is missing
    """
    period = (expect.thresholds.get("NET-04", {}) if expect else {}).get("seconds", 60)
    broken = broken_tables(routing, pods, links, peers) if routing else ()
    dead = any(t.sure for t in broken)
    lost = routing.proof.quote(*(t.line for t in broken)) if routing and dead else None
    waiting = any(_waits(p, clock) for p in pods.items)
    for pod in agent.pods:
        if _age(pod, clock) < period or pod.metadata.deletion_timestamp is not None:
            continue
        log = _failing(agent, pod, clock)
        reason = _reason(pod, clock, log is not None, dead and not _just_changed(units, clock, period))
        if reason:
            # what an agent's log complains of is a fault only where something is missing
            broke = dead or (waiting and reason == "failed-operation" and not _lacks_addresses(log))
            broke = broke or reason == "agent-not-ready"
            broke = broke or (reason == "agent-restarting" and _lately(pod, clock, RECENT))
            yield _finding(agent, pod, reason, log=log, lost=lost, sure=broke)


def _failing(agent: CniAgent, pod: Pod, clock: Clock) -> Log | None:
    """The log of a container whose current lines name what it could not set up, with those lines alone."""
    for log in agent.of(pod):
        hits = current(log.lines, _FAILED, clock, running_since(pod))
        if hits:
            return replace(log, lines=hits)
    return None


def _lacks_addresses(log: Log | None) -> bool:
    """Whether it complains of nothing but a subnet without free addresses: the agent only passes that on (NET-16)."""
    return log is not None and all(_NO_ADDRESS.search(x.text) for x in log.lines)


def _waits(pod: Pod, clock: Clock) -> bool:
    """Whether a pod has been without an address for longer than a start takes."""
    began = pod.status.start_time
    wants = not pod.spec.host_network and not pod.status.pod_ip and pod.status.phase == "Pending"
    return wants and began is not None and clock.age(began) > 60  # noqa: PLR2004 - the grace of a pod


def _just_changed(units: HostUnits | None, clock: Clock, period: float) -> bool:
    """Whether the routes may have been lost less than a period ago, so that the agent had no time to see it."""
    starts = [u.active_since for n in ("systemd-networkd", "NetworkManager") if units and (u := units.get(n))]
    return any(s is not None and clock.age(s) < period for s in starts)


def _age(pod: Pod, clock: Clock) -> float:
    started = running_since(pod) or pod.status.start_time
    return clock.age(started) if started else clock.window_seconds


def _lately(pod: Pod, clock: Clock, seconds: float) -> bool:
    """Whether a container of it ended within so many seconds."""
    ended = [c.last_state.terminated for c in pod.status.container_statuses or () if c.last_state.terminated]
    return any(t.finished_at and clock.age(t.finished_at) <= seconds for t in ended)


def _reason(pod: Pod, clock: Clock, failed: bool, dead: bool) -> str:
    if not runs(pod):
        return "agent-not-ready"
    if _lately(pod, clock, clock.window_seconds) and (pod.restarts > 1 or dead):
        return "agent-restarting"
    if failed:
        return "failed-operation"
    return "does-not-reconcile" if dead else ""


def _finding(agent: CniAgent, pod: Pod, reason: str, *, log: Log | None, lost: Proof | None, sure: bool) -> Finding:
    meta = pod.metadata
    since = running_since(pod) or pod.status.start_time
    state = f"{pod.path}: ready={runs(pod)} restarts={pod.restarts} started={since}"
    proofs: list[Proof] = [agent.proof.quote(state)]
    proofs += [log.proof.quote(*(x.text for x in log.lines[-3:]))] if log else []
    proofs += [lost] if lost else []
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
        confidence=Confidence.CONFIRMED if lost else Confidence.LIKELY if sure else Confidence.POSSIBLE,
        subject=Subject("Pod", meta.name, meta.namespace),
        facts={"node": agent.node, "pod": pod.path, "component": "cni-agent"},
        onset=since if reason == "agent-restarting" else None,
        proofs=tuple(proofs),
        fixes=(restart,),
    )


def _title(reason: str, name: str, pod: str) -> Text:
    if reason == "agent-not-ready":
        return T("the CNI agent {pod} of {node} is not ready", pod=pod, node=name)
    if reason == "agent-restarting":
        return T("the CNI agent {pod} of {node} was restarted lately", pod=pod, node=name)
    if reason == "failed-operation":
        return T("the CNI agent {pod} of {node} cannot set up routes or interfaces", pod=pod, node=name)
    return T("the CNI agent {pod} of {node} is healthy and does not restore the lost routes", pod=pod, node=name)
