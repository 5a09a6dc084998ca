"""The facts that the rules about a node's resources join by AND."""

from __future__ import annotations

from typing import Any

from bot.model.cluster import LogLine, NodeEvents, Nodes, PodsOnNode
from bot.model.evidence import Evidence
from bot.model.host import (
    Disks,
    HostUnits,
    KernelLog,
    KubeletLog,
    KubeletProcess,
)
from bot.model.host_resources import (
    Cgroups,
    DiskUse,
    Images,
    Inotify,
    KubeletPast,
    KubeletSettings,
    Memory,
    RuntimeDriver,
    Tasks,
)
from tests.unit.judgement import undo
from tests.unit.judgement.fact import Change, Fact, Scene, each, put, swap, to

GIB = 1024**3
CGROUPS = r"top level QOS|cgroupsPath"
INOTIFY = r"inotify|too many open files"
MKDIR = r"mkdir /sys/fs/cgroup|already exists"
LATE = r"object cache|configmap cache|secret cache"
KILLED = r"[Oo]ut of memory"


def quiet_events(events: Any, _: Scene) -> Any:
    """Every event happened once."""
    return swap(events, items=tuple(swap(e, count=1, series=None) for e in events.items))


def other_events(*reasons: str) -> Any:
    """No event has one of these reasons."""
    return each("items", lambda e, _: None if e.reason in reasons else e)


