"""METRICS-06: kubelets refuse metrics-server."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.check import check
from bot.checks.metrics.about import subject
from bot.model.cluster import Nodes
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.lines import ENOUGH, RECENT
from bot.model.metrics import MetricsServer, NodeMetrics, ScrapeFailure, Scrapes
from bot.model.text import T

STATUS = re.compile(r"request failed, status: \\?\"?(401 Unauthorized|403 Forbidden)")
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
        403 from any kubelet, or 401 from at least two, current. Confirmed when those nodes have no sample; else likely.
    Cause:
        403: the ClusterRole lacks nodes/metrics. 401: the kubelets do not authenticate tokens.
    Fix:
        Apply the matching manifest; enable webhook authentication in the kubelets.
    Verify:
        The log has no such line for two minutes.
    Must not fire:
        401 from one node only: its own certificate or connection (NODE-07, NODE-02).
    Reasons:
        - forbidden: 403, a right is missing
        - unauthorized: 401, the token is not accepted
    """
    for status, word in (("403 Forbidden", "forbidden"), ("401 Unauthorized", "unauthorized")):
        hit = tuple(f for f in scrapes.failures if _says(f, status) and _current(f, clock))
        if len(hit) > (1 if word == "unauthorized" else 0):
            unsampled = metrics is not None and any(f.node not in metrics.sampled for f in hit)
            most = len(hit) >= len(nodes.items) * MOST
            yield _finding(word, hit, server, scrapes, sure=unsampled, most=most)


def _says(failure: ScrapeFailure, status: str) -> bool:
    hit = STATUS.search(failure.error)
    return hit is not None and hit[1] == status


def _current(failure: ScrapeFailure, clock: Clock) -> bool:
    return failure.times >= ENOUGH or (failure.last is not None and clock.age(failure.last) <= RECENT)


def _finding(
    word: str, hit: tuple[ScrapeFailure, ...], server: MetricsServer, scrapes: Scrapes, *, sure: bool, most: bool
) -> Finding:
    return Finding(
        code="METRICS-06",
        reason=word,
        title=T("{count} kubelets refuse metrics-server: {error}", count=len(hit), error=hit[-1].error),
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED if sure else Confidence.LIKELY,
        subject=subject(server),
        facts={"nodes": tuple(f.node for f in hit), "most_nodes": most, "service": server.service},
        onset=None,
        proofs=(scrapes.proof.quote(*(f.lines[-1] for f in hit[:3])),),
        fixes=(
            Fix(
                what=T("See which rights metrics-server has; it needs get on nodes/metrics."),
                safety=Safety.READ_ONLY,
                commands=(
                    "kubectl auth can-i get nodes/metrics --as=system:serviceaccount:kube-system:metrics-server",
                    "kubectl get clusterrole system:metrics-server -o yaml",
                ),
                verify=("kubectl top nodes",),
            ),
        ),
    )
