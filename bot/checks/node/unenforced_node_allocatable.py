"""NODE-16: the kubelet says again and again that it cannot enforce Node Allocatable."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.check import check
from bot.model.cluster import NodeEvents
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity, Stage
from bot.model.host import KubeletArguments, KubeletLog
from bot.model.host_resources import KubeletSettings
from bot.model.k8s import Event
from bot.model.lines import in_window
from bot.model.refs import node
from bot.model.text import T, Text

REASON = "FailedNodeAllocatableEnforcement"
_LIMITS = re.compile(r'Failed to update Node Allocatable Limits (?:""|\[(?P<cgroup>[^\]]*)\]): (?P<error>.*)')
_WRITE = re.compile(r"failed to write \d+ to memory\.limit_in_bytes.*(?:invalid argument|device or resource busy)")
LEAST = 5
CONFIG = "/var/lib/kubelet/config.yaml"


@check("NODE-16")
def unenforced_node_allocatable(
    *,
    events: NodeEvents,
    clock: Clock,
    settings: KubeletSettings | None,
    arguments: KubeletArguments | None,
    log: KubeletLog | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """The kubelet fails to enforce Node Allocatable, and warns of it every minute.

    Says:
        "A warning every minute: Failed to update Node Allocatable Limits".
    Evidence:
        Events about the node, the kubelet's flags and configuration, its log.
    Rule:
        Five such events inside the window. With cgroupsPerQOS off the feature is off and the warning is harmless; with
        it on, the cgroup and its error are named.
    Cause:
        cgroupsPerQOS is off; a kubelet in a container sees another cgroup path; a reserved cgroup does not exist. With
        the feature off nothing is reserved (NODE-17).
    Fix:
        Drain the node, switch cgroupsPerQOS on and enforce pods.
    Verify:
        The event NodeAllocatableEnforced appears, the warning does not come back.
    Must not fire:
        A single event at the kubelet's start.
    Reasons:
        - feature-off: cgroupsPerQOS is off, so the warning is harmless
        - cgroup-error: the feature is on, and a cgroup cannot be written
        - unknown-setting: whether the feature is on could not be read
    """
    least = (expect.thresholds.get("NODE-16", {}) if expect else {}).get("count", LEAST)
    mine = [e for e in events.items if e.reason == REASON]
    if sum(_inside(e, clock) for e in mine) < least:
        return
    last = max(mine, key=lambda e: e.seen.timestamp() if e.seen else 0.0)
    found = _LIMITS.search(last.message or "")
    cgroup = (found["cgroup"] or "").replace('"', "") if found else ""
    error = found["error"] if found else last.message or ""
    off = _off(settings, arguments)
    wrote = [x for x in in_window(log.lines, clock) if _WRITE.search(x.text)] if log else []
    reason = "unknown-setting" if off is None else "feature-off" if off else "cgroup-error"
    yield Finding(
        code="NODE-16",
        reason=reason,
        title=_title(reason, events.node, cgroup),
        detail=None if off else T("The kernel says: {error}", error=error),
        severity={"feature-off": Severity.INFO, "cgroup-error": Severity.HIGH}.get(reason, Severity.WARN),
        confidence=Confidence.CONFIRMED if off or wrote else Confidence.LIKELY,
        subject=node(events.node),
        facts={"node": events.node, "cgroup": cgroup, "error": error},
        onset=min((t for e in mine if (t := e.first_timestamp or e.seen)), default=None),
        proofs=(
            events.proof.quote(*(f"{e.reason} x{_count(e)}: {e.message}" for e in mine[:3])),
            *((settings.proof,) if settings and off else ()),
            *((log.proof.quote(*(x.text for x in wrote[-2:])),) if log and wrote else ()),
        ),
        fixes=_fixes(events.node, arguments, off=off),
    )


def _count(event: Event) -> int:
    return event.count or (event.series.count if event.series else None) or 1


def _inside(event: Event, clock: Clock) -> float:
    """How many of a repeated event fall into the window, as if they were spread evenly."""
    seen = event.seen
    if seen is None or clock.age(seen) > clock.window_seconds:
        return 0.0
    first = event.first_timestamp or event.event_time or seen
    whole = (seen - first).total_seconds()
    inside = clock.window_seconds - max(0.0, clock.age(seen))
    return _count(event) * min(1.0, inside / whole) if whole > 0 else float(_count(event))


def _off(settings: KubeletSettings | None, arguments: KubeletArguments | None) -> bool | None:
    """Whether cgroupsPerQOS is off; None when neither flag nor file tells."""
    flag = arguments.flags.get("cgroups-per-qos") if arguments else None
    if flag is not None:
        return flag.lower() == "false"
    return settings.off("cgroupsPerQOS") if settings else None


def _title(reason: str, name: str, cgroup: str) -> Text:
    if reason == "feature-off":
        return T("the kubelet of {node} warns of Node Allocatable, which is switched off there", node=name)
    if cgroup:
        return T("the kubelet of {node} cannot set the limits of the cgroup {cgroup}", node=name, cgroup=cgroup)
    return T("the kubelet of {node} cannot enforce Node Allocatable", node=name)


def _fixes(name: str, arguments: KubeletArguments | None, *, off: bool | None) -> tuple[Fix, ...]:
    config = shlex.quote(arguments.flags.get("config") or CONFIG if arguments else CONFIG)
    if not off:
        look = Fix(
            what=T("On the node: look which cgroup is meant, and whether it is there."),
            safety=Safety.READ_ONLY,
            commands=(
                f"sudo grep -nE 'cgroupsPerQOS|enforceNodeAllocatable|ReservedCgroup|cgroupRoot' {config}",
                "ls -d /sys/fs/cgroup/kubepods* /sys/fs/cgroup/*/kubepods*",
            ),
        )
        return (look,)
    settings = "-e '/^cgroupsPerQOS:/d' -e '/^enforceNodeAllocatable:/d' -e '$a cgroupsPerQOS: true'"
    here = shlex.quote(name)
    on = Fix(
        what=T("Drain the node, set cgroupsPerQOS: true and enforceNodeAllocatable: [pods], restart the kubelet."),
        safety=Safety.DISRUPTIVE,
        commands=(
            f"kubectl drain {here} --ignore-daemonsets --delete-emptydir-data",
            f"sudo sed -i.bak {settings} -e '$a enforceNodeAllocatable: [pods]' {config}",
            "sudo systemctl restart kubelet",
            f"kubectl uncordon {here}",
        ),
        verify=("kubectl get events -A --field-selector reason=NodeAllocatableEnforced",),
        undo=(f"sudo cp -p {config}.bak {config}", "sudo systemctl restart kubelet"),
        stage=Stage.POSTURE,
    )
    return (on,)
