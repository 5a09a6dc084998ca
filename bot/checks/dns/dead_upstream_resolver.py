"""DNS-05: an upstream resolver that is down, refuses or is slow."""

from __future__ import annotations

from collections.abc import Iterator
from statistics import median

from bot.check import check
from bot.checks.dns.about import ask_again
from bot.model.dns import Corefile
from bot.model.dns_answers import Reply, UpstreamAnswers
from bot.model.dns_judge import heard
from bot.model.dns_logs import DnsLogs, Saying
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, RuledOut, Safety, Severity
from bot.model.refs import Subject
from bot.model.text import T

SLOW_MS = 500.0
PLACES = 2


@check("DNS-05")
def dead_upstream_resolver(
    upstreams: UpstreamAnswers,
    corefile: Corefile,
    clock: Clock,
    logs: DnsLogs | None,
    expectations: Expectations | None,
) -> Iterator[Finding | RuledOut]:
    """An upstream resolver is down, refuses, or is slow.

    Says:
        "External names take seconds", "external names fail everywhere".
    Evidence:
        answers of each upstream to at least two nodes, three tries each, with their times.
    Rule:
        From two nodes, two thirds of the questions to the upstream fail (every name that was asked), or the median
        answer takes more than 500 ms; and it answers no other node in time.
    Cause:
        Outage or overload of the resolver.
    Fix:
        Repair it, or name another one in the Corefile.
    Verify:
        It answers in less than 100 ms.
    Must not fire:
        One node alone gets no answer; the upstream refuses only the bot; one name alone fails there.
    Reasons:
        - all-silent: no upstream answers
        - one-of-several: this upstream does not answer, another one does
        - slow: it answers, but slowly
    """
    named = {s.target for h in heard(logs, clock, Saying.UPSTREAM) for s in h.said} if logs else set()
    limit = (expectations.thresholds.get("DNS-05") or {}).get("milliseconds", SLOW_MS) if expectations else SLOW_MS
    by_server: dict[str, list[Reply]] = {}
    for reply in (r for r in upstreams.replies):
        by_server.setdefault(reply.server, []).append(reply)
    well = {server for server, replies in by_server.items() if _good(replies, limit)}
    for server, replies in by_server.items():
        proofs = tuple(r.proof for r in replies)
        subject = Subject("Address", server)
        failing, slow = _bad_nodes(replies), _slow_nodes(replies, limit)
        if server in well:
            if server in named or failing:
                good = [r for r in replies if r.good and r.node in _good(replies, limit)]
                yield RuledOut(
                    code="DNS-05",
                    subject=subject,
                    because=T("{server} answers {nodes}", server=server, nodes=tuple(sorted({r.node for r in good}))),
                    proofs=tuple(r.proof for r in good),
                )
            continue
        if len(failing) < PLACES and len(slow) < PLACES:
            continue
        reason = "slow" if len(slow) >= PLACES else "one-of-several" if well else "all-silent"
        yield Finding(
            code="DNS-05",
            reason=reason,
            title=T("upstream resolver {server} is slow", server=server)
            if reason == "slow"
            else T("upstream resolver {server} does not answer", server=server),
            detail=T("Asked from {nodes}.", nodes=tuple(sorted({r.node for r in replies}))),
            severity=Severity.HIGH,
            confidence=Confidence.CONFIRMED if server in named else Confidence.LIKELY,
            subject=subject,
            facts={"upstream": server, "upstreams": (server,), "component": "upstream-dns"},
            proofs=proofs,
            fixes=(_replace(server, corefile),),
        )


def _good(replies: list[Reply], limit: float) -> frozenset[str]:
    """The nodes to which it answers well and in time."""
    return frozenset(r.node for r in replies if r.good and (not r.ms or median(r.ms) <= limit))


def _bad_nodes(replies: list[Reply]) -> frozenset[str]:
    """The nodes to which no question was answered: one name that fails says nothing about the server."""
    nodes = {r.node for r in replies}
    return frozenset(n for n in nodes if all(r.bad for r in replies if r.node == n))


def _slow_nodes(replies: list[Reply], limit: float) -> frozenset[str]:
    return frozenset(r.node for r in replies if r.good and r.ms and median(r.ms) > limit)


def _replace(server: str, corefile: Corefile) -> Fix:
    others = tuple(u for u in corefile.upstreams() if u != server)
    return Fix(
        what=T(
            "Repair {server}, or forward to other resolvers in the Corefile (now: {others}).",
            server=server,
            others=others,
        )
        if others
        else T("Repair {server}, or forward to another resolver in the Corefile.", server=server),
        safety=Safety.REVERSIBLE,
        commands=("kubectl -n kube-system edit configmap coredns",),
        verify=(ask_again(server, "example.com"),),
        undo=("kubectl -n kube-system edit configmap coredns",),
    )
