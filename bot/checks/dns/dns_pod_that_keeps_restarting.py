"""DNS-02: a DNS pod that flaps between Running and CrashLoopBackOff."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.dns.about import facts_of, scale_up, shown, subject_of
from bot.model.dns import DnsEvents, DnsPods, DnsService, DnsWorkload
from bot.model.dns_judge import crash_looping, first_seen, is_fresh, keeps_restarting
from bot.model.dns_logs import DnsLogs
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.k8s import Event, Pod
from bot.model.proof import Proof
from bot.model.text import T

TELLING = ("BackOff", "Unhealthy", "Killing")


@check("DNS-02")
def dns_pod_that_keeps_restarting(
    *,
    pods: DnsPods,
    clock: Clock,
    events: DnsEvents | None,
    logs: DnsLogs | None,
    service: DnsService | None,
    workload: DnsWorkload | None,
) -> Iterator[Finding]:
    """A DNS pod crash-loops or flaps between Running and CrashLoopBackOff.

    Says:
        "CoreDNS is Running but DNS fails", "it switches between Running and CrashLoopBackOff".
    Evidence:
        restart counts and last exits of the DNS pods, events BackOff, Unhealthy, Killing, logs before the last restart.
    Rule:
        At least two restarts inside the window, or CrashLoopBackOff now, or a BackOff event or failing liveness probes
        inside the window together with a restart inside it; a
        sample that says Running never clears it.
    Cause:
        By the log before the restart: a loop (DNS-11), the Corefile (DNS-12), memory (DNS-13), or a liveness probe that
        fails because the network of the pod or node is broken (DNS-03, DNS-04, NET-*).
    Fix:
        Repair the cause; scale up to have service back meanwhile. Delete the pod only after its logs are saved.
    Verify:
        No restart for 10 minutes, and names resolve.
    Must not fire:
        One restart with exit code 0 at a rollout or a reload of the Corefile; restarts before the window.
    Reasons:
        - crash-loop: a container waits in CrashLoopBackOff now
        - flapping: it runs now, but was restarted again and again
    """
    bad = [p for p in pods.live if keeps_restarting(p, _events(events, p), clock)]
    if not bad:
        return
    subject = subject_of(bad, pods, workload)
    waiting = any(crash_looping(p) for p in bad)
    about = tuple(e for p in bad for e in _events(events, p) if e.reason in TELLING and is_fresh(e, clock))
    last = max(bad, key=lambda p: p.restarts)
    yield Finding(
        code="DNS-02",
        reason="crash-loop" if waiting else "flapping",
        title=T(
            "{count} DNS pods keep restarting; the worst has {restarts} restarts",
            count=len(bad),
            restarts=last.restarts,
        )
        if len(bad) > 1
        else T("DNS pod {pod} keeps restarting: {restarts} restarts", pod=last.path, restarts=last.restarts),
        detail=T("It waits in CrashLoopBackOff now.")
        if waiting
        else T("It says Running at this moment, which means nothing: it was restarted again and again."),
        severity=Severity.CRIT,
        confidence=Confidence.CONFIRMED if about or _has_last_words(logs, bad) else Confidence.LIKELY,
        subject=subject,
        facts=facts_of(bad, service, restarts=last.restarts),
        onset=first_seen(about),
        proofs=(shown(pods, bad), *_proofs(events, about)),
        fixes=(*scale_up(pods, workload, bad), _save_and_replace(last)),
    )


def _events(events: DnsEvents | None, pod: Pod) -> tuple[Event, ...]:
    return events.about(pod.path) if events else ()


def _has_last_words(logs: DnsLogs | None, bad: list[Pod]) -> bool:
    return logs is not None and any(logs.of(p.path, previous=True) for p in bad)


def _proofs(events: DnsEvents | None, about: tuple[Event, ...]) -> tuple[Proof, ...]:
    lines = [f"{e.reason} x{e.times} (last {e.seen:%H:%M:%S} UTC): {e.message or ''}" for e in about if e.seen]
    return (events.proof.quote(*lines),) if events and lines else ()


def _save_and_replace(pod: Pod) -> Fix:
    where = f"-n {shlex.quote(pod.metadata.namespace or 'kube-system')} {shlex.quote(pod.metadata.name)}"
    return Fix(
        what=T("Only if it must go at once: save its logs, then delete the pod; its Deployment makes a new one."),
        safety=Safety.DISRUPTIVE,
        commands=(
            f"kubectl logs {where} --all-containers --previous > dns-previous.log",
            f"kubectl delete pod {where}",
        ),
        verify=("kubectl get pods -A -l k8s-app=kube-dns",),
    )
