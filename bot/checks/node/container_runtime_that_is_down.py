"""NODE-10: the container runtime does not run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from bot.check import Result, check
from bot.checks.node.about import Around, kubelet_of, last_start
from bot.model.cluster import Heartbeats, Nodes, PodsOnNode
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, RuledOut, Safety, Severity
from bot.model.host import (
    Call,
    ContainerRuntime,
    HostUnits,
    KubeletArguments,
    KubeletLog,
    ManualContainers,
    NodeIdentity,
    RuntimeLog,
    Unit,
)
from bot.model.lines import current
from bot.model.proof import Proof, Source
from bot.model.refs import node
from bot.model.text import T, Text

SOCKETS = {
    "containerd": "/run/containerd/containerd.sock",
    "crio": "/var/run/crio/crio.sock",
    "cri-docker": "/var/run/cri-dockerd.sock",
    "docker": "/var/run/docker.sock",
}
_DOWN = re.compile(r"container runtime is down|container runtime status check may not have completed yet")
_DIAL = re.compile(
    r"dial unix:?/*\S*\.sock: (?:connect: )?(?:no such file|connection refused)|Cannot connect to the Docker daemon"
)
_WORDS = re.compile(r"level=(?:error|fatal|panic)|(?:^|[\s:])(?:[Ff]ailed to|[Ee]rror|panic|fatal)\b")
_SYSTEMD = re.compile(r"\S+\.service: ")
WARM_UP = 120.0
ELSEWHERE = frozenset({Source.API, Source.LOG})  # a second source beside what the node's own commands say
MOST_TOLD = 2


@check("NODE-10")
def container_runtime_that_is_down(
    *,
    units: HostUnits,
    runtime: ContainerRuntime,
    clock: Clock,
    nodes: Nodes | None,
    beats: Heartbeats | None,
    arguments: KubeletArguments | None,
    log: KubeletLog | None,
    told: RuntimeLog | None,
    manual: ManualContainers | None,
    pods: PodsOnNode | None,
    identity: NodeIdentity | None,
) -> Iterator[Result]:
    """The container runtime of a node does not run.

    Says:
        "container runtime is down", "Cannot connect to the Docker daemon".
    Evidence:
        The runtime's unit and socket; crictl info; the node's Ready message; the kubelet's and the runtime's log.
    Rule:
        The runtime's unit is not active or its socket is gone, and the kubelet's message, its log, or crictl agrees.
        The message alone never decides: a frozen runtime prints it too. Confirmed when the API server or the kubelet's
        log agrees, or two others do.
    Cause:
        The runtime crashed or cannot start: configuration, full disk, damaged database. It explains NODE-03,
        NODE-09 and pods that cannot be made.
    Fix:
        Read why it ended, repair that, start it. Containers keep running under containerd and CRI-O; Docker stops
        them unless live-restore is on.
    Verify:
        crictl info answers within two seconds, the node is Ready.
    Must not fire:
        Docker stopped on a node that uses containerd; "may not have completed yet" within two minutes of the kubelet's
        start. When the runtime answers although pods do not start, the row is ruled out.
    Reasons:
        - unit-stopped: the unit is inactive
        - unit-failed: the unit failed or restarts again and again
        - socket-missing: the unit is active, but its socket is not there
    """
    around = Around(node=units.node, clock=clock, nodes=nodes, beats=beats, identity=identity)
    name = runtime_name(around, arguments, units)
    unit = units.get(name) if name else None
    agreeing = tuple(_agreeing(around, runtime, units, log))
    down = unit is not None and not unit.running
    socket = SOCKETS.get(name, "")
    gone = runtime.sockets.get(socket) is False and (unit is not None and unit.running) and runtime.call is not Call.OK
    if name and unit is not None and (down or gone) and agreeing and runtime.call is not Call.OK:
        yield _finding(around, units, unit, runtime, socket=socket, down=down, agreeing=agreeing, told=told)
    elif _in_trouble(around, units, pods):
        yield from _ruled_out(units.node, runtime, manual)


def runtime_name(around: Around, arguments: KubeletArguments | None, units: HostUnits) -> str:
    """Which runtime the kubelet uses: by the node object, else by its flag, else the only one installed.

    Between kubelet and docker there may be cri-dockerd, which is named where it alone is down.
    """
    version = around.object.status.node_info.container_runtime_version if around.object else ""
    scheme = version.partition("://")[0]
    if scheme == "docker":
        between, behind = units.get("cri-docker"), units.get("docker")
        return "cri-docker" if between and between.down and (behind is None or behind.running) else "docker"
    if scheme == "containerd":
        return scheme
    if scheme == "cri-o":
        return "crio"
    flag = arguments.flags.get("container-runtime-endpoint", "") if arguments else ""
    named = [n for n, path in SOCKETS.items() if path.rpartition("/")[2] in flag]
    installed = [n for n in SOCKETS if n != "cri-docker" and units.get(n)]
    return named[0] if named else installed[0] if len(installed) == 1 else ""


def _agreeing(around: Around, runtime: ContainerRuntime, units: HostUnits, log: KubeletLog | None) -> Iterator[Proof]:
    """What else says that the runtime is down: the node's condition, crictl, the kubelet's log."""
    kubelet = kubelet_of(units)
    ready = around.object.condition("Ready") if around.object else None
    message = ready.message or "" if ready else ""
    young = (
        kubelet is not None and kubelet.active_since is not None and around.clock.age(kubelet.active_since) < WARM_UP
    )
    if around.nodes and _DOWN.search(message) and not (young and "may not have completed" in message):
        yield around.nodes.proof.quote(f"{around.node}: Ready={ready.status if ready else ''}: {message}")
    if runtime.call is Call.FAILED:
        yield runtime.proof.quote(runtime.error)
    if log and kubelet:
        hits = (
            tuple(x for x in last_start(log, kubelet) if _DIAL.search(x.text))
            if kubelet.down
            else current(log.lines, _DIAL, around.clock, kubelet.active_since)
        )
        if hits:
            yield log.proof.quote(*(x.text for x in hits[-MOST_TOLD:]))


def _finding(
    around: Around,
    units: HostUnits,
    unit: Unit,
    runtime: ContainerRuntime,
    *,
    socket: str,
    down: bool,
    agreeing: tuple[Proof, ...],
    told: RuntimeLog | None,
) -> Finding:
    failed = unit.active in {"failed", "activating"}
    reason = "socket-missing" if not down else "unit-failed" if failed else "unit-stopped"
    onset = _down_since(around, unit, units) if down else None
    last = _last_words([line.text for line in told.lines]) if told else []
    state = f"Id={unit.name}.service ActiveState={unit.active} SubState={unit.sub} Result={unit.result}"
    return Finding(
        code="NODE-10",
        reason=reason,
        title=_title(reason, around.node, unit.name, socket),
        severity=around.severity(Severity.CRIT, onset),
        confidence=Confidence.CONFIRMED
        if len(agreeing) > 1 or any(p.source in ELSEWHERE for p in agreeing)
        else Confidence.LIKELY,
        subject=node(around.node),
        facts={"node": around.node, "unit": unit.name, "component": unit.name, "socket": socket},
        onset=onset,
        proofs=(
            units.proof.quote(state),
            runtime.proof.quote(f"{socket}: {'there' if runtime.sockets.get(socket) else 'not there'}"),
            *agreeing,
            *((told.proof.quote(*last),) if told and last else ()),
        ),
        fixes=_fixes(unit.name),
    )


def _down_since(around: Around, unit: Unit, units: HostUnits) -> datetime | None:
    """When the runtime went down; None when that is not known.

    Of a runtime that is tried again and again systemd only tells the last attempt, before which it was down already.
    Then the time counts at which the node began to say that it is not ready for this reason, and the boot when the
    runtime never became active since.
    """
    if unit.active in {"inactive", "failed"}:
        return unit.inactive_since
    ready = around.object.condition("Ready") if around.object else None
    said = ready is not None and ready.status != "True" and _DOWN.search(ready.message or "")
    never = unit.active_since is None and any(u.active_since for u in units.by_name.values())
    signs = (
        ready.last_transition_time if ready and said else None,
        around.identity.booted if around.identity and never else None,
    )
    return min((t for t in signs if t), default=None)


def _last_words(lines: list[str]) -> list[str]:
    """The runtime's own errors of the end of its log, before what systemd says of it."""
    own = [text for text in lines if _WORDS.search(text) and not _SYSTEMD.match(text)]
    return list(dict.fromkeys(own))[-MOST_TOLD:] or lines[-3:]


