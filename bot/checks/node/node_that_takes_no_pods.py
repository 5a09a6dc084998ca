"""NODE-31: pods that the API server bound to the node are never seen by its kubelet, although the runtime works."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime

from bot.check import check
from bot.checks.node.about import Around, kubelet_of
from bot.model.cluster import Heartbeats, Nodes, PodsOnNode
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import Call, ContainerRuntime, HostUnits, KubeletHealth, ManualContainers
from bot.model.k8s import Pod
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T, Text

MIRROR = "kubernetes.io/config.mirror"
MOST_SHOWN = 5


@check("NODE-31")
def node_that_takes_no_pods(
    *,
    pods: PodsOnNode,
    runtime: ContainerRuntime | None,
    manual: ManualContainers | None,
    clock: Clock,
    units: HostUnits | None,
    nodes: Nodes | None,
    beats: Heartbeats | None,
    health: KubeletHealth | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """Pods that are bound to the node never start, although its container runtime works.

    Says:
        "Every log looks fine, but nothing starts on this node"; "docker run works by hand".
    Evidence:
        Pods bound to the node without any container status; crictl, or containers started by hand; the kubelet's state.
    Rule:
        At least one pod was bound more than 120 s ago and the kubelet has not seen it, and the runtime works.
    Cause:
        The kubelet or the control plane, never the runtime: a container started by hand proves only the runtime.
        NODE-03, NODE-06 or NODE-07 on this node explains it; if other nodes take no pods either, CTRL-08 does.
    Fix:
        Repair what explains it.
    Verify:
        A new pod has a container status within ten seconds of being bound.
    Must not fire:
        A cordoned node; static pods; a kubelet that was started less than two minutes ago.
    Reasons:
        - not-seen-by-kubelet: the kubelet has not acknowledged the pods
    """
    limit = (expect.thresholds.get("NODE-31", {}) if expect else {}).get("seconds", 120)
    around = Around(node=pods.node, clock=clock, nodes=nodes, beats=beats, health=health)
    unit = kubelet_of(units) if units else None
    young = unit is not None and unit.running and unit.active_since is not None and clock.age(unit.active_since) < limit
    if young or (around.object is not None and around.object.spec.unschedulable):
        return
    works = _runtime_works(runtime, manual)
    stuck = [(p, at) for p in pods.items if (at := _bound(p)) and _unseen(p) and clock.age(at) > limit]
    if not stuck or not works:
        return
    names = tuple(p.path for p, _ in stuck)
    onset = min(at for _, at in stuck)
    silent = around.silent or (unit is not None and unit.down)
    yield Finding(
        code="NODE-31",
        reason="not-seen-by-kubelet",
        title=_title(names, pods.node),
        detail=T("The container runtime works, so the kubelet or the control plane is at fault."),
        severity=around.severity(Severity.HIGH, onset),
        confidence=Confidence.CONFIRMED if silent else Confidence.LIKELY,
        subject=node(pods.node),
        facts={"node": pods.node, "pods": names},
        onset=onset,
        proofs=(pods.proof.quote(*(_shown(p) for p, _ in stuck[:MOST_SHOWN])), *works, *around.proofs()),
        fixes=(_look(pods.node),),
    )


def _title(names: tuple[str, ...], name: str) -> Text:
    if len(names) == 1:
        return T("the pod {pod} is bound to {node}, but its kubelet has never seen it", pod=names[0], node=name)
    return T("{count} pods are bound to {node}, but its kubelet has never seen them", count=len(names), node=name)


def _runtime_works(runtime: ContainerRuntime | None, manual: ManualContainers | None) -> tuple[Proof, ...]:
    """The proof that the runtime runs containers; empty when there is none."""
    if runtime and runtime.call is Call.OK:
        return (runtime.proof,)
    if manual and manual.running:
        return (manual.proof.quote(*(f"{c.name} {c.image} {c.state}" for c in manual.running)),)
    return ()


def _bound(pod: Pod) -> datetime | None:
    """When the scheduler bound it; None for static pods, which nobody binds, and for finished or leaving ones."""
    meta = pod.metadata
    leaving = meta.deletion_timestamp is not None or pod.status.phase in {"Succeeded", "Failed"}
    if leaving or MIRROR in (meta.annotations or {}) or not pod.spec.node_name:
        return None
    scheduled = pod.condition("PodScheduled")
    return scheduled.last_transition_time if scheduled and scheduled.status == "True" else meta.creation_timestamp


def _unseen(pod: Pod) -> bool:
    return pod.status.start_time is None and not pod.status.container_statuses


def _shown(pod: Pod) -> str:
    return f"{pod.path}: spec.nodeName={pod.spec.node_name}, no status.startTime, no containerStatuses"


def _look(name: str) -> Fix:
    return Fix(
        what=T("On the node: see whether the kubelet runs and what it says; then repair that."),
        safety=Safety.READ_ONLY,
        commands=("systemctl status kubelet --no-pager", "sudo journalctl -u kubelet -n 50 --no-pager"),
        verify=(f"kubectl get pods -A --field-selector spec.nodeName={shlex.quote(name)}",),
    )
