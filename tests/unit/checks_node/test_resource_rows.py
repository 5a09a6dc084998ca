"""Rows about a node's resources: the cases that no scenario has, and what must stay silent."""

# ruff: noqa: E501 - log lines stand as they were printed

from __future__ import annotations

from collections.abc import Sequence
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.bundle.base import base_path
from bot.bundle.recorded import sources
from bot.bundle.store import open_bundle
from bot.check import load
from bot.checks.node.too_many_object_watches import referred
from bot.collect.host_resources import SPACE
from bot.collect.host_targeted import host_targeted
from bot.collector import Wanted
from bot.model.cluster import LogLine, NodeEvents, Nodes, PodsOnNode
from bot.model.evidence import Clock, Evidence, Gap, PerNode
from bot.model.finding import Confidence, Finding, Safety, Severity
from bot.model.host import (
    Call,
    ContainerRuntime,
    Disks,
    Filesystem,
    HostUnits,
    KernelLog,
    KubeletArguments,
    KubeletLog,
    KubeletProcess,
    NodeReached,
    RuntimeContainer,
    Unit,
)
from bot.model.host_resources import (
    Cgroups,
    DiskUse,
    Image,
    Images,
    Inotify,
    KubeletSettings,
    Memory,
    RuntimeDriver,
    Tasks,
)
from bot.model.k8s import (
    Container,
    EnvironmentSource,
    Event,
    Meta,
    Named,
    Node,
    NodeStatus,
    NodeSystemInfo,
    Pod,
    PodSpec,
    PodStatus,
    Projected,
    Projection,
    SecretSource,
    Variable,
    VariableSource,
    Volume,
)
from bot.model.proof import Proof, Source
from bot.model.refs import NodeName
from bot.source import Output, Section

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
PROOF = Proof(source=Source.NODE, what="test")
CLOCK = Clock(proof=PROOF, now=NOW)
NODE = NodeName("node-3")
CHECKS = load()
GIB = 1024**3
CONFIG = {"config": "/var/lib/kubelet/config.yaml"}
LATE = "E kubelet_pods.go:186] couldn't propagate object cache: timed out waiting for the condition"


def judged(code: str, *evidence: Evidence, **named: object) -> list[Finding]:
    """The findings of one check; evidence that is not given is missing."""
    values: dict[str, object] = {}
    for need in CHECKS[code].needs:
        given = None if need.every_node else next((e for e in evidence if isinstance(e, need.type)), None)
        values[need.name] = named.get(need.name, PerNode({}) if need.every_node else given)
    return [r for r in CHECKS[code].run(**values) if isinstance(r, Finding)]


def said(*lines: str, minutes: float = 1) -> tuple[LogLine, ...]:
    """Log lines of so long ago."""
    return tuple(LogLine(text=x, at=NOW - timedelta(minutes=minutes)) for x in lines)


def log(*lines: str) -> KubeletLog:
    """A kubelet's log."""
    return KubeletLog(proof=PROOF, node=NODE, lines=said(*lines))


def kubelet(**properties: Any) -> HostUnits:
    """The kubelet's unit."""
    made = Unit(**{"name": "kubelet", "load": "loaded", "file_state": "enabled", "active": "active", **properties})
    return HostUnits(proof=PROOF, node=NODE, by_name={"kubelet": made})


def machine(version: str = "v1.34.2", runtime: str = "containerd://1.7.28") -> Nodes:
    """One node object."""
    info = NodeSystemInfo(kubelet_version=version, container_runtime_version=runtime)
    return Nodes(proof=PROOF, items=(Node(metadata=Meta(name=NODE), status=NodeStatus(node_info=info)),))


def disk(percent: int, *, mount: str = "/") -> Disks:
    """A disk of 100 GiB that is so full."""
    used = percent * GIB
    made = Filesystem(
        mount=mount, device="/dev/sda2", type="ext4", size=100 * GIB, used=used, available=100 * GIB - used
    )
    return Disks(proof=PROOF, node=NODE, filesystems=(made,))


def pods(count: int, **spec: Any) -> PodsOnNode:
    """So many running pods."""
    items = tuple(
        Pod(metadata=Meta(name=f"p-{i}", namespace="shop"), spec=PodSpec(**spec), status=PodStatus(phase="Running"))
        for i in range(count)
    )
    return PodsOnNode(proof=PROOF, node=NODE, items=items)


def containers(count: int) -> ContainerRuntime:
    """A runtime with so many containers."""
    made = tuple(RuntimeContainer(id=str(i), name="c", image="sha256:used", state="running") for i in range(count))
    return ContainerRuntime(proof=PROOF, node=NODE, call=Call.OK, sockets={}, conditions={}, containers=made)


