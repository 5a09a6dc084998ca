"""A stuck kernel and failing hardware (NODE-27, NODE-28): whose words count, and of which disk."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.check import load
from bot.checks.node.disk_errors import disk_of
from bot.model.cluster import LogLine, NodeEvents, Nodes
from bot.model.evidence import Clock, Evidence, PerNode
from bot.model.finding import Confidence, Finding, Severity
from bot.model.host import KernelLog, KubeletLog, Mount, Mounts
from bot.model.k8s import Condition, Event, Meta, Node, NodeStatus, NodeSystemInfo
from bot.model.proof import Proof, Source

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
PROOF = Proof(source=Source.NODE, what="test")
LOG = Proof(source=Source.LOG, what="test")
CLOCK = Clock(proof=PROOF, now=NOW)
NODE = "node-3"
CHECKS = load()
ABOUT: dict[str, Any] = {"proof": PROOF, "node": NODE}
HUNG = "INFO: task umount.nfs:22231 blocked for more than 120 seconds."
ERROR = "blk_update_request: I/O error, dev {disk}, sector 2097152 op 0x0:(READ) flags 0x0"


def ago(**span: float) -> datetime:
    """A moment before the observation."""
    return NOW - timedelta(**span)


def judged(code: str, *evidence: Evidence, **named: object) -> list[Finding]:
    """The findings of one check; evidence that is not given is missing, the node has no events."""
    values: dict[str, object] = {}
    for need in CHECKS[code].needs:
        given = next((e for e in (*evidence, CLOCK, NodeEvents(**ABOUT, items=())) if isinstance(e, need.type)), None)
        values[need.name] = named.get(need.name, PerNode({}) if need.every_node else given)
    return [r for r in CHECKS[code].run(**values) if isinstance(r, Finding)]


def kernel(*lines: str, minutes: float = 5) -> KernelLog:
    """The kernel's log."""
    return KernelLog(proof=LOG, node=NODE, lines=tuple(LogLine(text=x, at=ago(minutes=minutes)) for x in lines))


def machine(*conditions: str, days: float = 0.01, image: str = "Ubuntu 22.04", name: str = NODE) -> Node:
    """A node with these conditions True."""
    made = tuple(Condition(type=c, status="True", reason="R", last_transition_time=ago(days=days)) for c in conditions)
    return Node(metadata=Meta(name=name), status=NodeStatus(conditions=made, node_info=NodeSystemInfo(os_image=image)))


def nodes(*items: Node) -> Nodes:
    """Node objects."""
    return Nodes(proof=Proof(source=Source.API, what="nodes"), items=items)


def mounts(*targets: str, ro: bool = False, source: str = "/dev/sda2", node: str = NODE) -> Mounts:
    """Filesystems, all on one device."""
    items = tuple(Mount(target=t, source=source, type="ext4", options=("ro" if ro else "rw",)) for t in targets)
    return Mounts(proof=PROOF, node=node, items=items)


@pytest.mark.parametrize(
    ("minutes", "confidence"), [(5, Confidence.CONFIRMED), (25, Confidence.CONFIRMED), (300, Confidence.LIKELY)]
)
def test_a_condition_is_confirmed_by_lines_of_the_window_alone(minutes: float, confidence: Confidence) -> None:
    """The log reaches back six hours; what is older than the window shows only that the condition is not left over."""
    (found,) = judged("NODE-27", nodes(machine("KernelDeadlock", days=3)), kernel(HUNG, minutes=minutes))
    assert ("hung-task", Severity.HIGH, confidence) == (found.reason, found.severity, found.confidence)


def test_a_condition_is_left_over_only_where_the_kernel_was_heard() -> None:
    """Three days old: with a silent log it is information; without any log nobody knows."""
    old = nodes(machine("KernelDeadlock", days=3))
    heard, deaf = judged("NODE-27", old, kernel()), judged("NODE-27", old)
    assert ("stale-condition", Severity.INFO) == (heard[0].reason, heard[0].severity)
    assert (Severity.HIGH, Confidence.POSSIBLE) == (deaf[0].severity, deaf[0].confidence)


@pytest.mark.parametrize(("first", "count"), [(20, 1), (180, 0)])
def test_an_event_that_repeats_counts_inside_the_window(first: float, count: int) -> None:
    """Twice in three hours is once in half an hour."""
    event = Event(
        reason="TaskHung", message=HUNG, count=2, first_timestamp=ago(minutes=first), last_timestamp=ago(minutes=5)
    )
    assert count == len(judged("NODE-27", nodes(machine()), NodeEvents(**ABOUT, items=(event,))))


