"""METRICS-04: metrics-server does not trust, or cannot name, most kubelets."""

from __future__ import annotations

from collections.abc import Iterator

from bot.check import check
from bot.checks.metrics.about import is_broken, subject
from bot.model.apis import ApiServices
from bot.model.cluster import Nodes
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.lines import ENOUGH, RECENT
from bot.model.metrics import MetricsServer, NodeMetrics, ScrapeFailure, Scrapes
from bot.model.text import T

HALF, MOST = 0.5, 0.9
ARGUMENTS = ("--kubelet-insecure-tls", "--kubelet-preferred-address-types", "--kubelet-use-node-status-port")


@check("METRICS-04")
def untrusted_kubelet_certificates(
    server: MetricsServer,
    scrapes: Scrapes,
    nodes: Nodes,
    clock: Clock,
    *,
    metrics: NodeMetrics | None,
    apis: ApiServices | None,
) -> Iterator[Finding]:
    """metrics-server cannot scrape half of the nodes or more, for their certificates or names.

    Says:
        "kubectl top shows nothing for most nodes", "x509 in the log of metrics-server".
    Evidence:
        metrics-server's log and arguments; the nodes that have samples; the APIService.
    Rule:
        At least half of the nodes, and at least two, fail with the same class of error: a certificate that is not
        accepted, or a name that does not resolve. Confirmed when the samples are missing too or the API is down.
    Cause:
        Self-signed serving certificates of the kubelets; nodes addressed by host name.
    Fix:
        Sign the serving certificates; address nodes by InternalIP.
    Verify:
        ``kubectl top nodes`` shows every node.
    Must not fire:
        A single failing node (METRICS-03).
    Reasons:
        - certificates: the kubelets' certificates are not accepted
        - names: the nodes' names do not resolve
    """
    for word, reason in (("tls", "certificates"), ("name", "names")):
        hit = tuple(f for f in scrapes.failures if f.reason == word and _current(f, clock))
        if len(hit) > 1 and len(hit) >= len(nodes.items) * HALF:
            unsampled = metrics is not None and any(f.node not in metrics.sampled for f in hit)
            sure = unsampled or is_broken(apis)
            yield _finding(reason, hit, server, scrapes, sure=sure, most=len(hit) >= len(nodes.items) * MOST)


def _current(failure: ScrapeFailure, clock: Clock) -> bool:
    return failure.times >= ENOUGH or (failure.last is not None and clock.age(failure.last) <= RECENT)


def _finding(
    reason: str, hit: tuple[ScrapeFailure, ...], server: MetricsServer, scrapes: Scrapes, *, sure: bool, most: bool
) -> Finding:
    given = [a for p in server.pods for c in p.spec.containers or () for a in c.args or () if a.startswith(ARGUMENTS)]
    nodes = tuple(f.node for f in hit)
    return Finding(
        code="METRICS-04",
        reason=reason,
        title=T("metrics-server does not accept the certificates of {count} kubelets", count=len(hit))
        if reason == "certificates"
        else T("metrics-server cannot resolve the names of {count} nodes", count=len(hit)),
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED if sure else Confidence.LIKELY,
        subject=subject(server),
        facts={"nodes": nodes, "most_nodes": most, "service": server.service},
        onset=None,
        proofs=(
            scrapes.proof.quote(*(f.lines[-1] for f in hit[:3])),
            server.proof.quote("arguments: " + (" ".join(given) or "none about addresses or TLS")),
        ),
        fixes=(
            Fix(
                what=T("Let the kubelets request serving certificates and approve them; list what waits for approval.")
                if reason == "certificates"
                else T("Address the nodes by InternalIP first."),
                safety=Safety.READ_ONLY,
                commands=("kubectl get csr | grep Pending",)
                if reason == "certificates"
                else ("kubectl -n kube-system get deployment metrics-server -o yaml | grep preferred-address",),
                verify=("kubectl top nodes",),
            ),
        ),
    )
