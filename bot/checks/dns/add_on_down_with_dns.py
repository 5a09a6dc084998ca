"""DNS-19: an add-on that crash-loops because names do not resolve."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.check import check
from bot.model.dns import DnsEndpoints, DnsPods, DnsService
from bot.model.dns_answers import Asked, ClusterAnswers
from bot.model.dns_judge import at, crash_looping, fails, heard
from bot.model.dns_logs import AddOn, CrashingAddOns, DnsLogs, Saying
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity, Stage
from bot.model.refs import Subject
from bot.model.text import T

LAST = 12
LOOKUP = re.compile(
    r"dial tcp: lookup \S+( on \S+)?: (no such host|.*i/o timeout|.*Temporary failure)"
    r"|Error while initializing connection to Kubernetes apiserver"
)
TROUBLE = (Saying.UPSTREAM, Saying.NO_UPSTREAM, Saying.API, Saying.UNSYNCED, Saying.FORBIDDEN)


@check("DNS-19")
def add_on_down_with_dns(
    *,
    addons: CrashingAddOns,
    pods: DnsPods,
    clock: Clock,
    service: DnsService | None,
    endpoints: DnsEndpoints | None,
    logs: DnsLogs | None,
    answers: ClusterAnswers | None,
) -> Iterator[Finding]:
    """An add-on crash-loops because cluster DNS is down.

    Says:
        "The Dashboard is in CrashLoopBackOff."
    Evidence:
        the end of the add-on's log; the state of cluster DNS.
    Rule:
        The add-on waits in CrashLoopBackOff, the last thing it said is a failed lookup, and cluster DNS is in trouble.
    Cause:
        It depends on cluster DNS (DNS-02, DNS-03, DNS-04, DNS-07, DNS-18).
    Fix:
        Repair DNS; the pod recovers by itself at its next start, at most 5 minutes later.
    Verify:
        The pod runs.
    Must not fire:
        Its log ends with another error; cluster DNS works.
    Reasons:
        - lookup-failed: its last words are a failed lookup
    """
    trouble = _trouble(pods, endpoints, logs, clock) or bool(
        service and fails(at((answers.replies if answers else ()), (service.address,), Asked.Q1))
    )
    seen: set[str] = set()
    for item in addons.items if trouble else ():
        line = _last_lookup(item)
        if not line or item.pod.path in seen:
            continue
        seen.add(item.pod.path)
        meta = item.pod.metadata
        owner = (meta.labels or {}).get("k8s-app") or meta.name
        yield Finding(
            code="DNS-19",
            reason="lookup-failed",
            title=T("{addon} crash-loops because it cannot resolve names", addon=owner),
            severity=Severity.HIGH,
            confidence=Confidence.CONFIRMED,
            subject=Subject("Pod", meta.name, meta.namespace),
            facts={
                "pod": item.pod.path,
                "node": item.pod.spec.node_name or "",
                "cluster_first": item.pod.spec.dns_policy.startswith("ClusterFirst"),
            },
            proofs=(item.log.proof.quote(line), addons.proof),
            fixes=(
                Fix(
                    what=T("Repair DNS. The pod recovers by itself at its next start, at most 5 minutes later."),
                    safety=Safety.READ_ONLY,
                    verify=(f"kubectl -n {meta.namespace} get pod {meta.name}",),
                    stage=Stage.CONSUMERS,
                ),
            ),
        )


def _trouble(pods: DnsPods, endpoints: DnsEndpoints | None, logs: DnsLogs | None, clock: Clock) -> bool:
    """Whether cluster DNS is in trouble by its objects or by its own words."""
    empty = endpoints is not None and endpoints.ready == 0
    return empty or any(crash_looping(p) for p in pods.live) or bool(logs and heard(logs, clock, *TROUBLE))


def _last_lookup(item: AddOn) -> str:
    """The failed lookup among the last lines of the log, empty when its end tells of something else."""
    lines = [line.text for line in item.log.lines if line.text.strip()][-LAST:]
    return next((line for line in reversed(lines) if LOOKUP.search(line)), "")