SETTINGS = KubeletSettings(proof=PROOF, node=NODE, values={"cgroupDriver": "cgroupfs"})
ARGUMENTS = KubeletArguments(proof=PROOF, node=NODE, flags=CONFIG, running=True)
SYSTEMD = RuntimeDriver(proof=PROOF, node=NODE, driver="systemd")


def test_a_kubelet_that_asks_its_runtime_has_no_wrong_driver() -> None:
    """From 1.31 on with containerd 2 the file's driver means nothing; nor is it judged where versions are unknown."""
    (found,) = judged("NODE-14", kubelet(), CLOCK, SETTINGS, ARGUMENTS, SYSTEMD, machine())
    assert ("drivers-differ", Confidence.LIKELY, Severity.HIGH) == (found.reason, found.confidence, found.severity)
    assert [] == judged(
        "NODE-14", kubelet(), CLOCK, SETTINGS, ARGUMENTS, SYSTEMD, machine(runtime="containerd://2.1.0")
    )
    assert [] == judged("NODE-14", kubelet(), CLOCK, SETTINGS, ARGUMENTS, SYSTEMD)


def test_docker_names_both_drivers() -> None:
    """The error of the dockershim is enough, whatever the files say."""
    down = kubelet(active="failed", result="exit-code")
    error = 'failed to run Kubelet: misconfiguration: kubelet cgroup driver: "systemd" is different from docker cgroup driver: "cgroupfs"'
    (found,) = judged("NODE-14", down, CLOCK, log("Started kubelet.", error, "Main process exited"))
    assert ("drivers-differ", Severity.CRIT) == (found.reason, found.severity)


def test_a_repeated_event_counts_only_for_the_window() -> None:
    """Six warnings over three hours are one inside half an hour."""
    event = Event(
        reason="FailedNodeAllocatableEnforcement",
        message='Failed to update Node Allocatable Limits ["kubepods"]: invalid argument',
        count=6,
        first_timestamp=NOW - timedelta(hours=3),
        last_timestamp=NOW - timedelta(minutes=1),
    )
    assert [] == judged("NODE-16", NodeEvents(proof=PROOF, node=NODE, items=(event,)), CLOCK)


def test_an_unread_setting_is_not_called_off() -> None:
    """Neither flag nor file: a warning, and nothing but a look, for any repair may be wrong."""
    event = Event(reason="FailedNodeAllocatableEnforcement", count=9, last_timestamp=NOW, first_timestamp=NOW)
    (found,) = judged("NODE-16", NodeEvents(proof=PROOF, node=NODE, items=(event,)), CLOCK)
    assert ("unknown-setting", Severity.WARN) == (found.reason, found.severity)
    assert [Safety.READ_ONLY] == [fix.safety for fix in found.fixes]


def test_what_fills_a_disk_stays_open_where_it_could_not_be_read() -> None:
    """A full disk is said, its cause is not guessed."""
    (found,) = judged("NODE-19", disk(97))
    assert ("unknown-consumer", Confidence.POSSIBLE) == (found.reason, found.confidence)
    assert [] == judged("NODE-18", disk(97))


def test_the_folder_of_a_pod_names_the_pod() -> None:
    """By its uid; a folder that is only the sum of another is left out."""
    uid = "0e9c8a2e-3b0d-4f07-9c1e-6f5f3a1f2b11"
    owner = Pod(metadata=Meta(name="writer", namespace="shop", uid=uid))
    use = DiskUse(
        proof=PROOF,
        node=NODE,
        folders={"/var/lib/kubelet/pods": 80 * GIB, f"/var/lib/kubelet/pods/{uid}": 79 * GIB, "/tmp": GIB},
    )
    images = Images(proof=PROOF, node=NODE, items=())
    mine = PodsOnNode(proof=PROOF, node=NODE, items=(owner,))
    (found,) = judged("NODE-19", disk(97), use, images, mine)
    assert f"/var/lib/kubelet/pods/{uid}" == found.facts["folder"]
    assert "It belongs to the pod shop/writer." == str(found.detail)


def test_a_full_data_disk_is_nobodys_fault() -> None:
    """A mount of its own that is full, beside a system disk with space."""
    data = Filesystem(mount="/data", device="/dev/sdb1", type="xfs", size=100, used=99, available=1)
    both = Disks(proof=PROOF, node=NODE, filesystems=(*disk(30).filesystems, data))
    assert [] == [*judged("NODE-18", both), *judged("NODE-19", both), *judged("NODE-20", both, CLOCK)]


