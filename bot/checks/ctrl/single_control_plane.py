"""CTRL-10: the control plane is a single point of failure."""

from __future__ import annotations

from collections.abc import Iterator

from bot.check import check
from bot.model.cluster import KubernetesEndpoints, Nodes, SystemPods
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity, Stage
from bot.model.k8s import Node
from bot.model.proof import Proof
from bot.model.refs import cluster
from bot.model.text import T

SMALL = 3
ELECTED = ("kube-controller-manager", "kube-scheduler")


@check("CTRL-10")
def single_control_plane(
    nodes: Nodes, endpoints: KubernetesEndpoints | None, pods: SystemPods | None
) -> Iterator[Finding]:
    """The control plane has one node, or one instance of a component.

    Says:
        "single master".
    Evidence:
        Role labels of the nodes; the endpoints of default/kubernetes; the pods of controller-manager and scheduler.
    Rule:
        One control-plane node; or, with more than 3 nodes, one instance of the controller-manager or the scheduler.
        Confirmed when endpoints or pods agree; likely by labels alone. Information only with one node or ``env=dev``.
    Cause:
        A single point of failure: it makes other faults worse.
    Fix:
        Three control-plane nodes behind a load balancer.
    Verify:
        Count nodes, endpoints and leader candidates.
    Must not fire:
        Managed control planes, which show no control-plane nodes.
    Reasons:
        - one-node: a single control-plane node
        - one-instance: a single controller-manager or scheduler
    """
    masters = tuple(n for n in nodes.items if n.control_plane)
    if not masters:
        return
    singles = tuple(c for c in ELECTED if pods and len(pods.component(c)) == 1)
    few = len(nodes.items) <= SMALL
    if len(masters) > 1 and (few or not singles):
        return
    alone = len(masters) == 1
    agree = bool(singles) or (endpoints is not None and len(endpoints.addresses) == 1)
    shown = ", ".join(n.name for n in masters)
    proofs: list[Proof] = [nodes.proof.quote(f"control-plane nodes: {shown} of {len(nodes.items)} nodes")]
    proofs += [endpoints.proof.quote(f"default/kubernetes: {', '.join(endpoints.addresses)}")] if endpoints else []
    yield Finding(
        code="CTRL-10",
        reason="one-node" if alone else "one-instance",
        title=T("The control plane is a single point of failure: {nodes}", nodes=shown),
        severity=Severity.INFO if len(nodes.items) == 1 or _is_dev(masters) else Severity.WARN,
        confidence=Confidence.CONFIRMED if agree else Confidence.LIKELY,
        subject=cluster(),
        facts={"nodes": tuple(n.name for n in masters), "components": singles},
        proofs=tuple(proofs),
        fixes=(
            Fix(
                what=T("Run three control-plane nodes behind a load balancer, with leader election."),
                safety=Safety.REVERSIBLE,
                commands=(
                    "kubeadm token create --print-join-command",
                    "kubeadm init phase upload-certs --upload-certs",
                ),
                verify=("kubectl get nodes -l node-role.kubernetes.io/control-plane",),
                stage=Stage.POSTURE,
            ),
        ),
    )


def _is_dev(nodes: tuple[Node, ...]) -> bool:
    return any((n.metadata.labels or {}).get("env") == "dev" for n in nodes)
