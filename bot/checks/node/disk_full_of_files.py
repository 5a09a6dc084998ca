"""NODE-19: logs, writable layers, emptyDirs or temporary files fill the node's disk."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping

from bot.check import check
from bot.checks.node import space
from bot.model.cluster import Nodes, PodsOnNode
from bot.model.evidence import Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import Disks
from bot.model.host_resources import DiskUse, Images
from bot.model.refs import node
from bot.model.text import T, Text

_POD = re.compile(r"^/var/lib/kubelet/pods/(?P<uid>[0-9a-f-]{36})(?:/|$)|^/var/log/pods/(?P<path>[^/_]+_[^/_]+)_")
MOST_SHOWN = 6


@check("NODE-19")
def disk_full_of_files(
    *,
    disks: Disks,
    images: Images | None,
    use: DiskUse | None,
    nodes: Nodes | None,
    pods: PodsOnNode | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """The disk of a node is nearly full, and it is not images that fill it.

    Says:
        "no space left on device", "pods are evicted", "the node has disk pressure".
    Evidence:
        df, the list of images, du of the folders where logs, pods and temporary files lie, the DiskPressure condition.
    Rule:
        Less than 15 % of the filesystem of images is available (nodefs: 10 %), and images are less than 40 % of what is
        used. Where images or folders could not be read, what fills the disk stays open.
    Cause:
        A log without rotation, a program that writes without end, core dumps. It explains evicted pods and
        DiskPressure.
    Fix:
        Rotate or truncate what is named, then limit its writer.
    Verify:
        df shows space again.
    Must not fire:
        Data that is large but lies on a mount of its own.
    Reasons:
        - files: folders are named that fill the disk
        - unknown-consumer: the disk is nearly full, and what fills it could not be read
    """
    here = nodes.get(disks.node) if nodes else None
    limit = (expect.thresholds.get("NODE-18", {}) if expect else {}).get("share", space.IMAGE_SHARE)
    found = space.short(disks, here, images, expect)
    if found is None or (found.images is not None and found.images >= limit):
        return
    folders = _deepest(disks, use.folders if use else {}, found.filesystem.mount)
    known = bool(folders) and found.images is not None
    pressed = space.pressed(here, "DiskPressure")
    top = next(iter(folders), "")
    yield Finding(
        code="NODE-19",
        reason="files" if known else "unknown-consumer",
        title=_title(disks.node, found, top if known else ""),
        detail=_detail(top, pods) if known else None,
        severity=Severity.HIGH,
        confidence=(Confidence.CONFIRMED if pressed else Confidence.LIKELY) if known else Confidence.POSSIBLE,
        subject=node(disks.node),
        facts={
            "node": disks.node,
            "mount": found.filesystem.mount,
            "error_class": "no-space",
            "left_percent": round(found.left),
            "folder": top,
        },
        proofs=(
            disks.proof,
            *(
                (use.proof.quote(*(f"{space.gib(n)}  {p}" for p, n in list(folders.items())[:MOST_SHOWN])),)
                if use
                else ()
            ),
            *((nodes.proof.quote(f"{disks.node}: DiskPressure=True"),) if nodes and pressed else ()),
        ),
        fixes=_fixes(top),
    )


def _deepest(disks: Disks, folders: Mapping[str, int], mount: str) -> dict[str, int]:
    """The folders on this filesystem, without those that are only the sum of one below them."""
    here = {p: n for p, n in folders.items() if (f := space.holding(disks, p)) and f.mount == mount}
    half = {p for p, n in here.items() if any(q.startswith(f"{p}/") and m * 2 >= n for q, m in here.items())}
    return {p: n for p, n in here.items() if p not in half}


def _title(name: str, found: space.Short, top: str) -> Text:
    left, mount = round(found.left), found.filesystem.mount
    if not top:
        return T("the disk of {node} is nearly full: {left} % of {mount} is left", node=name, left=left, mount=mount)
    return T(
        "{folder} fills the disk of {node}: {left} % of {mount} is left", folder=top, node=name, left=left, mount=mount
    )


def _detail(top: str, pods: PodsOnNode | None) -> Text | None:
    """Whose folder it is."""
    hit = _POD.search(top)
    if hit is None or pods is None:
        return None
    path = (hit["path"] or "").replace("_", "/")
    owner = next((p.path for p in pods.items if p.metadata.uid == hit["uid"] or p.path == path), "")
    return T("It belongs to the pod {pod}.", pod=owner) if owner else None


def _fixes(top: str) -> tuple[Fix, ...]:
    where = shlex.quote(top or "/var/log")
    journal = Fix(
        what=T("On the node: keep the newest gigabyte of the journal; older lines are lost."),
        safety=Safety.DISRUPTIVE,
        commands=("sudo journalctl --vacuum-size=1G",),
        verify=("df -h",),
    )
    return space.look((f"sudo du -xh -d2 {where} | sort -h | tail -20", "sudo lsof -nP +L1")), journal
