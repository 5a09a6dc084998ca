"""NODE-27: the kernel of the node is stuck."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import timedelta

from bot.check import check
from bot.checks.node.about import Around
from bot.model.cluster import LogLine, NodeEvents, Nodes
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import KernelLog
from bot.model.k8s import Condition, Event, Node
from bot.model.lines import in_window
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T, Text

_STUCK = re.compile(
    r"task (?P<task>[\S ]+?):\w+ blocked for more than \w+ seconds"
    r"|unregister_netdevice: waiting for (?P<device>\S+) to become free"
    r"|BUG: (?:unable to handle|soft lockup)|rcu.*self-detected stall"
)
EVENTS = frozenset({"TaskHung", "UnregisterNetDevice", "KernelOops"})
# Conditions that a rule judges, that Kubernetes itself sets, or that are True on a healthy node.
KNOWN = re.compile(
    r"^(?:Ready|NetworkUnavailable|\w+Pressure|OutOfDisk|KernelDeadlock|ReadonlyFilesystem|XfsShutdown|BadDisk"
    r"|CperHardwareErrorFatal|Frequent\w+|\w+OrPatchNeeded|EtcdIsVoter|\w*Ready)$"
)
OLD = timedelta(hours=24)


@check("NODE-27")
def blocked_kernel(
    *,
    nodes: Nodes,
    events: NodeEvents,
    clock: Clock,
    kernel: KernelLog | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """The node's kernel has blocked tasks, a stuck network device, or a fault of its own.

    Says:
        "docker ps hangs", "the node hangs, only a reboot helps", "KernelDeadlock".
    Evidence:
        The conditions that node-problem-detector sets, its events about the node, the kernel's log.
    Rule:
        KernelDeadlock is True, or two lines of the kernel (or of node-problem-detector's events) stand in the window.
        Confirmed when the condition and a line in the window agree.
    Cause:
        A bug of the kernel, a storage or a network driver. It explains NODE-11, NODE-06, NODE-09.
    Fix:
        Drain the node and reboot it; install a kernel without the bug.
    Verify:
        The condition is False and no such line comes back.
    Must not fire:
        A condition that has stood for a day while the kernel's log, which was read, has no line of it: it stays True
        until node-problem-detector restarts, and is shown as info (where the log was not read, it is only possible);
        conditions of other plugins are shown, not judged.
    Reasons:
        - hung-task: tasks have been blocked for minutes
        - stuck-device: a network device of a container cannot be removed
        - kernel-fault: the kernel reports a fault of its own
        - stale-condition: KernelDeadlock stands, but the kernel has been silent since
        - unknown-condition: another plugin's condition is True
    """
    here = nodes.get(events.node)
    if here is None:
        return
    deadlock = here.condition("KernelDeadlock")
    condition = deadlock if deadlock is not None and deadlock.status == "True" else None
    lines = tuple(x for x in (kernel.lines if kernel else ()) if _STUCK.search(x.text))
    fresh = in_window(lines, clock)
    seen = tuple(e for e in events.items if e.reason in EVENTS and e.seen and clock.age(e.seen) <= clock.window_seconds)
    least = (expect.thresholds.get("NODE-27", {}) if expect else {}).get("lines", 2)
    enough = max(len(fresh), sum(_inside(e, clock) for e in seen)) >= least
    if condition is not None or enough:
        told = (seen, events.proof.quote(*(f"{e.reason} x{e.times}: {e.message}" for e in seen)))
        yield _finding(here, condition, (lines, fresh), told, clock=clock, kernel=kernel, nodes=nodes)
    yield from _others(here, nodes)


def _inside(event: Event, clock: Clock) -> int:
    """How many of the times that an event counts are surely inside the window: all, or only the last."""
    first = event.first_timestamp
    return event.times if first is None or clock.age(first) <= clock.window_seconds else 1


def _finding(
    here: Node,
    condition: Condition | None,
    found: tuple[tuple[LogLine, ...], tuple[LogLine, ...]],
    told: tuple[tuple[Event, ...], Proof],
    *,
    clock: Clock,
    kernel: KernelLog | None,
    nodes: Nodes,
) -> Finding:
    since = condition.last_transition_time if condition else None
    seen, shown = told
    lines, fresh = found
    silent = kernel is not None and not lines and not seen
    aged = since is not None and clock.now - since > OLD
    stale = silent and aged
    unheard = kernel is None and not seen and aged
    both = condition is not None and bool(fresh)
    starts = [t for t in (since, *(x.at for x in lines), *(e.first_timestamp for e in seen)) if t]
    proofs: list[Proof] = []
    if condition:
        proofs.append(nodes.proof.quote(f"{here.name}: KernelDeadlock=True: {condition.reason}: {condition.message}"))
    if kernel and lines:
        proofs.append(kernel.proof.quote(*(x.text for x in lines[-3:])))
    if seen:
        proofs.append(shown)
    kind = (condition.reason or "") if condition else ""
    words = " ".join([*(x.text for x in fresh or lines), *(e.message or "" for e in seen), kind])
    reason = "stale-condition" if stale else _reason(words)
    onset = min(starts) if starts else None
    usual = Severity.INFO if stale else Severity.HIGH
    return Finding(
        code="NODE-27",
        reason=reason,
        title=_title(reason, here.name, words),
        severity=Around(node=here.name, clock=clock, nodes=nodes).severity(usual, onset),
        confidence=Confidence.CONFIRMED if both else Confidence.POSSIBLE if unheard else Confidence.LIKELY,
        subject=node(here.name),
        facts={"node": here.name, "condition": kind, "lines": len(lines)},
        onset=onset,
        proofs=tuple(proofs),
        fixes=() if stale else _fixes(here.name),
    )


def _reason(words: str) -> str:
    if "blocked for more" in words or "Hung" in words or "umount" in words.lower():
        return "hung-task"
    return "stuck-device" if "unregister_netdevice" in words else "kernel-fault"


def _title(reason: str, name: str, words: str) -> Text:
    found = _STUCK.search(words)
    if reason == "stale-condition":
        return T("KernelDeadlock of {node} is left over: its kernel reports nothing", node=name)
    if reason == "hung-task" and found and found["task"]:
        return T("the kernel of {node} is stuck: the task {task} is blocked", node=name, task=found["task"])
    if reason == "hung-task":
        return T("the kernel of {node} is stuck: tasks are blocked", node=name)
    if reason == "stuck-device":
        return T("the kernel of {node} cannot remove a network device", node=name)
    return T("the kernel of {node} reports a fault of its own", node=name)


def _others(here: Node, nodes: Nodes) -> Iterator[Finding]:
    """What other plugins of node-problem-detector say: shown, because nobody here knows what it means."""
    for found in here.status.conditions or ():
        if found.status == "True" and not KNOWN.match(found.type):
            yield Finding(
                code="NODE-27",
                reason="unknown-condition",
                title=T("{node} has the condition {condition}", node=here.name, condition=found.type),
                severity=Severity.INFO,
                confidence=Confidence.POSSIBLE,
                subject=node(here.name),
                facts={"node": here.name, "condition": found.type},
                onset=found.last_transition_time,
                proofs=(nodes.proof.quote(f"{here.name}: {found.type}=True: {found.reason}: {found.message}"),),
            )


def _fixes(name: str) -> tuple[Fix, ...]:
    quoted = shlex.quote(name)
    look = Fix(
        what=T("On the node: keep what the kernel says and the list of blocked tasks."),
        safety=Safety.READ_ONLY,
        commands=("sudo journalctl -k -n 200 --no-pager", "ps -eo pid,stat,wchan:32,comm | awk '$2 ~ /^D/'"),
    )
    reboot = Fix(
        what=T("Drain {node} and reboot it; its pods move. Then install a kernel without this fault.", node=name),
        safety=Safety.DISRUPTIVE,
        commands=(
            f"kubectl drain {quoted} --ignore-daemonsets --delete-emptydir-data",
            "sudo systemctl reboot",
            f"kubectl uncordon {quoted}",
        ),
        verify=("sudo journalctl -k --since -10min --no-pager", f"kubectl describe node {quoted}"),
    )
    return look, reboot
