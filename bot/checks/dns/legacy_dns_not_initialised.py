"""DNS-18: kube-dns of old clusters that does not become ready."""

from __future__ import annotations

from collections.abc import Iterator

from bot.check import check
from bot.checks.dns.about import facts_of, shown, workload_of
from bot.model.dns import DnsPods, DnsService, DnsWorkload, Flavour
from bot.model.dns_judge import Heard, heard, last_words
from bot.model.dns_logs import DnsLogs, Saying
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity, Stage
from bot.model.text import T


@check("DNS-18")
def legacy_dns_not_initialised(
    pods: DnsPods, logs: DnsLogs, clock: Clock, service: DnsService | None, workload: DnsWorkload | None
) -> Iterator[Finding]:
    """kube-dns of an old cluster is not initialised.

    Says:
        "kube-dns CrashLoopBackOff, 2/3 ready."
    Evidence:
        the containers kubedns, dnsmasq and sidecar, their readiness, and their logs.
    Rule:
        A pod with those containers that is not ready, and a log that tells of lost forwards (the branch of DNS-03) or
        of lost connections to the API server (the branch of DNS-04).
    Cause:
        As the branch: a FORWARD policy of DROP first (NET-06), then forwarding (NET-07), then the upstream's filter
        (DNS-10).
    Fix:
        That of the branch; plan the move to CoreDNS.
    Verify:
        3/3 ready, some minutes after the fix.
    Must not fire:
        CoreDNS; kube-dns that is ready. Where the provider still maintains kube-dns it is not called obsolete.
    Reasons:
        - forward-timeout: questions that were passed on get no answer
        - api-timeout: it never read Services and endpoints
    """
    if pods.flavour is not Flavour.KUBE_DNS:
        return
    unready = [p for p in pods.live if not p.ready]
    lost = {h.log.pod: h for h in _said(logs, pods, clock, Saying.UPSTREAM)}
    api = {h.log.pod: h for h in _said(logs, pods, clock, Saying.API, Saying.API_WAIT, Saying.UNSYNCED)}
    hit = [p for p in unready if p.path in lost or p.path in api]
    if not hit:
        return
    forward = any(p.path in lost for p in hit)
    proofs = tuple((lost.get(p.path) or api[p.path]).proof for p in hit)
    total = len(hit[0].status.container_statuses or ())
    ready = sum(c.ready for c in hit[0].status.container_statuses or ())
    yield Finding(
        code="DNS-18",
        reason="forward-timeout" if forward else "api-timeout",
        title=T("kube-dns is {ready}/{total} ready: what it passes on gets no answer", ready=ready, total=total)
        if forward
        else T("kube-dns is {ready}/{total} ready: it does not reach the API server", ready=ready, total=total),
        severity=Severity.CRIT,
        confidence=Confidence.CONFIRMED,
        subject=workload_of(pods, workload),
        facts=facts_of(hit, service),
        proofs=(*proofs, shown(pods, hit)),
        fixes=() if _maintained(pods) else (_migrate(),),
    )


def _said(logs: DnsLogs, pods: DnsPods, clock: Clock, *about: Saying) -> tuple[Heard, ...]:
    return (*heard(logs, clock, *about), *(h for p in pods.live for h in last_words(logs, p, clock, *about)))


def _maintained(pods: DnsPods) -> bool:
    """Whether the image is the one that GKE still maintains."""
    images = (c.image for p in pods.items for c in p.spec.containers or ())
    return any("gke.gcr.io" in image or "gke-release" in image for image in images)


def _migrate() -> Fix:
    return Fix(
        what=T("Plan the move from kube-dns to CoreDNS: kube-dns is no longer developed."),
        safety=Safety.DISRUPTIVE,
        stage=Stage.POSTURE,
    )
