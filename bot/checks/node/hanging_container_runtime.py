"""NODE-11: the container runtime runs and does not answer."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.check import check
from bot.checks.node.about import Around
from bot.checks.node.container_runtime_that_is_down import runtime_name
from bot.model.cluster import Nodes
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import ContainerRuntime, HostUnits, KernelLog, KubeletArguments, KubeletLog, ManualContainers
from bot.model.lines import current
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T

_BLOCKED = re.compile(r"task (?:dockerd|docker|containerd|containerd-shim)\S*:\d+ blocked for more than \d+ seconds")
_LATE = re.compile(
    r"rpc error: code = DeadlineExceeded|operation timeout: context deadline exceeded|ListPodSandbox .* failed"
)
_MESSAGE = re.compile(r"container runtime is down|PLEG is not healthy")
TWICE = 2


@check("NODE-11")
def hanging_container_runtime(
    *,
    units: HostUnits,
    clock: Clock,
    runtime: ContainerRuntime | None,
    manual: ManualContainers | None,
    nodes: Nodes | None,
    kernel: KernelLog | None,
    log: KubeletLog | None,
    arguments: KubeletArguments | None,
) -> Iterator[Finding]:
    """The container runtime's process runs, but its API does not respond.

    Says:
        "docker ps hangs", "pods are stuck Terminating or ContainerCreating on one node".
    Evidence:
        crictl and docker, each under a time limit; the unit; kernel messages of blocked tasks; the node's
        condition; the kubelet's log.
    Rule:
        The unit of the runtime that the kubelet uses is active and two calls to it exceed ten seconds. Confirmed when
        the kernel, the node's Ready condition, NPD or the kubelet's log agrees now.
    Cause:
        A deadlock in the runtime, a kernel bug, a stuck storage driver. It explains NODE-09, POD-05, POD-10, POD-11.
    Fix:
        Keep the list of blocked tasks, then restart the runtime; if they stay blocked, drain and reboot.
    Verify:
        crictl info answers within two seconds, the node is Ready.
    Must not fire:
        One slow call while images are unpacked; a docker that hangs on a node whose kubelet uses another runtime.
    Reasons:
        - calls-time-out: two calls did not end in time
    """
    around = Around(node=units.node, clock=clock, nodes=nodes)
    name = runtime_name(around, arguments, units)
    unit = units.get(name) if name else None
    asked = [p for p in (runtime, manual if name in {"docker", "cri-docker"} else None) if p]
    slow = max((p.timeouts for p in asked), default=0)
    if slow < TWICE or unit is None or not unit.running:
        return
    agreeing = tuple(_agreeing(around, kernel, log))
    hung = [p.proof.quote(*_calls(p)) for p in asked if p.timeouts >= TWICE]
    yield Finding(
        code="NODE-11",
        reason="calls-time-out",
        title=T(
            "the container runtime {unit} of {node} hangs: it runs and does not answer", unit=name, node=units.node
        ),
        severity=Severity.CRIT,
        confidence=Confidence.CONFIRMED if agreeing else Confidence.LIKELY,
        subject=node(units.node),
        facts={"node": units.node, "unit": name, "component": name, "timeouts": slow},
        onset=next((x.at for x in (current(kernel.lines, _BLOCKED, clock) if kernel else ())), None),
        proofs=(*hung, units.proof.quote(f"Id={name}.service ActiveState=active"), *agreeing),
        fixes=_fixes(name),
    )


def _calls(asked: ContainerRuntime | ManualContainers) -> tuple[str, ...]:
    """The calls that were given up, each by its command where that is known."""
    late = asked.late if isinstance(asked, ContainerRuntime) else ()
    return (f"{asked.timeouts} calls did not end in time", *(f"{command}: no answer" for command in late))


def _agreeing(around: Around, kernel: KernelLog | None, log: KubeletLog | None) -> Iterator[Proof]:
    here = around.object
    ready = here.condition("Ready") if here else None
    if around.nodes and ready and ready.status != "True" and _MESSAGE.search(ready.message or ""):
        yield around.nodes.proof.quote(f"{around.node}: Ready={ready.status}: {ready.message}")
    deadlock = here.condition("KernelDeadlock") if here else None
    if around.nodes and deadlock and deadlock.status == "True":
        yield around.nodes.proof.quote(f"{around.node}: KernelDeadlock=True: {deadlock.reason}")
    for source, pattern in ((kernel, _BLOCKED), (log, _LATE)):
        hits = [x.text for x in current(source.lines, pattern, around.clock)] if source else []
        if source and hits:
            yield source.proof.quote(*hits[-2:])


def _fixes(name: str) -> tuple[Fix, ...]:
    keep = Fix(
        what=T("On the node: keep the list of blocked tasks."),
        safety=Safety.READ_ONLY,
        commands=("ps -eo pid,stat,wchan:32,comm | awk '$2 ~ /^D/'",),
    )
    again = Fix(
        what=T("On the node: restart {unit}; if tasks stay blocked, drain the node and reboot it.", unit=name),
        safety=Safety.DISRUPTIVE,
        commands=(f"sudo systemctl restart {name}",),
        verify=("sudo docker info" if name == "docker" else "sudo crictl info",),
    )
    return keep, again
