"""DNS-21: a resolv.conf with more entries than are used."""

from __future__ import annotations

from collections.abc import Iterator

from bot.check import check
from bot.model.dns import DnsEvents
from bot.model.dns_answers import Asked, ClusterAnswers
from bot.model.dns_judge import is_fresh
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity, Stage
from bot.model.refs import Subject
from bot.model.text import T

NAMESERVERS = "Nameserver limits"


@check("DNS-21")
def resolv_conf_over_limits(events: DnsEvents, clock: Clock, answers: ClusterAnswers | None) -> Iterator[Finding]:
    """A resolv.conf has more entries than are used.

    Says:
        "Nameserver limits were exceeded, some nameservers have been omitted."
    Evidence:
        events DNSConfigForming inside the window.
    Rule:
        The event is current.
    Cause:
        resolv.conf of the host has more than three name servers, or too long a search list.
    Fix:
        Trim resolv.conf of the node.
    Verify:
        No new event.
    Must not fire:
        An event older than the window. When the asked name resolves with what is left it is info.
    Reasons:
        - nameservers: name servers were left out
        - searches: search domains were left out
    """
    found = [e for e in events.items if e.reason == "DNSConfigForming" and is_fresh(e, clock)]
    if not found:
        return
    newest = found[-1]
    left_out = NAMESERVERS in (newest.message or "")
    asked = [r for r in (answers.replies if answers else ()) if r.asked is Asked.Q3]
    suffices = bool(asked) and all(r.good for r in asked)
    pods = tuple(dict.fromkeys(f"{e.involved_object.namespace}/{e.involved_object.name}" for e in found))
    yield Finding(
        code="DNS-21",
        reason="nameservers" if left_out else "searches",
        title=T("resolv.conf of {pods} had name servers left out", pods=pods)
        if left_out
        else T("resolv.conf of {pods} had search domains left out", pods=pods),
        severity=Severity.INFO if suffices else Severity.WARN,
        confidence=Confidence.LIKELY,
        subject=Subject("Pod", newest.involved_object.name, newest.involved_object.namespace),
        facts={"pods": pods},
        proofs=(events.proof.quote(newest.message or ""),),
        fixes=(
            Fix(
                what=T("Trim resolv.conf of the node to three name servers and a short search list."),
                safety=Safety.REVERSIBLE,
                commands=("cat /etc/resolv.conf",),
                stage=Stage.POSTURE,
            ),
        ),
    )
