"""What a node says about its resources: memory, tasks, cgroups, inotify, images, and what fills its disks."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.model.evidence import NodeEvidence

SHORT_ID = 12


@dataclass(frozen=True, slots=True, kw_only=True)
class Memory(NodeEvidence):
    """Memory and pressure (section MEM); bytes, and percent of the time that some task waited.

    Attributes:
        available: MemAvailable; None before Linux 3.14.
        waiting: ``cpu``, ``io``, ``memory`` → ``some avg60``; empty where the kernel does not measure it.
    """

    words: ClassVar[str] = "memory"

    total: int
    available: int | None
    waiting: Mapping[str, float]


@dataclass(frozen=True, slots=True, kw_only=True)
class Tasks(NodeEvidence):
    """How many processes and threads there are, and how many there may be (section PID)."""

    words: ClassVar[str] = "number of processes and threads"

    pid_max: int
    threads_max: int
    processes: int
    threads: int

    @property
    def limit(self) -> int:
        """The smaller of the two limits; a thread takes a number of both."""
        return min(self.pid_max, self.threads_max)


@dataclass(frozen=True, slots=True, kw_only=True)
class Cgroups(NodeEvidence):
    """How many cgroups and systemd scopes there are (section CGROUP).

    Attributes:
        unified: whether it is cgroup v2.
        memory: cgroups of the memory controller, those that are removed but still held included.
        scopes: all scope units of systemd.
        transient: those named ``run-*``.
    """

    words: ClassVar[str] = "cgroups"

    unified: bool
    memory: int
    scopes: int
    transient: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Inotify(NodeEvidence):
    """The limits of inotify for each user, and how many instances root holds (section INOTIFY).

    Attributes:
        used: instances; None when they could not be counted.
        watched: watches; None when they could not be counted.
    """

    words: ClassVar[str] = "inotify limits"

    watches: int
    instances: int
    used: int | None = None
    watched: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeletSettings(NodeEvidence):
    """The few settings of the kubelet's configuration file that rows ask for (sections CGDRV, KEVICT).

    Attributes:
        values: setting → value as written; one that is absent has its default. Flags override all of them. A nested
            one is ``evictionHard.nodefs.available``.
    """

    words: ClassVar[str] = "kubelet's settings"

    values: Mapping[str, str]

    def off(self, name: str) -> bool:
        """Whether a switch that is on by default is off."""
        return self.values.get(name, "").strip("\"'").lower() == "false"


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeDriver(NodeEvidence):
    """Which cgroup driver the container runtime is set to (sections CGDRV_RUNTIME, DOCKER_INFO).

    Attributes:
        driver: ``systemd`` or ``cgroupfs``, of containerd or CRI-O; empty when its configuration does not say, or says
            both.
        docker: what docker says of itself, where it answers; else empty.
    """

    words: ClassVar[str] = "container runtime's cgroup driver"

    driver: str
    docker: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Image:
    """One image on the node; ``size`` in bytes; ``names`` are all its tags and digests, of which ``name`` is one."""

    id: str
    name: str
    size: int
    names: tuple[str, ...] = ()

    def is_of(self, reference: str) -> bool:
        """Whether a container that names its image so was made of this one: by id, whole or short, or by a name."""
        digest = reference.removeprefix("sha256:")
        own = self.id.removeprefix("sha256:")
        short = len(own) >= SHORT_ID <= len(digest) and (own.startswith(digest) or digest.startswith(own))
        return short or own == digest or reference in self.names or self.name in {reference, f"{reference}:latest"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Images(NodeEvidence):
    """The images on the node, the largest first (section IMAGES); read only when a disk is nearly full.

    Attributes:
        used: what docker's containers name as their images; None where docker was not asked.
        of_docker: whether docker listed them, not crictl.
    """

    words: ClassVar[str] = "images"

    items: tuple[Image, ...]
    used: tuple[str, ...] | None = None
    of_docker: bool = False

    @property
    def total(self) -> int:
        """Bytes of all images."""
        return sum(image.size for image in self.items)


@dataclass(frozen=True, slots=True, kw_only=True)
class DeletedFile:
    """A file that is deleted, but still held open by a process: ``du`` does not see it, ``df`` does; bytes."""

    command: str
    pid: int
    path: str
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class DiskUse(NodeEvidence):
    """The largest folders where logs, pods and temporary files lie (section DU); read only when a disk is nearly full.

    Attributes:
        folders: path → bytes, largest first, each with all that is below it.
        deleted: files that are deleted and still open, largest first (section LSOF); None when nobody could look.
        written: bytes that containers wrote into their own filesystem (section WRITABLE); None when unknown.
    """

    words: ClassVar[str] = "what fills the disk"

    folders: Mapping[str, int]
    deleted: tuple[DeletedFile, ...] | None = None
    written: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeletSeries(NodeEvidence):
    """How many series of each metric an old kubelet has (section KSERIES): only where it runs through hyperkube."""

    words: ClassVar[str] = "series of the kubelet's metrics"

    by_name: Mapping[str, int]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastSize:
    """The resident memory of a kubelet as an earlier run saw it; bytes."""

    at: datetime
    size: int


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeletPast(NodeEvidence):
    """How large the kubelet was when earlier runs looked, oldest first."""

    words: ClassVar[str] = "earlier sizes of the kubelet"

    items: tuple[PastSize, ...]