def test_spare_images_are_counted_only_where_containers_are_known() -> None:
    """An image that a container was made of is not spare."""
    items = (Image(id="sha256:used", name="a", size=50 * GIB), Image(id="sha256:spare", name="b", size=10 * GIB))
    images = Images(proof=PROOF, node=NODE, items=items)
    (known,) = judged("NODE-18", disk(97), images, containers(3))
    (unknown,) = judged("NODE-18", disk(97), images)
    assert ("60.0 GiB of images, of which 10.0 GiB are used by no container.", None) == (
        str(known.detail),
        unknown.detail,
    )


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ("Out of memory: Killed process 24611 (java) total-vm:18874368kB", "kernel-killed"),
        ("Out of memory: Kill process 24611 (java) score 900 or sacrifice child", "kernel-killed"),
        ("Memory cgroup out of memory: Killed process 24611 (java) total-vm:1kB", None),
        ("Memory cgroup out of memory: Kill process 24611 (java) score 1 or sacrifice child", None),
    ],
)
def test_only_the_machines_own_memory_counts(line: str, reason: str | None) -> None:
    """New and old words of the kernel; a container's limit is another row."""
    memory = Memory(proof=PROOF, node=NODE, total=8 * GIB, available=4 * GIB, waiting={})
    kernel = KernelLog(proof=PROOF, node=NODE, lines=said(line))
    assert ([reason] if reason else []) == [f.reason for f in judged("NODE-21", memory, kernel, CLOCK)]


def test_next_to_no_memory_is_enough() -> None:
    """The kernel need not have killed anything; a kernel that does not tell what is available accuses nobody."""
    low = Memory(proof=PROOF, node=NODE, total=8 * GIB, available=60 * 1024**2, waiting={})
    old = Memory(proof=PROOF, node=NODE, total=8 * GIB, available=None, waiting={})
    assert ["nearly-none-left"] == [f.reason for f in judged("NODE-21", low, CLOCK)]
    assert [] == judged("NODE-21", old, CLOCK)


def test_ninety_percent_of_the_threads_is_the_limit() -> None:
    """Exactly ninety is not more than ninety; the smaller limit decides."""
    at = Tasks(proof=PROOF, node=NODE, pid_max=1000, threads_max=9999, processes=100, threads=900)
    over = Tasks(proof=PROOF, node=NODE, pid_max=1000, threads_max=9999, processes=100, threads=901)
    assert ([], ["no-pids-left"]) == (judged("NODE-22", at, CLOCK), [f.reason for f in judged("NODE-22", over, CLOCK)])


@pytest.mark.parametrize(
    ("limits", "lines", "reason", "confidence"),
    [
        ((8192, 128, 40), (), "small-limit", Confidence.LIKELY),
        ((524288, 128, 120), (), "instances", Confidence.LIKELY),
        ((524288, 128, 120), ("error initializing watcher: too many open files",), "instances", Confidence.CONFIRMED),
        (
            (524288, 8192, 40),
            ("inotify_add_watch /sys/fs/cgroup/a: no space left on device",),
            "watches",
            Confidence.POSSIBLE,
        ),
    ],
)
def test_inotify_cases(limits: tuple[int, int, int], lines: Sequence[str], reason: str, confidence: Confidence) -> None:
    """Limits alone make it likely at most; the words of a full disk alone, with no word about disks, only possible."""
    evidence = Inotify(proof=PROOF, node=NODE, watches=limits[0], instances=limits[1], used=limits[2])
    (found,) = judged("NODE-23", evidence, CLOCK, kubelet(), log(*lines))
    assert (reason, confidence) == (found.reason, found.confidence)


@pytest.mark.parametrize(
    ("memory", "scopes", "count", "reason"),
    [
        (120, 2, 4, None),
        (1900, 2, 4, None),
        (2100, 2, 4, "cgroups"),
        (21000, 2, 1100, None),
        (21000, 2, 250, "cgroups"),
        (240, 2100, 4, "scopes"),
    ],
)
def test_cgroups_are_held_against_containers(memory: int, scopes: int, count: int, reason: str | None) -> None:
    """The system's own cgroups are no leak; a crowded node is judged by its number of containers."""
    held = Cgroups(proof=PROOF, node=NODE, unified=True, memory=memory, scopes=scopes, transient=scopes)
    assert ([reason] if reason else []) == [f.reason for f in judged("NODE-24", held, CLOCK, containers(count))]


