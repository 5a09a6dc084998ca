"""METRICS-06: kubelets refuse metrics-server."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.metrics.about import REFUSED, is_scraped, scraped_since, subject
from bot.model.cluster import Nodes
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.lines import ENOUGH, RECENT
from bot.model.metrics import MetricsServer, NodeMetrics, ScrapeFailure, Scrapes
from bot.model.refs import node
from bot.model.text import T

MOST = 0.9


@check("METRICS-06")
def refused_by_kubelet(
    server: MetricsServer, scrapes: Scrapes, nodes: Nodes, clock: Clock, metrics: NodeMetrics | None
) -> Iterator[Finding]:
    """Kubelets answer metrics-server with 401 or 403.

    Says:
        "403 Forbidden in the log of metrics-server".
    Evidence:
        metrics-server's log; the nodes that have samples.
    Rule:
        403 or 401 from any kubelet, current, and no sample of its node that is newer. Confirmed when those nodes have
        no sample; else likely.
    Cause:
        403: the ClusterRole lacks nodes/metrics. 401: the kubelets do not authenticate tokens; one kubelet alone: it
        cannot ask the API server about them (NODE-07, NODE-02).
    Fix:
        Apply the matching manifest; enable webhook authentication in the kubelets. 401 of one node: look into it.
    Verify:
        The log has no such line for two minutes.
    Must not fire:
        Nodes that are cordoned and off, virtual, or younger than 2 min; a node with a sample newer than its newest
        refusal.
    Reasons:
        - forbidden: 403, a right is missing
        - unauthorized: 401, the token is not accepted
    """
    expected = {n.name for n in nodes.items if is_scraped(n, clock)}
    failures = [f for f in scrapes.failures if f.node in expected and _current(f, clock)]
    for status, word in (("403 Forbidden", "forbidden"), ("401 Unauthorized", "unauthorized")):
        hit = tuple(f for f in failures if _says(f, status) and not scraped_since(f, metrics))
        if hit:
            unsampled = metrics is not None and any(f.node not in metrics.sampled for f in hit)
            most = len(hit) >= len(nodes.items) * MOST
            yield _finding(word, hit, server, scrapes, sure=unsampled, most=most)


def _says(failure: ScrapeFailure, status: str) -> bool:
    hit = REFUSED.search(failure.error)
    return hit is not None and hit[1] == status


def _current(failure: ScrapeFailure, clock: Clock) -> bool:
    return failure.times >= ENOUGH or (failure.last is not None and clock.age(failure.last) <= RECENT)


def _finding(
    word: str, hit: tuple[ScrapeFailure, ...], server: MetricsServer, scrapes: Scrapes, *, sure: bool, most: bool
) -> Finding:
    alone = hit[0].node if word == "unauthorized" and len(hit) == 1 else ""
    return Finding(
        code="METRICS-06",
        reason=word,
        title=T("the kubelet of {node} refuses metrics-server: {error}", node=alone, error=hit[0].error)
        if alone
        else T("{count} kubelets refuse metrics-server: {error}", count=len(hit), error=hit[-1].error),
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED if sure else Confidence.LIKELY,
        subject=node(alone) if alone else subject(server),
        facts={"nodes": tuple(f.node for f in hit), "most_nodes": most, "service": server.service},
        onset=None,
        proofs=(scrapes.proof.quote(*(f.lines[-1] for f in hit[:3])),),
        fixes=(_look(alone) if alone else _rights(),),
    )


def _look(name: str) -> Fix:
    return Fix(
        what=T("Look into the node: its kubelet cannot ask the API server whose token it is."),
        safety=Safety.READ_ONLY,
        commands=(f"kubewhy node-why {shlex.quote(name)}",),
        verify=("kubectl top nodes",),
    )


def _rights() -> Fix:
    return Fix(
        what=T("See which rights metrics-server has; it needs get on nodes/metrics."),
        safety=Safety.READ_ONLY,
        commands=(
            "kubectl auth can-i get nodes/metrics --as=system:serviceaccount:kube-system:metrics-server",
            "kubectl get clusterrole system:metrics-server -o yaml",
        ),
        verify=("kubectl top nodes",),
    )
