"""Full disks and used-up inotify limits (NODE-18, 19, 20, 23): what must not be named as the cause, and why."""

# ruff: noqa: E501 - log lines stand as they were printed

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.check import load
from bot.checks.node import eviction
from bot.model.cluster import Heartbeats, LogLine, NodeEvents, Nodes
from bot.model.evidence import Clock, Evidence, Expectations, PerNode
from bot.model.finding import Confidence, Finding, Severity
from bot.model.host import (
    Call,
    ContainerRuntime,
    Disks,
    Filesystem,
    HostUnits,
    KubeletArguments,
    KubeletLog,
    Mount,
    Mounts,
    NodeIdentity,
    RuntimeContainer,
    Unit,
)
from bot.model.host_resources import DeletedFile, DiskUse, Image, Images, Inotify, KubeletSettings
from bot.model.k8s import Condition, Event, Meta, Node, NodeSpec, NodeStatus, NodeSystemInfo, Taint
from bot.model.proof import Proof, Source

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
PROOF = Proof(source=Source.NODE, what="test")
CLOCK = Clock(proof=PROOF, now=NOW)
NODE = "node-3"
CHECKS = load()
GIB = 1024**3
ABOUT: dict[str, Any] = {"proof": PROOF, "node": NODE}
MOUNTS = Mounts(**ABOUT, items=())
NONE = Images(**ABOUT, items=())


def ago(**span: float) -> datetime:
    """A moment before the observation."""
    return NOW - timedelta(**span)


def judged(code: str, *evidence: Evidence) -> list[Finding]:
    """The findings of one check; evidence that is not given is missing."""
    values: dict[str, object] = {}
    for need in CHECKS[code].needs:
        given = next((e for e in (*evidence, CLOCK, MOUNTS) if isinstance(e, need.type)), None)
        values[need.name] = PerNode({}) if need.every_node else given
    return [r for r in CHECKS[code].run(**values) if isinstance(r, Finding)]


def filesystem(
    used: float, *, mount: str = "/", device: str = "/dev/sda2", inodes: tuple[int, int] = (0, 0)
) -> Filesystem:
    """100 GiB, so full in percent."""
    taken = int(used * GIB)
    return Filesystem(
        mount=mount,
        device=device,
        type="ext4",
        size=100 * GIB,
        used=taken,
        available=100 * GIB - taken,
        inodes=inodes[0],
        inodes_used=inodes[1],
    )


def disks(*items: Filesystem) -> Disks:
    """The disks of the node."""
    return Disks(**ABOUT, filesystems=items)


def images(*sizes: float, docker: bool = False, used: tuple[str, ...] | None = None) -> Images:
    """Images of so many GiB, named a, b and so on."""
    items = tuple(Image(id=f"{i:012d}", name=f"{chr(97 + i)}:1", size=int(n * GIB)) for i, n in enumerate(sizes))
    return Images(**ABOUT, items=items, of_docker=docker, used=used)


def use(deleted: tuple[DeletedFile, ...] | None = None, /, **folders: float) -> DiskUse:
    """What du found: ``var_log=81`` is 81 GiB in /var/log."""
    return DiskUse(
        **ABOUT, folders={f"/{k.replace('_', '/')}": int(v * GIB) for k, v in folders.items()}, deleted=deleted
    )


def settings(**values: str) -> KubeletSettings:
    """Settings of the kubelet's file, ``imagefs=`` and ``nodefs=`` for its limits."""
    own = {f"evictionHard.{k.replace('_', '.')}": v for k, v in values.items() if "_" in k}
    return KubeletSettings(**ABOUT, values={**own, **{k: v for k, v in values.items() if "_" not in k}})