def test_every_kind_of_reference_is_counted_once() -> None:
    """Volumes, projections, single variables, whole environments, pull secrets; one object twice is one."""
    spec = PodSpec(
        volumes=(
            Volume(config_map=Named(name="a")),
            Volume(secret=SecretSource(secret_name="s")),
            Volume(
                projected=Projected(
                    sources=(Projection(config_map=Named(name="b")), Projection(secret=Named(name="t")))
                )
            ),
        ),
        containers=(
            Container(
                env=(
                    Variable(value_from=VariableSource(config_map_key_ref=Named(name="c"))),
                    Variable(value_from=VariableSource(secret_key_ref=Named(name="u"))),
                    Variable(),
                ),
                env_from=(
                    EnvironmentSource(config_map_ref=Named(name="a")),
                    EnvironmentSource(secret_ref=Named(name="v")),
                ),
            ),
        ),
        image_pull_secrets=(Named(name="w"),),
    )
    pod = Pod(metadata=Meta(name="p", namespace="shop"), spec=spec)
    expected = {*(f"ConfigMap shop/{n}" for n in "abc"), *(f"Secret shop/{n}" for n in "stuvw")}
    assert expected == set(referred(pod))


@pytest.mark.parametrize(("count", "reasons"), [(4, []), (5, ["timeouts"])])
def test_a_modern_kubelet_that_waits_in_vain_is_a_warning(count: int, reasons: list[str]) -> None:
    """Five timeouts within ten minutes while pods run."""
    found = judged("NODE-25", pods(2), machine(), CLOCK, log(*[LATE] * count))
    assert reasons == [f.reason for f in found]
    assert [Severity.WARN] * len(reasons) == [f.severity for f in found]


def test_thousands_of_objects_on_a_modern_node() -> None:
    """Five thousand is the limit; an ended pod's objects are not watched any more."""
    volumes = tuple(Volume(config_map=Named(name=f"c-{i}")) for i in range(5000))
    settings = KubeletSettings(proof=PROOF, node=NODE, values={})
    assert ["many-objects"] == [
        f.reason for f in judged("NODE-25", pods(1, volumes=volumes), machine(), CLOCK, settings)
    ]
    ended = Pod(metadata=Meta(name="p"), spec=PodSpec(volumes=volumes), status=PodStatus(phase="Succeeded"))
    done = PodsOnNode(proof=PROOF, node=NODE, items=(ended,))
    assert [] == judged("NODE-25", done, machine(), CLOCK, settings)


def test_a_large_kubelet_alone_is_only_possible() -> None:
    """Nothing to compare with; a version that is known to leak names the case; hundreds of pods excuse it."""
    process = KubeletProcess(proof=PROOF, node=NODE, state="S", rss_bytes=3 * GIB)
    hyperkube = KubeletArguments(
        proof=PROOF, node=NODE, flags={}, running=True, unit="ExecStart=/opt/hyperkube kubelet\n"
    )
    (alone,) = judged("NODE-26", process, pods(9), machine())
    (old,) = judged("NODE-26", process, pods(9), machine("v1.13.4"), hyperkube)
    assert ("large", Confidence.POSSIBLE) == (alone.reason, alone.confidence)
    assert ("known-leak", Confidence.POSSIBLE) == (old.reason, old.confidence)
    assert [] == judged("NODE-26", process, pods(201), machine())


class Counting:
    """A shell that answers from a recorded node and remembers what it was asked."""

    def __init__(self) -> None:
        self.asked: list[str] = []
        self._shell = sources(open_bundle(base_path("kubeadm-5"))).shell

    def run(self, node: str, sections: Sequence[Section], *, deadline: float = 25.0) -> Any:
        """Answer, with ``du`` as a nearly full node has it."""
        self.asked += [s.key for s in sections]
        found = dict(self._shell.run(node, [s for s in sections if s.key != "DU"], deadline=deadline))
        return found | {"DU": Output(text="90000000000\t/var/log\n", rc=0)}


@pytest.mark.parametrize(("percent", "asked"), [(40, []), (85, [*SPACE])])
def test_du_is_asked_only_of_a_node_whose_disk_is_nearly_full(percent: int, asked: list[str]) -> None:
    """It reads the whole disk; on a healthy node both pieces are missing, with the reason."""
    shell = Counting()
    found = list(
        host_targeted(
            shell=shell,
            node=NODE,
            clock=CLOCK,
            wanted=Wanted(frozenset({Images, DiskUse})),
            reached=NodeReached(proof=PROOF, node=NODE, clock_ahead=0.0),
            rules=None,
            sysctls=None,
            links=None,
            disks=disk(percent),
            nodes=None,
            pods=PerNode({}),
        )
    )
    assert asked == shell.asked
    kinds = [f"{f.type.__name__} missing" if isinstance(f, Gap) else type(f).__name__ for f in found]
    assert (["Images", "DiskUse"] if asked else ["Images missing", "DiskUse missing"]) == kinds[-2:]
