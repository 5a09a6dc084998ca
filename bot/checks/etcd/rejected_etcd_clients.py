"""ETCD-05: etcd rejects legitimate clients or peers because of their certificates."""

from __future__ import annotations

from collections.abc import Iterator

from bot.check import check
from bot.checks.etcd.about import TLS, Rejected, etcd_fails, members, rejected
from bot.model.cluster import ApiHealth, ControlPlaneLogs, KubernetesEndpoints, Nodes
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, RuledOut, Safety, Severity
from bot.model.lines import is_current, span
from bot.model.refs import cluster
from bot.model.text import T


@check("ETCD-05")
def rejected_etcd_clients(
    logs: ControlPlaneLogs,
    health: ApiHealth,
    clock: Clock,
    nodes: Nodes | None,
    endpoints: KubernetesEndpoints | None,
) -> Iterator[Finding | RuledOut]:
    """Etcd refuses API servers or members: their certificate is not accepted.

    Says:
        "x509 errors in the etcd log", "the API server cannot reach etcd".
    Evidence:
        etcd's log with the rejected address and the TLS error; addresses of API servers and control-plane nodes; the
        API server's health check of etcd.
    Rule:
        A current TLS error from an API server's or member's address, and the API server reports etcd as failed:
        confirmed. Without the failed health check only possible.
    Cause:
        Expired or wrong certificates, clock skew, a stray member.
    Fix:
        Reissue the certificates, correct the time, stop the stray.
    Verify:
        The health checks of etcd pass.
    Must not fire:
        Addresses that are no member and no API server; EOF and other noise (ETCD-04).
    Reasons:
        - certificate: the certificate of a legitimate client is refused
    """
    legitimate = members(nodes, endpoints)
    bad = tuple(r for r in rejected(logs, clock) if TLS.search(r.error) and r.address in legitimate)
    if not is_current((r.line for r in bad), clock):
        if logs.by_component.get("etcd") and not etcd_fails(health):
            yield RuledOut(
                code="ETCD-05",
                subject=cluster(),
                because=T("etcd rejects no API server and no member, and its health checks pass"),
                proofs=(logs.by_component["etcd"][0].proof, health.proof),
            )
        return
    yield _finding(bad, health)


def _finding(bad: tuple[Rejected, ...], health: ApiHealth) -> Finding:
    failed = etcd_fails(health)
    addresses = tuple(dict.fromkeys(r.address for r in bad))
    return Finding(
        code="ETCD-05",
        reason="certificate",
        title=T("etcd refuses {who}: {error}", who=addresses, error=bad[-1].error),
        severity=Severity.CRIT,
        confidence=Confidence.CONFIRMED if failed else Confidence.POSSIBLE,
        subject=cluster(),
        facts={"addresses": addresses, "component": "etcd", "legitimate": True},
        onset=span(r.line for r in bad)[0],
        proofs=(bad[-1].log.proof.quote(*(r.line.text for r in bad[-3:])), health.proof),
        fixes=(
            Fix(
                what=T("Look at the dates and names of the certificates that etcd and the API server use."),
                safety=Safety.READ_ONLY,
                commands=("sudo kubeadm certs check-expiration",),
                verify=("kubectl get --raw '/readyz?verbose' | grep etcd",),
            ),
        ),
    )
