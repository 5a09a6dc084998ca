"""NODE-07: the kubelet's client certificate is not valid, or its renewal waits."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.node.about import kubelet_of, last_start
from bot.checks.node.repairs import new_kubeconfig
from bot.model.cluster import LogLine
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import Certificate, Certificates, HostUnits, KubeletLog, Unit
from bot.model.host_reach import PendingRequests, SigningRequest
from bot.model.lines import current
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T, Text

SIGNERS = ("kubernetes.io/kube-apiserver-client-kubelet", "kubernetes.io/legacy-unknown")
_REFUSED = re.compile(
    r"part of the existing bootstrap client certificate in \S+ is expired|certificate has expired or is not yet valid"
    r"|Unauthorized|no valid client certificate is found but the server is not responsive"
)
MOST_SHOWN = 2


@check("NODE-07")
def invalid_kubelet_credentials(
    *,
    certificates: Certificates,
    clock: Clock,
    units: HostUnits | None,
    log: KubeletLog | None,
    requests: PendingRequests | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """The kubelet's client certificate is expired or not yet valid, or its request for a new one waits.

    Says:
        "The node is NotReady since exactly one year", "Unauthorized in the kubelet's log".
    Evidence:
        Dates of the certificate that the kubelet uses (kubelet-client-current.pem, or where its flags and kubeconfig
        say); pending certificate requests of this node; the kubelet's log.
    Rule:
        notAfter is past or notBefore in the future; or a request of this node has waited for more than five minutes
        (high while the old certificate is valid). Confirmed when the log says so now, or in the last start of a kubelet
        that does not run.
    Cause:
        The node was off while the certificate should have been renewed, the signer is down (CTRL-05), the clock is
        wrong (NODE-08). It explains NODE-03 when the last start ended at it, and METRICS-06.
    Fix:
        Approve the request after making sure whose it is; when it is expired, give the kubelet a new kubeconfig.
    Verify:
        The kubelet's certificate has new dates, the node is Ready.
    Must not fire:
        Expired files beside it that are not the link's target.
    Reasons:
        - expired: the certificate is expired
        - not-yet-valid: the certificate begins in the future: look at the clock first
        - request-pending: the request for a new one was not approved
    """
    minutes = (expect.thresholds.get("NODE-07", {}) if expect else {}).get("minutes", 5)
    path = certificates.kubelet
    found = next((c for c in certificates.items if c.path == path), None)
    waiting = _waiting(requests, certificates.node, clock, minutes * 60)
    reason = _reason(found, clock) or ("request-pending" if waiting else "")
    if not reason:
        return
    kubelet = kubelet_of(units) if units else None
    hits = [x.text for x in _said(log, kubelet, clock)]
    proofs: list[Proof] = []
    if found:
        proofs.append(certificates.proof.quote(f"{path}: notBefore={found.not_before} notAfter={found.not_after}"))
    if waiting and requests:
        proofs.append(requests.proof.quote(f"{waiting.name} {waiting.requestor} {waiting.signer} pending"))
    if log and hits:
        proofs.append(log.proof.quote(*hits[-MOST_SHOWN:]))
    yield Finding(
        code="NODE-07",
        reason=reason,
        title=_title(reason, certificates.node, found),
        severity=Severity.HIGH if reason == "request-pending" and found else Severity.CRIT,
        confidence=Confidence.CONFIRMED if hits else Confidence.LIKELY,
        subject=node(certificates.node),
        facts={
            "node": certificates.node,
            "certificate": path,
            "component": "kubelet",
            "at_start": "true" if hits and kubelet and kubelet.down else "false",
            "not_yet_valid": "true" if reason == "not-yet-valid" else "false",
        },
        onset=found.not_after if found and reason == "expired" else waiting.created if waiting else None,
        proofs=tuple(proofs),
        fixes=tuple(_fixes(certificates.node, path, waiting, reason)),
    )


def _said(log: KubeletLog | None, kubelet: Unit | None, clock: Clock) -> tuple[LogLine, ...]:
    """The refusals that count: those of the last start of a kubelet that is down, else what is current."""
    if log and kubelet and kubelet.down:
        return tuple(x for x in last_start(log, kubelet) if _REFUSED.search(x.text))
    return current(log.lines, _REFUSED, clock, kubelet.active_since if kubelet else None) if log else ()


def _reason(found: Certificate | None, clock: Clock) -> str:
    if found is None:
        return ""
    if found.not_after < clock.now:
        return "expired"
    return "not-yet-valid" if found.not_before and found.not_before > clock.now else ""


def _waiting(requests: PendingRequests | None, name: str, clock: Clock, limit: float) -> SigningRequest | None:
    ours = f"system:node:{name}"
    items = requests.items if requests else ()
    old = [
        r for r in items if r.requestor == ours and r.signer in SIGNERS and r.created and clock.age(r.created) > limit
    ]
    return old[0] if old else None


def _title(reason: str, name: str, found: Certificate | None) -> Text:
    if reason == "expired" and found:
        return T("the kubelet's certificate on {node} expired at {time}", node=name, time=found.not_after)
    if reason == "not-yet-valid" and found and found.not_before:
        return T("the kubelet's certificate on {node} is not valid before {time}", node=name, time=found.not_before)
    return T("the kubelet of {node} waits for the approval of its new certificate", node=name)


def _fixes(name: str, path: str, waiting: SigningRequest | None, reason: str) -> Iterator[Fix]:
    if waiting:
        request = shlex.quote(waiting.name)
        yield Fix(
            what=T("Make sure that the request comes from this node, then approve it."),
            safety=Safety.REVERSIBLE,
            commands=(f"kubectl describe csr {request}", f"kubectl certificate approve {request}"),
            verify=(f"kubectl get csr {request}", f"kubectl get node {shlex.quote(name)}"),
        )
    if reason == "not-yet-valid":
        yield Fix(
            what=T("On the node and on a control-plane host: compare the clocks, then the dates of the certificate."),
            safety=Safety.READ_ONLY,
            commands=("date -u", f"sudo openssl x509 -noout -dates -in {shlex.quote(path)}"),
        )
    if reason == "expired":
        yield new_kubeconfig(name, path)
