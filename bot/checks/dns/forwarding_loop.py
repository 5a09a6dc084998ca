"""DNS-11: CoreDNS that forwards to itself."""

from __future__ import annotations

from collections.abc import Iterator

from bot.check import check
from bot.checks.dns.about import facts_of, shown, subject_of
from bot.model.dns import Corefile, DnsPods, DnsService, DnsWorkload, NodeResolv
from bot.model.dns_judge import last_words
from bot.model.dns_logs import DnsLogs, Saying
from bot.model.evidence import Clock, PerNode
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.text import T

REAL = "/run/systemd/resolve/resolv.conf"
SED = f"sudo sed -i 's#^resolvConf:.*#resolvConf: {REAL}#' /var/lib/kubelet/config.yaml"


@check("DNS-11")
def forwarding_loop(
    *,
    pods: DnsPods,
    logs: DnsLogs,
    clock: Clock,
    corefile: Corefile | None,
    resolvers: PerNode[NodeResolv],
    service: DnsService | None,
    workload: DnsWorkload | None,
) -> Iterator[Finding]:
    """CoreDNS forwards to itself.

    Says:
        "coredns is in CrashLoopBackOff since the installation."
    Evidence:
        the log before the restart, the Corefile, resolv.conf of the node.
    Rule:
        The plugin loop ended CoreDNS at its last start.
    Cause:
        CoreDNS forwards to a resolv.conf that names a loopback resolver (127.0.0.53, ::1), which is itself.
    Fix:
        Point the kubelet to the real file, or name upstreams in the Corefile.
    Verify:
        No FATAL line in the log.
    Must not fire:
        A loop line of an earlier start, when CoreDNS runs on.
    Reasons:
        - stub-resolver: resolv.conf of the node names a loopback resolver
        - loop: the log says so; what leads to itself was not seen
    """
    words = {p.path: last_words(logs, p, clock, Saying.LOOP) for p in pods.live}
    hit = [p for p in pods.live if words[p.path]]
    if not hit:
        return
    stubs = [r for p in hit if (r := resolvers.get(p.spec.node_name or "")) and r.stub]
    by_file = corefile is not None and corefile.by_resolv_conf and bool(stubs)
    yield Finding(
        code="DNS-11",
        reason="stub-resolver" if by_file else "loop",
        title=T("CoreDNS forwards to itself: resolv.conf of its node names {stub}", stub=stubs[0].stub)
        if by_file
        else T("CoreDNS forwards to itself and ends at once"),
        severity=Severity.CRIT,
        confidence=Confidence.CONFIRMED,
        subject=subject_of(hit, pods, workload),
        facts=facts_of(hit, service),
        proofs=(*(h.proof for p in hit for h in words[p.path]), shown(pods, hit), *(r.proof for r in stubs)),
        fixes=(
            Fix(
                what=T("Let kubelets hand out the real resolv.conf, then recreate the DNS pods."),
                safety=Safety.DISRUPTIVE,
                commands=(
                    SED,
                    "sudo systemctl restart kubelet",
                    "kubectl -n kube-system rollout restart deploy/coredns",
                ),
                verify=("kubectl -n kube-system logs -l k8s-app=kube-dns --tail=20",),
            ),
        ),
    )
