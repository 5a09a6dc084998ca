"""Memory, cgroups, watches and a growing kubelet (NODE-21, 24, 25, 26): what looks like the fault and is none."""

# ruff: noqa: E501 - log lines stand as they were printed

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, datetime

import pytest

from bot.collect.host_past import kubelet_past
from bot.model.cluster import LogLine, NodeEvents, Nodes, PodsOnNode, SystemPods
from bot.model.finding import Confidence
from bot.model.host import (
    Call,
    ContainerRuntime,
    HostUnits,
    KernelLog,
    KubeletArguments,
    KubeletLog,
    KubeletProcess,
    RuntimeContainer,
    Unit,
)
from bot.model.host_resources import Cgroups, KubeletPast, KubeletSeries, KubeletSettings, Memory, PastSize
from bot.model.k8s import (
    Container,
    Event,
    Meta,
    Named,
    Node,
    NodeStatus,
    NodeSystemInfo,
    Pod,
    PodSpec,
    PodStatus,
    Volume,
)
from bot.model.refs import NodeName
from bot.source import History
from tests.unit.checks_node.judging import ABOUT, CLOCK, NODE, NOW, PROOF, ago, judged

GIB, MIB = 1024**3, 1024**2
KILLED = "Out of memory: Killed process 24611 (java) total-vm:18874368kB, anon-rss:15728640kB"
LATE = 'E nestedpendingoperations.go:270] MountVolume.SetUp failed for volume "c" pod "{name}" (UID: "{uid}") : couldn\'t propagate object cache: timed out waiting for the condition'


def said(*lines: str, minutes: float = 1) -> tuple[LogLine, ...]:
    """Log lines of so long ago."""
    return tuple(LogLine(text=x, at=ago(minutes=minutes)) for x in lines)


def memory(mib: int = 4096) -> Memory:
    """A node of 8 GiB."""
    return Memory(**ABOUT, total=8 * GIB, available=mib * MIB, waiting={})


@pytest.mark.parametrize(
    ("kind", "codes"),
    [("CONSTRAINT_NONE", ["NODE-21"]), ("CONSTRAINT_CPUSET", []), ("CONSTRAINT_MEMORY_POLICY", [])],
)
def test_a_process_that_was_bound_to_a_part_of_the_memory_is_not_the_nodes_fault(kind: str, codes: list[str]) -> None:
    """The kernel says so in the line before."""
    lines = said(f"oom-kill:constraint={kind},nodemask=0,cpuset=/,mems_allowed=0,task=java,pid=24611,uid=0", KILLED)
    assert codes == [f.code for f in judged("NODE-21", memory(), KernelLog(**ABOUT, lines=lines))]


def test_memory_is_held_against_the_nodes_own_limit() -> None:
    """800 MiB are left: little only where the node evicts below one gigabyte."""
    own = KubeletSettings(**ABOUT, values={"evictionHard": "", "evictionHard.memory.available": "1Gi"})
    assert [0, 1] == [len(judged("NODE-21", memory(800), *e)) for e in ((), (own,))]


def test_an_event_about_a_containers_limit_confirms_nothing() -> None:
    """node-problem-detector uses one reason for both."""
    kernel = KernelLog(**ABOUT, lines=said(KILLED))
    mine = Event(reason="OOMKilling", message=KILLED, last_timestamp=ago(minutes=1))
    other = Event(
        reason="OOMKilling", message=f"Memory cgroup out of memory: {KILLED[15:]}", last_timestamp=ago(minutes=1)
    )
    found = [judged("NODE-21", memory(), kernel, NodeEvents(**ABOUT, items=(e,)))[0].confidence for e in (mine, other)]
    assert [Confidence.CONFIRMED, Confidence.LIKELY] == found


def containers(**count: int) -> ContainerRuntime:
    """Containers by state."""
    made = tuple(
        RuntimeContainer(id=f"{state}{i}", name="c", image="i", state=state)
        for state, n in count.items()
        for i in range(n)
    )
    return ContainerRuntime(**ABOUT, call=Call.OK, sockets={}, conditions={}, containers=made)


def test_ended_containers_have_no_cgroups() -> None:
    """CronJobs leave hundreds of ended containers; 3,000 cgroups are too many for the ten that run."""
    held = Cgroups(**ABOUT, unified=True, memory=3000, scopes=2, transient=2)
    assert [1, 0] == [len(judged("NODE-24", held, containers(running=n, exited=200))) for n in (10, 160)]


def test_two_numbers_of_one_command_are_one_source() -> None:
    """Cgroups and scopes are read together: only the kubelet's log confirms them."""
    held = Cgroups(**ABOUT, unified=True, memory=30000, scopes=9000, transient=8990)
    line = "failed to create cgroup: Unit kubepods-pod1.slice already exists."
    told = KubeletLog(**ABOUT, lines=said(line))
    assert [Confidence.LIKELY, Confidence.CONFIRMED] == [
        judged("NODE-24", held, *more)[0].confidence for more in ((), (told,))
    ]


