"""NODE-17: pods may use the whole node, so they starve the kubelet and the system."""

from __future__ import annotations

from collections.abc import Iterator

from bot.check import check
from bot.checks.node.space import pressed
from bot.model.cluster import Nodes, PodsOnNode
from bot.model.evidence import Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity, Stage
from bot.model.host_resources import KubeletSettings, Memory
from bot.model.k8s import Node
from bot.model.quantity import quantity
from bot.model.refs import node
from bot.model.text import T

MIB, GIB = 1024**2, 1024**3
EVICTION_ONLY, SMALL = 100 * MIB, 2 * GIB
BUSY = 20.0


@check("NODE-17")
def nothing_reserved_for_the_system(
    *,
    nodes: Nodes,
    pods: PodsOnNode,
    settings: KubeletSettings | None,
    memory: Memory | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """Nothing of the node's CPU and memory is reserved for the kubelet and the system.

    Says:
        "The kubelet and sshd are slow when the node is busy".
    Evidence:
        Capacity and allocatable of the node object, pressure on the node, the kubelet's configuration.
    Rule:
        Allocatable CPU is the whole capacity, and memory differs by no more than the limit for eviction (100 MiB).
        High when the node suffers: MemoryPressure, PLEG, or CPU or memory that tasks wait for.
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
    suffers = _suffers(here, memory)
    capacity, allocatable = here.status.capacity or {}, here.status.allocatable or {}
    yield Finding(
        code="NODE-17",
        reason="nothing-reserved",
        title=T("nothing is reserved for the system on {node}: pods may use all CPU and memory", node=pods.node),
        severity=Severity.HIGH if suffers else Severity.WARN,
        confidence=Confidence.CONFIRMED if suffers else Confidence.LIKELY,
        subject=node(pods.node),
        facts={"node": pods.node},
        proofs=(
            nodes.proof.quote(
                f"{pods.node}: capacity cpu={capacity['cpu']} memory={capacity['memory']}",
                f"{pods.node}: allocatable cpu={allocatable['cpu']} memory={allocatable['memory']}",
            ),
            *((memory.proof,) if memory and suffers else ()),
        ),
        fixes=(
            Fix(
                what=T("Set kubeReserved and systemReserved in the kubelet's configuration, then restart the kubelet."),
                safety=Safety.REVERSIBLE,
                commands=("sudo vi /var/lib/kubelet/config.yaml", "sudo systemctl restart kubelet"),
                verify=("kubectl get nodes -o custom-columns=NAME:.metadata.name,CPU:.status.allocatable.cpu",),
                stage=Stage.POSTURE,
            ),
        ),
    )


def _suffers(here: Node, memory: Memory | None) -> bool:
    """Whether the node shows what a lack of reservation does."""
    ready = here.condition("Ready")
    slow = ready is not None and ready.status != "True" and "PLEG" in (ready.message or "")
    waits = memory is not None and max(memory.waiting.get("memory", 0.0), memory.waiting.get("cpu", 0.0)) >= BUSY
    return slow or waits or pressed(here, "MemoryPressure")
