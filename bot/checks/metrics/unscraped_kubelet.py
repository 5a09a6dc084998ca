"""METRICS-03: metrics-server cannot scrape a node's kubelet."""

from __future__ import annotations

import shlex
from collections import Counter
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.check import check
from bot.checks.metrics.about import REFUSED, YOUNG, is_scraped, metrics_api, scraped_since
from bot.model.apis import METRICS, ApiServices, GroupProbes
from bot.model.cluster import Heartbeats, Nodes
from bot.model.evidence import Clock, PerNode
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.health import is_down
from bot.model.host_kubelet import KubeletHealth, Probe
from bot.model.host_system import HostUnits
from bot.model.k8s import Node
from bot.model.lines import ENOUGH, RECENT
from bot.model.metrics import MetricsServer, NodeMetrics, ScrapeFailure, Scrapes
from bot.model.proof import Proof
from bot.model.refs import node as node_subject
from bot.model.text import T

BACK = 180.0
CLUSTER_WIDE = frozenset({"tls", "name", "unauthorized"})
HALF = 0.5
UNAVAILABLE = 503


@dataclass(frozen=True, slots=True)
class _Case:
    """What is known about one node's scrapes."""

    reason: str
    error: str
    onset: datetime | None
    proofs: tuple[Proof, ...]


@check("METRICS-03")
def unscraped_kubelet(
    nodes: Nodes,
    clock: Clock,
    *,
    server: MetricsServer | None,
    scrapes: Scrapes | None,
    metrics: NodeMetrics | None,
    probes: GroupProbes | None,
    apis: ApiServices | None,
    heartbeats: Heartbeats | None,
    health: PerNode[KubeletHealth],
    units: PerNode[HostUnits],
) -> Iterator[Finding]:
    """metrics-server gets no samples from a node.

    Says:
        "kubectl top node shows <unknown> for one node", "the metrics pod's log says: cannot connect to node X".
    Evidence:
        metrics-server's log; the nodes and timestamps in metrics.k8s.io; the kubelet's port 10250 on the node itself.
    Rule:
        The node is older than 2 min and its scrape failures are current, or it is missing from the samples or older
        than 3 resolutions, or the whole API answers 503 while its kubelet does not serve port 10250. Confirmed by two
        of the log, the samples, the node's heartbeat and its port.
    Cause:
        The kubelet of that node does not answer.
    Fix:
        Look into the node.
    Verify:
        The node is back in ``kubectl top nodes`` within two resolutions.
    Must not fire:
        Nodes that are cordoned and off; virtual nodes; nodes younger than 2 min; the same TLS, name or permission error
        on half of the nodes (METRICS-04), or 401 and 403 (METRICS-06); a kubelet that has been back for 3 min
        (METRICS-07); a node with a sample newer than its newest failure.
    Reasons:
        - refused: nothing listens on the kubelet's port
        - timeout: no answer
        - no-route: no way to the node
        - unauthorized: the kubelet does not let metrics-server in
        - tls: the certificate is not accepted
        - name: the node's name does not resolve
        - other: another error
        - missing: no sample and no error seen
        - stale: the newest sample is too old
    """
    failures = {f.node: f for f in (scrapes.failures if scrapes else ()) if _current(f, clock)}
    eligible = [n for n in nodes.items if is_scraped(n, clock)]
    wide = _cluster_wide(failures, len(eligible))
    unavailable = _unavailable(apis, probes)
    silent = {n.name for n in eligible if n.name in failures or (metrics is not None and n.name not in metrics.sampled)}
    for node in eligible:
        failure = failures.get(node.name)
        of_others = failure is not None and (failure.reason in wide or bool(REFUSED.search(failure.error)))
        back = failure is not None and scraped_since(failure, metrics)
        if of_others or back or _is_back(failure, health, units, clock):
            continue
        case = (
            _by_log(failure, scrapes)
            or _by_samples(node.name, metrics, server, clock)
            or _by_port(node.name, health, unavailable)
        )
        if case is not None:
            extra = _agreeing(node, failure, metrics, health, is_down(node.name, nodes, heartbeats, clock))
            yield _finding(node, case, extra, nodes, apis, none_scraped=len(silent) == len(eligible) > 1)


