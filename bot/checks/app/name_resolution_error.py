"""APP-01: an application that cannot resolve a name."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime

from bot.check import check
from bot.model.cluster import Log
from bot.model.dns import Corefile
from bot.model.dns_answers import Asked, ClusterAnswers
from bot.model.dns_judge import ENOUGH, QUIET_BEFORE, RECENT
from bot.model.dns_logs import ClientLogs, ClientPod, Unresolved
from bot.model.evidence import Ask, Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity, Stage
from bot.model.proof import Proof
from bot.model.refs import Subject
from bot.model.text import T


@check("APP-01")
def name_resolution_error(
    *,
    client: ClientPod,
    client_logs: ClientLogs,
    clock: Clock,
    ask: Ask,
    answers: ClusterAnswers | None,
    corefile: Corefile | None,
) -> Iterator[Finding]:
    """An application cannot resolve a name.

    Says:
        "Name or service not known", "Temporary failure in name resolution", "no such host", "UnknownHostException",
        "EAI_AGAIN", "getaddrinfo ENOTFOUND".
    Evidence:
        the log of the client pod; answers of cluster DNS for the name.
    Rule:
        Such an error is current in the log. It is a symptom: the rows about DNS explain it.
    Cause:
        DNS-02 to DNS-09, DNS-14 to DNS-17.
    Fix:
        Repair the cause.
    Verify:
        The log is silent for 10 minutes, and the name resolves three times of three.
    Must not fire:
        Old errors.
    Reasons:
        - not-found: the application was told that the name does not exist, or had no server to ask
        - no-answer: it asked and got no answer
    """
    errors = _current(client_logs.errors, client, clock)
    if not errors:
        return
    about = [e for e in errors if ask.target and e.name.startswith(ask.target.rstrip("."))] or list(errors)
    last = about[-1]
    name = next((e.name for e in reversed(about) if e.name), ask.target)
    replies = [r for r in (answers.replies if answers else ()) if r.asked in {Asked.Q3, Asked.Q4} and r.name == name]
    pod = client.pod
    meta = pod.metadata
    external = not corefile.is_internal(name) if corefile and name else None
    yield Finding(
        code="APP-01",
        reason=last.kind,
        title=T("{pod} cannot resolve {name}", pod=pod.path, name=name)
        if name
        else T("{pod} cannot resolve names", pod=pod.path),
        severity=Severity.CRIT,
        confidence=Confidence.CONFIRMED if any(r.bad for r in replies) else Confidence.LIKELY,
        subject=Subject("Pod", meta.name, meta.namespace),
        facts={
            "pod": pod.path,
            "node": pod.spec.node_name or "",
            "name": name,
            "cluster_first": pod.spec.dns_policy.startswith("ClusterFirst") and not pod.spec.host_network,
            **({} if external is None else {"external": external}),
        },
        onset=_began(client_logs.logs, errors),
        proofs=(_log_of(client_logs, last), *(r.proof for r in replies)),
        fixes=(
            Fix(
                what=T("Nothing to repair here: see the cause. Afterwards the log must stay silent for 10 minutes."),
                safety=Safety.READ_ONLY,
                verify=(f"kubectl -n {shlex.quote(meta.namespace or '')} logs {shlex.quote(meta.name)} --since=10m",),
                stage=Stage.CONSUMERS,
            ),
        ),
    )


def _current(errors: tuple[Unresolved, ...], client: ClientPod, clock: Clock) -> tuple[Unresolved, ...]:
    """The errors inside the window and after the container's start, when they count as now."""
    running = [c.state.running.started_at for c in client.pod.status.container_statuses or () if c.state.running]
    since = min((t for t in running if t), default=None)
    kept = tuple(
        e
        for e in errors
        if e.at is None or (clock.age(e.at) <= clock.window_seconds and (since is None or e.at >= since))
    )
    newest = max((e.at for e in kept if e.at), default=None)
    return kept if len(kept) >= ENOUGH or (newest is not None and clock.age(newest) <= RECENT) else ()


def _began(logs: tuple[Log, ...], errors: tuple[Unresolved, ...]) -> datetime | None:
    """The first error, if the log was quiet about it for a minute before; else it may have begun earlier."""
    first = min((e.at for e in errors if e.at), default=None)
    head = min((line.at for log in logs for line in log.lines if line.at), default=None)
    quiet = first is not None and head is not None and (first - head).total_seconds() >= QUIET_BEFORE
    return first if quiet else None


def _log_of(logs: ClientLogs, error: Unresolved) -> Proof:
    for log in logs.logs:
        if any(line.text == error.line for line in log.lines):
            return log.proof.quote(error.line)
    return logs.proof
