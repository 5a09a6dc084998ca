"""CTRL-08: nothing new starts on any node."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass

from bot.check import check
from bot.checks.ctrl.about import KCM, SCHEDULER
from bot.model.cluster import Leaders
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.health import leaderless
from bot.model.k8s import Pod, Workload
from bot.model.proof import Proof
from bot.model.refs import cluster
from bot.model.text import T
from bot.model.workloads import PodEvents, PodRow, PodRows, SuspectPods, Workloads

GRACE = 60.0
ATTEMPTS = 3
SPREAD = 2
PULL = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})


@dataclass(frozen=True, slots=True)
class _Attempt:
    """Something that should have started: a new pod, or a pod that a controller should have made."""

    what: str
    namespace: str
    node: str
    stage: int


@check("CTRL-08")
def nothing_starts_anywhere(
    rows: PodRows,
    suspects: SuspectPods,
    workloads: Workloads,
    clock: Clock,
    *,
    leaders: Leaders | None,
    events: PodEvents | None,
) -> Iterator[Finding]:
    """No pod has started anywhere in the window, although several should have.

    Says:
        "pods cannot be created or moved anywhere", "scaling does nothing".
    Evidence:
        Pods made in the window and the first stage they did not pass; controllers that want more pods than exist; the
        leader records.
    Rule:
        Not one new pod of the window started, and at least 3 attempts failed in 2 namespaces or on 2 nodes; or there
        was an attempt and nobody leads. Stage 0 = not created, 1 = not scheduled, 2 = not seen by a kubelet,
        3 = volumes, 4 = sandbox, 5 = image. Confirmed together with a leader record that is stale; else likely.
    Cause:
        The control plane, or a component that every node shares.
    Fix:
        Repair the parent: stage 0 the controller-manager, stage 1 the scheduler.
    Verify:
        A new pod of an existing Deployment becomes ready.
    Must not fire:
        No attempts in the window; pods that could not be read and may have started; a quota that refuses pods in one
        namespace; pods that start and then fail.
    Reasons:
        - not-created: controllers do not make the pods
        - not-scheduled: pods get no node
        - not-started: pods have a node and do not start
    """
    new = tuple(r for r in rows.rows if r.age is not None and r.age <= clock.window_seconds)
    attempts = (*_missing(workloads, rows), *_stuck(new, suspects, events))
    started = [r for r in new if r.path not in {a.what for a in attempts} and _has_started(r)]
    if not attempts or started:
        return
    dominant = Counter(a.stage for a in attempts)
    stage = max(dominant, key=lambda s: (dominant[s], -s))
    idle = _leaderless(leaders, stage, clock)
    spread = max(len({a.namespace for a in attempts}), len({a.node for a in attempts if a.node})) >= SPREAD
    everywhere = spread and len(attempts) >= ATTEMPTS and not rows.unread
    if everywhere or idle is not None:
        yield _finding(attempts, stage, idle, (workloads.proof, rows.proof))


def _missing(workloads: Workloads, rows: PodRows) -> Iterator[_Attempt]:
    """Controllers that want more pods than exist and were not refused them by a quota."""
    there = {row.path for row in rows.rows}
    for workload in workloads.items:
        meta = workload.metadata
        unseen = meta.generation > workload.status.observed_generation
        known = meta.namespace not in rows.unread
        if (unseen or (known and _lacks(workload, there))) and not _refused(workload):
            yield _Attempt(f"{workload.kind} {meta.path}", meta.namespace or "", "", 0)


def _lacks(workload: Workload, there: set[str]) -> bool:
    wanted = workload.spec.replicas or 0
    if workload.kind == "StatefulSet":
        pods = [f"{workload.metadata.path}-{n}" in there for n in range(wanted)]
        return bool(pods) and not pods[0]
    return workload.kind == "Deployment" and workload.status.replicas < wanted


def _refused(workload: Workload) -> bool:
    return any(c.type == "ReplicaFailure" and c.status == "True" for c in workload.status.conditions or ())


def _stuck(new: tuple[PodRow, ...], suspects: SuspectPods, events: PodEvents | None) -> Iterator[_Attempt]:
    for row in new:
        pod = suspects.get(row.path)
        stage = _stage(pod, events) if pod and row.age is not None and row.age > GRACE else None
        if stage is not None:
            yield _Attempt(row.path, row.namespace, row.node, stage)


def _stage(pod: Pod, events: PodEvents | None) -> int | None:
    """The first stage (catalogue A.2) that the pod did not pass; None when it started, or waits on purpose."""
    if pod.spec.scheduling_gates or pod.finished or pod.metadata.deletion_timestamp is not None:
        return None
    if not pod.spec.node_name:
        return 1 if pod.spec.scheduler_name == "default-scheduler" else None
    statuses = pod.status.container_statuses or ()
    reasons = {e.reason for e in (events.of(pod.path) if events else ())}
    if pod.status.start_time is None and not statuses:
        return 2
    if any(s.state.running or s.state.terminated or s.last_state.terminated for s in statuses):
        return None
    if any(s.state.waiting and s.state.waiting.reason in PULL for s in statuses):
        return 5
    return 3 if reasons & {"FailedAttachVolume", "FailedMount"} else 4


def _has_started(row: PodRow) -> bool:
    return row.status in {"Running", "Completed", "Succeeded"} or row.ready > 0


def _leaderless(leaders: Leaders | None, stage: int, clock: Clock) -> Proof | None:
    component = {0: KCM, 1: SCHEDULER}.get(stage)
    leader = leaders.by_component.get(component) if leaders and component else None
    if leader is None or not leaderless(leader, clock):
        return None
    return leader.proof.quote(f"{leader.component}: renewed {leader.renewed}, holder {leader.holder or '(none)'}")


def _finding(attempts: tuple[_Attempt, ...], stage: int, idle: Proof | None, proofs: tuple[Proof, Proof]) -> Finding:
    word = {0: "not-created", 1: "not-scheduled"}.get(stage, "not-started")
    shown = tuple(f"{a.what}: stage {a.stage}" for a in attempts)
    return Finding(
        code="CTRL-08",
        reason=word,
        title=T("Nothing new starts anywhere: {count} attempts, none started", count=len(attempts)),
        detail=T("All stop at stage {stage}; a single node is not the reason.", stage=stage),
        severity=Severity.CRIT,
        confidence=Confidence.CONFIRMED if idle else Confidence.LIKELY,
        subject=cluster(),
        facts={"stage": str(stage), "namespaces": tuple(dict.fromkeys(a.namespace for a in attempts))},
        onset=None,
        proofs=(proofs[0].quote(*shown), *((idle,) if idle else (proofs[1],))),
        fixes=(
            Fix(
                what=T("Look at the control plane before any single node or workload."),
                safety=Safety.READ_ONLY,
                commands=("kubewhy control-plane",),
                verify=("kubectl get pods -A --field-selector=status.phase=Pending",),
            ),
        ),
    )