def _title(reason: str, name: str, unit: str, socket: str) -> Text:
    if reason == "socket-missing":
        return T("the container runtime of {node} has no socket {path}", node=name, path=socket)
    if reason == "unit-failed":
        return T("the container runtime {unit} of {node} failed", unit=unit, node=name)
    return T("the container runtime {unit} of {node} is stopped", unit=unit, node=name)


def _fixes(unit: str) -> tuple[Fix, ...]:
    look = Fix(
        what=T("On the node: read why {unit} ended.", unit=unit),
        safety=Safety.READ_ONLY,
        commands=(f"sudo journalctl -u {unit} -n 50 --no-pager", f"systemctl status {unit} --no-pager"),
    )
    start = Fix(
        what=T("On the node: start {unit}. Docker without live-restore stops all its containers.", unit=unit)
        if unit == "docker"
        else T("On the node: start {unit}; containers that run keep running.", unit=unit),
        safety=Safety.DISRUPTIVE,
        commands=(f"sudo systemctl restart {unit}",),
        verify=(f"systemctl is-active {unit}", "sudo docker info" if unit == "docker" else "sudo crictl info"),
    )
    return look, start


def _in_trouble(around: Around, units: HostUnits, pods: PodsOnNode | None) -> bool:
    """Whether something on the node makes people suspect the runtime."""
    kubelet = kubelet_of(units)
    waiting = any(p.status.phase == "Pending" for p in pods.items) if pods else False
    return (kubelet is not None and kubelet.down) or around.stale or around.not_ready or waiting


def _ruled_out(name: str, runtime: ContainerRuntime, manual: ManualContainers | None) -> Iterator[RuledOut]:
    by_hand = manual.running if manual else ()
    if runtime.call is Call.OK:
        because = T("the container runtime of {node} answers ({ms} ms)", node=name, ms=runtime.slowest_ms)
        yield RuledOut(code="NODE-10", subject=node(name), because=because, proofs=(runtime.proof,))
    elif by_hand and manual:
        because = T(
            "containers started by hand run on {node}: {names}", node=name, names=tuple(c.name for c in by_hand)
        )
        yield RuledOut(code="NODE-10", subject=node(name), because=because, proofs=(manual.proof,))
