"""What the rows about full disks share: which filesystem is short, and how much of it is images."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

from bot.model.evidence import Expectations
from bot.model.finding import Fix, Safety
from bot.model.host import Disks, Filesystem
from bot.model.host_resources import Images
from bot.model.k8s import Node
from bot.model.text import T

NODEFS = "/var/lib/kubelet"
IMAGEFS = {"docker": "/var/lib/docker", "cri-o": "/var/lib/containers", "containerd": "/var/lib/containerd"}
LEAST_IMAGEFS, LEAST_NODEFS, IMAGE_SHARE = 15.0, 10.0, 40.0  # percent: the kubelet's defaults for eviction
GIB = 1024**3


@dataclass(frozen=True, slots=True, kw_only=True)
class Short:
    """A filesystem with too little space left.

    Attributes:
        left: percent of it that is still available.
        images: percent of what is used that is images; 0 where they lie elsewhere, None when they could not be listed.
    """

    filesystem: Filesystem
    left: float
    images: float | None


def holding(disks: Disks, path: str) -> Filesystem | None:
    """The filesystem that ``path`` lies on."""
    fits = [f for f in disks.filesystems if path == f.mount or path.startswith(f"{f.mount.rstrip('/')}/")]
    return max(fits, key=lambda f: len(f.mount), default=None)


def image_path(node: Node | None) -> str:
    """Where the node's runtime keeps its images."""
    scheme = node.status.node_info.container_runtime_version.partition("://")[0] if node else ""
    return IMAGEFS.get(scheme, IMAGEFS["containerd"])


def short(disks: Disks, node: Node | None, images: Images | None, expect: Expectations | None) -> Short | None:
    """The filesystem of images or of the kubelet that is below the kubelet's limit for eviction; None when none is."""
    limits = expect.thresholds.get("NODE-18", {}) if expect else {}
    image, kubelet = holding(disks, image_path(node)), holding(disks, NODEFS)
    if image and left(image) < limits.get("imagefs", LEAST_IMAGEFS):
        share = 100.0 * images.total / image.used if images and image.used else None
        return Short(filesystem=image, left=left(image), images=share)
    if kubelet and left(kubelet) < limits.get("nodefs", LEAST_NODEFS):
        return Short(filesystem=kubelet, left=left(kubelet), images=0.0)
    return None


def left(filesystem: Filesystem) -> float:
    """Percent of the filesystem that is available."""
    return 100.0 * filesystem.available / filesystem.size if filesystem.size else 100.0


def pressed(node: Node | None, kind: str) -> bool:
    """Whether the kubelet reports this pressure."""
    found = node.condition(kind) if node else None
    return found is not None and found.status == "True"


def gib(size: int) -> str:
    """A size for people: ``12.5 GiB``."""
    return f"{size / GIB:.1f} GiB"


def look(commands: Iterable[str]) -> Fix:
    """Look before anything is deleted."""
    return Fix(
        what=T("On the node: look what can be spared before anything is deleted."),
        safety=Safety.READ_ONLY,
        commands=tuple(commands),
    )
