"""METRICS-07: the kubelet is back, metrics-server still fails."""

from __future__ import annotations

from collections.abc import Iterator

from bot.check import check
from bot.checks.metrics.about import is_broken, metrics_api, restart, subject
from bot.model.apis import ApiServices
from bot.model.evidence import Clock, PerNode
from bot.model.finding import Confidence, Finding, Severity
from bot.model.host_kubelet import KubeletHealth, Probe
from bot.model.host_system import HostUnits, Unit
from bot.model.metrics import MetricsServer, NodeMetrics, ScrapeFailure, Scrapes
from bot.model.proof import Proof
from bot.model.text import T

LEAST = 180.0
STILL = 120.0


@check("METRICS-07")
def metrics_server_stuck_after_repair(
    server: MetricsServer,
    scrapes: Scrapes,
    apis: ApiServices,
    clock: Clock,
    *,
    metrics: NodeMetrics | None,
    health: PerNode[KubeletHealth],
    units: PerNode[HostUnits],
) -> Iterator[Finding]:
    """metrics-server keeps failing for a node whose kubelet is healthy again.

    Says:
        "the kubelet is fixed, the connection error is gone, other errors stay".
    Evidence:
        The kubelet's ports and unit on the node; metrics-server's log; the APIService; the pod's start.
    Rule:
        The kubelet answers and has been active for more than 3 resolutions (at least 3 min), the log still names the
        node with a line of the last 2 min, the pod started before the kubelet came back, and the APIService is not
        available or the node's sample is missing.
    Cause:
        Stale connections or state inside metrics-server.
    Fix:
        Restart metrics-server and wait.
    Verify:
        The APIService says Passed; the controller-manager is stable.
    Must not fire:
        Before 3 min; errors about another node; readiness that waits for two scrapes (METRICS-10).
    Reasons:
        - stale-state: errors go on for a healthy kubelet
    """
    for failure in scrapes.failures:
        probe, unit = health.get(failure.node), units.get(failure.node)
        kubelet = unit.kubelet if unit else None
        if probe is None or probe.serving is not Probe.OK or kubelet is None or unit is None:
            continue
        still = is_broken(apis) or (metrics is not None and failure.node not in metrics.sampled)
        if still and _long_back(kubelet, server, clock) and _persists(failure, kubelet, server, clock):
            proofs = (scrapes.proof.quote(*failure.lines), probe.proof, unit.proof)
            yield _finding(failure, server, apis, proofs)


def _long_back(kubelet: Unit, server: MetricsServer, clock: Clock) -> bool:
    since = kubelet.active_since
    return kubelet.running and since is not None and clock.age(since) > max(3 * server.resolution, LEAST)


def _persists(failure: ScrapeFailure, kubelet: Unit, server: MetricsServer, clock: Clock) -> bool:
    since = kubelet.active_since
    if failure.last is None or since is None or clock.age(failure.last) > STILL:
        return False
    starts = [p.status.start_time for p in server.pods if p.status.start_time]
    return bool(starts) and min(starts) < since < failure.last


def _finding(failure: ScrapeFailure, server: MetricsServer, apis: ApiServices, proofs: tuple[Proof, ...]) -> Finding:
    api = metrics_api(apis)
    return Finding(
        code="METRICS-07",
        reason="stale-state",
        title=T("metrics-server still fails for {node}, whose kubelet is healthy again", node=failure.node),
        detail=T("It holds stale connections; only a restart clears them."),
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED,
        subject=subject(server),
        facts={"node": failure.node, "service": server.service, "group": api.spec.group if api else ""},
        onset=None,
        proofs=proofs,
        fixes=(restart(server),),
    )
