"""How resources are read: in the first two round trips, and in one more to a node whose disk is nearly full."""

from __future__ import annotations

from collections.abc import Iterator

from bot.collect.host_read import NoAnswerError, Trip
from bot.collect.sections import base
from bot.collector import collects
from bot.model.evidence import Clock, Evidence, Gap
from bot.model.host import Disks
from bot.model.host_resources import (
    Cgroups,
    DiskUse,
    Images,
    Inotify,
    KubeletSettings,
    Memory,
    RuntimeDriver,
    Tasks,
)
from bot.model.refs import NodeName
from bot.parse import resources
from bot.parse.common import UnparsableError
from bot.source import Shell

FIRST = ("MEM", "PID", "CGROUP", "INOTIFY", "INOTIFY_USE")
SECOND = ("CGDRV", "CGDRV_RUNTIME")
CROWDED = 80.0  # percent of use from which it is worth asking what fills a disk
PATIENCE = 35.0


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
    """Section INOTIFY and, where root is given, INOTIFY_USE."""
    watches, instances = resources.limits(trip.text("INOTIFY"))
    used = trip.text_or("INOTIFY_USE").strip()
    return Inotify(
        proof=trip.proof("INOTIFY", "INOTIFY_USE"),
        node=trip.node,
        watches=watches,
        instances=instances,
        used=int(used) if used.isdigit() else None,
    )


def settings(trip: Trip) -> KubeletSettings:
    """Section CGDRV: grep that finds nothing in the file leaves every default in force."""
    return KubeletSettings(proof=trip.proof("CGDRV"), node=trip.node, values=resources.settings(trip.text("CGDRV")))


def runtime_driver(trip: Trip) -> RuntimeDriver:
    """Section DOCKER_INFO where docker answers, else CGDRV_RUNTIME."""
    try:
        driver, key = resources.docker_driver(trip.text("DOCKER_INFO")), "DOCKER_INFO"
    except (NoAnswerError, UnparsableError):
        driver, key = resources.driver(trip.text("CGDRV_RUNTIME")), "CGDRV_RUNTIME"
    quote = (f"CgroupDriver={driver}",) if key == "DOCKER_INFO" else ()
    return RuntimeDriver(proof=trip.proof(key, quote=quote), node=trip.node, driver=driver)


@collects(Images, DiskUse, deadline=45.0)
def host_space(shell: Shell, node: NodeName, clock: Clock, disks: Disks) -> Iterator[Evidence | Gap]:
    """What fills the disks, asked only of a node with a disk that is nearly full: ``du`` is no light question."""
    if all(f.percent < CROWDED for f in disks.filesystems):
        for kind in (Images, DiskUse):
            yield Gap(type=kind, key=node, because=f"{node}: no disk is nearly full, so it was not asked")
        return
    trip = Trip.make(shell, node, clock, base("IMAGES", "DU"), deadline=PATIENCE)
    yield trip.get(Images, lambda: _images(trip))
    yield trip.get(DiskUse, lambda: _folders(trip))


def _images(trip: Trip) -> Images:
    return Images(proof=trip.proof("IMAGES"), node=trip.node, items=resources.images(trip.text("IMAGES")))


def _folders(trip: Trip) -> DiskUse:
    return DiskUse(proof=trip.proof("DU"), node=trip.node, folders=resources.folders(trip.text("DU")))
