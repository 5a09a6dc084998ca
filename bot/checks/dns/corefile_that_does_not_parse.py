"""DNS-12: a Corefile that CoreDNS refuses."""

from __future__ import annotations

from collections.abc import Iterator

from bot.check import check
from bot.checks.dns.about import facts_of, subject_of
from bot.model.dns import Corefile, DnsPods, DnsService, DnsWorkload
from bot.model.dns_judge import Heard, last_words
from bot.model.dns_logs import DnsLogs, Saying
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.text import T

RELOADED = "[INFO] Reloading complete"


@check("DNS-12")
def corefile_that_does_not_parse(
    *,
    pods: DnsPods,
    logs: DnsLogs,
    clock: Clock,
    corefile: Corefile | None,
    service: DnsService | None,
    workload: DnsWorkload | None,
) -> Iterator[Finding]:
    """CoreDNS refuses its Corefile.

    Says:
        "coredns does not start since I changed the ConfigMap", "... since the upgrade".
    Evidence:
        the log of the last start, or of the last reload; the ConfigMap.
    Rule:
        A parse error, an unknown directive or property, or an upstream that is no address; or a reload that failed
        and was not followed by one that worked.
    Cause:
        A bad edit, or an option that the new version removed (proxy, upstream, resyncperiod, federation, autopath).
    Fix:
        Correct the ConfigMap.
    Verify:
        The log says "Reloading complete", or the pods become ready.
    Must not fire:
        A failed reload that was repaired since.
    Reasons:
        - does-not-start: CoreDNS cannot start with it
        - fails-at-restart: running pods keep the old one; the next restart will fail
    """
    starts = {p.path: last_words(logs, p, clock, Saying.CONFIG) for p in pods.live}
    reloads = {p.path: _failed_reloads(logs, p.path) for p in pods.live}
    dead = [p for p in pods.live if starts[p.path]]
    hit = dead or [p for p in pods.live if reloads[p.path]]
    if not hit:
        return
    said = [h for p in hit for h in (starts[p.path] or reloads[p.path])]
    where = next((s.target for h in said for s in h.said if s.target), "")
    agrees = bool(dead) or (corefile is not None and any(word in corefile.plugins for word in _directives(where)))
    yield Finding(
        code="DNS-12",
        reason="does-not-start" if dead else "fails-at-restart",
        title=T("CoreDNS cannot start: {error}", error=where)
        if dead
        else T("CoreDNS refused its new Corefile and will fail at the next restart: {error}", error=where),
        severity=Severity.CRIT if dead else Severity.HIGH,
        confidence=Confidence.CONFIRMED if agrees else Confidence.LIKELY,
        subject=subject_of(hit, pods, workload),
        facts=facts_of(hit, service, error=where),
        proofs=(*(h.proof for h in said), *((corefile.proof,) if corefile else ())),
        fixes=(
            Fix(
                what=T("Correct the Corefile; CoreDNS reads it again within two minutes."),
                safety=Safety.REVERSIBLE,
                commands=("kubectl -n kube-system edit configmap coredns",),
                verify=("kubectl -n kube-system logs -l k8s-app=kube-dns --tail=20",),
                undo=("kubectl -n kube-system edit configmap coredns",),
            ),
        ),
    )


def _failed_reloads(logs: DnsLogs, pod: str) -> tuple[Heard, ...]:
    """The reloads that failed after the last one that worked, in the current logs."""
    found = []
    for log in logs.of(pod):
        texts = [line.text for line in log.log.lines]
        done = max((i for i, text in enumerate(texts) if RELOADED in text), default=-1)
        later = tuple(s for s in log.said if s.about is Saying.RELOAD_FAILED and s.line in texts[done + 1 :])
        if later and log.running_since is not None:
            found.append(Heard(log=log, said=later[-1:]))
    return tuple(found)


def _directives(error: str) -> tuple[str, ...]:
    """The words in quotes of a parse error: the directive that is not known."""
    return tuple(part for part in error.split("'")[1::2])
