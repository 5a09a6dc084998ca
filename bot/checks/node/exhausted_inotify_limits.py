"""NODE-23: the kernel's inotify limits are used up; the error is the one of a full disk."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from bot.check import check
from bot.checks.node import space
from bot.checks.node.about import Around, kubelet_of, last_start, of_this_run
from bot.model.cluster import Heartbeats, LogLine, Nodes
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import Disks, HostUnits, KubeletArguments, KubeletLog, Mounts, NodeIdentity
from bot.model.host_resources import Inotify
from bot.model.lines import is_current
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T, Text

_INSTANCES = re.compile(
    r"(?:failed to create|error creating) fsnotify watcher: too many open files"
    r"|error initializing watcher: too many open files|inotify_init1?: too many open files"
)
_WATCHES = re.compile(r"inotify_add_watch \S+: no space left on device|Failed to start cAdvisor.*inotify")
SMALL = 8192
LIMIT = 90.0
FULL = 1.0
WATCHES, INSTANCES = 524288, 8192  # what the catalogue sets (NODE-23)


@check("NODE-23")
def exhausted_inotify_limits(
    *,
    limits: Inotify,
    clock: Clock,
    units: HostUnits | None,
    log: KubeletLog | None,
    identity: NodeIdentity | None,
    disks: Disks | None,
    mounts: Mounts | None,
    arguments: KubeletArguments | None,
    nodes: Nodes | None,
    beats: Heartbeats | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """The inotify limits of a node are used up, or too small for a kubelet.

    Says:
        "No space left on /sys/fs/cgroup, but df is fine", "kubectl logs -f: too many open files".
    Evidence:
        The limits, how many instances and watches root holds, the kubelet's log, df.
    Rule:
        The kubelet's log names inotify in its last start, or now; or root holds 90 % of the instances or of the
        watches. At most 8192 watches alone is a warning. Confirmed when the log says it and the limit that it means is
        small or used.
    Cause:
        The distribution's default is too small. It explains NODE-03 (cAdvisor cannot start) and pods that cannot be
        made.
    Fix:
        Raise both limits, now and for the next boot.
    Verify:
        Less than half of what the limits allow is used.
    Must not fire:
        A disk that is really full: that comes first.
    Reasons:
        - watches: watches are used up
        - instances: instances are used up
        - small-limit: nothing failed yet, but the limit of watches is the small default
    """
    percent = (expect.thresholds.get("NODE-23", {}) if expect else {}).get("percent", LIMIT)
    lines = _said(units, log, clock)
    reason = _named(lines)
    if reason == "watches" and _full(disks, mounts, arguments, nodes):
        reason, lines = "", ()
    crowded = _crowded(limits, percent)
    small = limits.watches <= SMALL
    if not reason and not crowded and not small:
        return
    backed = reason in crowded or (small and reason == "watches")
    unclear = reason == "watches" and disks is None and not backed  # the same words come from a full disk
    reason = reason or next(iter(crowded), "small-limit")
    around = Around(node=limits.node, clock=clock, nodes=nodes, beats=beats, identity=identity)
    onset = _onset(units, log, lines, around)
    yield Finding(
        code="NODE-23",
        reason=reason,
        title=_title(reason, limits),
        severity=Severity.WARN if reason == "small-limit" else around.severity(Severity.HIGH, onset),
        confidence=_confidence(lines, backed=backed, unclear=unclear),
        subject=node(limits.node),
        facts={"node": limits.node, "watches": limits.watches, "instances": limits.instances},
        onset=onset,
        proofs=(*((log.proof.quote(*(x.text for x in lines[-2:])),) if log and lines else ()), _shown(limits)),
        fixes=(_fix(limits),),
    )


def _shown(limits: Inotify) -> Proof:
    """The limits, and how much of them root uses where that could be counted."""
    pairs = (("watches", limits.watched, limits.watches), ("instances", limits.used, limits.instances))
    return limits.proof.quote(
        *(
            f"fs.inotify.max_user_{n} = {most}" + ("" if used is None else f", root uses {used}")
            for n, used, most in pairs
        )
    )


def _named(lines: tuple[LogLine, ...]) -> str:
    """Which limit the lines mean: instances where a watcher cannot be made, watches where a watch cannot be added."""
    if any(_INSTANCES.search(x.text) for x in lines):
        return "instances"
    return "watches" if lines else ""


def _crowded(limits: Inotify, percent: float) -> tuple[str, ...]:
    """The limits of which root uses so much or more."""
    pairs = (("instances", limits.used, limits.instances), ("watches", limits.watched, limits.watches))
    return tuple(n for n, used, most in pairs if used is not None and most > 0 and 100.0 * used / most >= percent)


def _said(units: HostUnits | None, log: KubeletLog | None, clock: Clock) -> tuple[LogLine, ...]:
    """Lines that name inotify: of the last start of a kubelet that is down, else current ones of the one that runs."""
    kubelet = kubelet_of(units) if units else None
    if kubelet is not None and kubelet.down:
        return tuple(x for x in last_start(log, kubelet) if _names_it(x))
    lines = tuple(x for x in of_this_run(log, kubelet, clock) if _names_it(x))
    return lines if is_current(lines, clock) else ()


def _onset(
    units: HostUnits | None, log: KubeletLog | None, lines: tuple[LogLine, ...], around: Around
) -> datetime | None:
    """Since when: of a kubelet that is down since it went down, else since the first line."""
    kubelet = kubelet_of(units) if units else None
    if kubelet is not None and kubelet.down and lines:
        return around.down_since(kubelet, log)
    return next((x.at for x in lines if x.at), None)


def _confidence(lines: tuple[LogLine, ...], *, backed: bool, unclear: bool) -> Confidence:
    if unclear:
        return Confidence.POSSIBLE
    return Confidence.CONFIRMED if lines and backed else Confidence.LIKELY


def _names_it(line: LogLine) -> bool:
    return bool(_WATCHES.search(line.text) or _INSTANCES.search(line.text))


def _full(disks: Disks | None, mounts: Mounts | None, arguments: KubeletArguments | None, nodes: Nodes | None) -> bool:
    """Whether a disk that the kubelet writes to has really no space, or no inodes."""
    if disks is None:
        return False
    about = space.Space(disks=disks, mounts=mounts, nodes=nodes, arguments=arguments)
    found = [f for p in ("/", about.kubelet_root, about.image_root) if (f := about.holding(p))]
    return any(space.left(f) < FULL or (f.inodes and f.inodes_used >= f.inodes * (1 - FULL / 100)) for f in found)


def _title(reason: str, limits: Inotify) -> Text:
    if reason == "small-limit":
        return T(
            "{node} allows only {watches} inotify watches, which a kubelet soon uses up",
            node=limits.node,
            watches=limits.watches,
        )
    if reason == "instances":
        return T(
            "the inotify instances of {node} are used up ({instances})", node=limits.node, instances=limits.instances
        )
    return T("the inotify watches of {node} are used up ({watches})", node=limits.node, watches=limits.watches)


def _fix(limits: Inotify) -> Fix:
    now = f"fs.inotify.max_user_watches={limits.watches} fs.inotify.max_user_instances={limits.instances}"
    new = f"fs.inotify.max_user_watches={max(WATCHES, limits.watches)}"
    more = f"fs.inotify.max_user_instances={max(INSTANCES, limits.instances)}"
    return Fix(
        what=T("On the node: raise both limits, now and for the next boot."),
        safety=Safety.REVERSIBLE,
        commands=(
            f"sudo sysctl -w {new} {more}",
            f"printf '%s\\n' {new} {more} | sudo tee /etc/sysctl.d/99-inotify.conf",
        ),
        verify=("sysctl fs.inotify.max_user_watches fs.inotify.max_user_instances",),
        undo=("sudo rm /etc/sysctl.d/99-inotify.conf", f"sudo sysctl -w {now}"),
    )
