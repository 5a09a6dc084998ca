"""DNS-20: all DNS replicas on one node."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.dns.about import facts_of, shown, workload_of
from bot.model.cluster import Nodes
from bot.model.dns import DnsPods, DnsService, DnsWorkload
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity, Stage
from bot.model.text import T

SEVERAL = 2
PATCH = (
    '\'{"spec":{"template":{"spec":{"topologySpreadConstraints":[{"maxSkew":1,"topologyKey":"kubernetes.io/hostname",'
    '"whenUnsatisfiable":"ScheduleAnyway","labelSelector":{"matchLabels":{"k8s-app":"kube-dns"}}}]}}}}\''
)


@check("DNS-20")
def dns_replicas_on_one_node(
    pods: DnsPods, nodes: Nodes, service: DnsService | None, workload: DnsWorkload | None
) -> Iterator[Finding]:
    """All DNS replicas run on one node.

    Says:
        "One node went down and DNS with it, although there are two replicas."
    Evidence:
        the nodes of the DNS pods.
    Rule:
        At least two replicas on one distinct node, in a cluster of several nodes.
    Cause:
        No spread. It amplifies whatever befalls that node.
    Fix:
        Topology spread constraints or anti-affinity.
    Verify:
        The pods run on two nodes.
    Must not fire:
        A cluster with one node.
    Reasons:
        - one-node: every replica is on it
    """
    placed = [p for p in pods.live if p.spec.node_name]
    if len(placed) < SEVERAL or len(pods.nodes) != 1 or len(nodes.items) < SEVERAL:
        return
    subject = workload_of(pods, workload)
    target = f"{shlex.quote(subject.kind.lower())}/{shlex.quote(subject.name)}"
    where = f"-n {shlex.quote(subject.namespace or 'kube-system')}"
    yield Finding(
        code="DNS-20",
        reason="one-node",
        title=T("all {count} DNS replicas run on {node}", count=len(placed), node=pods.nodes[0]),
        detail=T("When that node fails, no name resolves anywhere in the cluster."),
        severity=Severity.WARN,
        confidence=Confidence.CONFIRMED,
        subject=subject,
        facts=facts_of(placed, service, node=pods.nodes[0]),
        proofs=(shown(pods, placed), nodes.proof),
        fixes=(
            Fix(
                what=T("Spread the replicas over nodes; the rollout replaces them one after the other."),
                safety=Safety.DISRUPTIVE,
                commands=(f"kubectl {where} patch {target} -p {PATCH}",),
                verify=(f"kubectl {where} get pods -l k8s-app=kube-dns -o wide",),
                undo=(f"kubectl {where} rollout undo {target}",),
                stage=Stage.POSTURE,
            ),
        ),
    )
