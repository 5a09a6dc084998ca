"""DNS-03: DNS pods whose upstream resolvers do not answer them."""

from __future__ import annotations

from collections.abc import Iterator

from bot.check import check
from bot.checks.dns.about import ask_again, facts_of, scale_up, subject_of
from bot.model.dns import Corefile, DnsPods, DnsService, DnsWorkload
from bot.model.dns_answers import Asked, ClusterAnswers, Reply, UpstreamAnswers
from bot.model.dns_judge import ENOUGH, Heard, at, began, fails, heard
from bot.model.dns_logs import DnsLogs, Saying
from bot.model.evidence import Ask, Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.k8s import Pod
from bot.model.proof import Proof
from bot.model.text import T, Text


@check("DNS-03")
def dns_without_upstream(
    *,
    pods: DnsPods,
    logs: DnsLogs,
    clock: Clock,
    ask: Ask,
    answers: ClusterAnswers | None,
    upstreams: UpstreamAnswers | None,
    corefile: Corefile | None,
    service: DnsService | None,
    workload: DnsWorkload | None,
) -> Iterator[Finding]:
    """DNS pods do not reach their upstream resolvers.

    Says:
        "External names fail, cluster names work", "i/o timeout to a DNS server in the coredns log".
    Evidence:
        logs of the DNS pods, answers for the name at each DNS pod (Q4), answers of the upstreams to nodes (Q5, Q6).
    Rule:
        The log complains about an upstream now, and the DNS pod gives no usable answer for an outside name; likely by
        the log alone when nobody could ask and it tells of this name or of several zones. Then: the
        upstream answers some node: the network of the DNS pods is at fault; it answers no node: the upstream is
        (DNS-05).
    Cause:
        Pod network of the DNS pods (NET-01, NET-02, NET-06, NET-07, NET-08), or the upstream itself (DNS-05).
    Fix:
        Repair the cause; until then run DNS on a node that reaches the upstream.
    Verify:
        The name resolves at every replica, three times of three.
    Must not fire:
        Timeouts for one foreign zone while other outside names resolve.
    Reasons:
        - pod-network: the upstream answers elsewhere, not to the DNS pods
        - upstream-silent: the upstream answers no node that was asked
        - not-localised: nothing tells where the answers are lost
    """
    hits = [h for h in heard(logs, clock, Saying.UPSTREAM, Saying.NO_UPSTREAM) if pods.get(h.log.pod)]
    replies = answers.replies if answers else ()
    judged = [(h, _fails(h, pods, replies, service)) for h in hits]
    bad = [h for h, failing in judged if failing is not False]
    if not bad:
        return
    proven = any(failing for _, failing in judged)
    plain = any(_speaks_for_itself(h, ask.target) for h in bad)
    hit = list({p.path: p for h in bad if (p := pods.get(h.log.pod))}.values())
    blamed = tuple(dict.fromkeys(s.target for h in bad for s in h.said if s.target))
    blamed = blamed or (corefile.upstreams() if corefile else ())
    asked = tuple(r for r in (upstreams.replies if upstreams else ()) if not blamed or r.server in blamed)
    reason = _where(asked)
    subject = subject_of(hit, pods, workload)
    yield Finding(
        code="DNS-03",
        reason=reason,
        title=T(
            "cluster DNS on {nodes} gets no answer from its upstream {upstreams}", nodes=_nodes(hit), upstreams=blamed
        )
        if blamed
        else T("cluster DNS on {nodes} has no upstream that works", nodes=_nodes(hit)),
        detail=_detail(reason, asked),
        severity=Severity.CRIT,
        confidence=Confidence.CONFIRMED if proven else Confidence.LIKELY if plain else Confidence.POSSIBLE,
        subject=subject,
        facts=facts_of(hit, service, upstreams=blamed),
        onset=began(bad),
        proofs=(*(h.proof for h in bad), *_telling(replies, hit), *(r.proof for r in asked)),
        fixes=(*scale_up(pods, workload, hit), *_look(asked)),
    )


def _fails(hit: Heard, pods: DnsPods, replies: tuple[Reply, ...], service: DnsService | None) -> bool | None:
    """Whether the pod (the Service, for an only pod) gives no usable answer for the name; None: nobody asked."""
    pod = pods.get(hit.log.pod)
    direct = fails(at(replies, (pod.status.pod_ip or "",), Asked.Q4)) if pod else None
    if direct is not None or service is None or len(pods.live) > 1:
        return direct
    return fails(at(replies, (service.address,), Asked.Q3))


def _speaks_for_itself(hit: Heard, name: str) -> bool:
    """Whether the log alone shows that questions failed: for the name, for names of several zones, or for any name.

    Each line is a question of a client that was not answered; lines about one foreign zone may be that zone's fault.
    """
    names = {s.name for s in hit.said if s.name}
    zones = {".".join(n.split(".")[-2:]) for n in names}
    return name.rstrip(".") in names or len(zones) > 1 or (not names and len(hit.said) >= ENOUGH)


def _where(asked: tuple[Reply, ...]) -> str:
    if any(r.good for r in asked):
        return "pod-network"
    silent = {r.node for r in asked if r.bad}
    return "upstream-silent" if len(silent) > 1 else "not-localised"


def _detail(reason: str, asked: tuple[Reply, ...]) -> Text:
    good = tuple(sorted({r.node for r in asked if r.good}))
    if reason == "pod-network":
        return T(
            "The upstream answers {nodes}; the way from the DNS pods to it is broken.",
            nodes=good,
        )
    if reason == "upstream-silent":
        return T("The upstream answered none of the nodes that asked it.")
    return T("Names outside the cluster fail; names of the cluster do not depend on the upstream.")


def _nodes(hit: list[Pod]) -> tuple[str, ...]:
    return tuple(sorted({p.spec.node_name or "" for p in hit}))


def _telling(replies: tuple[Reply, ...], hit: list[Pod]) -> tuple[Proof, ...]:
    return tuple(r.proof for r in at(replies, [p.status.pod_ip or "" for p in hit], Asked.Q4))


def _look(asked: tuple[Reply, ...]) -> tuple[Fix, ...]:
    commands = tuple(dict.fromkeys(ask_again(r.server, r.name) for r in asked if r.bad))
    if not commands:
        return ()
    return (
        Fix(
            what=T("Repeat the question on the node of the DNS pod, and on a node where it works."),
            safety=Safety.READ_ONLY,
            commands=commands,
        ),
    )
