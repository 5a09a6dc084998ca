"""CTRL-17: a status says normal, a heartbeat or counter says otherwise."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta

from bot.check import check
from bot.checks.ctrl.about import KCM, SCHEDULER
from bot.model.cluster import Heartbeats, Nodes, SystemPods
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.health import is_ready, is_virtual, restarts_often, running, silence
from bot.model.refs import Subject
from bot.model.refs import node as node_subject
from bot.model.text import T


@check("CTRL-17")
def status_contradicted_by_heartbeat(
    nodes: Nodes, heartbeats: Heartbeats, clock: Clock, pods: SystemPods | None
) -> Iterator[Finding]:
    """A status word is frozen or misleading: something that counts says the opposite.

    Says:
        "we checked, all services are fine".
    Evidence:
        Ready conditions beside Leases (or heartbeat times); control-plane pods that are Running with growing restarts.
    Rule:
        A node is Ready=True although its Lease is older than 60 s, or its heartbeat older than 6 min; a control-plane
        pod is Running although it keeps restarting. Confirmed: status and counter are separate objects.
    Cause:
        Whoever writes the status is down itself.
    Fix:
        Trust heartbeats, restarts and probes more than status words.
    Verify:
        Not needed.
    Must not fire:
        Nodes that are not Ready anyway; virtual nodes.
    Reasons:
        - ready-but-silent: a node
        - running-but-restarting: a control-plane pod
    """
    for node in nodes.items:
        silent = silence(node.name, heartbeats, clock)
        if silent is not None and is_ready(node) and not is_virtual(node):
            yield Finding(
                code="CTRL-17",
                reason="ready-but-silent",
                title=T(
                    "{node} is shown Ready, but has not been heard of for {age}",
                    node=node.name,
                    age=timedelta(seconds=int(silent)),
                ),
                severity=Severity.INFO,
                confidence=Confidence.CONFIRMED if heartbeats.by_lease else Confidence.LIKELY,
                subject=node_subject(node.name),
                facts={"node": node.name},
                onset=heartbeats.last[node.name],
                proofs=(
                    nodes.proof.quote(f"{node.name}: Ready=True"),
                    heartbeats.proof.quote(f"{node.name}: last heartbeat {heartbeats.last[node.name]}"),
                ),
                fixes=(_fix("kubectl -n kube-node-lease get leases"),),
            )
    for pod in (p for c in (KCM, SCHEDULER) for p in (pods.component(c) if pods else ())):
        if pods and running(pod) and restarts_often(pod, clock):
            yield Finding(
                code="CTRL-17",
                reason="running-but-restarting",
                title=T("{pod} is shown Running, but has restarted {count} times", pod=pod.path, count=pod.restarts),
                severity=Severity.INFO,
                confidence=Confidence.CONFIRMED,
                subject=Subject("Pod", pod.metadata.name, pod.metadata.namespace),
                facts={"pod": pod.path, "component": pod.metadata.label("component") or ""},
                onset=None,
                proofs=(pods.proof.quote(f"{pod.path}: Running, restarts={pod.restarts}"),),
                fixes=(_fix("kubectl -n kube-system get pods"),),
            )


def _fix(command: str) -> Fix:
    return Fix(
        what=T("Believe heartbeats, restart counts and probes rather than status words."),
        safety=Safety.READ_ONLY,
        commands=(command,),
    )
