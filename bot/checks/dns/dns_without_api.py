"""DNS-04: DNS pods that do not reach the API server."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.dns.about import facts_of, scale_up, subject_of
from bot.model.dns import DnsPods, DnsService, DnsWorkload
from bot.model.dns_answers import Asked, ClusterAnswers
from bot.model.dns_judge import ENOUGH, Heard, at, began, fails, heard
from bot.model.dns_logs import DnsLogs, Saying
from bot.model.evidence import Clock, PerNode
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host_net import ApiPath
from bot.model.k8s import Pod
from bot.model.text import T, Text

WAITS = 30.0
RECOVERS = 10.0


@check("DNS-04")
def dns_without_api(
    *,
    pods: DnsPods,
    logs: DnsLogs,
    clock: Clock,
    answers: ClusterAnswers | None,
    paths: PerNode[ApiPath],
    service: DnsService | None,
    workload: DnsWorkload | None,
) -> Iterator[Finding]:
    """DNS pods do not reach the API server.

    Says:
        "Service names do not resolve after a restart of CoreDNS."
    Evidence:
        logs of the DNS pods, answers for the cluster's own name at each of them (Q2), the way from their nodes to the
        API.
    Rule:
        The log complains now about the connection to the API server for at least 10 s, or it waits for the kubernetes
        plugin for more than 30 s (where lines tell no time: it says so again and again, and the pod has not been ready
        for that long). The way from the nodes then tells the cause.
    Cause:
        Network of the pod or node (NET-01, NET-02, NET-08, NET-09), kube-proxy (NET-13), the API server (CTRL-01).
    Fix:
        Repair the cause.
    Verify:
        The cluster's own name resolves at each replica; "Plugins not ready" stops.
    Must not fire:
        Single watch reconnects with recovery within 10 s; refusals by RBAC, which are DNS-17.
    Reasons:
        - service-address-only: the node reaches the API server, but not by its Service address
        - this-node-only: other nodes reach the API server, this one does not
        - every-node: no node that was asked reaches the API server
        - pod-only: the node reaches the API server, the pod does not
        - not-localised: no node was asked
    """
    refused = {h.log.pod for h in heard(logs, clock, Saying.FORBIDDEN)}
    bad = [h for h in heard(logs, clock, Saying.API, Saying.UNSYNCED) if _lasts(h) and h.log.pod not in refused]
    waiting = [h for h in heard(logs, clock, Saying.API_WAIT) if _waits(h, pods, clock) and h.log.pod not in refused]
    said = [h for h in (*bad, *waiting) if pods.get(h.log.pod)]
    if not said:
        return
    hit = list({p.path: p for h in said if (p := pods.get(h.log.pod))}.values())
    own = at((answers.replies if answers else ()), [p.status.pod_ip or "" for p in hit], Asked.Q2)
    reason = _where(hit, paths)
    second = fails(own) or reason in {"this-node-only", "every-node", "service-address-only"}
    targets = tuple(dict.fromkeys(s.target for h in said for s in h.said if s.target))
    subject = subject_of(hit, pods, workload)
    yield Finding(
        code="DNS-04",
        reason=reason,
        title=T(
            "cluster DNS on {nodes} does not reach the API server at {address}", nodes=_nodes(hit), address=targets[0]
        )
        if targets
        else T("cluster DNS on {nodes} waits for the API server", nodes=_nodes(hit)),
        detail=_detail(reason),
        severity=Severity.CRIT,
        confidence=Confidence.CONFIRMED if second else Confidence.LIKELY,
        subject=subject,
        facts=facts_of(hit, service, unsynced=_unsynced(said), address=targets[:1]),
        onset=began(said),
        proofs=(*(h.proof for h in said), *(r.proof for r in own), *(p.proof for p in paths if p.node in _nodes(hit))),
        fixes=(*scale_up(pods, workload, hit), *_look(targets)),
    )


def _lasts(found: Heard) -> bool:
    return found.span >= RECOVERS or len(found.said) >= ENOUGH or found.log.running_since is None


def _waits(found: Heard, pods: DnsPods, clock: Clock) -> bool:
    """Whether it has waited long: by the times of its lines, else by how long a pod that repeats it is not ready."""
    if found.span > WAITS:
        return True
    pod = pods.get(found.log.pod)
    ready = pod.condition("Ready") if pod else None
    if any(s.at for s in found.said) or len(found.said) < ENOUGH or ready is None or ready.status == "True":
        return False
    return ready.last_transition_time is not None and clock.age(ready.last_transition_time) > WAITS


def _unsynced(said: list[Heard]) -> bool:
    return any(s.about in {Saying.UNSYNCED, Saying.API_WAIT} for h in said for s in h.said)


def _nodes(hit: list[Pod]) -> tuple[str, ...]:
    return tuple(sorted({p.spec.node_name or "" for p in hit}))


def _where(hit: list[Pod], paths: PerNode[ApiPath]) -> str:
    """Where the way to the API server breaks, by what the nodes reach."""
    here = [p for p in paths if p.node in _nodes(hit)]
    elsewhere = [p for p in paths if p.node not in _nodes(hit)]
    if not here:
        return "not-localised"
    if all(p.works for p in here):
        return "service-address-only" if any(0 in p.answers.values() for p in here) else "pod-only"
    return "this-node-only" if any(p.works for p in elsewhere) else "every-node"


def _detail(reason: str) -> Text:
    return {
        "service-address-only": T("The node reaches the API server itself, but not by its Service address."),
        "this-node-only": T("Other nodes reach the API server; the node of the DNS pod does not."),
        "every-node": T("No node that was asked reaches the API server."),
        "pod-only": T("The node reaches the API server, the pod on it does not: the pod network is at fault."),
    }.get(reason, T("Names of the cluster are not known to it, or frozen as they were when the connection was lost."))


def _look(targets: tuple[str, ...]) -> tuple[Fix, ...]:
    if not targets:
        return ()
    return (
        Fix(
            what=T("Try the way to the API server from the node of the DNS pod; 401 or 403 means that it is open."),
            safety=Safety.READ_ONLY,
            commands=(f"curl -sk -m 3 https://{shlex.quote(targets[0])}/livez -o /dev/null -w '%{{http_code}}\\n'",),
        ),
    )
