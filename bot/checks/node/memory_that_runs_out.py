"""NODE-21: the node itself, not a container's limit, is out of memory."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.check import check
from bot.checks.node.space import pressed
from bot.model.cluster import LogLine, NodeEvents, Nodes
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import KernelLog
from bot.model.host_resources import Memory
from bot.model.lines import in_window, is_current
from bot.model.refs import node
from bot.model.text import T, Text

_KILLED = re.compile(r"(?<!Memory cgroup )[Oo]ut of memory: Kill(?:ed)? process (?P<pid>\d+) \((?P<command>[^)]+)\)")
MIB = 1024**2
LEAST = 100.0  # MiB: the kubelet's default for eviction


@check("NODE-21")
def memory_that_runs_out(
    *,
    memory: Memory,
    kernel: KernelLog | None,
    clock: Clock,
    nodes: Nodes | None,
    events: NodeEvents | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """The node is out of memory: the kernel kills processes, or next to nothing is available.

    Says:
        "Containers are killed at random", "the node is out of memory".
    Evidence:
        The kernel's log, /proc/meminfo, pressure, the MemoryPressure condition, SystemOOM events.
    Rule:
        The kernel killed a process for want of memory of the whole machine, and did so lately; or less memory is
        available than the kubelet's limit for eviction (100 MiB). Confirmed when the kubelet says so too.
    Cause:
        More is promised than there is, a daemon leaks (NODE-26), nothing is reserved (NODE-17). It explains evicted
        pods, a hanging kubelet, a runtime that died.
    Fix:
        Move or limit the largest pod; reserve memory for the system.
    Verify:
        Pressure (some avg60) is below 5.
    Must not fire:
        A container that was killed at its own limit (memory cgroup out of memory): that is the container's fault.
    Reasons:
        - kernel-killed: the kernel killed a process
        - nearly-none-left: less is available than the kubelet's limit for eviction
    """
    limit = (expect.thresholds.get("NODE-21", {}) if expect else {}).get("mib", LEAST) * MIB
    hits = [x for x in in_window(kernel.lines, clock) if _KILLED.search(x.text)] if kernel else []
    killed = is_current(hits, clock)
    low = memory.available is not None and memory.available < limit
    if not killed and not low:
        return
    here = nodes.get(memory.node) if nodes else None
    told = _told(events, clock)
    yield Finding(
        code="NODE-21",
        reason="kernel-killed" if killed else "nearly-none-left",
        title=_title(memory, hits if killed else []),
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED
        if told or pressed(here, "MemoryPressure") or (killed and low)
        else Confidence.LIKELY,
        subject=node(memory.node),
        facts={"node": memory.node, "killed": tuple(dict.fromkeys(_KILLED.findall(x.text)[0][1] for x in hits))},
        onset=hits[0].at if hits else None,
        proofs=(
            *((kernel.proof.quote(*(x.text for x in hits[-3:])),) if kernel and hits else ()),
            memory.proof,
            *((events.proof.quote(*told),) if events and told else ()),
        ),
        fixes=_fixes(),
    )


def _told(events: NodeEvents | None, clock: Clock) -> tuple[str, ...]:
    """What events say about it, inside the window."""
    about = [e for e in events.items if e.reason in {"SystemOOM", "OOMKilling"}] if events else []
    fresh = [e for e in about if e.seen and clock.age(e.seen) <= clock.window_seconds]
    return tuple(f"{e.reason}: {e.message}" for e in fresh)


def _title(memory: Memory, hits: list[LogLine]) -> Text:
    found = _KILLED.search(hits[-1].text) if hits else None
    if found:
        return T("{node} is out of memory: its kernel killed {command}", node=memory.node, command=found["command"])
    left = round((memory.available or 0) / MIB)
    return T("{node} has {left} MiB of memory left", node=memory.node, left=left)


def _fixes() -> tuple[Fix, ...]:
    look = Fix(
        what=T("See which processes and pods use the most memory."),
        safety=Safety.READ_ONLY,
        commands=("ps -eo pid,rss,comm --sort=-rss | head -15",),
    )
    move = Fix(
        what=T("Give the largest pod a memory limit or move it; then reserve memory for the system (kubeReserved)."),
        safety=Safety.DISRUPTIVE,
        verify=("cat /proc/pressure/memory",),
    )
    return look, move
