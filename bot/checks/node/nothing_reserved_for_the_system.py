"""NODE-17: pods may use the whole node, so they starve the kubelet and the system."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from bot.check import CheckFunction, check, needs_of
from bot.checks.node.hanging_kubelet import hanging_kubelet
from bot.checks.node.memory_that_runs_out import memory_that_runs_out
from bot.checks.node.pleg_that_is_not_healthy import pleg_that_is_not_healthy
from bot.model.cluster import Heartbeats, NodeEvents, Nodes, PodsOnNode
from bot.model.evidence import Clock, Evidence, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity, Stage
from bot.model.host import (
    ApiPath,
    ContainerRuntime,
    HostUnits,
    KernelLog,
    KubeletArguments,
    KubeletHealth,
    KubeletLog,
    KubeletProcess,
)
from bot.model.host_resources import KubeletSettings, Memory
from bot.model.quantity import quantity
from bot.model.refs import node
from bot.model.text import T

MIB, GIB = 1024**2, 1024**3
EVICTION_ONLY, SMALL = 100 * MIB, 2 * GIB
BUSY = 20.0


CONFIG = "/var/lib/kubelet/config.yaml"


@check("NODE-17")
def nothing_reserved_for_the_system(
    *,
    nodes: Nodes,
    pods: PodsOnNode,
    settings: KubeletSettings | None,
    memory: Memory | None,
    clock: Clock | None,
    units: HostUnits | None,
    beats: Heartbeats | None,
    path: ApiPath | None,
    health: KubeletHealth | None,
    log: KubeletLog | None,
    process: KubeletProcess | None,
    runtime: ContainerRuntime | None,
    kernel: KernelLog | None,
    events: NodeEvents | None,
    arguments: KubeletArguments | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """Nothing of the node's CPU and memory is reserved for the kubelet and the system.

    Says:
        "The kubelet and sshd are slow when the node is busy".
    Evidence:
        Capacity and allocatable of the node object, pressure on the node, the kubelet's configuration.
    Rule:
        Allocatable CPU is the whole capacity, and memory differs by no more than the limit for eviction (100 MiB).
        High when the node suffers from it: a kubelet that hangs (NODE-06), PLEG (NODE-09), no memory left (NODE-21).
    Cause:
        Neither kubeReserved nor systemReserved is set: pods starve the daemons. It makes NODE-06, NODE-09 and NODE-21
        worse.
    Fix:
        Reserve for example 200m of CPU and 5 % of memory.
    Verify:
        Allocatable falls below capacity.
    Must not fire:
        Nodes with less than 2 GiB; a reserved cgroup that is managed elsewhere.
    Reasons:
        - nothing-reserved: pods may use everything
    """
    here = nodes.get(pods.node)
    if here is None or (settings is not None and "systemReservedCgroup" in settings.values):
        return
    slack = (expect.thresholds.get("NODE-17", {}) if expect else {}).get("mib", EVICTION_ONLY / MIB) * MIB
    cpu, total = (quantity((here.status.capacity or {}).get(key, "")) for key in ("cpu", "memory"))
    free_cpu, free = (quantity((here.status.allocatable or {}).get(key, "")) for key in ("cpu", "memory"))
    if cpu is None or total is None or free_cpu is None or free is None:
        return
    if total < SMALL or free_cpu < cpu or total - free > slack:
        return
    pieces = (nodes, pods, settings, memory, clock, units, beats, path, health, log, process, runtime, kernel, events)
    suffers = tuple(code for code, row in SUFFERING if _found(row, (*pieces, arguments, expect)))
    waits = memory is not None and max(memory.waiting.get("memory", 0.0), memory.waiting.get("cpu", 0.0)) >= BUSY
    facts: dict[str, str | int | float | bool | tuple[str, ...]] = {"node": pods.node, "suffers": suffers}
    if memory is not None:
        facts["waiting"] = str(waits).lower()
    capacity, allocatable = here.status.capacity or {}, here.status.allocatable or {}
    yield Finding(
        code="NODE-17",
        reason="nothing-reserved",
        title=T("nothing is reserved for the system on {node}: pods may use all CPU and memory", node=pods.node),
        severity=Severity.HIGH if suffers else Severity.WARN,
        confidence=Confidence.CONFIRMED if suffers else Confidence.LIKELY,
        subject=node(pods.node),
        facts=facts,
        proofs=(
            nodes.proof.quote(
                f"{pods.node}: capacity cpu={capacity['cpu']} memory={capacity['memory']}",
                f"{pods.node}: allocatable cpu={allocatable['cpu']} memory={allocatable['memory']}",
            ),
            *((memory.proof,) if memory and suffers else ()),
        ),
        fixes=(_fix(total, arguments),),
    )


SUFFERING: tuple[tuple[str, CheckFunction], ...] = (
    ("NODE-06", hanging_kubelet),
    ("NODE-09", pleg_that_is_not_healthy),
    ("NODE-21", memory_that_runs_out),
)


def _found(row: CheckFunction, pieces: tuple[Evidence | None, ...]) -> bool:
    """Whether another row is found on the node, too, by its own check on the same evidence."""
    values: dict[str, Evidence | None] = {}
    for need in needs_of(row):
        values[need.name] = next((p for p in pieces if isinstance(p, need.type)), None)
        if values[need.name] is None and need.required:
            return False
    return any(isinstance(r, Finding) and r.confidence.counts for r in row(**values))


def _fix(total: float, arguments: KubeletArguments | None) -> Fix:
    config = shlex.quote(arguments.flags.get("config") or CONFIG if arguments else CONFIG)
    reserved = f"systemReserved: {{cpu: 200m, memory: {max(100, round(total / 20 / MIB))}Mi}}"
    return Fix(
        what=T("On the node: reserve 200m of CPU and 5 % of memory for the system, then restart the kubelet."),
        safety=Safety.REVERSIBLE,
        commands=(
            f"sudo sed -i.bak -e '$a {reserved}' {config}",
            "sudo systemctl restart kubelet",
        ),
        verify=("kubectl get nodes -o custom-columns=NAME:.metadata.name,CPU:.status.allocatable.cpu",),
        undo=(f"sudo cp -p {config}.bak {config}", "sudo systemctl restart kubelet"),
        stage=Stage.POSTURE,
    )
