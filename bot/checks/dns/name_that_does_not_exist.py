"""DNS-09: a name that really does not exist."""

from __future__ import annotations

import difflib
from collections.abc import Iterator

from bot.check import check
from bot.model.dns import Corefile, SameNamed
from bot.model.dns_answers import Asked, ClusterAnswers, Reply, UpstreamAnswers
from bot.model.dns_logs import ClientLogs, ClientPod
from bot.model.evidence import Ask
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.refs import Subject
from bot.model.text import T, Text

NXDOMAIN = "NXDOMAIN"


@check("DNS-09")
def name_that_does_not_exist(
    *,
    ask: Ask,
    answers: ClusterAnswers,
    upstreams: UpstreamAnswers | None,
    corefile: Corefile | None,
    named: SameNamed | None,
    client: ClientPod | None,
    client_logs: ClientLogs | None,
) -> Iterator[Finding]:
    """The name does not exist.

    Says:
        "no such host", "Name or service not known", for one name only.
    Evidence:
        the same NXDOMAIN from every replica and upstream; Services of that name in other namespaces.
    Rule:
        Every answer of cluster DNS (and, for a name outside, of every upstream) is NXDOMAIN.
    Cause:
        A wrong name or namespace.
    Fix:
        Use the full name SERVICE.NAMESPACE.svc.CLUSTERDOMAIN.
    Verify:
        The name resolves.
    Must not fire:
        NXDOMAIN from one replica only; the NXDOMAINs of the search list before the final hit; a server that did not
        answer.
    Reasons:
        - other-namespace: a Service of that name exists in another namespace
        - no-such-service: a name of the cluster without Service
        - no-such-name: a name outside the cluster
    """
    asked = [r for r in answers.replies if r.asked in {Asked.Q3, Asked.Q4} and r.name == ask.target]
    direct = [r for r in (upstreams.replies if upstreams else ()) if r.name == ask.target]
    replies = (*asked, *direct)
    if not ask.target or not asked or not all(_absent(r) for r in replies):
        return
    inside = corefile.is_internal(ask.target) if corefile else False
    service, _, namespace = ask.target.partition(".")
    namespace = namespace.partition(".")[0]
    homes = tuple(s.namespace for s in named.items if s.namespace != namespace) if named and inside else ()
    reason = "other-namespace" if homes else "no-such-service" if inside else "no-such-name"
    wanted = any(e.name.startswith(ask.target.rstrip(".")) for e in client_logs.errors) if client_logs else False
    second = bool(direct) if not inside else named is not None
    domain = corefile.domain if corefile else "cluster.local"
    yield Finding(
        code="DNS-09",
        reason=reason,
        title=T("the name {name} does not exist", name=ask.target),
        detail=_detail(reason, service, homes),
        severity=Severity.HIGH if wanted else Severity.INFO,
        confidence=Confidence.CONFIRMED if second else Confidence.LIKELY,
        subject=Subject("DNSName", ask.target),
        facts={"name": ask.target, "namespaces": homes, **({"pod": client.pod.path} if client and wanted else {})},
        proofs=tuple(r.proof for r in replies),
        fixes=(_full_name(service, homes, namespace, domain),) if inside and homes else (),
    )


def _absent(reply: Reply) -> bool:
    return bool(reply.rcodes) and all(code == NXDOMAIN for code in reply.rcodes)


def _detail(reason: str, service: str, homes: tuple[str, ...]) -> Text:
    if reason == "other-namespace":
        return T("A Service {service} exists in {namespaces}.", service=service, namespaces=homes)
    if reason == "no-such-service":
        return T("No namespace has a Service {service}.", service=service)
    return T("Every replica and every upstream that was asked says NXDOMAIN.")


def _full_name(service: str, homes: tuple[str, ...], namespace: str, domain: str) -> Fix:
    near = difflib.get_close_matches(namespace, homes, n=1, cutoff=0.0) or [homes[0]]
    name = f"{service}.{near[0]}.svc.{domain}"
    return Fix(
        what=T("Use the full name {name} where that Service is meant.", name=name),
        safety=Safety.READ_ONLY,
        commands=(f"kubectl -n {near[0]} get service {service}",),
    )
