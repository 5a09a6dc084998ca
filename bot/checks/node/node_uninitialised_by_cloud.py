"""NODE-34: the cloud's controller never took charge of the node."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.node.about import Around
from bot.model.cluster import Leaders, NodeEvents, Nodes, SystemPods
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.health import leaderless
from bot.model.refs import node
from bot.model.text import T

TAINT = "node.cloudprovider.kubernetes.io/uninitialized"
CONTROLLER = "cloud-controller-manager"


@check("NODE-34")
def node_uninitialised_by_cloud(
    *,
    events: NodeEvents,
    nodes: Nodes,
    clock: Clock,
    leaders: Leaders | None,
    system: SystemPods | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """The node waits for a cloud controller that never initialises it.

    Says:
        "The new node is Ready, but no pod is scheduled there."
    Evidence:
        The taint node.cloudprovider.kubernetes.io/uninitialized and since when; spec.providerID; the leader record and
        the pods of the cloud-controller-manager.
    Rule:
        The taint has stood for more than three minutes and spec.providerID is empty. Confirmed when the leader record
        is not renewed, or there is neither a record nor a pod of a cloud-controller-manager.
    Cause:
        The cloud-controller-manager is missing or broken, or the kubelet was started with --cloud-provider=external in
        a cluster without one. It explains POD-03, SVC-16.
    Fix:
        Repair the cloud-controller-manager.
    Verify:
        The taint is gone.
    Must not fire:
        Nodes without the taint, as on machines that never used an external cloud provider; a node that joined just now.
    Reasons:
        - controller-missing: the cluster has neither a record nor a pod of a cloud-controller-manager
        - controller-silent: the cloud-controller-manager does not renew its record
        - not-initialised: why is not known
    """
    here = nodes.get(events.node)
    taint = next((t for t in here.spec.taints or () if t.key == TAINT), None) if here else None
    if here is None or taint is None or here.spec.provider_id:
        return
    limit = (expect.thresholds.get("NODE-34", {}) if expect else {}).get("seconds", 180)
    since = taint.time_added or here.metadata.creation_timestamp
    if since is None or clock.age(since) <= limit:
        return
    record = leaders.by_component.get(CONTROLLER) if leaders else None
    pods = [p.path for p in system.items if CONTROLLER in p.metadata.name] if system else []
    missing = leaders is not None and record is None and system is not None and not pods
    silent = record is not None and leaderless(record, clock)
    reason = "controller-missing" if missing else "controller-silent" if silent else "not-initialised"
    quote = f"{here.name}: taint {TAINT}:{taint.effect} since {since}, no spec.providerID"
    proofs = [nodes.proof.quote(quote)]
    if leaders and (missing or silent):
        proofs.append(record.proof if record else leaders.proof.quote(f"no leader record of a {CONTROLLER}"))
    if system and missing:
        proofs.append(system.proof.quote(f"no pod of a cloud-controller-manager among {len(system.items)}"))
    yield Finding(
        code="NODE-34",
        reason=reason,
        title=T("no cloud controller has initialised {node}: nothing is scheduled there", node=here.name),
        severity=Around(node=here.name, clock=clock, nodes=nodes).severity(Severity.HIGH, since),
        confidence=Confidence.CONFIRMED if missing or silent else Confidence.LIKELY,
        subject=node(here.name),
        facts={"node": here.name, "taint": TAINT, "component": CONTROLLER},
        onset=since,
        proofs=tuple(proofs),
        fixes=(_look(here.name),),
    )


def _look(name: str) -> Fix:
    return Fix(
        what=T("Look for the cloud-controller-manager and repair it; it takes the taint away by itself."),
        safety=Safety.READ_ONLY,
        commands=(
            "kubectl -n kube-system get pods -o wide | grep cloud-controller-manager",
            f"kubectl -n kube-system get lease {CONTROLLER} -o yaml",
        ),
        verify=(f"kubectl get node {shlex.quote(name)} -o jsonpath='{{.spec.taints}}'",),
    )
