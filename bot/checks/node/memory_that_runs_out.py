"""NODE-21: the node itself, not a container's limit, is out of memory."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.check import check
from bot.checks.node import eviction
from bot.checks.node.about import Around
from bot.checks.node.space import pressed, pressed_since
from bot.model.cluster import LogLine, NodeEvents, Nodes
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import KernelLog, KubeletArguments
from bot.model.host_resources import KubeletSettings, Memory
from bot.model.lines import in_window, is_current
from bot.model.refs import node
from bot.model.text import T, Text

_KILLED = re.compile(r"(?<!Memory cgroup )[Oo]ut of memory: Kill(?:ed)? process (?P<pid>\d+) \((?P<command>[^)]+)\)")
_MEMORY = re.compile(r"MemTotal|MemAvailable|/proc/pressure/memory:")
_CONSTRAINT = re.compile(r"constraint=(?P<kind>CONSTRAINT_\w+)")
WHOLE = "CONSTRAINT_NONE"
MIB = 1024**2


@check("NODE-21")
def memory_that_runs_out(
    *,
    memory: Memory,
    kernel: KernelLog | None,
    clock: Clock,
    nodes: Nodes | None,
    events: NodeEvents | None,
    settings: KubeletSettings | None,
    arguments: KubeletArguments | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """The node is out of memory: the kernel kills processes, or next to nothing is available.

    Says:
        "Containers are killed at random", "the node is out of memory".
    Evidence:
        The kernel's log, /proc/meminfo, pressure, the MemoryPressure condition, SystemOOM events.
    Rule:
        The kernel killed a process for want of memory of the whole machine, and did so lately; or less memory is
        available than the node's own limit for eviction (by default 100 MiB). Confirmed when the kubelet says so too.
    Cause:
        More is promised than there is, a daemon leaks (NODE-26), nothing is reserved (NODE-17). It explains evicted
        pods, a hanging kubelet, a runtime that died.
    Fix:
        Move or limit the largest pod; reserve memory for the system.
    Verify:
        Pressure (some avg60) is below 5.
    Must not fire:
        A container that was killed at its own limit (memory cgroup out of memory): that is the container's fault; a
        process that was bound to a part of the memory (CONSTRAINT_CPUSET, CONSTRAINT_MEMORY_POLICY).
    Reasons:
        - kernel-killed: the kernel killed a process
        - nearly-none-left: less is available than the kubelet's limit for eviction
    """
    told_limit = (expect.thresholds.get("NODE-21", {}) if expect else {}).get("mib")
    own = eviction.limit("memory.available", settings, arguments)
    least = f"{told_limit:g}Mi" if told_limit is not None else own
    hits = _killed(in_window(kernel.lines, clock)) if kernel else []
    killed = is_current(hits, clock)
    low = memory.available is not None and eviction.below(least, memory.available, memory.total)
    if not killed and not low:
        return
    here = nodes.get(memory.node) if nodes else None
    told = _told(events, clock)
    onset = (hits[0].at if killed else None) or pressed_since(here, "MemoryPressure")
    yield Finding(
        code="NODE-21",
        reason="kernel-killed" if killed else "nearly-none-left",
        title=_title(memory, hits if killed else []),
        severity=Around(node=memory.node, clock=clock, nodes=nodes).severity(Severity.HIGH, onset),
        confidence=Confidence.CONFIRMED
        if told or pressed(here, "MemoryPressure") or (killed and low)
        else Confidence.LIKELY,
        subject=node(memory.node),
        facts={
            "node": memory.node,
            "killed": tuple(dict.fromkeys(_KILLED.findall(x.text)[0][1] for x in hits)),
            "pressure": pressed(here, "MemoryPressure"),
        },
        onset=onset,
        proofs=(
            *((kernel.proof.quote(*(x.text for x in hits[-3:])),) if kernel and hits else ()),
            memory.proof.quote(*(x for x in memory.proof.body.splitlines() if _MEMORY.match(x))),
            *(
                (nodes.proof.quote(f"{memory.node}: MemoryPressure=True"),)
                if nodes and pressed(here, "MemoryPressure")
                else ()
            ),
            *((events.proof.quote(*told),) if events and told else ()),
        ),
        fixes=_fixes(),
    )


def _killed(lines: tuple[LogLine, ...]) -> list[LogLine]:
    """The lines that say that a process was killed; the line before says whether it was bound to a part of memory."""
    kind, found = "", []
    for line in lines:
        if constraint := _CONSTRAINT.search(line.text):
            kind = constraint["kind"]
        elif _KILLED.search(line.text):
            found += [line] if kind in {"", WHOLE} else []
            kind = ""
    return found


def _told(events: NodeEvents | None, clock: Clock) -> tuple[str, ...]:
    """What events say about it, inside the window; node-problem-detector tells of containers' limits, too."""
    told = [e for e in events.items if e.reason in {"SystemOOM", "OOMKilling"}] if events else []
    about = [e for e in told if "Memory cgroup" not in (e.message or "")]
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
