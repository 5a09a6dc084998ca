"""DNS-06: a name that resolves, but to an address that it should not have."""

from __future__ import annotations

import ipaddress
from collections.abc import Iterator

from bot.check import check
from bot.checks.dns.about import ask_again
from bot.model.dns_answers import AnswerHistory, Asked, ClusterAnswers, Reply, UpstreamAnswers
from bot.model.evidence import Ask, Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity, Stage
from bot.model.refs import Subject
from bot.model.text import T

CARRIER = ipaddress.ip_network("100.64.0.0/10")


@check("DNS-06")
def wrong_answer_from_upstream(
    *,
    ask: Ask,
    clock: Clock,
    answers: ClusterAnswers,
    upstreams: UpstreamAnswers | None,
    history: AnswerHistory | None,
    expectations: Expectations | None,
) -> Iterator[Finding]:
    """The upstream gives a wrong address for the name.

    Says:
        "The name resolves, but the traffic goes the wrong way", "the IP looks wrong".
    Evidence:
        answers of cluster DNS and of each upstream for the name, the expected addresses (expect=, configuration),
        answers that earlier runs got.
    Rule:
        Confirmed: the answer lies outside the expected set, every replica agrees with the upstream, and the upstream
        gives it
        when asked directly. Likely: the same without a direct answer; or, without expectation, upstreams answer with
        addresses of different classes (private, carrier, public), or the answer changed inside the window.
    Cause:
        A record changed by mistake on the authoritative server, or the wrong view of a split horizon.
    Fix:
        Correct the record; flush caches.
    Verify:
        Every replica gives the expected address.
    Must not fire:
        No expectation and a stable history, whatever the class of the address; rotating answers of one class.
    Reasons:
        - not-expected: outside the set that was expected
        - upstreams-disagree: the upstreams give addresses of different classes
        - changed: another set than before, since the window began
    """
    if not ask.target:
        return
    cluster = [r for r in answers.replies if r.asked in {Asked.Q3, Asked.Q4} and r.addresses and r.name == ask.target]
    direct = [r for r in (upstreams.replies if upstreams else ()) if r.addresses and r.name == ask.target]
    direct += [r for r in answers.replies if r.asked is Asked.Q5 and r.addresses and r.name == ask.target]
    replies = (*cluster, *direct)
    if not replies:
        return
    expected = _expected(ask, expectations)
    wrong = tuple(a for a in dict.fromkeys(a for r in replies for a in r.addresses) if not _within(a, expected))
    if expected and wrong:
        sure = bool(cluster) and bool(direct) and all(not _right(r, expected) for r in replies)
        yield _finding("not-expected", ask.target, wrong, replies, Confidence.CONFIRMED if sure else Confidence.LIKELY)
    elif not expected:
        reason = "upstreams-disagree" if _disagree(direct) else "changed" if _changed(replies, history, clock) else ""
        if reason:
            found = tuple(sorted({a for r in replies for a in r.addresses}))
            yield _finding(reason, ask.target, found, replies, Confidence.LIKELY)


def _finding(
    reason: str, name: str, addresses: tuple[str, ...], replies: tuple[Reply, ...], confidence: Confidence
) -> Finding:
    server = next((r.server for r in replies if r.asked is Asked.Q5), replies[0].server)
    return Finding(
        code="DNS-06",
        reason=reason,
        title=T("{name} resolves to {addresses}, which is not expected", name=name, addresses=addresses)
        if reason == "not-expected"
        else T("{name} has changed its address to {addresses}", name=name, addresses=addresses)
        if reason == "changed"
        else T("the upstream resolvers disagree about {name}: {addresses}", name=name, addresses=addresses),
        detail=T("Cluster DNS is only the messenger: the record comes from the upstream."),
        severity=Severity.HIGH,
        confidence=confidence,
        subject=Subject("DNSName", name),
        facts={"name": name, "addresses": addresses, "upstream": server},
        proofs=tuple(r.proof for r in replies),
        fixes=(
            Fix(
                what=T(
                    "Correct the record of {name} on its authoritative server; then wait for the caches.", name=name
                ),
                safety=Safety.REVERSIBLE,
                verify=(ask_again(server, name),),
            ),
            Fix(
                what=T("Flush the caches of cluster DNS: a rolling restart, replicas one after the other."),
                safety=Safety.DISRUPTIVE,
                commands=("kubectl -n kube-system rollout restart deploy/coredns",),
                verify=("kubectl -n kube-system rollout status deploy/coredns",),
                stage=Stage.CONSUMERS,
            ),
        ),
    )


def _expected(ask: Ask, expectations: Expectations | None) -> tuple[str, ...]:
    """The networks that are right for the name: typed with the question, else configured."""
    typed = tuple(part for part in ask.options.get("expect", "").split(",") if part)
    return typed or (expectations.answers.get(ask.target, ()) if expectations else ())


def _within(address: str, networks: tuple[str, ...]) -> bool:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return True  # a CNAME or SRV target on the way is no address to be judged
    return any(found in ipaddress.ip_network(n, strict=False) for n in networks)


def _right(reply: Reply, networks: tuple[str, ...]) -> bool:
    return all(_within(a, networks) for a in reply.addresses)


def _class_of(address: str) -> str:
    try:
        found = ipaddress.ip_address(address)
    except ValueError:
        return ""
    if found.version == CARRIER.version and found in CARRIER:
        return "carrier"
    return "private" if found.is_private else "public"


def _disagree(direct: list[Reply]) -> bool:
    """Whether two upstreams give addresses of different classes; different addresses of one class are rotation."""
    classes = {r.server: frozenset(_class_of(a) for a in r.addresses) - {""} for r in direct}
    seen = [c for c in classes.values() if c]
    return any(a.isdisjoint(b) for i, a in enumerate(seen) for b in seen[i + 1 :])


def _changed(replies: tuple[Reply, ...], history: AnswerHistory | None, clock: Clock) -> bool:
    """Whether all earlier answers, the newest inside the window, were one set, and it is another one now."""
    past = history.items if history else ()
    if not past or clock.age(past[-1].at) > clock.window_seconds:
        return False
    before = {a for item in past for a in item.addresses}
    now = {a for r in replies for a in r.addresses}
    stable = len({item.addresses for item in past}) == 1
    return stable and now.isdisjoint(before)
