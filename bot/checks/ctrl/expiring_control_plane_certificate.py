"""CTRL-12: certificates of the control plane are expired or soon will be."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.check import Result, check
from bot.model.cluster import ControlPlaneLogs
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, RuledOut, Safety, Severity
from bot.model.host import Certificate, Certificates
from bot.model.lines import current
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T, Text

DAY = 86400.0
_EXPIRED = re.compile(r"x509: certificate has expired or is not yet valid")
OF = {
    "apiserver": "kube-apiserver",
    "apiserver-kubelet-client": "kube-apiserver",
    "apiserver-etcd-client": "kube-apiserver",
    "front-proxy-client": "kube-apiserver",
    "front-proxy-ca": "kube-apiserver",
    "ca": "kube-apiserver",
    "etcd/server": "etcd",
    "etcd/peer": "etcd",
    "etcd/healthcheck-client": "etcd",
    "etcd/ca": "etcd",
}
PKI = "/etc/kubernetes/pki/"
HELD = {
    "/etc/kubernetes/controller-manager.conf": "kube-controller-manager",
    "/etc/kubernetes/scheduler.conf": "kube-scheduler",
}


@check("CTRL-12")
def expiring_control_plane_certificate(
    certificates: Certificates, clock: Clock, logs: ControlPlaneLogs | None, expect: Expectations | None
) -> Iterator[Result]:
    """A certificate that the control plane uses is expired, or will be within 30 days.

    Says:
        "x509: certificate has expired", everywhere at once.
    Evidence:
        notAfter of the certificates that the components on this host use, files and those that their kubeconfigs hold;
        x509 errors in the control-plane logs.
    Rule:
        notAfter is past: outage; within 7 days: high; within 30 days: warn. Confirmed when a log says so now, too.
    Cause:
        kubeadm's one-year certificates were not renewed. It explains CTRL-01, CTRL-05, CTRL-06, ETCD-01, NODE-07,
        APISVC-04.
    Fix:
        Renew the certificates and restart the static pods.
    Verify:
        kubeadm certs check-expiration shows new dates.
    Must not fire:
        Files that no component here uses; a CA that has more than a year left.
    Reasons:
        - expired: notAfter is past
        - expires-within-a-week: less than seven days are left
        - expires-within-a-month: less than thirty days are left
    """
    ours = [
        c for c in certificates.items if c.path != certificates.kubelet and (c.path.startswith(PKI) or c.path in HELD)
    ]
    if not ours:
        return
    limits = {"days": 30.0, "high_days": 7.0, **(expect.thresholds.get("CTRL-12", {}) if expect else {})}
    worst = min(ours, key=lambda c: c.not_after)
    left = -clock.age(worst.not_after) / DAY
    subject = node(certificates.node)
    if left >= limits["days"]:
        because = T(
            "the control-plane certificates of {node} are valid until {time} or longer",
            node=certificates.node,
            time=worst.not_after,
        )
        yield RuledOut(code="CTRL-12", subject=subject, because=because, proofs=(certificates.proof,))
        return
    due = tuple(c for c in ours if -clock.age(c.not_after) / DAY < limits["days"])
    reason = (
        "expired" if left < 0 else "expires-within-a-week" if left < limits["high_days"] else "expires-within-a-month"
    )
    told = tuple(_told(logs, clock)) if reason == "expired" else ()
    yield Finding(
        code="CTRL-12",
        reason=reason,
        title=_title(reason, certificates.node, worst, len(due)),
        severity={"expired": Severity.CRIT, "expires-within-a-week": Severity.HIGH}.get(reason, Severity.WARN),
        confidence=Confidence.CONFIRMED if told else Confidence.LIKELY,
        subject=subject,
        facts={
            "node": certificates.node,
            "certificate": tuple(c.path for c in due),
            "component": tuple(dict.fromkeys(component for c in due if (component := _component(c)))),
            "expires": worst.not_after.isoformat(),
        },
        onset=worst.not_after if reason == "expired" else None,
        proofs=(certificates.proof.quote(*(f"{c.path}: notAfter={c.not_after.isoformat()}" for c in due)), *told),
        fixes=(_renew(),),
    )


def _component(found: Certificate) -> str:
    """Who uses it; empty when nobody is known to."""
    return HELD.get(found.path) or OF.get(found.path.removeprefix(PKI).removesuffix(".crt"), "")


def _told(logs: ControlPlaneLogs | None, clock: Clock) -> Iterator[Proof]:
    for log in (x for group in (logs.by_component.values() if logs else ()) for x in group):
        hits = [line.text for line in current(log.lines, _EXPIRED, clock)]
        if hits and not log.previous:
            yield log.proof.quote(*hits[-2:])


def _title(reason: str, name: str, worst: Certificate, count: int) -> Text:
    if reason == "expired":
        return T("{count} control-plane certificates of {node} are expired", count=count, node=name)
    return T("{path} of {node} expires at {time}", path=worst.path, node=name, time=worst.not_after)


def _renew() -> Fix:
    return Fix(
        what=T("On the control-plane host: renew all certificates, then restart the static pods one after the other."),
        safety=Safety.DISRUPTIVE,
        commands=(
            "sudo cp -a /etc/kubernetes /etc/kubernetes.before-renewal",
            "sudo kubeadm certs renew all",
            "sudo crictl ps -q --name 'kube-apiserver|kube-controller|kube-scheduler|etcd' | xargs sudo crictl stop",
        ),
        verify=("sudo kubeadm certs check-expiration",),
    )
