"""What the rows about full disks share: which filesystem is short, and how much of it is images."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.checks.node import eviction
from bot.model.cluster import NodeEvents, Nodes
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Fix, Safety
from bot.model.host import ContainerRuntime, Disks, Filesystem, KubeletArguments, Mounts
from bot.model.host_resources import DiskUse, Images, KubeletSettings
from bot.model.k8s import Node
from bot.model.proof import Proof
from bot.model.text import T

NODEFS = "/var/lib/kubelet"
IMAGEFS = {"docker": "/var/lib/docker", "cri-o": "/var/lib/containers", "containerd": "/var/lib/containerd"}
IMAGE_SHARE = 40.0  # percent of what is used, from which on images are what fills a disk (catalogue NODE-18)
UNPACKED = 6  # a layer takes at most so many times its compressed size: compressed, and unpacked to five times that
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


@dataclass(frozen=True, slots=True, kw_only=True)
class Space:
    """The disks of a node with what else tells where kubelet and images lie; all but the disks may be unknown."""

    disks: Disks
    mounts: Mounts | None = None
    nodes: Nodes | None = None
    images: Images | None = None
    use: DiskUse | None = None
    runtime: ContainerRuntime | None = None
    settings: KubeletSettings | None = None
    arguments: KubeletArguments | None = None
    expect: Expectations | None = None

    @property
    def node(self) -> Node | None:
        """The node object."""
        return self.nodes.get(self.disks.node) if self.nodes else None

    @property
    def scheme(self) -> str:
        """``containerd``, ``docker``, ``cri-o``; empty when unknown."""
        return self.node.status.node_info.container_runtime_version.partition("://")[0] if self.node else ""

    @property
    def image_root(self) -> str:
        """Where the runtime keeps images and containers."""
        told = self.runtime.root if self.runtime else ""
        return told or IMAGEFS.get(self.scheme, IMAGEFS["containerd"])

    @property
    def kubelet_root(self) -> str:
        """Where the kubelet keeps pods."""
        flag = self.arguments.flags.get("root-dir", "") if self.arguments else ""
        return flag.rstrip("/") if flag.startswith("/") else NODEFS

    def holding(self, path: str) -> Filesystem | None:
        """The filesystem that ``path`` lies on; a folder that is bound to one of another disk lies on that disk."""
        fits = [f for f in self.disks.filesystems if _covers(f.mount, path)]
        found = max(fits, key=lambda f: len(f.mount), default=None)
        bound = [m for m in (self.mounts.items if self.mounts else ()) if _covers(m.target, path)]
        deepest = max(bound, key=lambda m: len(m.target), default=None)
        if deepest is None or (found is not None and len(deepest.target) <= len(found.mount)):
            return found
        device = deepest.source.partition("[")[0]
        return next((f for f in self.disks.filesystems if f.device == device), None)

    def short(self) -> Short | None:
        """The filesystem of images or of the kubelet that is below the kubelet's limit; None when none is."""
        image, kubelet = self.holding(self.image_root), self.holding(self.kubelet_root)
        if image and self._is_short(image, "imagefs"):
            return Short(filesystem=image, left=left(image), images=self._share(image))
        if kubelet and self._is_short(kubelet, "nodefs"):
            return Short(filesystem=kubelet, left=left(kubelet), images=0.0)
        return None

    def confidence(self, *, told: bool) -> Confidence:
        """How sure it is that space is short: the kubelet says so, df alone does, or what df means is not known.

        A kubelet that reports no pressure contradicts a limit that was not read; without the mounts, a folder may lie
        on another disk than df shows.
        """
        if told or pressed(self.node, "DiskPressure"):
            return Confidence.CONFIRMED
        condition = self.node.condition("DiskPressure") if self.node else None
        denied = self.settings is None and condition is not None and condition.status == "False"
        return Confidence.POSSIBLE if denied or self.mounts is None else Confidence.LIKELY

    @property
    def image_share(self) -> float:
        """The percentage from which on images are what fills a disk."""
        return self._thresholds().get("share", IMAGE_SHARE)

    def _thresholds(self) -> dict[str, float]:
        return dict(self.expect.thresholds.get("NODE-18", {})) if self.expect else {}

    def _is_short(self, filesystem: Filesystem, kind: str) -> bool:
        """By the operator's threshold, else by the node's own limit."""
        told = self._thresholds()
        least = told.get(kind, 100.0 - told["percent"] if "percent" in told else None)
        if least is not None:
            return left(filesystem) < least
        own = eviction.limit(f"{kind}.available", self.settings, self.arguments)
        return eviction.below(own, filesystem.available, filesystem.size)

    def _share(self, filesystem: Filesystem) -> float | None:
        """Percent of what is used that is images.

        Layers that images share are counted in each, so du is the upper limit. The sizes that containerd tells are
        those of the compressed layers, while the disk holds them unpacked, too: where it is known what containers wrote
        into the runtime's folder, the rest of it is images, as far as images of that size can be so large.
        """
        if self.images is None or not filesystem.used or (self.images.of_docker and self.scheme not in {"", "docker"}):
            return None
        folder = self.use.folders.get(self.image_root) if self.use else None
        if folder is None:
            return 100.0 * self.images.total / filesystem.used
        written = self.use.written if self.use else None
        rest = 0 if written is None else min(folder - written, self.images.total * UNPACKED)
        return 100.0 * min(max(self.images.total, rest), folder) / filesystem.used


