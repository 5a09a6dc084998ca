"""METRICS-10: metrics-server runs and has no samples."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.metrics.about import is_broken, subject
from bot.model.apis import ApiServices
from bot.model.cluster import Log, LogLine
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.k8s import Pod
from bot.model.lines import is_current, matching
from bot.model.metrics import MetricsServer, Scrapes
from bot.model.text import T

STARTUP = 90.0
STARVED = re.compile(r"no metrics to serve|needs at least 2 scrapes to serve metrics|last tick wasn't healthy")


@check("METRICS-10")
def metrics_server_with_nothing_to_serve(
    server: MetricsServer, scrapes: Scrapes, clock: Clock, apis: ApiServices | None
) -> Iterator[Finding]:
    """metrics-server runs, but is not ready because it has nothing to serve.

    Says:
        "metrics-server is Running 0/1".
    Evidence:
        Its log: failed readiness probe metric-storage-ready; the start of its container.
    Rule:
        The line is current more than 90 s after the container's start, and the pod is not ready. Confirmed when the
        APIService is not available; else likely.
    Cause:
        No node could be scraped: METRICS-04, METRICS-05, METRICS-06.
    Fix:
        Repair what stops the scraping.
    Verify:
        The pod is Ready.
    Must not fire:
        The first two scrape intervals after a start.
    Reasons:
        - no-samples: nothing was scraped
    """
    hits: list[tuple[Pod, Log, tuple[LogLine, ...]]] = []
    for pod in server.pods:
        for log in scrapes.logs:
            lines = matching(log, STARVED, clock)
            if (
                log.origin.startswith(f"{pod.path}/")
                and not log.previous
                and not pod.ready
                and is_current(lines, clock)
            ):
                hits += [(pod, log, lines)] if _started_long_ago(pod, clock) else []
    if hits:
        yield _finding(server, hits, broken=is_broken(apis))


def _started_long_ago(pod: Pod, clock: Clock) -> bool:
    starts = [s.state.running.started_at for s in pod.status.container_statuses or () if s.state.running]
    return bool(starts) and all(at is not None and clock.age(at) > STARTUP for at in starts)


def _finding(server: MetricsServer, hits: list[tuple[Pod, Log, tuple[LogLine, ...]]], *, broken: bool) -> Finding:
    pod, log, lines = hits[0]
    where = f"{shlex.quote(pod.metadata.namespace or '')} logs {shlex.quote(pod.metadata.name)}"
    return Finding(
        code="METRICS-10",
        reason="no-samples",
        title=T("metrics-server runs, but has nothing to serve: no node was scraped"),
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED if broken else Confidence.LIKELY,
        subject=subject(server),
        facts={
            "service": server.service,
            "pods": tuple(p.path for p, _, _ in hits),
            "nodes": tuple(dict.fromkeys(p.spec.node_name for p, _, _ in hits if p.spec.node_name)),
        },
        onset=None,
        proofs=(log.proof.quote(*(line.text for line in lines[-2:])), server.proof.quote(f"{pod.path}: not ready")),
        fixes=(
            Fix(
                what=T("See which error ends the scraping."),
                safety=Safety.READ_ONLY,
                commands=(f"kubectl -n {where} --tail=50",),
                verify=("kubectl top nodes",),
            ),
        ),
    )
