"""POD-16: a stateful pod does not come up elsewhere after its node failed."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from bot.check import check
from bot.checks.pod.about import claims_of, volumes_of
from bot.model.cluster import Heartbeats, Leaders, Nodes
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.health import is_down, is_virtual, leaderless, parked
from bot.model.k8s import Pod, Workload
from bot.model.proof import Proof
from bot.model.refs import Subject
from bot.model.text import T, Text
from bot.model.workloads import PodEvents, PodRows, SuspectPods, VolumeUses, Workloads

PATIENCE = 300.0
KCM, SCHEDULER = "kube-controller-manager", "kube-scheduler"
SELECTED = "volume.kubernetes.io/selected-node"
WHY: dict[str, Text] = {
    "not-created": T("No controller makes its replacement: the controller-manager does not work."),
    "not-scheduled": T("Its replacement gets no node: the scheduler does not work."),
    "terminating": T("The old pod is still Terminating, and a StatefulSet waits until it has ended."),
    "multi-attach": T("Its volume is still attached to the node that failed."),
    "local-volume": T("Its data lies on the node that failed."),
    "waiting": T("Its replacement is not ready."),
}


@dataclass(frozen=True, slots=True)
class _Victim:
    """A stateful pod that should run somewhere else."""

    subject: Subject
    pod: str
    node: str
    reason: str
    claims: tuple[str, ...]
    sure: bool


@check("POD-16")
def stateful_pod_that_cannot_fail_over(
    workloads: Workloads,
    suspects: SuspectPods,
    rows: PodRows,
    nodes: Nodes,
    clock: Clock,
    *,
    heartbeats: Heartbeats | None,
    leaders: Leaders | None,
    uses: VolumeUses | None,
    events: PodEvents | None,
) -> Iterator[Finding]:
    """A stateful pod of a failed node has no working replacement.

    Says:
        "mysql with a persistent volume does not start and cannot switch".
    Evidence:
        StatefulSets whose pods are missing or Terminating; pods whose volume is attached elsewhere; claims, volumes and
        VolumeAttachments; the state of the old node; the leader records.
    Rule:
        The old node has been gone for more than 5 min, and there is no replacement or it is blocked. The stage that
        blocks is named. Confirmed when the volume or the pod names the old node; likely when only one can be meant.
    Cause:
        Nobody evicts or detaches, the old pod cannot end, or the volume cannot move.
    Fix:
        Repair the node, its kubelet or the controller-manager.
    Verify:
        The pod is Ready; the database is healthy.
    Must not fire:
        The first 5 min after a node was lost; healthy nodes.
    Reasons:
        - not-created: nobody makes the replacement
        - not-scheduled: it gets no node
        - terminating: the old pod blocks the replacement
        - multi-attach: the volume is still attached to the old node
        - local-volume: the data lies on the old node
        - waiting: the replacement is not ready
    """
    dead = frozenset(n.name for n in nodes.items if _gone(n.name, nodes, heartbeats, clock))
    if not dead:
        return
    idle = frozenset(c for c in (KCM, SCHEDULER) if _idle(leaders, c, clock))
    sets = tuple(w for w in workloads.items if w.kind == "StatefulSet")
    victims = [v for w in sets for v in _of_set(w, dead, suspects, rows, uses=uses, idle=idle)]
    victims += _of_pods(dead, suspects, uses, events)
    seen: set[str] = set()
    for victim in victims:
        if str(victim.subject) not in seen:
            seen.add(str(victim.subject))
            yield _finding(victim, workloads.proof, nodes, heartbeats, uses)


def _gone(name: str, nodes: Nodes, heartbeats: Heartbeats | None, clock: Clock) -> bool:
    node = nodes.get(name)
    if node is None or is_virtual(node) or parked(node) or not is_down(name, nodes, heartbeats, clock):
        return False
    ready = node.condition("Ready")
    heard = heartbeats.last.get(name) if heartbeats else None
    since = heard or (ready.last_transition_time if ready else None)
    return since is None or clock.age(since) > PATIENCE


def _idle(leaders: Leaders | None, component: str, clock: Clock) -> bool:
    leader = leaders.by_component.get(component) if leaders else None
    return leader is not None and leaderless(leader, clock)


def _of_set(
    workload: Workload,
    dead: frozenset[str],
    suspects: SuspectPods,
    rows: PodRows,
    *,
    uses: VolumeUses | None,
    idle: frozenset[str],
) -> Iterator[_Victim]:
    """The first pod of a StatefulSet that is missing, or cannot end on a failed node."""
    meta = workload.metadata
    there = {row.path for row in rows.rows}
    subject = Subject("StatefulSet", meta.name, meta.namespace)
    for ordinal in range(workload.spec.replicas or 0):
        path = f"{meta.path}-{ordinal}"
        pod = suspects.get(path)
        claims = tuple(
            f"{meta.namespace}/{t.metadata.name}-{meta.name}-{ordinal}"
            for t in workload.spec.volume_claim_templates or ()
        )
        if path not in there and meta.namespace not in rows.unread:
            node, sure = _node_of(claims, uses, dead)
            if node:
                yield _Victim(subject, path, node, _missing_because(claims, uses, idle), claims, sure)
            return
        if pod is not None and pod.spec.node_name in dead:
            stuck = pod.metadata.deletion_timestamp is not None
            reason = "terminating" if stuck else "not-created" if KCM in idle else "terminating"
            yield _Victim(subject, path, pod.spec.node_name, reason, claims or claims_of(pod), sure=True)
            return


def _missing_because(claims: tuple[str, ...], uses: VolumeUses | None, idle: frozenset[str]) -> str:
    if _local(claims, uses) and KCM not in idle:
        return "local-volume"
    return "not-created"


def _local(claims: tuple[str, ...], uses: VolumeUses | None) -> bool:
    found = (uses.by_claim.get(c) for c in claims) if uses else ()
    return any(u is not None and u.volume is not None and u.volume.bound_to_host for u in found)


def _node_of(claims: tuple[str, ...], uses: VolumeUses | None, dead: frozenset[str]) -> tuple[str, bool]:
    """The failed node that the pod was on, and whether something names it."""
    for use in (uses.by_claim.get(c) for c in claims) if uses else ():
        if use is not None:
            named = {a.spec.node_name for a in use.attachments}
            named |= {(use.object.metadata.annotations or {}).get(SELECTED, "")}
            if named & dead:
                return min(named & dead), True
    return (next(iter(dead)), False) if len(dead) == 1 else ("", False)


def _of_pods(
    dead: frozenset[str], suspects: SuspectPods, uses: VolumeUses | None, events: PodEvents | None
) -> Iterator[_Victim]:
    """Replacements (of a Deployment, say) that wait for a volume that a failed node holds."""
    for pod in suspects.items:
        if pod.ready or pod.metadata.deletion_timestamp is not None or pod.spec.node_name in dead:
            continue
        claims = claims_of(pod)
        for use in (uses.by_claim.get(c) for c in claims) if uses else ():
            holders = {a.spec.node_name for a in use.attachments} & dead if use and use.exclusive else set()
            holders |= {_node(suspects, user) for user in (use.users if use and use.exclusive else ())} & dead
            if holders:
                blocked = any(e.reason == "FailedAttachVolume" for e in (events.of(pod.path) if events else ()))
                reason = "multi-attach" if blocked else "waiting"
                yield _Victim(_owner(pod), pod.path, min(holders), reason, claims, sure=True)
                break


def _node(suspects: SuspectPods, path: str) -> str:
    pod = suspects.get(path)
    return (pod.spec.node_name or "") if pod else ""


def _owner(pod: Pod) -> Subject:
    """What an operator would repair: the Deployment behind a ReplicaSet, else the pod."""
    owner, meta = pod.metadata.controller, pod.metadata
    if owner is not None and owner.kind == "ReplicaSet":
        return Subject("Deployment", owner.name.rpartition("-")[0] or owner.name, meta.namespace)
    if owner is not None:
        return Subject(owner.kind, owner.name, meta.namespace)
    return Subject("Pod", meta.name, meta.namespace)


def _finding(
    victim: _Victim, listed: Proof, nodes: Nodes, heartbeats: Heartbeats | None, uses: VolumeUses | None
) -> Finding:
    proofs = [listed.quote(f"{victim.subject}: pod {victim.pod} {victim.reason}")]
    proofs.append(nodes.proof.quote(f"{victim.node}: gone"))
    if heartbeats and victim.node in heartbeats.last:
        proofs.append(heartbeats.proof.quote(f"{victim.node}: last heartbeat {heartbeats.last[victim.node]}"))
    quoted = shlex.quote(victim.node)
    return Finding(
        code="POD-16",
        reason=victim.reason,
        title=T("{pod} was on {node}, which failed, and runs nowhere else", pod=victim.pod, node=victim.node),
        detail=WHY[victim.reason],
        severity=Severity.CRIT,
        confidence=Confidence.CONFIRMED if victim.sure else Confidence.LIKELY,
        subject=victim.subject,
        facts={
            "node": victim.node,
            "pod": victim.pod,
            "claims": victim.claims,
            "volumes": volumes_of(victim.claims, uses),
        },
        onset=None,
        proofs=tuple(proofs),
        fixes=(
            Fix(
                what=T("Repair what blocks it first: the node, its kubelet, the controller-manager."),
                safety=Safety.READ_ONLY,
                commands=(f"kubewhy node-why {quoted}",),
                verify=(f"kubectl -n {shlex.quote(victim.subject.namespace or 'default')} get pods -o wide",),
            ),
        ),
    )
