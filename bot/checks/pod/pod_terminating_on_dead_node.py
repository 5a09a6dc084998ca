"""POD-10: a pod cannot finish because its node is gone."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.pod.about import claims_of, short, subject, volumes_of
from bot.model.cluster import Heartbeats, Nodes
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.health import is_down, is_ready, silence
from bot.model.k8s import Pod
from bot.model.proof import Proof
from bot.model.refs import node as node_subject
from bot.model.text import T
from bot.model.workloads import SuspectPods, VolumeUses

PATIENCE = 60.0
EACH = 5
NONE = ("(none)",)  # known to have none, which is more than not known


@check("POD-10")
def pod_terminating_on_dead_node(
    suspects: SuspectPods, nodes: Nodes, clock: Clock, heartbeats: Heartbeats | None, uses: VolumeUses | None
) -> Iterator[Finding]:
    """Pods stay Terminating because the kubelet that must confirm it is gone.

    Says:
        "pods on the dead node stay Terminating".
    Evidence:
        Pods with a deletion time in the past; the Ready condition and heartbeat of their node.
    Rule:
        Deletion is overdue by 60 s (the deletion time already includes the grace period) and the node is absent, not
        Ready or silent. Confirmed when condition and heartbeat agree; else likely.
    Cause:
        Only the kubelet can confirm that the containers have ended.
    Fix:
        Repair the node; force only after the host is verified to be off.
    Verify:
        The pod is replaced.
    Must not fire:
        Pods on a healthy node (POD-11); long grace periods that still run.
    Reasons:
        - node-not-ready: the node's condition says so
        - node-silent: the condition is frozen, the heartbeat is old
        - node-absent: the node object is gone
    """
    by_node: dict[str, list[Pod]] = {}
    for pod in suspects.items:
        due = pod.metadata.deletion_timestamp
        name = pod.spec.node_name
        if due and name and clock.age(due) > PATIENCE and is_down(name, nodes, heartbeats, clock):
            by_node.setdefault(name, []).append(pod)
    for name, pods in by_node.items():
        groups = [[p] for p in pods] if len(pods) <= EACH else [pods]
        for group in groups:
            silent = heartbeats if silence(name, heartbeats, clock) is not None else None
            yield _finding(name, group, nodes, silent, uses, listed=suspects.proof)


def _finding(
    name: str,
    pods: list[Pod],
    nodes: Nodes,
    silent: Heartbeats | None,
    uses: VolumeUses | None,
    *,
    listed: Proof,
) -> Finding:
    node = nodes.get(name)
    ready = node is not None and is_ready(node)
    claims = tuple(c for p in pods for c in claims_of(p))
    due = [p.metadata.deletion_timestamp for p in pods if p.metadata.deletion_timestamp]
    proofs = [listed.quote(*(f"{p.path} on {name}: deletion due {p.metadata.deletion_timestamp}" for p in pods))]
    proofs.append(nodes.proof.quote(f"{name}: {'absent' if node is None else 'Ready=True' if ready else 'not Ready'}"))
    if silent:
        proofs.append(silent.proof.quote(f"{name}: last heartbeat {silent.last[name]}"))
    return Finding(
        code="POD-10",
        reason="node-absent" if node is None else "node-silent" if ready else "node-not-ready",
        title=T("{pods} cannot end: {node} does not confirm it", pods=short([p.path for p in pods]), node=name),
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED if silent and not ready else Confidence.LIKELY,
        subject=subject(pods[0]) if len(pods) == 1 else node_subject(name),
        facts={
            "node": name,
            "pods": tuple(p.path for p in pods),
            "claims": claims or NONE,
            "volumes": volumes_of(claims, uses) or NONE,
        },
        onset=min(due),
        proofs=tuple(proofs),
        fixes=(_look(name), _force(name)),
    )


def _look(name: str) -> Fix:
    return Fix(
        what=T("Repair the node; the pods end by themselves then."),
        safety=Safety.READ_ONLY,
        commands=(f"kubewhy node-why {shlex.quote(name)}",),
        verify=(f"kubectl get pods -A -o wide --field-selector=spec.nodeName={shlex.quote(name)}",),
    )


def _force(name: str) -> Fix:
    """The out-of-service taint, which force-deletes and detaches; dangerous while the host lives."""
    quoted = shlex.quote(name)
    return Fix(
        what=T(
            "Only when the host of {node} is verified to be off: mark it out of service, so that its pods are deleted "
            "and its volumes detached. A host that still runs would write to the same volume.",
            node=name,
        ),
        safety=Safety.DISRUPTIVE,
        commands=(f"kubectl taint nodes {quoted} node.kubernetes.io/out-of-service=nodeshutdown:NoExecute",),
        verify=(f"kubectl get pods -A -o wide --field-selector=spec.nodeName={quoted}",),
        undo=(f"kubectl taint nodes {quoted} node.kubernetes.io/out-of-service-",),
    )
