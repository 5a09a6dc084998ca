"""DNS-17: CoreDNS that may not read what it serves."""

from __future__ import annotations

from collections.abc import Iterator

from bot.check import check
from bot.checks.dns.about import facts_of, shown, workload_of
from bot.model.dns import DnsPods, DnsService, DnsWorkload
from bot.model.dns_answers import Asked, ClusterAnswers
from bot.model.dns_judge import at, fails, heard
from bot.model.dns_logs import DnsLogs, Saying
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.text import T

PATCH = (
    "kubectl patch clusterrole system:coredns --type=json -p "
    '\'[{"op":"add","path":"/rules/-","value":{"apiGroups":["discovery.k8s.io"],'
    '"resources":["endpointslices"],"verbs":["list","watch"]}}]\''
)


@check("DNS-17")
def dns_without_permission(
    *,
    pods: DnsPods,
    logs: DnsLogs,
    clock: Clock,
    answers: ClusterAnswers | None,
    service: DnsService | None,
    workload: DnsWorkload | None,
) -> Iterator[Finding]:
    """CoreDNS lacks a permission.

    Says:
        "Service names stopped resolving after the upgrade of CoreDNS."
    Evidence:
        logs of the DNS pods; readiness; answers for the cluster's own name (Q2).
    Rule:
        The API server refuses CoreDNS a list or watch now.
    Cause:
        ClusterRole system:coredns without endpointslices of discovery.k8s.io, or a lost binding.
    Fix:
        Add the rule.
    Verify:
        The log is clean.
    Must not fire:
        A refusal of an earlier start.
    Reasons:
        - forbidden: the log names the resource
    """
    hits = [h for h in heard(logs, clock, Saying.FORBIDDEN) if pods.get(h.log.pod)]
    if not hits:
        return
    hit = list({p.path: p for h in hits if (p := pods.get(h.log.pod))}.values())
    resources = tuple(sorted({s.target for h in hits for s in h.said}))
    user = next((s.name for h in hits for s in h.said if s.name), "")
    own = at((answers.replies if answers else ()), [p.status.pod_ip or "" for p in hit], Asked.Q2)
    second = fails(own) or not any(p.ready for p in hit)
    yield Finding(
        code="DNS-17",
        reason="forbidden",
        title=T("CoreDNS may not list {resources}", resources=resources),
        detail=T("The API server refuses {user}.", user=user),
        severity=Severity.CRIT,
        confidence=Confidence.CONFIRMED if second else Confidence.LIKELY,
        subject=workload_of(pods, workload),
        facts=facts_of(hit, service, resources=resources, user=user),
        proofs=(*(h.proof for h in hits), shown(pods, hit), *(r.proof for r in own)),
        fixes=(
            Fix(
                what=T("Let the ClusterRole system:coredns list and watch endpointslices."),
                safety=Safety.REVERSIBLE,
                commands=(
                    "kubectl get clusterrolebinding system:coredns -o yaml",
                    PATCH,
                ),
                verify=("kubectl -n kube-system logs -l k8s-app=kube-dns --tail=20",),
            ),
        ),
    )
