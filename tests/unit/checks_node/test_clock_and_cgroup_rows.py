"""Clock, CNI, cgroups and reserves: what no scenario has, and what must stay silent (NODE-08, NODE-13 to NODE-17)."""

# ruff: noqa: E501 - log lines stand as they were printed

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any

import pytest

from bot.check import load
from bot.model.cluster import NodeEvents, Nodes, PodsOnNode, SystemPods
from bot.model.evidence import Evidence
from bot.model.finding import Confidence, Finding, RuledOut, Safety, Severity
from bot.model.host import (
    CniFiles,
    KubeletArguments,
    NodeClock,
    StaticManifests,
)
from bot.model.host_resources import Cgroups, KubeletSettings, Memory, RuntimeDriver
from bot.model.k8s import Event, Meta, Node, NodeStatus, Pod, PodSpec, PodStatus
from tests.unit.checks_node.test_rows import CLOCK, CONFIG, NOW, PROOF, judged, log, unit
from tests.unit.checks_node.test_runtime_rows import FIRST, SLOW, host, lines, machine

GIB = 1024**3


def clock(offset: float | None, *, daemon: float | None = None, **known: Any) -> NodeClock:
    """A node's clock."""
    made: dict[str, Any] = {"uncertainty": 0.6, "synchronised": True, "ntp": True, **known}
    return NodeClock(proof=PROOF, node="node-3", offset=offset, daemon_offset=daemon, **made)


@pytest.mark.parametrize(
    ("told", "title"),
    [
        (clock(-95.0), "the clock of node-3 is 95 s behind"),
        (clock(95.0, daemon=95.1), "the clock of node-3 is 95 s ahead"),
        (clock(None, daemon=95.0), "the clock of node-3 is 95 s off, says its time service"),
        (clock(0.3, daemon=95.0), "the clock of node-3 is 95 s off, says its time service"),
    ],
)
def test_a_time_service_tells_no_direction(told: NodeClock, title: str) -> None:
    """It is the API server's time that says ahead or behind."""
    assert [title] == [str(f.title) for f in judged("NODE-08", told)]


def test_a_time_service_without_a_source_proves_nothing() -> None:
    """Chrony prints an offset of zero when it has nobody to ask."""
    found = judged("NODE-08", clock(None, daemon=0.0, synchronised=False))
    assert [("not-synchronised", Severity.INFO)] == [(f.reason, f.severity) for f in found]
    (skewed,) = judged("NODE-08", clock(95.0, daemon=95.0, synchronised=False))
    assert Confidence.LIKELY is skewed.confidence


@pytest.mark.parametrize(
    ("told", "most"),
    [(clock(0.2), ["0.8"]), (clock(None, daemon=0.1), ["0.1"]), (clock(1.9, uncertainty=1.5), [])],
)
def test_a_clock_is_called_right_only_as_far_as_it_was_measured(told: NodeClock, most: list[str]) -> None:
    """The uncertainty counts against it here: a coarse measurement clears nobody."""
    results = load()["NODE-08"].run(clock=told, now=CLOCK, manifests=None, units=None, log=None, expect=None)
    assert most == [str(dict(r.because.values)["seconds"]) for r in results if isinstance(r, RuledOut)]


def test_half_a_second_matters_to_a_member_of_etcd_only() -> None:
    """Which it is by its manifest or by its unit."""
    static = StaticManifests(proof=PROOF, node="node-3", files={"etcd.yaml": None})
    as_unit = unit("etcd", active="active")
    assert [] == judged("NODE-08", clock(1.5))
    for member in (static, as_unit):
        assert ["skewed-etcd-member"] == [f.reason for f in judged("NODE-08", clock(1.5), member)]


def test_the_repair_is_for_the_time_service_that_is_there() -> None:
    """systemd-timesyncd answers to timedatectl, not to chronyc."""
    (chrony,), (timesyncd,) = judged("NODE-08", clock(95.0, daemon=95.0)), judged("NODE-08", clock(95.0))
    assert "sudo chronyc makestep" in chrony.fixes[0].commands
    assert "sudo timedatectl set-ntp true" in timesyncd.fixes[0].commands


UNINITIALISED = "container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:Network plugin returns error: cni plugin not initialized"
EMPTY = CniFiles(proof=PROOF, node="node-3", configurations={}, others=(), plugins=())


def pod(name: str, *, host_network: bool) -> Pod:
    """A pod of kube-system."""
    return Pod(
        metadata=Meta(name=name, namespace="kube-system"),
        spec=PodSpec(host_network=host_network),
        status=PodStatus(phase="Running"),
    )


@pytest.mark.parametrize(("waiting", "found"), [((), 0), ((pod("coredns-1", host_network=False),), 1)])
def test_a_lonely_node_without_pods_of_its_own_network_needs_no_cni(waiting: tuple[Pod, ...], found: int) -> None:
    """A cluster for development; with CoreDNS waiting it is a fresh cluster that misses one."""
    here = PodsOnNode(proof=PROOF, node="node-3", items=(pod("etcd-1", host_network=True),))
    system = SystemPods(proof=PROOF, items=(*here.items, *waiting))
    assert found == len(judged("NODE-13", machine(message=UNINITIALISED), CLOCK, here, EMPTY, system))