def machine(*, pressure: bool = False, runtime: str = "containerd://1.7.28", cordoned: datetime | None = None) -> Nodes:
    """The node object."""
    taints = (Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule", time_added=cordoned),)
    made = Node(
        metadata=Meta(name=NODE),
        spec=NodeSpec(unschedulable=cordoned is not None, taints=taints if cordoned else ()),
        status=NodeStatus(
            conditions=(
                Condition(
                    type="DiskPressure", status="True" if pressure else "False", last_transition_time=ago(minutes=9)
                ),
            ),
            node_info=NodeSystemInfo(container_runtime_version=runtime),
        ),
    )
    return Nodes(proof=PROOF, items=(made,))


def arguments(**flags: str) -> KubeletArguments:
    """The kubelet's flags."""
    return KubeletArguments(**ABOUT, flags={k.replace("_", "-"): v for k, v in flags.items()}, running=True)


@pytest.mark.parametrize(
    ("own", "flags", "found"),
    [
        (settings(), arguments(), True),
        (settings(imagefs_available="5%", nodefs_available="5%"), arguments(), False),
        (settings(imagefs_available="5Gi", nodefs_available="5Gi"), arguments(), False),
        (settings(imagefs_available="20Gi"), arguments(), True),
        (settings(nodefs_available="5%", imageGCHighThresholdPercent="95"), arguments(), False),
        (settings(nodefs_available="0%", imagefs_available="0%"), arguments(), True),
        (settings(), arguments(eviction_hard="nodefs.available<5%,imagefs.available<5%"), False),
        (settings(imagefs_available="5%"), arguments(eviction_hard="imagefs.available<15%"), True),
    ],
    ids=["default", "percent", "bytes", "larger", "collection", "switched-off", "flag", "flag-over-file"],
)
def test_the_nodes_own_limits_count(own: KubeletSettings, flags: KubeletArguments, found: bool) -> None:
    """12 % are left: short by the kubelet's defaults, and fine where the node evicts only below 5 %."""
    assert found is bool(judged("NODE-18", disks(filesystem(88)), images(70), own, flags))
    assert found is bool(judged("NODE-19", disks(filesystem(88)), NONE, own, flags))


def test_a_limit_of_another_kind_of_eviction_is_no_hard_limit() -> None:
    """An evictionSoft names the same signals."""
    soft = KubeletSettings(**ABOUT, values={"evictionSoft": "", "evictionSoft.memory.available": "2Gi"})
    assert "100Mi" == eviction.limit("memory.available", soft, None)


def test_the_operators_threshold_comes_first() -> None:
    """``percent`` is what may be used; ``imagefs`` and ``nodefs`` what must be left."""
    strict = Expectations(proof=PROOF, thresholds={"NODE-18": {"percent": 80}})
    loose = Expectations(proof=PROOF, thresholds={"NODE-18": {"imagefs": 5, "nodefs": 5}})
    assert [1, 0] == [len(judged("NODE-18", disks(filesystem(88)), images(70), e)) for e in (strict, loose)]


def test_a_bound_kubelet_folder_lies_on_its_own_disk() -> None:
    """The df of a node leaves bind mounts out; the mount table says where the folder really is."""
    mounts = Mounts(
        **ABOUT,
        items=(
            Mount(target="/", source="/dev/sda2", type="ext4", options=("rw",)),
            Mount(target="/data", source="/dev/sdb1", type="ext4", options=("rw",)),
            Mount(target="/var/lib/kubelet", source="/dev/sdb1[/kubelet]", type="ext4", options=("rw",)),
            Mount(target="/var/lib/containerd", source="/dev/sdb1[/containerd]", type="ext4", options=("rw",)),
        ),
    )
    root_full = disks(filesystem(97), filesystem(20, mount="/data", device="/dev/sdb1"))
    data_full = disks(filesystem(20), filesystem(97, mount="/data", device="/dev/sdb1"))
    assert [] == judged("NODE-19", root_full, NONE, mounts)
    (found,) = judged("NODE-18", data_full, images(80), mounts)
    assert "/data" == found.facts["mount"]
    assert ["/"] == [f.facts["mount"] for f in judged("NODE-19", root_full, NONE, use(var_log=90))]


def test_other_roots_of_kubelet_and_runtime_are_followed() -> None:
    """--root-dir, and where containerd says that it keeps its images."""
    both = disks(filesystem(30), filesystem(97, mount="/data", device="/dev/sdb1"))
    runtime = ContainerRuntime(**ABOUT, call=Call.OK, sockets={}, conditions={}, root="/data/containerd")
    assert ["NODE-18"] == [f.code for f in judged("NODE-18", both, images(80), runtime)]
    assert ["/data"] == [f.facts["mount"] for f in judged("NODE-19", both, NONE, arguments(root_dir="/data/kubelet"))]


def test_images_that_share_layers_are_not_counted_twice() -> None:
    """The list adds up to 70 GiB, the runtime's folder holds 6: a log is what fills the disk."""
    seen = use(var_log=80, var_lib_containerd=6)
    assert [] == judged("NODE-18", disks(filesystem(97)), images(70), seen)
    (found,) = judged("NODE-19", disks(filesystem(97)), images(70), seen)
    assert ("files", "/var/log") == (found.reason, found.facts["folder"])


def test_a_folder_is_named_only_when_it_is_much_of_what_is_used() -> None:
    """2 GiB of 97 fill no disk, even when no measured folder is larger."""
    (found,) = judged("NODE-19", disks(filesystem(97)), images(1), use(var_log=2, tmp=1))
    assert ("elsewhere", Confidence.LIKELY) == (found.reason, found.confidence)
    assert "the disk of node-3 is nearly full: 3 % of / is left" == str(found.title)
    assert "It is not images. Of the folders that were measured /var/log is the largest: 2.0 GiB of 97.0 GiB." == str(
        found.detail
    )


def test_the_runtimes_folder_is_not_called_a_log() -> None:
    """The list counts images packed: the folder may be images or writable layers, and both are said."""
    (found,) = judged("NODE-19", disks(filesystem(97)), images(20), use(var_lib_containerd=85, var_log=1))
    assert ("runtime-folder", Confidence.LIKELY) == (found.reason, found.confidence)
    assert "/var/lib/containerd fills the disk of node-3: 3 % of / is left" == str(found.title)


def test_images_are_counted_unpacked_where_containers_are_known_to_have_written_little() -> None:
    """70 MB of compressed layers took 249 MB of a real disk; what containers wrote, or what cannot be images, is none."""
    full, listed, folder = disks(filesystem(97)), images(25), use(var_lib_containerd=88, var_log=1)
    known = {n: replace(folder, written=n * GIB) for n in (0, 45, 60)}
    assert [1, 1, 0] == [len(judged("NODE-18", full, listed, seen)) for seen in known.values()]
    assert ["runtime-folder"] == [f.reason for f in judged("NODE-19", full, listed, known[60])]
    assert [] == judged("NODE-18", full, images(2), known[0])


def test_a_deleted_file_that_is_open_is_what_fills_the_disk() -> None:
    """Only lsof sees it; the fix is to end its process."""
    held = DeletedFile(command="java", pid=24611, path="/var/log/app/app.log", size=76 * GIB)
    (found,) = judged("NODE-19", disks(filesystem(97)), images(1), use((held,), var_log=2))
    assert "deleted-files" == found.reason
    assert "java holds deleted files that fill the disk of node-3: 3 % of / is left" == str(found.title)
    assert "systemctl status 24611 --no-pager" in found.fixes[0].commands


def test_a_folder_can_leave_images_no_room() -> None:
    """Images could not be listed, but 85 of 97 GiB are a log: then it cannot be images."""
    (found,) = judged("NODE-19", disks(filesystem(97)), use(var_log=85))
    (open_,) = judged("NODE-19", disks(filesystem(97)), use(var_log=50))
    assert [("files", Confidence.LIKELY), ("unknown-consumer", Confidence.POSSIBLE)] == [
        (f.reason, f.confidence) for f in (found, open_)
    ]


def test_docker_lists_its_images_and_who_uses_them() -> None:
    """By short id or by a name without tag; on a node of another runtime docker's images mean nothing."""
    listed = images(60, 20, docker=True, used=("a",))
    by_id = images(60, 20, docker=True, used=("sha256:000000000001" + "0" * 52, "a:1"))
    docker = machine(runtime="docker://18.9.9")
    (found,) = judged("NODE-18", disks(filesystem(97)), listed, docker)
    assert "80.0 GiB of images, of which 80.0 GiB are used by no container." == str(found.detail)
    (named,) = judged("NODE-18", disks(filesystem(97)), by_id, docker)
    assert "80.0 GiB of images, of which 0.0 GiB are used by no container." == str(named.detail)
    assert "sudo docker image prune -a -f" in named.fixes[1].commands
    assert [] == judged("NODE-18", disks(filesystem(97)), listed, machine())


def test_an_image_that_a_container_names_by_digest_is_used() -> None:
    """The runtime names the image of a container by id, tag or digest."""
    items = (Image(id="sha256:aa", name="web:1", size=80 * GIB, names=("web:1", "web@sha256:ee")),)
    running = (RuntimeContainer(id="1", name="c", image="web@sha256:ee", state="running"),)
    runtime = ContainerRuntime(**ABOUT, call=Call.OK, sockets={}, conditions={}, containers=running)
    (found,) = judged("NODE-18", disks(filesystem(97)), Images(**ABOUT, items=items), runtime)
    assert "80.0 GiB of images, of which 0.0 GiB are used by no container." == str(found.detail)


@pytest.mark.parametrize(
    ("reason", "message", "confidence"),
    [
        ("FreeDiskSpaceFailed", "Failed to garbage collect required amount of images.", Confidence.CONFIRMED),
        ("EvictionThresholdMet", "Attempting to reclaim ephemeral-storage", Confidence.CONFIRMED),
        ("EvictionThresholdMet", "Attempting to reclaim memory", Confidence.LIKELY),
        ("ImageGCFailed", "invalid capacity 0 on image filesystem", Confidence.LIKELY),
    ],
)
def test_the_kubelets_events_are_a_second_source(reason: str, message: str, confidence: Confidence) -> None:
    """What it says of disks, not of memory, and not what it says once at every start."""
    event = Event(reason=reason, message=message, last_timestamp=ago(minutes=2))
    events = NodeEvents(**ABOUT, items=(event,))
    (found,) = judged("NODE-18", disks(filesystem(97)), images(70), events)
    assert confidence is found.confidence


def test_a_node_that_was_cordoned_before_is_no_alarm() -> None:
    """The disk ran full after the cordon: information; before it: a fault."""
    full = disks(filesystem(97)), images(70)
    (after,) = judged("NODE-18", *full, machine(pressure=True, cordoned=ago(hours=2)))
    (before,) = judged("NODE-18", *full, machine(pressure=True, cordoned=ago(minutes=1)))
    assert [Severity.INFO, Severity.HIGH] == [after.severity, before.severity]


@pytest.mark.parametrize("pressure", [False, True])
def test_a_kubelet_without_pressure_contradicts_a_limit_that_was_not_read(pressure: bool) -> None:
    """12 % are left: short by default, and the kubelet, whose limit nobody read, says that it is not."""
    evidence = disks(filesystem(88)), images(70), machine(pressure=pressure)
    unread, read = judged("NODE-18", *evidence)[0], judged("NODE-18", *evidence, settings())[0]
    expected = Confidence.CONFIRMED if pressure else Confidence.POSSIBLE
    assert [expected, Confidence.CONFIRMED if pressure else Confidence.LIKELY] == [unread.confidence, read.confidence]


def test_inodes_are_held_against_the_nodes_own_limit() -> None:
    """92 % are used: only a node that wants 10 % free evicts for it."""
    nearly = disks(filesystem(30, inodes=(1000, 920)))
    assert [] == judged("NODE-20", nearly)
    assert ["/"] == [f.facts["mount"] for f in judged("NODE-20", nearly, settings(nodefs_inodesFree="10%"))]


def test_pressure_of_a_disk_without_bytes_does_not_confirm_missing_inodes() -> None:
    """The kubelet may report the bytes; nor do words about inotify or cgroups speak of inodes."""
    pressed = machine(pressure=True)
    (both,) = judged("NODE-20", disks(filesystem(97, inodes=(1000, 960))), pressed)
    (inodes,) = judged("NODE-20", disks(filesystem(30, inodes=(1000, 960))), pressed)
    assert [Confidence.LIKELY, Confidence.CONFIRMED] == [both.confidence, inodes.confidence]
    said = log("inotify_add_watch /sys/fs/cgroup/a: no space left on device")
    (other,) = judged("NODE-20", disks(filesystem(30, inodes=(1000, 960))), said)
    assert Confidence.LIKELY is other.confidence


def log(*lines: str, **span: float) -> KubeletLog:
    """The kubelet's log, a minute old."""
    return KubeletLog(**ABOUT, lines=tuple(LogLine(text=x, at=ago(**(span or {"minutes": 1}))) for x in lines))


def inotify(**used: Any) -> Inotify:
    """Large limits."""
    return Inotify(**ABOUT, **{"watches": 192536, "instances": 128, **used})


def test_a_watcher_that_cannot_be_made_is_a_matter_of_instances() -> None:
    """What a kubelet 1.36 printed with fs.inotify.max_user_instances = 3: it names cAdvisor, too."""
    lines = (
        'E1121 11:38:37.956808 2925 dynamic_cafile_content.go:170] "Failed to watch CA file, will retry later" err="error creating fsnotify watcher: too many open files"',
        'E1121 11:38:38.203980 2925 kubelet.go:1804] "Failed to start cAdvisor" err="inotify_init: too many open files"',
    )
    (found,) = judged("NODE-23", inotify(instances=3, used=3), log(*lines))
    assert ("instances", Confidence.CONFIRMED) == (found.reason, found.confidence)
    assert "the inotify instances of node-3 are used up (3)" == str(found.title)


def test_used_watches_count_like_used_instances() -> None:
    """Nine tenths of either limit; and the words of a full disk are confirmed by it."""
    crowded = inotify(watches=65536, watched=60000, used=40)
    (found,) = judged("NODE-23", crowded)
    assert ("watches", Confidence.LIKELY) == (found.reason, found.confidence)
    (said,) = judged("NODE-23", crowded, log("inotify_add_watch /sys/fs/cgroup/a: no space left on device"))
    assert ("watches", Confidence.CONFIRMED) == (said.reason, said.confidence)
    assert [] == judged("NODE-23", inotify(watched=60000, used=40))


def test_a_disk_without_inodes_explains_the_words_too() -> None:
    """The same words; the disk comes first."""
    said = log("inotify_add_watch /sys/fs/cgroup/a: no space left on device")
    assert [] == judged("NODE-23", inotify(), said, disks(filesystem(30, inodes=(1000, 1000))))
    assert [] != judged("NODE-23", inotify(), said, disks(filesystem(30, inodes=(1000, 500))))


def test_a_kubelet_that_failed_before_the_boot_was_not_broken_by_it() -> None:
    """Its log shows three failed starts an hour before the machine booted."""
    unit = Unit(name="kubelet", load="loaded", active="activating", sub="auto-restart", started=ago(seconds=9))
    units = HostUnits(**ABOUT, by_name={"kubelet": unit})
    said = 'E kubelet.go:1804] "Failed to start cAdvisor" err="inotify_init: too many open files"'
    lines = [LogLine(text="kubelet.service: Main process exited", at=ago(minutes=60 - i)) for i in range(3)]
    lines += [LogLine(text=x, at=ago(seconds=9)) for x in ("Started kubelet.service", said, "Main process exited")]
    identity = NodeIdentity(**ABOUT, hostname=NODE, kernel="6", boot_id="b", uptime_seconds=600, booted=ago(minutes=10))
    beats = Heartbeats(proof=PROOF, last={NODE: ago(minutes=61)}, by_lease=True)
    (found,) = judged("NODE-23", inotify(used=128), units, KubeletLog(**ABOUT, lines=tuple(lines)), identity, beats)
    assert ago(minutes=61) == found.onset