def _covers(mount: str, path: str) -> bool:
    return path == mount or path.startswith(f"{mount.rstrip('/')}/")


def left(filesystem: Filesystem) -> float:
    """Percent of the filesystem that is available."""
    return 100.0 * filesystem.available / filesystem.size if filesystem.size else 100.0


def df_of(disks: Disks, *filesystems: Filesystem) -> Proof:
    """What df says about these filesystems."""
    mounts = tuple(f" {f.mount}" for f in filesystems)
    return disks.proof.quote(*(line for line in disks.proof.body.splitlines() if line.rstrip().endswith(mounts)))


def pressed(node: Node | None, kind: str) -> bool:
    """Whether the kubelet reports this pressure."""
    found = node.condition(kind) if node else None
    return found is not None and found.status == "True"


def pressed_since(node: Node | None, kind: str) -> datetime | None:
    """Since when the kubelet reports this pressure; None when it does not."""
    found = node.condition(kind) if node else None
    return found.last_transition_time if found is not None and found.status == "True" else None


def gib(size: float) -> str:
    """A size for people: ``12.5 GiB``."""
    return f"{size / GIB:.1f} GiB"


def look(commands: Iterable[str]) -> Fix:
    """Look before anything is deleted."""
    return Fix(
        what=T("On the node: look what can be spared before anything is deleted."),
        safety=Safety.READ_ONLY,
        commands=tuple(commands),
    )


_FREED = re.compile(r"ephemeral-storage|nodefs|imagefs|inodes")


def told(events: NodeEvents | None, clock: Clock) -> tuple[str, ...]:
    """What the kubelet's events inside the window say about a disk that it cannot free."""
    fresh = [e for e in (events.items if events else ()) if e.seen and clock.age(e.seen) <= clock.window_seconds]
    return tuple(f"{e.reason}: {e.message}" for e in fresh if _is_about_space(e.reason or "", e.message or ""))


def _is_about_space(reason: str, message: str) -> bool:
    """The kubelet's words; "invalid capacity 0 on image filesystem" is said once at every start, and means nothing."""
    if reason == "EvictionThresholdMet":
        return _FREED.search(message) is not None
    return reason in {"FreeDiskSpaceFailed", "ImageGCFailed"} and "invalid capacity" not in message


def facts(about: Space, found: Short) -> dict[str, str | int | float | bool | tuple[str, ...]]:
    """What the findings about a full disk have in common: where, and whether the kubelet reports it."""
    return {
        "node": about.disks.node,
        "mount": found.filesystem.mount,
        "error_class": "no-space",
        "left_percent": round(found.left),
        "pressure": pressed(about.node, "DiskPressure"),
    }


def pressure_of(node: str) -> str:
    """The command that prints whether the node reports disk pressure."""
    return (
        f"kubectl get node {shlex.quote(node)} -o "
        'jsonpath=\'{.status.conditions[?(@.type=="DiskPressure")].status}{"\\n"}\''
    )
