"""NODE-07: the kubelet's client certificate is not valid, or its renewal waits."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.check import check
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import Certificate, Certificates, KubeletLog
from bot.model.host_reach import PendingRequests, SigningRequest
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T, Text

PEM = "/var/lib/kubelet/pki/kubelet-client-current.pem"
SIGNERS = ("kubernetes.io/kube-apiserver-client-kubelet", "kubernetes.io/legacy-unknown")
_REFUSED = re.compile(
    r"part of the existing bootstrap client certificate in \S+ is expired|certificate has expired or is not yet valid"
    r"|Unauthorized|no valid client certificate is found but the server is not responsive"
)
MOST_SHOWN = 2


@check("NODE-07")
def invalid_kubelet_credentials(
    certificates: Certificates,
    clock: Clock,
    log: KubeletLog | None,
    requests: PendingRequests | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """The kubelet's client certificate is expired or not yet valid, or its request for a new one waits.

    Says:
        "The node is NotReady since exactly one year", "Unauthorized in the kubelet's log".
    Evidence:
        Dates of kubelet-client-current.pem; pending certificate requests of this node; the kubelet's log.
    Rule:
        notAfter is past or notBefore in the future; or a request of this node has waited for more than five minutes.
        Confirmed when the log says so too.
    Cause:
        The node was off while the certificate should have been renewed, the signer is down (CTRL-05), the clock is
        wrong
        (NODE-08). It explains NODE-03 and METRICS-06.
    Fix:
        Approve the request after making sure whose it is; when it is expired, bootstrap the node again.
    Verify:
        kubelet-client-current.pem points to a new file, the node is Ready.
    Must not fire:
        Expired files beside it that are not the link's target.
    Reasons:
        - expired: the certificate is expired
        - not-yet-valid: the certificate begins in the future: look at the clock first
        - request-pending: the request for a new one was not approved
    """
    minutes = (expect.thresholds.get("NODE-07", {}) if expect else {}).get("minutes", 5)
    found = next((c for c in certificates.items if c.path == PEM), None)
    waiting = _waiting(requests, certificates.node, clock, minutes * 60)
    reason = _reason(found, clock) or ("request-pending" if waiting else "")
    if not reason:
        return
    hits = [x.text for x in (log.lines if log else ()) if _REFUSED.search(x.text)]
    proofs: list[Proof] = []
    if found:
        proofs.append(certificates.proof.quote(f"{PEM}: notBefore={found.not_before} notAfter={found.not_after}"))
    if waiting and requests:
        proofs.append(requests.proof.quote(f"{waiting.name} {waiting.requestor} {waiting.signer} pending"))
    if log and hits:
        proofs.append(log.proof.quote(*hits[-MOST_SHOWN:]))
    yield Finding(
        code="NODE-07",
        reason=reason,
        title=_title(reason, certificates.node, found),
        severity=Severity.CRIT,
        confidence=Confidence.CONFIRMED if hits else Confidence.LIKELY,
        subject=node(certificates.node),
        facts={
            "node": certificates.node,
            "certificate": PEM,
            "component": "kubelet",
            "not_yet_valid": "true" if reason == "not-yet-valid" else "false",
        },
        onset=found.not_after if found and reason == "expired" else waiting.created if waiting else None,
        proofs=tuple(proofs),
        fixes=tuple(_fixes(waiting, reason)),
    )


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


def _fixes(waiting: SigningRequest | None, reason: str) -> Iterator[Fix]:
    if waiting:
        name = shlex.quote(waiting.name)
        yield Fix(
            what=T("Make sure that the request comes from this node, then approve it."),
            safety=Safety.REVERSIBLE,
            commands=(f"kubectl describe csr {name}", f"kubectl certificate approve {name}"),
            verify=(f"kubectl get csr {name}",),
        )
    if reason == "expired":
        yield Fix(
            what=T("On a control-plane host make a token; on the node put it into a bootstrap kubeconfig and restart."),
            safety=Safety.DISRUPTIVE,
            commands=("sudo kubeadm token create --print-join-command", "sudo systemctl restart kubelet"),
            verify=(f"sudo openssl x509 -noout -dates -in {PEM}",),
        )
