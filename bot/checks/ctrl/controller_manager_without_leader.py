"""CTRL-05: the controller-manager does not run, or nobody leads."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.check import check
from bot.checks.ctrl.about import KCM, leader_proof, subject
from bot.model.cluster import Leaders, SystemPods
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, RuledOut, Safety, Severity
from bot.model.health import leaderless, restarts_often, running
from bot.model.k8s import Workload
from bot.model.proof import Proof
from bot.model.text import T
from bot.model.workloads import Workloads

UNSEEN = 60.0


@check("CTRL-05")
def controller_manager_without_leader(
    leaders: Leaders, clock: Clock, pods: SystemPods | None, workloads: Workloads | None
) -> Iterator[Finding | RuledOut]:
    """The controller-manager is down, or no instance leads.

    Says:
        "Deployments do nothing", "Services get no endpoints", "new nodes do not join".
    Evidence:
        The leader record of kube-system; the controller-manager's pods; workloads whose new generation nobody saw.
    Rule:
        The leader record is older than 45 s (as two readings older than 30 s, 15 s apart), or released; or no pod of
        it runs, or all restart again and again. Without record and pods (managed control plane): an unseen generation.
        Confirmed by two of record, pods and unseen generations.
    Cause:
        It crashes, its certificate or kubeconfig is wrong, etcd is slow, discovery fails (CTRL-04), a stray holds the
        record (CTRL-09).
    Fix:
        Repair the cause; restart it; restore its manifest.
    Verify:
        The record is renewed; observedGeneration catches up.
    Must not fire:
        Managed control planes without record and pods, unless a generation stays unseen; one short gap.
    Reasons:
        - stale-record: nobody has renewed the leader record
        - not-running: no pod of it runs
        - crash-loop: its pods restart again and again
        - unseen-changes: only the canary shows it
    """
    leader = leaders.by_component.get(KCM)
    own = pods.component(KCM) if pods else ()
    stale = leader is not None and leaderless(leader, clock)
    stopped = bool(own) and not any(running(p) for p in own)
    looping = bool(own) and all(restarts_often(p, clock) for p in own)
    unseen = tuple(w for w in (workloads.items if workloads else ()) if _unseen(w))
    word = "stale-record" if stale else "not-running" if stopped else "crash-loop" if looping else ""
    if not word and leader is None and not own and unseen:
        word = "unseen-changes"
    if not word:
        if leader is not None:
            yield RuledOut(
                code="CTRL-05",
                subject=subject(KCM, pods),
                because=T("the controller-manager leads and renews its record"),
                proofs=(leader_proof(leaders, KCM, clock),),
            )
        return
    proofs = _proofs(leaders, pods, workloads, unseen, clock)
    sources = sum((stale, stopped or looping, bool(unseen)))
    steady = not any(p.restarts for p in own)
    yield _finding(word, pods, proofs, sure=sources > 1, onset=leader.renewed if leader and stale and steady else None)


def _unseen(workload: Workload) -> bool:
    return workload.metadata.generation > workload.status.observed_generation


def _proofs(
    leaders: Leaders, pods: SystemPods | None, workloads: Workloads | None, unseen: tuple[Workload, ...], clock: Clock
) -> tuple[Proof, ...]:
    found: list[Proof] = []
    if KCM in leaders.by_component:
        found.append(leader_proof(leaders, KCM, clock))
    if pods and pods.component(KCM):
        states = (f"{p.path}: running={running(p)} restarts={p.restarts}" for p in pods.component(KCM))
        found.append(pods.proof.quote(*states))
    if workloads and unseen:
        lag = (
            f"{w.kind} {w.metadata.path}: generation {w.metadata.generation}, observed {w.status.observed_generation}"
            for w in unseen
        )
        found.append(workloads.proof.quote(*lag))
    return tuple(found)


def _finding(
    word: str, pods: SystemPods | None, proofs: tuple[Proof, ...], *, sure: bool, onset: datetime | None
) -> Finding:
    return Finding(
        code="CTRL-05",
        reason=word,
        title=T("kube-controller-manager does no work: nobody leads"),
        detail=T("Nothing is created, moved, scaled or detached; node states are frozen."),
        severity=Severity.CRIT,
        confidence=Confidence.CONFIRMED if sure else Confidence.LIKELY,
        subject=subject(KCM, pods),
        facts={"component": KCM},
        onset=onset,
        proofs=proofs,
        fixes=(
            Fix(
                what=T("See why it stops; its last lines say it."),
                safety=Safety.READ_ONLY,
                commands=(
                    f"kubectl -n kube-system logs -l component={KCM} --tail=100",
                    f"kubectl -n kube-system logs -l component={KCM} --tail=100 --previous",
                ),
                verify=(f"kubectl -n kube-system get lease {KCM} -o yaml",),
            ),
        ),
    )
