"""NODE-18: images fill the node's disk."""

from __future__ import annotations

from collections.abc import Iterator

from bot.check import check
from bot.checks.node import space
from bot.model.cluster import Nodes
from bot.model.evidence import Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import ContainerRuntime, Disks
from bot.model.host_resources import Images
from bot.model.refs import node
from bot.model.text import T, Text

MOST_SHOWN = 10


@check("NODE-18")
def disk_full_of_images(
    *,
    disks: Disks,
    images: Images | None,
    nodes: Nodes | None,
    runtime: ContainerRuntime | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """The disk of a node is nearly full, and images take most of it.

    Says:
        "no space left on device", "pods are evicted", "the node has disk pressure".
    Evidence:
        df, the list of images, the DiskPressure condition, the containers that use images.
    Rule:
        Less than 15 % of the filesystem of images is available (nodefs: 10 %), and images are at least 40 % of what
        is used. Confirmed when the kubelet reports DiskPressure too.
    Cause:
        Many or large images in a short time; garbage collection cannot keep up or is off. It explains evicted pods,
        failing pulls, and a runtime that cannot write.
    Fix:
        List what is unused, then remove it; collect earlier, or give the node a larger disk.
    Verify:
        DiskPressure is False five minutes later.
    Must not fire:
        Space is there again and only the taint of the transition period remains.
    Reasons:
        - images: images are what fills the disk
    """
    here = nodes.get(disks.node) if nodes else None
    limit = (expect.thresholds.get("NODE-18", {}) if expect else {}).get("share", space.IMAGE_SHARE)
    found = space.short(disks, here, images, expect)
    if found is None or images is None or found.images is None or found.images < limit:
        return
    pressed = space.pressed(here, "DiskPressure")
    yield Finding(
        code="NODE-18",
        reason="images",
        title=T(
            "images fill the disk of {node}: {left} % of {mount} is left",
            node=disks.node,
            left=round(found.left),
            mount=found.filesystem.mount,
        ),
        detail=_detail(images, runtime),
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED if pressed else Confidence.LIKELY,
        subject=node(disks.node),
        facts={
            "node": disks.node,
            "mount": found.filesystem.mount,
            "error_class": "no-space",
            "left_percent": round(found.left),
            "images_percent": round(found.images),
        },
        proofs=(
            disks.proof,
            images.proof.quote(*(f"{space.gib(i.size)}  {i.name}" for i in images.items[:MOST_SHOWN])),
            *((nodes.proof.quote(f"{disks.node}: DiskPressure=True"),) if nodes and pressed else ()),
        ),
        fixes=_fixes(),
    )


def _detail(images: Images, runtime: ContainerRuntime | None) -> Text | None:
    """How much could be removed: the images that no container was made of; None when the containers are not known."""
    if runtime is None or runtime.containers is None:
        return None
    used = {c.image for c in runtime.containers}
    spare = sum(i.size for i in images.items if i.id not in used and i.name not in used)
    return T(
        "{total} of images, of which {spare} are used by no container.",
        total=space.gib(images.total),
        spare=space.gib(spare),
    )


def _fixes() -> tuple[Fix, ...]:
    prune = Fix(
        what=T("On the node: remove the images that no container uses; they are pulled again when needed."),
        safety=Safety.REVERSIBLE,
        commands=("sudo crictl rmi --prune",),
        verify=("df -h /var/lib/containerd", "kubectl get nodes -o wide"),
    )
    return space.look(("sudo crictl images", "sudo crictl ps -a")), prune