def pods(count: int, *, leaving: bool = False) -> PodsOnNode:
    """So many pods, each with a ConfigMap of its own."""
    items = tuple(
        Pod(
            metadata=Meta(
                name=f"p-{i}", namespace="b", uid=f"{i:08d}-0000", deletion_timestamp=NOW if leaving else None
            ),
            spec=PodSpec(volumes=(Volume(config_map=Named(name=f"c-{i}")),)),
            status=PodStatus(phase="Running"),
        )
        for i in range(count)
    )
    return PodsOnNode(**ABOUT, items=items)


def machine(version: str) -> Nodes:
    """The node object."""
    made = Node(metadata=Meta(name=NODE), status=NodeStatus(node_info=NodeSystemInfo(kubelet_version=version)))
    return Nodes(proof=PROOF, items=(made,))


@pytest.mark.parametrize(
    ("flag", "codes"), [("", ["NODE-25"]), ("250", ["NODE-25"]), ("1000", []), ("100", ["NODE-25"])]
)
def test_the_cliff_moves_with_the_streams_of_the_api_server(flag: str, codes: list[str]) -> None:
    """218 objects are too many for 250 streams of one connection, and few for 1,000."""
    words = ("kube-apiserver", *([f"--http2-max-streams-per-connection={flag}"] if flag else []))
    server = Pod(
        metadata=Meta(name="kube-apiserver-m1", namespace="kube-system"),
        spec=PodSpec(containers=(Container(command=words),)),
    )
    system = SystemPods(proof=PROOF, items=(server,))
    assert codes == [f.code for f in judged("NODE-25", pods(218), machine("v1.13.4"), system)]


@pytest.mark.parametrize(("uid", "reasons"), [("00000001-0000", ["timeouts"]), ("99999999-0000", [])])
def test_a_pod_that_ends_may_wait_in_vain(uid: str, reasons: list[str]) -> None:
    """Lines that name a pod count only while that pod is to stay."""
    log = KubeletLog(**ABOUT, lines=said(*[LATE.format(name="p-1", uid=uid)] * 5))
    assert reasons == [f.reason for f in judged("NODE-25", pods(2), machine("v1.34.2"), log)]


def kubelet(mib: int) -> KubeletProcess:
    """The kubelet's process."""
    return KubeletProcess(**ABOUT, state="S", rss_bytes=mib * MIB)


def units(hours: float) -> HostUnits:
    """A kubelet that was started so long ago."""
    made = Unit(name="kubelet", load="loaded", active="active", started=ago(hours=hours), active_since=ago(hours=hours))
    return HostUnits(**ABOUT, by_name={"kubelet": made})


def past(*sizes: tuple[float, int]) -> KubeletPast:
    """Readings: hours ago, MiB."""
    return KubeletPast(**ABOUT, items=tuple(PastSize(at=ago(hours=h), size=n * MIB) for h, n in sizes))


@pytest.mark.parametrize(
    ("sizes", "started", "reasons"),
    [
        (((10, 200),), 48, ["growing"]),
        (((10, 700),), 48, []),
        (((0.5, 200),), 48, []),
        (((10, 200),), 9, []),
        (((10, 200),), 10.5, []),
    ],
    ids=["grows", "flat", "too-near", "restarted-since", "just-started-then"],
)
def test_growth_from_run_to_run(sizes: Iterable[tuple[float, int]], started: float, reasons: list[str]) -> None:
    """900 MiB now; the earlier reading must be of the same process, an hour away, and past its start."""
    found = judged("NODE-26", kubelet(900), pods(9), units(started), past(*sizes))
    assert [(r, Confidence.LIKELY) for r in reasons] == [(f.reason, f.confidence) for f in found]


def test_the_old_leak_is_confirmed_by_its_series() -> None:
    """1.13 through hyperkube: more than 10,000 series of reflectors; without them it is a pattern."""
    hyperkube = KubeletArguments(**ABOUT, flags={}, running=True, unit="ExecStart=/opt/hyperkube kubelet\n")
    many = KubeletSeries(**ABOUT, by_name={"reflector_items_per_list": 8200, "reflector_watch_duration_seconds": 4100})
    few = KubeletSeries(**ABOUT, by_name={"reflector_items_per_list": 40, "go_goroutines": 12000})
    evidence = (kubelet(2600), pods(9), machine("v1.13.4"), hyperkube)
    assert [Confidence.CONFIRMED, Confidence.POSSIBLE, Confidence.POSSIBLE] == [
        judged("NODE-26", *evidence, *more)[0].confidence for more in ((many,), (few,), ())
    ]


def test_earlier_sizes_come_from_the_history() -> None:
    """Entries of another form are passed over, those of other nodes left out."""
    entries = [{"at": "2026-11-20T18:00:00Z", "bytes": 200}, {"at": "yesterday", "bytes": 1}, {"bytes": 2}, "x"]
    history = History(entries={"sizes": {"kubelet": {NODE: entries, "node-4": entries}}})
    (found,) = kubelet_past(history=history, node=NodeName(NODE), clock=CLOCK)
    assert isinstance(found, KubeletPast)
    assert (PastSize(at=datetime(2026, 11, 20, 18, 0, tzinfo=UTC), size=200),) == found.items
    (none,) = kubelet_past(history=History(), node=NodeName(NODE), clock=CLOCK)
    assert isinstance(none, KubeletPast)
    assert () == none.items
