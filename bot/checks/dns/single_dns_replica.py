"""DNS-01: one DNS pod for the whole cluster."""

from __future__ import annotations

from collections.abc import Iterator

from bot.check import check
from bot.checks.dns.about import facts_of, scale_up, shown, workload_of
from bot.model.cluster import Nodes
from bot.model.dns import DnsEndpoints, DnsPods, DnsService, DnsWorkload
from bot.model.finding import Confidence, Finding, Severity
from bot.model.k8s import Node
from bot.model.text import T

MANY_NODES = 2
BLOCKING = {"NoSchedule", "NoExecute"}


@check("DNS-01")
def single_dns_replica(
    pods: DnsPods,
    nodes: Nodes,
    endpoints: DnsEndpoints | None,
    workload: DnsWorkload | None,
    service: DnsService | None,
) -> Iterator[Finding]:
    """Cluster DNS has a single replica.

    Says:
        "The only coredns pod died and everything lost DNS."
    Evidence:
        replicas of the DNS Deployment, ready endpoints of the DNS Service, schedulable nodes.
    Rule:
        One replica or one ready endpoint on a cluster with at least two schedulable nodes.
    Cause:
        No redundancy. It amplifies DNS-02, which then empties the Service (DNS-07).
    Fix:
        Run two or more replicas, spread over nodes (DNS-20), with a PodDisruptionBudget.
    Verify:
        Two ready endpoints on two nodes.
    Must not fire:
        A cluster with one schedulable node: reported as info only.
    Reasons:
        - one-replica: the Deployment asks for one
        - one-ready: only one of several replicas is ready
        - one-node: there is one schedulable node, so one replica is all it can bear
    """
    wanted = workload.workload.spec.replicas if workload and workload.workload else None
    wanted = len(pods.live) if wanted is None else wanted
    ready = endpoints.ready if endpoints else None
    if wanted != 1 and ready != 1:
        return
    room = [n for n in nodes.items if _schedulable(n)]
    subject = workload_of(pods, workload)
    alone = len(room) < MANY_NODES
    reason = "one-node" if alone else "one-replica" if wanted == 1 else "one-ready"
    yield Finding(
        code="DNS-01",
        reason=reason,
        title=T("cluster DNS has a single replica for {count} nodes", count=len(nodes.items))
        if reason != "one-ready"
        else T("only one of {wanted} DNS replicas is ready", wanted=wanted),
        detail=T("When this one pod or its node fails, no name resolves anywhere in the cluster."),
        severity=Severity.INFO if alone else Severity.WARN,
        confidence=Confidence.CONFIRMED if wanted == 1 and ready in {0, 1} else Confidence.LIKELY,
        subject=subject,
        facts=facts_of(pods.live, service, replicas=wanted),
        proofs=(shown(pods, pods.live), *(e.proof for e in (workload, endpoints) if e is not None)),
        fixes=() if alone else scale_up(pods, workload, pods.live),
    )


def _schedulable(node: Node) -> bool:
    """Whether an ordinary pod may be placed there now."""
    ready = node.condition("Ready")
    blocked = any(t.effect in BLOCKING for t in node.spec.taints or ())
    return not node.spec.unschedulable and not blocked and ready is not None and ready.status == "True"
