"""NODE-32: somebody took the node out of service on purpose."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.node.about import PLANNED
from bot.model.cluster import NodeEvents, Nodes
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.k8s import Node, Taint
from bot.model.refs import node
from bot.model.text import T

# Taints that the system sets by itself, or that only say what a machine is for.
OURS = ("node.kubernetes.io/", "node-role.kubernetes.io/", "node.cloudprovider.kubernetes.io/", "node.cilium.io/")
BY_HAND = "node.kubernetes.io/out-of-service"  # the only one below this prefix that people set
CORDON = "node.kubernetes.io/unschedulable"
STOPPING = frozenset({"NoSchedule", "NoExecute"})


@check("NODE-32")
def node_out_of_service(events: NodeEvents, nodes: Nodes) -> Iterator[Finding]:
    """The node is cordoned, or tainted on purpose.

    Says:
        "Pods are not scheduled to this node."
    Evidence:
        spec.unschedulable, taints with the time they were added, annotations of maintenance tools, the events.
    Rule:
        Reported as context: a cordon, or a taint that the system does not set by itself. Findings about the node that
        began after the cordon are downgraded to info.
    Cause:
        Maintenance. It explains POD-03 when no other node is left.
    Fix:
        Uncordon the node when the work is finished.
    Verify:
        spec.unschedulable is gone.
    Must not fire:
        As a root cause when pods have other nodes to go to; for taints of roles or conditions.
    Reasons:
        - cordoned: spec.unschedulable is set
        - tainted: a taint keeps pods away
    """
    found = nodes.get(events.node)
    if found is None:
        return
    taints = [t for t in found.spec.taints or () if t.effect in STOPPING and _on_purpose(t)]
    if not found.spec.unschedulable and not taints:
        return
    cordon = next((t for t in found.spec.taints or () if t.key == CORDON), None)
    by = tuple(
        sorted(w for w in [*(found.metadata.annotations or {}), *(found.metadata.labels or {})] if PLANNED.search(w))
    )
    name = shlex.quote(found.name)
    uncordon = Fix(
        what=T("When the work on {node} is finished, let pods be scheduled there again.", node=found.name),
        safety=Safety.REVERSIBLE,
        commands=(f"kubectl uncordon {name}",),
        verify=(f"kubectl get node {name}",),
        undo=(f"kubectl cordon {name}",),
    )
    yield Finding(
        code="NODE-32",
        reason="cordoned" if found.spec.unschedulable else "tainted",
        title=T("{node} is cordoned: nothing new is scheduled there", node=found.name)
        if found.spec.unschedulable
        else T("{node} is tainted: {taints}", node=found.name, taints=tuple(_shown(t) for t in taints)),
        severity=Severity.INFO,
        confidence=Confidence.LIKELY,
        subject=node(found.name),
        facts={"node": found.name, "taints": tuple(_shown(t) for t in taints), "planned_by": by},
        onset=cordon.time_added if cordon else taints[0].time_added if taints else None,
        proofs=(nodes.proof.quote(_state(found, taints)),),
        fixes=(uncordon,) if found.spec.unschedulable else (),
    )


def _on_purpose(taint: Taint) -> bool:
    return taint.key == BY_HAND or not taint.key.startswith(OURS)


def _shown(taint: Taint) -> str:
    value = f"={taint.value}" if taint.value else ""
    return f"{taint.key}{value}:{taint.effect}"


def _state(found: Node, taints: list[Taint]) -> str:
    return f"{found.name}: spec.unschedulable={found.spec.unschedulable} taints={[_shown(t) for t in taints]}"
