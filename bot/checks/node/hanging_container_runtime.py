"""NODE-11: the container runtime runs and does not answer."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.check import check
from bot.checks.node.about import Around
from bot.model.cluster import Nodes
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import ContainerRuntime, HostUnits, KernelLog, KubeletLog, ManualContainers
from bot.model.lines import in_window
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T

_BLOCKED = re.compile(r"task (?:dockerd|docker|containerd|containerd-shim)\S*:\d+ blocked for more than \d+ seconds")
_LATE = re.compile(
    r"rpc error: code = DeadlineExceeded|operation timeout: context deadline exceeded|ListPodSandbox .* failed"
)
_MESSAGE = re.compile(r"container runtime is down|PLEG is not healthy")
RUNTIMES = ("containerd", "crio", "docker")
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
) -> Iterator[Finding]:
    """The container runtime's process runs, but its API does not respond.

    Says:
        "docker ps hangs", "pods are stuck Terminating or ContainerCreating on one node".
    Evidence:
        crictl and docker, each under a time limit; the unit; kernel messages of blocked tasks; the node's
        condition; the kubelet's log.
    Rule:
        The runtime's unit is active and two calls exceed ten seconds. Confirmed when the kernel, the node's Ready
        condition, NPD or the kubelet's log agrees.
    Cause:
        A deadlock in the runtime, a kernel bug, a stuck storage driver. It explains NODE-09, POD-05, POD-10, POD-11.
    Fix:
        Keep the list of blocked tasks, then restart the runtime; if they stay blocked, drain and reboot.
    Verify:
        crictl info answers within two seconds, the node is Ready.
    Must not fire:
        One slow call while images are unpacked.
    Reasons:
        - calls-time-out: two calls did not end in time
    """
    slow = max(runtime.timeouts if runtime else 0, manual.timeouts if manual else 0)
    name = next((n for n in RUNTIMES if (u := units.get(n)) and u.running), "")
    if slow < TWICE or not name:
        return
    around = Around(node=units.node, clock=clock, nodes=nodes)
    agreeing = tuple(_agreeing(around, kernel, log))
    hung = [p.proof for p in (runtime, manual) if p and p.timeouts >= TWICE]
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
        onset=next((x.at for x in (kernel.lines if kernel else ()) if _BLOCKED.search(x.text)), None),
        proofs=(*hung, units.proof.quote(f"Id={name}.service ActiveState=active"), *agreeing),
        fixes=_fixes(name),
    )


def _agreeing(around: Around, kernel: KernelLog | None, log: KubeletLog | None) -> Iterator[Proof]:
    here = around.object
    ready = here.condition("Ready") if here else None
    if around.nodes and ready and ready.status != "True" and _MESSAGE.search(ready.message or ""):
        yield around.nodes.proof.quote(f"{around.node}: Ready={ready.status}: {ready.message}")
    deadlock = here.condition("KernelDeadlock") if here else None
    if around.nodes and deadlock and deadlock.status == "True":
        yield around.nodes.proof.quote(f"{around.node}: KernelDeadlock=True: {deadlock.reason}")
    for source, pattern in ((kernel, _BLOCKED), (log, _LATE)):
        lines = in_window(source.lines, around.clock) if source else ()
        hits = [x.text for x in lines if pattern.search(x.text)]
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
        verify=("sudo crictl info",),
    )
    return keep, again
