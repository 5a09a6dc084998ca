"""ETCD-04: rejected connections in etcd's log that mean nothing."""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterator

from bot.check import check
from bot.checks.etcd.about import HARMLESS, Rejected, etcd_fails, members, rejected
from bot.model.cluster import ApiHealth, ControlPlaneLogs, KubernetesEndpoints, Nodes
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.lines import span
from bot.model.refs import cluster
from bot.model.text import T


@check("ETCD-04")
def harmless_rejected_connections(
    logs: ControlPlaneLogs,
    health: ApiHealth,
    clock: Clock,
    nodes: Nodes | None,
    endpoints: KubernetesEndpoints | None,
) -> Iterator[Finding]:
    """Etcd's log is full of rejected connections, and etcd is well.

    Says:
        "the etcd log is full of rejected connections, that must be it".
    Evidence:
        etcd's log: who was rejected and with which error; the API server's health check of etcd.
    Rule:
        Every error is EOF, no TLS handshake, reset or timeout (or a bad certificate of somebody who is no member and no
        API server), and the API server's etcd checks are ok. Noise: never the cause of anything.
    Cause:
        Probes, load balancers and scanners open and close the port without TLS.
    Fix:
        None is needed; give the prober the metrics port or a client certificate.
    Verify:
        Not needed.
    Must not fire:
        Certificate errors of a member or an API server (ETCD-05); an etcd that fails.
    Reasons:
        - probes: connections without a request
    """
    lines = rejected(logs, clock)
    legitimate = members(nodes, endpoints)
    if not lines or etcd_fails(health) or not all(_harmless(r, legitimate) for r in lines):
        return
    senders = Counter(r.address for r in lines)
    first, last = span(r.line for r in lines)
    minutes = max((last - first).total_seconds() / 60, 1.0) if first and last else 1.0
    yield Finding(
        code="ETCD-04",
        reason="probes",
        title=T(
            "etcd rejects connections of {who} ({rate} a minute): noise, etcd answers",
            who=tuple(address for address, _ in senders.most_common(3)),
            rate=round(len(lines) / minutes),
        ),
        severity=Severity.NOISE,
        confidence=Confidence.CONFIRMED,
        subject=cluster(),
        facts={"addresses": tuple(senders), "component": "etcd"},
        proofs=(
            lines[-1].log.proof.quote(*(r.line.text for r in lines[-3:])),
            health.proof.quote("[+]etcd ok"),
        ),
        fixes=(
            Fix(
                what=T("Nothing to do; point the prober at /health of the metrics port if the lines disturb."),
                safety=Safety.READ_ONLY,
                commands=("curl -s http://127.0.0.1:2381/health",),
            ),
        ),
    )


def _harmless(line: Rejected, legitimate: frozenset[str]) -> bool:
    stranger = line.address not in legitimate
    return bool(HARMLESS.search(line.error)) or (stranger and "tls: bad certificate" in line.error)
