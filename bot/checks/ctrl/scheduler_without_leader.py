"""CTRL-06: the scheduler does not run, or nobody leads."""

from __future__ import annotations

from collections.abc import Iterator

from bot.check import check
from bot.checks.ctrl.about import SCHEDULER, leader_proof, subject
from bot.model.cluster import Leaders, SystemPods
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, RuledOut, Safety, Severity
from bot.model.health import leaderless, running
from bot.model.k8s import Pod
from bot.model.text import T
from bot.model.workloads import PodEvents, SuspectPods

GRACE = 60.0


@check("CTRL-06")
def scheduler_without_leader(
    leaders: Leaders, clock: Clock, pods: SystemPods | None, suspects: SuspectPods | None, events: PodEvents | None
) -> Iterator[Finding | RuledOut]:
    """The scheduler is down, or no instance leads: new pods stay Pending without any word.

    Says:
        "all new pods are Pending, no events".
    Evidence:
        The leader record; the scheduler's pods; Pending pods without node, PodScheduled condition and
        FailedScheduling event.
    Rule:
        At least one pod older than 60 s waits for the default scheduler without condition or event, and the leader
        record is older than 45 s or released, or no scheduler pod runs. Confirmed: both sides are separate evidence.
    Cause:
        The process is down.
    Fix:
        Bring the scheduler back.
    Verify:
        Pods get the event Scheduled.
    Must not fire:
        Pods that carry FailedScheduling; schedulingGates; another schedulerName.
    Reasons:
        - stale-record: nobody has renewed the leader record
        - released: the record was released on shutdown
        - not-running: no pod of it runs
    """
    leader = leaders.by_component.get(SCHEDULER)
    own = pods.component(SCHEDULER) if pods else ()
    stopped = bool(own) and not any(running(p) for p in own)
    if leader is not None and not leaderless(leader, clock) and not stopped:
        yield RuledOut(
            code="CTRL-06",
            subject=subject(SCHEDULER, pods),
            because=T("the scheduler leads and renews its record"),
            proofs=(leader_proof(leaders, SCHEDULER, clock),),
        )
        return
    waiting = tuple(p for p in (suspects.items if suspects else ()) if _waits(p, events, clock))
    if suspects is None or not waiting or (leader is None and not stopped):
        return
    word = "not-running" if leader is None else "stale-record" if leader.holder else "released"
    proofs = [suspects.proof.quote(*(f"{p.path}: Pending, no node, no PodScheduled condition" for p in waiting))]
    proofs += [leader_proof(leaders, SCHEDULER, clock)] if leader else []
    proofs += [pods.proof.quote(*(f"{p.path}: running={running(p)}" for p in own))] if pods and own else []
    yield Finding(
        code="CTRL-06",
        reason=word,
        title=T("kube-scheduler does no work: {count} pods wait for a node", count=len(waiting)),
        severity=Severity.CRIT,
        confidence=Confidence.CONFIRMED,
        subject=subject(SCHEDULER, pods),
        facts={"component": SCHEDULER, "pods": tuple(p.path for p in waiting[:20])},
        onset=leader.renewed if leader else None,
        proofs=tuple(proofs),
        fixes=(
            Fix(
                what=T("See why the scheduler stopped; its last lines say it."),
                safety=Safety.READ_ONLY,
                commands=(f"kubectl -n kube-system logs -l component={SCHEDULER} --tail=100",),
                verify=(f"kubectl -n kube-system get lease {SCHEDULER} -o yaml",),
            ),
        ),
    )


def _waits(pod: Pod, events: PodEvents | None, clock: Clock) -> bool:
    made = pod.metadata.creation_timestamp
    said = events is not None and any(e.reason == "FailedScheduling" for e in events.of(pod.path))
    return (
        pod.status.phase == "Pending"
        and not pod.spec.node_name
        and pod.condition("PodScheduled") is None
        and not pod.spec.scheduling_gates
        and pod.spec.scheduler_name == "default-scheduler"
        and not said
        and made is not None
        and clock.age(made) > GRACE
    )