def test_a_configuration_in_json_is_a_configuration() -> None:
    """Libcni reads ``.conf``, ``.conflist`` and ``.json``."""
    here = PodsOnNode(proof=PROOF, node="node-3", items=())
    named = replace(EMPTY, others=("10-bridge.json",))
    assert ["not-initialised"] == [
        f.reason for f in judged("NODE-13", machine(message=UNINITIALISED), CLOCK, here, named)
    ]


def test_the_driver_of_a_docker_that_nobody_uses_is_nobodys_fault() -> None:
    """The kubelet and containerd agree."""
    settings = KubeletSettings(proof=PROOF, node="node-3", values={"cgroupDriver": "systemd"})
    arguments = KubeletArguments(proof=PROOF, node="node-3", flags={"config": CONFIG}, running=True)
    both = RuntimeDriver(proof=PROOF, node="node-3", driver="systemd", docker="cgroupfs")
    assert [] == judged("NODE-14", host(), CLOCK, settings, arguments, both, machine())
    assert ["cgroupfs"] == [
        f.facts["runtime_driver"]
        for f in judged("NODE-14", host(), CLOCK, settings, arguments, both, machine(runtime="docker://20.10.24"))
    ]


V1 = Cgroups(proof=PROOF, node="node-3", unified=False, memory=90, scopes=2, transient=0)


@pytest.mark.parametrize(
    ("version", "settings", "severities"),
    [
        ("v1.34.2", {}, [Severity.WARN]),
        ("v1.35.0", {}, []),
        ("v1.18.20", {}, []),
        ("v1.34.2", {"failCgroupV1": "false"}, []),
    ],
)
def test_an_upgrade_that_will_stop_the_kubelet_is_warned_of(
    version: str, settings: dict[str, str], severities: list[Severity]
) -> None:
    """While it runs on a host with cgroup v1 or a hybrid hierarchy."""
    told = KubeletSettings(proof=PROOF, node="node-3", values=settings)
    found = judged("NODE-15", host(), log("I1121 all is well"), CLOCK, machine(version), V1, told)
    assert severities == [f.severity for f in found]
    assert [] == judged("NODE-15", host(), log(""), CLOCK, machine(version), replace(V1, unified=True), told)


def events(message: str) -> NodeEvents:
    """A warning that came nine times."""
    event = Event(
        reason="FailedNodeAllocatableEnforcement", message=message, count=9, first_timestamp=NOW, last_timestamp=NOW
    )
    return NodeEvents(proof=PROOF, node="node-3", items=(event,))


@pytest.mark.parametrize(
    ("limits", "cgroup"),
    [
        ('""', ""),
        ('["kubepods"]', "kubepods"),
        ('["kubepods" "burstable"]', "kubepods burstable"),
        ("[system.slice]", "system.slice"),
    ],
)
def test_the_cgroup_that_cannot_be_written_is_named(limits: str, cgroup: str) -> None:
    """In each form of the message; the repair of a feature that is on is no switch."""
    on = KubeletSettings(proof=PROOF, node="node-3", values={"cgroupsPerQOS": "true"})
    message = f"Failed to update Node Allocatable Limits {limits}: invalid argument"
    (found,) = judged("NODE-16", events(message), CLOCK, on)
    assert (cgroup, "invalid argument") == (found.facts["cgroup"], found.facts["error"])
    assert [Safety.READ_ONLY] == [fix.safety for fix in found.fixes]


def unreserved(*evidence: Evidence, waits: float = 0.0, message: str = "") -> Finding:
    """What NODE-17 says of a node on which nothing is reserved."""
    node = machine(message=message).items[0]
    status = {"cpu": "4", "memory": f"{8 * GIB}"}
    made = Node(
        metadata=node.metadata,
        status=NodeStatus(
            conditions=node.status.conditions, node_info=node.status.node_info, capacity=status, allocatable=status
        ),
    )
    memory = Memory(proof=PROOF, node="node-3", total=8 * GIB, available=4 * GIB, waiting={"cpu": waits})
    pods = PodsOnNode(proof=PROOF, node="node-3", items=())
    (found,) = judged("NODE-17", Nodes(proof=PROOF, items=(made,)), pods, memory, CLOCK, *evidence)
    return found


def test_nothing_reserved_is_raised_by_what_starves_from_it() -> None:
    """NODE-06, NODE-09 or NODE-21 on the node, by their own rules; a busy CPU alone is none of them."""
    assert Severity.WARN is unreserved(waits=80.0).severity
    slow = unreserved(
        host(),
        lines(SLOW, 1, 2, 3),
        message="PLEG is not healthy: pleg was last seen active 3m5s ago; threshold is 3m0s",
    )
    assert (Severity.HIGH, ("NODE-09",)) == (slow.severity, slow.facts["suffers"])
    young = unreserved(
        unit(active="active", active_since=NOW - timedelta(minutes=1)), lines(FIRST, 0.5, 0.6, 0.7), message=FIRST
    )
    assert Severity.WARN is young.severity