@pytest.mark.parametrize(
    ("name", "disk"),
    [
        ("/dev/sda2", "sda"),
        ("sda2", "sda"),
        ("nvme0n1p1", "nvme0"),
        ("nvme0", "nvme0"),
        ("vdb", "vdb"),
        ("dm-0", "dm-0"),
    ],
)
def test_a_partition_is_on_a_disk(name: str, disk: str) -> None:
    """The kernel names both in turn."""
    assert disk == disk_of(name)


def test_errors_of_one_disk_are_counted_together() -> None:
    """Two of the disk and one of its partition are three; three different disks have one each."""
    three = kernel(ERROR.format(disk="sda"), ERROR.format(disk="sda"), "Buffer I/O error on dev sda2, logical block 64")
    spread = kernel(*(ERROR.format(disk=d) for d in ("sda", "sdb", "sdc")))
    assert [["sda"], []] == [[f.facts["device"] for f in judged("NODE-28", k, mounts("/"))] for k in (three, spread)]


@pytest.mark.parametrize("disk", ["fd0", "sr0", "loop3"])
def test_drives_without_a_medium_are_no_disks(disk: str) -> None:
    """A floppy drive of a virtual machine says so at every look."""
    assert [] == judged("NODE-28", kernel(*[ERROR.format(disk=disk)] * 9), mounts("/"))


@pytest.mark.parametrize(("kind", "severity"), [("UE", Severity.CRIT), ("CE", Severity.WARN)])
def test_errors_of_memory_are_not_called_errors_of_a_disk(kind: str, severity: Severity) -> None:
    """Corrected ones are a warning; no disk is asked how it is."""
    lines = [f"EDAC MC0: 1 {kind} memory read error on CPU_SrcID#0_Ha#0_Chan#1_DIMM#0"] * 3
    (found,) = judged("NODE-28", kernel(*lines), mounts("/"))
    assert ("memory-errors", severity) == (found.reason, found.severity)
    assert not any("smartctl" in c for f in found.fixes for c in f.commands)


def test_a_read_only_root_needs_a_witness_of_its_own() -> None:
    """An error of another disk, a peer with another system and a container's complaint are none."""
    here, frozen = machine(image="NixOS 24.05"), mounts("/", ro=True)
    other = PerNode({"node-4": mounts("/", node="node-4")})
    told = KubeletLog(
        **ABOUT,
        lines=(LogLine(text="mkdirat /var/run/secrets/kubernetes.io: read-only file system", at=ago(minutes=1)),),
    )
    peer = machine(name="node-4", image="Ubuntu 22.04")
    assert [] == judged("NODE-28", nodes(here, peer), frozen, kernel(ERROR.format(disk="sdb")), others=other)
    data = mounts("/var/lib/kubelet", ro=True)
    assert [] == judged("NODE-28", nodes(here, peer), data, told)
    same = nodes(here, machine(name="node-4", image="NixOS 24.05"))
    assert ["read-only"] == [f.reason for f in judged("NODE-28", same, frozen, others=other)]


def test_a_condition_that_nothing_else_supports_is_only_possible() -> None:
    """Mounted rw, and the kernel is silent; where neither could be read, the condition is all there is."""
    said = nodes(machine("ReadonlyFilesystem"))
    (denied,) = judged("NODE-28", said, mounts("/"), kernel())
    (alone,) = judged("NODE-28", said)
    assert [("condition", Confidence.POSSIBLE), ("condition", Confidence.LIKELY)] == [
        (f.reason, f.confidence) for f in (denied, alone)
    ]


@pytest.mark.parametrize(
    ("source", "disk", "holds"),
    [
        ("/dev/sda2", "sda", ("kubelet", "runtime")),
        ("/dev/sda2", "sdb", ("others",)),
        ("/dev/mapper/vg-root", "sda", None),
    ],
)
def test_whose_folders_lie_on_the_disk(source: str, disk: str, holds: tuple[str, ...] | None) -> None:
    """Behind a logical volume nobody knows; then it is not said."""
    (found,) = judged("NODE-28", kernel(*[ERROR.format(disk=disk)] * 3), mounts("/", source=source))
    assert holds == found.facts.get("holds")


def test_the_beginning_is_the_first_error_not_the_first_of_the_window() -> None:
    """A disk that failed an hour ago may explain what stopped forty minutes ago."""
    lines = tuple(LogLine(text=ERROR.format(disk="sda"), at=ago(minutes=m)) for m in (60, 45, 9, 6, 3))
    (found,) = judged("NODE-28", KernelLog(proof=LOG, node=NODE, lines=lines), mounts("/"))
    assert ago(minutes=60) == found.onset
