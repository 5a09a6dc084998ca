"""NODE-20: a filesystem of the node has no inodes left, although bytes are free."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.node import eviction, space
from bot.checks.node.about import Around
from bot.model.cluster import Nodes
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import ContainerRuntime, Disks, Filesystem, KubeletArguments, KubeletLog, Mounts
from bot.model.host_resources import KubeletSettings
from bot.model.lines import current
from bot.model.refs import node
from bot.model.text import T

_FULL = re.compile(r"^(?!.*(?:inotify|/sys/fs/cgroup)).*no space left on device")  # those have limits of their own
PATHS = ("/", "/var", "/var/log", "/tmp")  # noqa: S108 - a path that is judged
LIMIT = 95.0


@check("NODE-20")
def exhausted_inodes(
    *,
    disks: Disks,
    clock: Clock,
    mounts: Mounts | None,
    nodes: Nodes | None,
    log: KubeletLog | None,
    runtime: ContainerRuntime | None,
    settings: KubeletSettings | None,
    arguments: KubeletArguments | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """A filesystem that the kubelet or the runtime writes to has nearly no inodes left.

    Says:
        "no space left on device, but df shows free space".
    Evidence:
        df -i, the mounts, the DiskPressure condition, the kubelet's log and its own limits.
    Rule:
        At least 95 % of the inodes of a filesystem are used, or more than the node's own limit for eviction allows.
        Confirmed when the kubelet cannot write, or reports DiskPressure while bytes are free.
    Cause:
        Millions of small files. It explains evicted pods and pods that cannot be made.
    Fix:
        Find the folder with the most files and remove what nobody needs.
    Verify:
        df -i shows free inodes.
    Must not fire:
        Filesystems without a fixed number of inodes (btrfs), which report 0.
    Reasons:
        - no-inodes: the inodes are used up
    """
    about = space.Space(
        disks=disks, mounts=mounts, nodes=nodes, runtime=runtime, settings=settings, arguments=arguments, expect=expect
    )
    least = (expect.thresholds.get("NODE-20", {}) if expect else {}).get("percent", LIMIT)
    places = dict.fromkeys((*PATHS, about.kubelet_root), "nodefs") | {about.image_root: "imagefs"}
    judged = [(f, kind) for path, kind in places.items() if (f := about.holding(path)) and f.inodes]
    full = [f for f, kind in judged if _percent(f) >= least or _evicts(about, f, kind)]
    if not full:
        return
    worst = max(full, key=_percent)
    lines = current(log.lines, _FULL, clock) if log else ()
    pressed = space.pressed(about.node, "DiskPressure") and about.short() is None
    since = space.pressed_since(about.node, "DiskPressure") if pressed else None
    yield Finding(
        code="NODE-20",
        reason="no-inodes",
        title=T(
            "{percent} % of the inodes of {mount} on {node} are used",
            percent=round(_percent(worst)),
            mount=worst.mount,
            node=disks.node,
        ),
        severity=Around(node=disks.node, clock=clock, nodes=nodes).severity(Severity.HIGH, since),
        confidence=Confidence.CONFIRMED if pressed or lines else Confidence.LIKELY,
        subject=node(disks.node),
        facts={
            "node": disks.node,
            "mount": worst.mount,
            "error_class": "no-space",
            "pressure": space.pressed(about.node, "DiskPressure"),
        },
        onset=since or next((x.at for x in lines if x.at), None),
        proofs=(
            space.df_of(disks, worst),
            *((nodes.proof.quote(f"{disks.node}: DiskPressure=True"),) if nodes and pressed else ()),
            *((log.proof.quote(*(x.text for x in lines[-2:])),) if log and lines else ()),
        ),
        fixes=(
            space.look((f"sudo du -x --inodes -d3 {shlex.quote(worst.mount)} | sort -n | tail -20",)),
            Fix(
                what=T("On the node: remove the files that nobody needs in the folder that it names."),
                safety=Safety.DISRUPTIVE,
                verify=("df -i",),
            ),
        ),
    )


def _percent(filesystem: Filesystem) -> float:
    return 100.0 * filesystem.inodes_used / filesystem.inodes if filesystem.inodes else 0.0


def _evicts(about: space.Space, filesystem: Filesystem, kind: str) -> bool:
    """Whether fewer inodes are free than the node's own limit allows."""
    own = eviction.limit(f"{kind}.inodesFree", about.settings, about.arguments)
    return eviction.below(own, filesystem.inodes - filesystem.inodes_used, filesystem.inodes)
