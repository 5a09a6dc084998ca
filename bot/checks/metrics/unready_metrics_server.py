"""METRICS-02: the pods of metrics-server are not ready."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import replace

from bot.check import check
from bot.checks.metrics.about import is_broken, metrics_api, restart, subject
from bot.model.apis import ApiServices, GroupProbes, group_version
from bot.model.cluster import Heartbeats, LogLine, Nodes
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.health import is_down
from bot.model.k8s import Pod
from bot.model.lines import is_current, matching
from bot.model.metrics import MetricsServer, Scrapes
from bot.model.proof import Proof
from bot.model.text import T

UNAVAILABLE = 503
GRACE = 60.0
FATAL = re.compile(r"panic|unable to load|listen tcp .*: bind|failed to create listener|no route to host")
STARVED = re.compile(r"no metrics to serve|needs at least 2 scrapes|last tick wasn't healthy")
PULL = frozenset({"ErrImagePull", "ImagePullBackOff", "InvalidImageName", "ErrImageNeverPull"})


@check("METRICS-02")
def unready_metrics_server(
    server: MetricsServer,
    clock: Clock,
    *,
    nodes: Nodes | None,
    heartbeats: Heartbeats | None,
    scrapes: Scrapes | None,
    apis: ApiServices | None,
    probes: GroupProbes | None,
) -> Iterator[Finding]:
    """Pods of metrics-server are not ready.

    Says:
        "kubectl top does not answer", "metrics-server is 0/1".
    Evidence:
        Pod phase, reasons, restarts, OOM kills, the state of its node; the first error of its log.
    Rule:
        No ready pod: high. Fewer than wanted: a warning. Confirmed when the APIService is not available or a GET of it
        answers 503, or the log names a fatal error.
    Cause:
        Its node is gone, its image cannot be pulled, wrong flags, out of memory.
    Fix:
        Repair the cause; restart the Deployment.
    Verify:
        The pods are Ready, the APIService says Passed.
    Must not fire:
        Pods younger than 60 s or being scaled down; a pod that runs but has nothing to serve, because it could not
        scrape (METRICS-03, METRICS-10).
    Reasons:
        - node-down: the pod's node is not heard of
        - pending: not scheduled
        - image: the image cannot be pulled
        - oom: killed for memory
        - crash: the container exits
        - not-ready: runs, but its readiness probe fails
    """
    bad = tuple(p for p in server.pods if not p.ready and _counts(p, clock))
    bad = tuple(p for p in bad if not _starved(p, server, scrapes, clock))
    ready = sum(p.ready for p in server.pods)
    wanted = max([d.spec.replicas for d in server.deployments if d.spec.replicas is not None], default=len(server.pods))
    if not bad or ready >= wanted:
        return None
    word = next(_words(p, nodes, heartbeats, clock) for p in bad)
    logs = scrapes.logs if scrapes else ()
    fatal = tuple(log.proof.quote(hits[-1].text) for log in logs if (hits := matching(log, FATAL, clock)))
    agrees = _agrees(apis, probes) or bool(fatal)
    found = _finding(server, bad, word, ready=ready, wanted=wanted, agrees=agrees, fatal=fatal[:1])
    unheard = word == "not-ready" and scrapes is None  # it may only lack samples (METRICS-10): its log would say so
    yield replace(found, confidence=Confidence.POSSIBLE) if unheard else found


def _counts(pod: Pod, clock: Clock) -> bool:
    made = pod.metadata.creation_timestamp
    return not pod.finished and (made is None or clock.age(made) > GRACE)


def _starved(pod: Pod, server: MetricsServer, scrapes: Scrapes | None, clock: Clock) -> bool:
    """Runs, and its log says that it only lacks samples."""
    statuses = pod.status.container_statuses or ()
    running = bool(statuses) and all(s.state.running for s in statuses)
    logs = scrapes.logs if scrapes else ()
    own = [log for log in logs if log.origin.startswith(f"{pod.path}/") and not log.previous]
    lines: list[LogLine] = [line for log in own for line in matching(log, STARVED, clock)]
    legacy = server.legacy and bool(scrapes and scrapes.failures)
    return running and (is_current(lines, clock) or (legacy and bool(own)))


def _words(pod: Pod, nodes: Nodes | None, heartbeats: Heartbeats | None, clock: Clock) -> str:
    statuses = pod.status.container_statuses or ()
    waiting = {s.state.waiting.reason for s in statuses if s.state.waiting}
    ended = {t.reason for s in statuses for t in (s.state.terminated, s.last_state.terminated) if t}
    if not pod.spec.node_name:
        return "pending"
    if is_down(pod.spec.node_name, nodes, heartbeats, clock):
        return "node-down"
    if waiting & PULL:
        return "image"
    if "OOMKilled" in ended:
        return "oom"
    return "crash" if "CrashLoopBackOff" in waiting or "Error" in ended else "not-ready"


def _agrees(apis: ApiServices | None, probes: GroupProbes | None) -> bool:
    api = metrics_api(apis)
    probe = probes.by_group_version.get(group_version(api)) if probes and api else None
    return is_broken(apis) or (probe is not None and probe.status == UNAVAILABLE)


def _finding(
    server: MetricsServer,
    bad: tuple[Pod, ...],
    word: str,
    *,
    ready: int,
    wanted: int,
    agrees: bool,
    fatal: tuple[Proof, ...],
) -> Finding:
    what = subject(server)
    since = [c.last_transition_time for p in bad if (c := p.condition("Ready")) and c.last_transition_time]
    nodes = tuple(dict.fromkeys(p.spec.node_name for p in bad if p.spec.node_name))
    shown = (f"{p.path} on {p.spec.node_name or '-'}: {p.status.phase}, Ready={_ready_word(p)}" for p in bad)
    where = f"-n {shlex.quote(what.namespace or 'kube-system')}"
    look = Fix(
        what=T("See why the pods of metrics-server are not ready."),
        safety=Safety.READ_ONLY,
        commands=tuple(f"kubectl {where} describe pod {shlex.quote(p.metadata.name)}" for p in bad[:3]),
        verify=(f"kubectl {where} get pods -o wide",),
    )
    return Finding(
        code="METRICS-02",
        reason=word,
        title=T("metrics-server is not ready: {ready} of {wanted} pods", ready=ready, wanted=wanted),
        detail=T("Its pod runs on {nodes}, which is not heard of.", nodes=nodes) if word == "node-down" else None,
        severity=Severity.WARN if ready else Severity.HIGH,
        confidence=Confidence.CONFIRMED if agrees else Confidence.LIKELY,
        subject=what,
        facts={"service": server.service, "nodes": nodes, "pods": tuple(p.path for p in bad), "oom": word == "oom"},
        onset=min(since) if since and not ready else None,
        proofs=(server.proof.quote(*shown), *fatal),
        fixes=(look, restart(server)),
    )


def _ready_word(pod: Pod) -> str:
    condition = pod.condition("Ready")
    return condition.status if condition else "-"
