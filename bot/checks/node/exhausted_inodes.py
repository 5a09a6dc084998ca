"""NODE-20: a filesystem of the node has no inodes left, although bytes are free."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.node import space
from bot.model.cluster import Nodes
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import Disks, Filesystem, KubeletLog
from bot.model.lines import in_window, is_current
from bot.model.refs import node
from bot.model.text import T

_FULL = re.compile(r"no space left on device")
PATHS = ("/", "/var", "/var/log", "/tmp", space.NODEFS, *space.IMAGEFS.values())  # noqa: S108 - a path that is judged
LIMIT = 95.0


@check("NODE-20")
def exhausted_inodes(
    *, disks: Disks, clock: Clock, nodes: Nodes | None, log: KubeletLog | None, expect: Expectations | None
) -> Iterator[Finding]:
    """A filesystem that the kubelet or the runtime writes to has nearly no inodes left.

    Says:
        "no space left on device, but df shows free space".
    Evidence:
        df -i, the DiskPressure condition, the kubelet's log.
    Rule:
        At least 95 % of the inodes of a filesystem are used. Confirmed when the kubelet reports DiskPressure or cannot
        write.
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
    limit = (expect.thresholds.get("NODE-20", {}) if expect else {}).get("percent", LIMIT)
    judged = {f.mount: f for path in PATHS if (f := space.holding(disks, path))}
    full = [f for f in judged.values() if f.inodes and _percent(f) >= limit]
    if not full:
        return
    worst = max(full, key=_percent)
    here = nodes.get(disks.node) if nodes else None
    lines = [x for x in in_window(log.lines, clock) if _FULL.search(x.text)] if log else []
    agrees = space.pressed(here, "DiskPressure") or is_current(lines, clock)
    yield Finding(
        code="NODE-20",
        reason="no-inodes",
        title=T(
            "{percent} % of the inodes of {mount} on {node} are used",
            percent=round(_percent(worst)),
            mount=worst.mount,
            node=disks.node,
        ),
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED if agrees else Confidence.LIKELY,
        subject=node(disks.node),
        facts={"node": disks.node, "mount": worst.mount, "error_class": "no-space"},
        proofs=(disks.proof, *((log.proof.quote(*(x.text for x in lines[-2:])),) if log and lines else ())),
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
