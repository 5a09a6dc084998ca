"""NODE-06: the kubelet's process is there, but it does nothing."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.check import check
from bot.checks.node.about import Around, kubelet_of, restart
from bot.model.cluster import Heartbeats, Nodes
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import ApiPath, HostUnits, KubeletHealth, KubeletLog, KubeletProcess, Probe
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T

QUIET = 120.0
TRACED = "t"  # a debugger holds it


@check("NODE-06")
def hanging_kubelet(
    *,
    units: HostUnits,
    beats: Heartbeats,
    path: ApiPath,
    clock: Clock,
    health: KubeletHealth | None,
    log: KubeletLog | None,
    process: KubeletProcess | None,
    nodes: Nodes | None,
) -> Iterator[Finding]:
    """The kubelet is active but hangs.

    Says:
        "The kubelet shows active, and the node is NotReady."
    Evidence:
        The unit, the heartbeat, port 10248, the age of the last log line, the process's state, tasks blocked in the
        kernel, the path to the API server.
    Rule:
        Active for more than two minutes, no heartbeat for more than one, healthz does not say ok or the log has been
        silent for two minutes, and the API server can be reached from the node (else NODE-02). A journal without any
        line of it makes it possible only: it may log elsewhere. A closed port 10248 beside an open 10250 is a setting.
    Cause:
        A deadlock, blocked I/O (dead NFS mount, failed disk), starvation, too many watches. It explains METRICS-03,
        POD-10, NODE-31.
    Fix:
        Keep the evidence, then restart the kubelet; with tasks blocked on a mount, repair the storage first.
    Verify:
        The node is heard of within 20 s.
    Must not fire:
        A kubelet that was started less than two minutes ago, or that a debugger holds; a node that cannot reach the API
        server; when no node is heard of at all.
    Reasons:
        - healthz-fails: its health port times out or complains
        - silent: its health port answers, but it has logged nothing for two minutes
    """
    kubelet = kubelet_of(units)
    beat = beats.last.get(units.node)
    if (
        kubelet is None
        or not kubelet.running
        or beat is None
        or clock.age(beat) <= beats.stale_seconds
        or not path.works
    ):
        return
    if kubelet.active_since is not None and clock.age(kubelet.active_since) <= QUIET:
        return
    others = [at for name, at in beats.last.items() if name != units.node]
    if others and all(clock.age(at) > beats.stale_seconds for at in others):
        return  # no node is heard of: whoever takes the heartbeats is at fault, not every kubelet
    bad = _is_bad(health)
    last = _last(log)
    mute = log is not None and not log.lines
    if (process and process.state == TRACED) or not (bad or mute or (last is not None and clock.age(last) > QUIET)):
        return
    blocked = process.blocked if process else ()
    around = Around(node=units.node, clock=clock, nodes=nodes, beats=beats, health=health)
    yield Finding(
        code="NODE-06",
        reason="healthz-fails" if bad else "silent",
        title=T("the kubelet of {node} hangs: it is active and does nothing", node=units.node),
        detail=T("Tasks blocked in the kernel: {tasks}", tasks=blocked[:3]) if blocked else None,
        severity=around.severity(Severity.CRIT, beat),
        confidence=Confidence.CONFIRMED if bad else Confidence.POSSIBLE if mute else Confidence.LIKELY,
        subject=node(units.node),
        facts={"node": units.node, "component": "kubelet", "active": "true", "blocked": blocked},
        onset=beat,
        proofs=(
            units.proof.quote("Id=kubelet.service ActiveState=active"),
            *around.proofs(),
            path.proof.quote(*(f"{address}: HTTP {status}" for address, status in path.answers.items())),
            *_blocked(process),
        ),
        fixes=_fixes(),
    )


def _is_bad(health: KubeletHealth | None) -> bool:
    """Whether healthz does not say ok, and not merely for being switched off."""
    if health is None:
        return False
    closed = health.healthz is Probe.REFUSED and health.serving is not Probe.OK
    return closed or health.healthz in {Probe.BAD, Probe.TIMEOUT}


def _fixes() -> tuple[Fix, ...]:
    look = Fix(
        what=T("On the node: keep the evidence first."),
        safety=Safety.READ_ONLY,
        commands=(
            "ps -eo pid,stat,wchan:32,comm | awk '$2 ~ /^D/'",
            "sudo journalctl -u kubelet -n 200 --no-pager",
            "sudo sh -c 'cat /proc/$(systemctl show kubelet -p MainPID --value)/task/*/stack'",
        ),
    )
    again = T("On the node: restart the kubelet; containers that run keep running.")
    return look, restart(again, "sudo systemctl restart kubelet")


def _last(log: KubeletLog | None) -> datetime | None:
    return next((line.at for line in reversed(log.lines) if line.at), None) if log else None


def _blocked(process: KubeletProcess | None) -> tuple[Proof, ...]:
    return (process.proof.quote(*process.blocked[:3]),) if process and process.blocked else ()
