"""How resources are read: in the first two round trips, and in the third to a node whose disk is nearly full."""

from __future__ import annotations

from collections.abc import Iterator

from bot.collect.host_read import NoAnswerError, Trip
from bot.model.evidence import Evidence, Gap
from bot.model.host import Disks
from bot.model.host_resources import (
    Cgroups,
    DeletedFile,
    DiskUse,
    Images,
    Inotify,
    KubeletSeries,
    KubeletSettings,
    Memory,
    RuntimeDriver,
    Tasks,
)
from bot.parse import cri, resources
from bot.parse.common import UnparsableError

FIRST = ("MEM", "PID", "CGROUP", "INOTIFY", "INOTIFY_USE", "INOTIFY_WATCHES")
SECOND = ("CGDRV", "KEVICT", "CGDRV_RUNTIME")
CROWDED = 80.0  # percent of use from which it is worth asking what fills a disk
SPACE = ("IMAGES", "IMAGES_DOCKER", "DOCKER_PS", "DU", "LSOF", "WRITABLE")


def memory(trip: Trip) -> Memory:
    """Section MEM."""
    total, available, waiting = resources.memory(trip.text("MEM"))
    return Memory(proof=trip.proof("MEM"), node=trip.node, total=total, available=available, waiting=waiting)


def tasks(trip: Trip) -> Tasks:
    """Section PID."""
    pids, most, processes, threads = resources.tasks(trip.text("PID"))
    proof = trip.proof("PID")
    return Tasks(proof=proof, node=trip.node, pid_max=pids, threads_max=most, processes=processes, threads=threads)


def cgroups(trip: Trip) -> Cgroups:
    """Section CGROUP."""
    unified, held, scopes, transient = resources.cgroups(trip.text("CGROUP"))
    proof = trip.proof("CGROUP")
    return Cgroups(proof=proof, node=trip.node, unified=unified, memory=held, scopes=scopes, transient=transient)


def inotify(trip: Trip) -> Inotify:
    """Section INOTIFY and, where root is given, how much of it root uses."""
    watches, instances = resources.limits(trip.text("INOTIFY"))
    return Inotify(
        proof=trip.proof("INOTIFY", "INOTIFY_USE", "INOTIFY_WATCHES"),
        node=trip.node,
        watches=watches,
        instances=instances,
        used=resources.counted(trip.text_or("INOTIFY_USE")),
        watched=resources.counted(trip.text_or("INOTIFY_WATCHES")),
    )


def settings(trip: Trip) -> KubeletSettings:
    """Sections CGDRV and KEVICT: grep that finds nothing in the file leaves every default in force."""
    values = resources.settings(trip.text("CGDRV"))
    if "KEVICT" in trip.outputs:
        values |= _evictions(trip)
    return KubeletSettings(proof=trip.proof("CGDRV", "KEVICT"), node=trip.node, values=values)


def _evictions(trip: Trip) -> dict[str, str]:
    try:
        return resources.settings(trip.text("KEVICT"))
    except (NoAnswerError, UnparsableError):
        return {}


def series(trip: Trip) -> KubeletSeries:
    """Section KSERIES, asked only of a kubelet that runs through hyperkube."""
    found = resources.series(trip.text("KSERIES"))
    return KubeletSeries(proof=trip.proof("KSERIES"), node=trip.node, by_name=found)


def runtime_driver(trip: Trip) -> RuntimeDriver:
    """Sections CGDRV_RUNTIME and DOCKER_INFO: which of the two the node uses, its node object tells.

    Raises:
        NoAnswerError: neither could be asked.
    """
    try:
        docker = resources.docker_driver(trip.text("DOCKER_INFO"))
    except (NoAnswerError, UnparsableError):
        docker = ""
    file = trip.text_or("CGDRV_RUNTIME") if docker else trip.text("CGDRV_RUNTIME")
    driver = resources.driver(file)
    proof = trip.proof(*(["CGDRV_RUNTIME"] if driver or not docker else []), *(["DOCKER_INFO"] if docker else []))
    said = [line for line in file.splitlines() if "ystemd" in line]
    quote = [*said, *([f"docker info: CgroupDriver={docker}"] if docker else [])]
    return RuntimeDriver(proof=proof.quote(*quote), node=trip.node, driver=driver, docker=docker)


def is_crowded(disks: Disks | None) -> bool:
    """Whether it is worth asking what fills a disk."""
    return disks is not None and any(f.percent >= CROWDED for f in disks.filesystems)


def space(trip: Trip, disks: Disks | None, *, asked: bool) -> Iterator[Evidence | Gap]:
    """What fills the disks, asked only of a node with a disk that is nearly full: ``du`` is no light question."""
    if not asked:
        why = "its disks were not read" if disks is None else "no disk is nearly full, so it was not asked"
        for kind in (Images, DiskUse):
            yield Gap(type=kind, key=trip.node, because=f"{trip.node}: {why}")
        return
    yield trip.get(Images, lambda: _images(trip))
    yield trip.get(DiskUse, lambda: _folders(trip))


def _images(trip: Trip) -> Images:
    """Section IMAGES, or what docker says where crictl has no answer."""
    try:
        return Images(proof=trip.proof("IMAGES"), node=trip.node, items=resources.images(trip.text("IMAGES")))
    except (NoAnswerError, UnparsableError):
        if "IMAGES_DOCKER" not in trip.outputs:
            raise
    found = resources.docker_images(trip.text("IMAGES_DOCKER"))
    proof = trip.proof("IMAGES_DOCKER")
    return Images(proof=proof, node=trip.node, items=found, used=_used(trip), of_docker=True)


def _used(trip: Trip) -> tuple[str, ...] | None:
    try:
        return tuple(c.image for c in cri.docker_containers(trip.text("DOCKER_PS")))
    except (NoAnswerError, UnparsableError):
        return None


def _folders(trip: Trip) -> DiskUse:
    found = resources.folders(trip.text("DU"))
    proof = trip.proof("DU", "LSOF", "WRITABLE")
    return DiskUse(proof=proof, node=trip.node, folders=found, deleted=_deleted(trip), written=_written(trip))


def _written(trip: Trip) -> int | None:
    try:
        return resources.written(trip.text("WRITABLE"))
    except (NoAnswerError, UnparsableError):
        return None


def _deleted(trip: Trip) -> tuple[DeletedFile, ...] | None:
    try:
        return resources.deleted(trip.text("LSOF"))
    except (NoAnswerError, UnparsableError):
        return None
