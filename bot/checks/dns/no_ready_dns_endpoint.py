"""DNS-07: nothing behind the DNS Service, or no Service."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime

from bot.check import check
from bot.checks.dns.about import scale_up, shown
from bot.model.dns import DnsEndpoints, DnsEvents, DnsPods, DnsService, DnsWorkload, KubeletDns
from bot.model.dns_answers import Asked, ClusterAnswers
from bot.model.dns_judge import at, fails, first_seen, keeps_restarting
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.k8s import Pod
from bot.model.proof import Proof
from bot.model.refs import Subject
from bot.model.text import T, Text


@check("DNS-07")
def no_ready_dns_endpoint(
    *,
    service: DnsService,
    pods: DnsPods,
    clock: Clock,
    endpoints: DnsEndpoints,
    workload: DnsWorkload | None,
    events: DnsEvents | None,
    kubelet: KubeletDns | None,
    answers: ClusterAnswers | None,
) -> Iterator[Finding]:
    """The DNS Service has no ready endpoint, or is missing.

    Says:
        "No name resolves anywhere."
    Evidence:
        the DNS Service (address, ports, selector), its endpoints, the DNS pods, answers at its address (Q1).
    Rule:
        No ready endpoint now, or none for moments inside the window because the only replica restarted; or no
        Service; or a selector that matches no pod; or no UDP port 53.
    Cause:
        DNS pods that crash (DNS-02, DNS-18) or cannot start (POD-01..05), their node (NODE-01, NODE-13), a changed
        selector, a scale to zero.
    Fix:
        Repair the cause; scale up.
    Verify:
        Two ready endpoints, and the cluster's own name resolves at the Service.
    Must not fire:
        A scale to zero where kubelets point pods to another resolver: reported as info.
    Reasons:
        - service-missing: there is no DNS Service
        - no-udp-port: its port list lacks UDP 53
        - selector-matches-nothing: DNS pods run, but the selector does not match them
        - scaled-to-zero: the Deployment asks for no pod
        - no-ready-endpoint: the pods are there, none is ready
        - flapping-to-zero: the only replica was away for moments inside the window
    """
    reason = _reason(service, endpoints=endpoints, pods=pods, workload=workload, events=events, clock=clock)
    if not reason:
        return
    own = at((answers.replies if answers else ()), (service.address,), Asked.Q1)
    unused = reason == "scaled-to-zero" and kubelet is not None and service.address not in kubelet.servers
    subject = Subject("Service", service.path.partition("/")[2], service.namespace)
    agreed = fails(own) or reason not in {"no-ready-endpoint", "flapping-to-zero"}
    yield Finding(
        code="DNS-07",
        reason=reason,
        title=_title(reason, service),
        detail=T("Every pod with the default DNS policy depends on it."),
        severity=Severity.INFO if unused else Severity.CRIT,
        confidence=Confidence.CONFIRMED if agreed else Confidence.LIKELY,
        subject=subject,
        facts={
            "service": service.path,
            "pods": tuple(p.path for p in pods.live),
            "nodes": pods.nodes,
            "component": "cluster-dns",
        },
        onset=_onset(reason, pods, events),
        proofs=(_counted(endpoints, service), shown(pods, pods.live), *(r.proof for r in own)),
        fixes=(_service_fix(service),)
        if reason in {"service-missing", "no-udp-port"}
        else scale_up(pods, workload, pods.live),
    )


def _reason(
    service: DnsService,
    *,
    endpoints: DnsEndpoints,
    pods: DnsPods,
    workload: DnsWorkload | None,
    events: DnsEvents | None,
    clock: Clock,
) -> str:
    if service.service is None:
        return "service-missing"
    if not service.serves("UDP"):
        return "no-udp-port"
    if endpoints.ready == 0:
        if workload and workload.workload and workload.workload.spec.replicas == 0:
            return "scaled-to-zero"
        return "no-ready-endpoint" if not pods.live or _selected(service, pods) else "selector-matches-nothing"
    return "flapping-to-zero" if len(pods.live) == 1 and _flaps(pods.live[0], events, clock) else ""


def _counted(endpoints: DnsEndpoints, service: DnsService) -> Proof:
    """The endpoints as proof, in one line."""
    addresses = ", ".join(sorted(endpoints.addresses)) or "none"
    return endpoints.proof.quote(f"{service.path}: ready endpoints: {addresses}")


def _selected(service: DnsService, pods: DnsPods) -> bool:
    selector = (service.service.spec.selector if service.service else None) or {}
    return any(all(p.metadata.label(k) == v for k, v in selector.items()) for p in pods.live)


def _flaps(pod: Pod, events: DnsEvents | None, clock: Clock) -> bool:
    """Whether the pod is older than the window and keeps restarting: each restart empties the Service for moments."""
    created = pod.metadata.creation_timestamp
    old = created is not None and clock.age(created) > clock.window_seconds
    return old and keeps_restarting(pod, events.about(pod.path) if events else (), clock)


def _onset(reason: str, pods: DnsPods, events: DnsEvents | None) -> datetime | None:
    """When the last pod was lost; for a flapping pod, its first known trouble."""
    if reason == "flapping-to-zero":
        about = tuple(
            e for p in pods.live for e in (events.about(p.path, "BackOff", "Unhealthy", "Killing") if events else ())
        )
        return first_seen(about)
    if reason != "no-ready-endpoint" or not pods.live:
        return None
    lost = [c.last_transition_time for p in pods.live if (c := p.condition("Ready")) and c.status != "True"]
    return max((t for t in lost if t), default=None)


def _title(reason: str, service: DnsService) -> Text:
    name = service.path
    return {
        "service-missing": T("the DNS Service {name} does not exist", name=name),
        "no-udp-port": T("the DNS Service {name} has no UDP port 53", name=name),
        "selector-matches-nothing": T("the selector of the DNS Service {name} matches no DNS pod", name=name),
        "scaled-to-zero": T("cluster DNS is scaled to zero, so {name} has no endpoint", name=name),
        "no-ready-endpoint": T("the DNS Service {name} has no ready endpoint", name=name),
        "flapping-to-zero": T("the DNS Service {name} loses its only endpoint again and again", name=name),
    }[reason]


def _service_fix(service: DnsService) -> Fix:
    where = f"-n {shlex.quote(service.namespace)}"
    return Fix(
        what=T(
            "Compare the Service with what the installer made, and put back what is missing: address, selector, ports."
        ),
        safety=Safety.REVERSIBLE,
        commands=(
            f"kubectl {where} get service -o yaml",
            "kubeadm init phase addon coredns --print-manifest",
        ),
        verify=(f"kubectl {where} get endpointslices -l k8s-app=kube-dns",),
    )