def _current(failure: ScrapeFailure, clock: Clock) -> bool:
    return failure.times >= ENOUGH or (failure.last is not None and clock.age(failure.last) <= RECENT)


def _cluster_wide(failures: dict[str, ScrapeFailure], total: int) -> frozenset[str]:
    counts = Counter(f.reason for f in failures.values())
    return frozenset(r for r, n in counts.items() if r in CLUSTER_WIDE and n > 1 and n >= total * HALF)


def _unavailable(apis: ApiServices | None, probes: GroupProbes | None) -> Proof | None:
    api = metrics_api(apis)
    probe = probes.by_group_version.get(f"{api.spec.group}/{api.spec.version}") if probes and api else None
    return probe.proof if probe and probe.status == UNAVAILABLE else None


def _is_back(
    failure: ScrapeFailure | None, health: PerNode[KubeletHealth], units: PerNode[HostUnits], clock: Clock
) -> bool:
    """The kubelet was started after the failures had begun, answers, and has for longer than metrics-server needs."""
    if failure is None or failure.first is None:
        return False
    probe, unit = health.get(failure.node), units.get(failure.node)
    kubelet = unit.kubelet if unit else None
    since = kubelet.active_since if kubelet and kubelet.running else None
    return bool(probe and probe.serving is Probe.OK and since and since > failure.first and clock.age(since) > BACK)


def _by_log(failure: ScrapeFailure | None, scrapes: Scrapes | None) -> _Case | None:
    if failure is None or scrapes is None:
        return None
    return _Case(failure.reason, failure.error, failure.began, (scrapes.proof.quote(*failure.lines),))


def _by_samples(name: str, metrics: NodeMetrics | None, server: MetricsServer | None, clock: Clock) -> _Case | None:
    if metrics is None or not metrics.sampled:
        return None
    if name not in metrics.sampled:
        return _Case("missing", "", None, (metrics.proof.quote(f"{name}: no sample"),))
    at = metrics.sampled[name]
    limit = 3 * (server.resolution if server else 60)
    if at is not None and clock.age(at) > max(limit, YOUNG):
        return _Case("stale", "", at, (metrics.proof.quote(f"{name}: newest sample {at:%Y-%m-%d %H:%M:%S} UTC"),))
    return None


def _by_port(name: str, health: PerNode[KubeletHealth], unavailable: Proof | None) -> _Case | None:
    """No sample can be seen at all, and the node itself says that nobody can scrape it."""
    probe = health.get(name)
    if unavailable is None or probe is None or probe.serving not in {Probe.REFUSED, Probe.TIMEOUT}:
        return None
    return _Case(probe.serving.value, f"port 10250: {probe.serving.value}", None, (probe.proof, unavailable))


def _agreeing(
    node: Node,
    failure: ScrapeFailure | None,
    metrics: NodeMetrics | None,
    health: PerNode[KubeletHealth],
    down: bool | None,
) -> int:
    """How many independent sources say that the node cannot be scraped."""
    probe = health.get(node.name)
    closed = probe is not None and probe.serving in {Probe.REFUSED, Probe.TIMEOUT}
    unsampled = metrics is not None and bool(metrics.sampled) and node.name not in metrics.sampled
    return sum((failure is not None, closed, unsampled, down is True))


def _finding(
    node: Node, case: _Case, sources: int, nodes: Nodes, apis: ApiServices | None, *, none_scraped: bool
) -> Finding:
    api = metrics_api(apis)
    return Finding(
        code="METRICS-03",
        reason=case.reason,
        title=T("metrics-server gets nothing from {node}: {reason}", node=node.name, reason=case.error or case.reason),
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED if sources > 1 else Confidence.LIKELY,
        subject=node_subject(node.name),
        facts={
            "node": node.name,
            "none_scraped": none_scraped,
            "group": api.spec.group if api else METRICS,
            "of_nodes": len(nodes.items),
        },
        onset=case.onset,
        proofs=case.proofs,
        fixes=(
            Fix(
                what=T("Look into the node: its kubelet does not answer."),
                safety=Safety.READ_ONLY,
                commands=(f"kubewhy node-why {shlex.quote(node.name)}",),
                verify=("kubectl top nodes",),
            ),
        ),
    )