def spacious(disks: Any, _: Scene) -> Any:
    """Half of every filesystem is free."""
    half = tuple(swap(f, used=f.size // 2, available=f.size // 2) for f in disks.filesystems)
    return swap(disks, filesystems=half)


def few_inodes(disks: Any, _: Scene) -> Any:
    """A tenth of the inodes of every filesystem is used."""
    return swap(disks, filesystems=tuple(swap(f, inodes_used=f.inodes // 10) for f in disks.filesystems))


def no_pressure(kind: str) -> Any:
    """The kubelet does not report this pressure."""
    return undo.of_node(lambda n, s: undo.condition(n, kind, status="False", last_transition_time=s.ago(days=1)))


def reserved(node: Any, _: Scene) -> Any:
    """A fifth of a CPU is kept from pods."""
    return put(node, "status.allocatable", {**(node.status.allocatable or {}), "cpu": "7800m"})


def tiny(node: Any, _: Scene) -> Any:
    """A node with a gigabyte."""
    members = {"cpu": "1", "memory": "1048576Ki"}
    return put(put(node, "status.capacity", members), "status.allocatable", members)


def of_version(version: str) -> Any:
    """A kubelet of this version."""
    return undo.of_node(lambda n, s: put(n, "status.node_info.kubelet_version", version))


def full(disks: Any, _: Scene) -> Any:
    """No filesystem has anything left."""
    return swap(disks, filesystems=tuple(swap(f, used=f.size, available=0) for f in disks.filesystems))


def killed_at_its_limit(line: LogLine, _: Scene) -> Any:
    """The kernel speaks of a container's limit."""
    text = line.text.replace("Out of memory: Killed", "Memory cgroup out of memory: Killed")
    return swap(line, text=text.replace("CONSTRAINT_NONE", "CONSTRAINT_MEMCG"))


def says(setting: str, value: str) -> Any:
    """The configuration file has this setting."""
    return lambda settings, _: swap(settings, values={**settings.values, setting: value})


def evicts_late(settings: Any, _: Scene) -> Any:
    """The configuration file has limits of its own, and low ones."""
    own = {f"evictionHard.{signal}.available": "1%" for signal in ("nodefs", "imagefs")}
    return swap(settings, values={**settings.values, **own})


EVICTS_LATE: Change = evicts_late
LARGE = to(watches=524288, instances=8192)
QUIET_DISK: dict[type[Evidence], Change] = {Nodes: no_pressure("DiskPressure")}

FACTS: dict[str, tuple[Fact, ...]] = {
    "NODE-14": (
        Fact(
            "the kubelet runs and says nothing",
            {HostUnits: undo.kubelet_runs(), KubeletLog: undo.not_saying(CGROUPS)},
            ("hierarchy-gone",),
        ),
        Fact("the last start says nothing about cgroups", {KubeletLog: undo.not_saying(CGROUPS)}, ("hierarchy-gone",)),
        Fact(
            "both use the same driver, and no pod fails",
            {RuntimeDriver: to(driver="cgroupfs"), KubeletLog: undo.not_saying(CGROUPS)},
            ("cgroups-path", "drivers-differ"),
        ),
        Fact("no pod fails for it", {KubeletLog: undo.not_saying(CGROUPS)}, ("cgroups-path",), left="likely"),
        Fact("it is inside k3s", {HostUnits: undo.K3S}),
    ),
    "NODE-16": (
        Fact("it happened once", {NodeEvents: quiet_events}),
        Fact("such events are absent", {NodeEvents: other_events("FailedNodeAllocatableEnforcement")}),
        Fact("the feature is off", {KubeletSettings: says("cgroupsPerQOS", "false")}, ("cgroup-error",), left="quiet"),
    ),
    "NODE-17": (
        Fact("some CPU is reserved", {Nodes: undo.of_node(reserved)}),
        Fact("the node is tiny", {Nodes: undo.of_node(tiny)}),
        Fact("a cgroup is reserved elsewhere", {KubeletSettings: says("systemReservedCgroup", "/system.slice")}),
    ),
    "NODE-18": (
        Fact("there is space", {Disks: spacious}),
        Fact("the node evicts only below one percent", {KubeletSettings: EVICTS_LATE}),
        Fact("images are small", {Images: to(items=())}),
        Fact("the kubelet reports no pressure", QUIET_DISK, left="likely"),
    ),
    "NODE-19": (
        Fact("there is space", {Disks: spacious}),
        Fact("the node evicts only below one percent", {KubeletSettings: EVICTS_LATE}),
        Fact("nobody knows what fills it", {DiskUse: to(folders={}, deleted=None)}),
        Fact("the kubelet reports no pressure", QUIET_DISK, left="likely"),
    ),
    "NODE-20": (
        Fact("there are inodes", {Disks: few_inodes}),
        Fact("the kubelet reports no pressure", QUIET_DISK, left="likely"),
    ),
    "NODE-21": (
        Fact("a container reached its own limit", {KernelLog: each("lines", killed_at_its_limit)}),
        Fact("it was three hours ago", {KernelLog: undo.older(KILLED, hours=3)}),
        Fact(
            "the kubelet knows of nothing",
            {Nodes: no_pressure("MemoryPressure"), NodeEvents: other_events("SystemOOM", "OOMKilling")},
            left="likely",
        ),
        Fact("memory is free, too", {KernelLog: undo.not_saying(KILLED), Memory: to(available=8 * GIB)}),
    ),
    "NODE-22": (
        Fact("there are few threads", {Tasks: to(threads=900)}),
        Fact("the kubelet reports no pressure", {Nodes: no_pressure("PIDPressure")}, left="likely"),
    ),
    "NODE-23": (
        Fact(
            "nothing says so, and the limits are large",
            {KubeletLog: undo.not_saying(INOTIFY), Inotify: LARGE},
        ),
        Fact(
            "the disk is really full, and the limits are large",
            {Disks: full, Inotify: LARGE},
            reasons=("watches",),
        ),
        Fact("the limits are large", {Inotify: LARGE}, left="likely"),
    ),
    "NODE-24": (
        Fact("there are few cgroups", {Cgroups: to(memory=240, scopes=3)}),
        Fact("the log does not say so", {KubeletLog: undo.not_saying(MKDIR)}, left="likely"),
    ),
    "NODE-25": (
        Fact(
            "the pods refer to nothing",
            {PodsOnNode: each("items", lambda p, s: put(p, "spec.volumes", ()))},
            ("streams",),
        ),
        Fact(
            "the kubelet is a later one",
            {Nodes: of_version("v1.18.20"), KubeletLog: undo.not_saying(LATE)},
            ("streams",),
        ),
        Fact("it is set to Cache", {KubeletSettings: says("configMapAndSecretChangeDetectionStrategy", "Cache")}),
        Fact("no cache is late", {KubeletLog: undo.not_saying(LATE)}, ("streams",), left="likely"),
    ),
    "NODE-26": (
        Fact("it uses a tenth of a gigabyte", {KubeletProcess: to(rss_bytes=100 * 1024**2)}),
        Fact(
            "the others use as much",
            {KubeletProcess: to(rss_bytes=3 * GIB)},
            reasons=("larger-than-peers",),
            everywhere=True,
        ),
        Fact(
            "it has hundreds of pods",
            {PodsOnNode: lambda e, s: swap(e, items=e.items * 60)},
            reasons=("larger-than-peers",),
        ),
        Fact(
            "it was as large in earlier runs",
            {KubeletPast: each("items", lambda p, s: swap(p, size=880 * 1024**2))},
            reasons=("growing",),
        ),
        Fact("it was started an hour ago", {HostUnits: undo.kubelet_runs(60)}, reasons=("growing",)),
    ),
}
