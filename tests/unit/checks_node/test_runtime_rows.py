"""PLEG and runtime: which of several runtimes is meant, and which lines count (NODE-09 to NODE-12)."""

# ruff: noqa: E501 - log lines stand as they were printed

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.model.cluster import LogLine, Nodes, PodsOnNode
from bot.model.finding import Confidence
from bot.model.host import (
    Call,
    ContainerCount,
    ContainerRuntime,
    HostUnits,
    KernelLog,
    KubeletLog,
    ManualContainers,
    NodeIdentity,
    RuntimeLog,
    Unit,
)
from bot.model.host_resources import Memory
from bot.model.k8s import Condition, Meta, Node, NodeStatus, NodeSystemInfo
from bot.model.proof import Source
from tests.unit.checks_node.test_rows import CLOCK, PROOF, ago, judged, log, unit

GIB = 1024**3


def machine(
    version: str = "v1.34.2", runtime: str = "containerd://1.7.28", message: str = "", name: str = "node-3"
) -> Nodes:
    """A node object, not Ready where it has a message."""
    info = NodeSystemInfo(kubelet_version=version, container_runtime_version=runtime, operating_system="linux")
    ready = Condition(
        type="Ready", status="False" if message else "True", message=message, last_transition_time=ago(minutes=9)
    )
    return Nodes(
        proof=PROOF,
        items=(Node(metadata=Meta(name=name), status=NodeStatus(conditions=(ready,), node_info=info)),),
    )


def host(**active: str) -> HostUnits:
    """Units by name (``cri_docker`` for cri-docker) and state; the kubelet has been up for an hour."""
    made = {
        "kubelet": Unit(name="kubelet", load="loaded", file_state="enabled", active="active", active_since=ago(hours=1))
    }
    for key, state in active.items():
        name = key.replace("_", "-")
        made[name] = Unit(name=name, load="loaded", file_state="enabled", active=state, active_since=ago(hours=9))
    return HostUnits(proof=PROOF, node="node-3", by_name=made)


def lines(text: str, *minutes: float) -> KubeletLog:
    """One text, so many minutes ago each."""
    told = tuple(LogLine(text=text, at=ago(minutes=m)) for m in sorted(minutes, reverse=True))
    return KubeletLog(proof=PROOF, node="node-3", lines=told)


BOUND = PodsOnNode(proof=PROOF, node="node-3", items=())
SLOW = (
    '"Skipping pod synchronization" err="PLEG is not healthy: pleg was last seen active 3m22.5s ago; threshold is 3m0s"'
)
FIRST = '"Skipping pod synchronization" err="[container runtime status check may not have completed yet, PLEG is not healthy: pleg has yet to be successful]"'


def test_the_words_of_a_start_are_no_fault_of_the_next_half_hour() -> None:
    """Every kubelet says them a few times before its first list; here it started ten minutes ago."""
    units = unit(active="active", active_since=ago(minutes=10))
    assert [] == judged("NODE-09", BOUND, machine(), CLOCK, units, lines(FIRST, 9.99, 9.98, 9.97, 9.9))


def test_a_list_that_never_succeeds_is_found_after_three_minutes() -> None:
    """The same words, still there when the kubelet has been up for ten minutes."""
    units = unit(active="active", active_since=ago(minutes=10))
    (found,) = judged(
        "NODE-09",
        BOUND,
        machine(message="PLEG is not healthy: pleg has yet to be successful"),
        CLOCK,
        units,
        lines(FIRST, 1, 2, 3),
    )
    assert (Confidence.CONFIRMED, "false") == (found.confidence, found.facts["ready"])


def test_lines_from_before_the_kubelets_start_do_not_count() -> None:
    """Somebody restarted it; it is well since."""
    units = unit(active="active", active_since=ago(minutes=10))
    assert [] == judged("NODE-09", BOUND, machine(), CLOCK, units, lines(SLOW, 11, 12, 13))
    assert ["true"] == [
        f.facts["ready"] for f in judged("NODE-09", BOUND, machine(), CLOCK, units, lines(SLOW, 1, 2, 3))
    ]


def test_the_condition_is_enough_without_access_to_the_node() -> None:
    """Only likely, then; words of a start need to know when that was."""
    (found,) = judged("NODE-09", BOUND, machine(message=SLOW), CLOCK)
    assert (Confidence.LIKELY, "node-3") == (found.confidence, found.facts["node"])
    assert [] == judged("NODE-09", BOUND, machine(message=FIRST), CLOCK)


@pytest.mark.parametrize(
    ("count", "waits", "reason"), [(4, 3.0, "relist-too-slow"), (1501, 3.0, "crowded"), (4, 41.0, "slow-disk")]
)
def test_why_listing_takes_so_long(count: int, waits: float, reason: str) -> None:
    """Thousands of containers, or a disk that everything waits for."""
    crowd = ContainerCount(proof=PROOF, node="node-3", count=count, whole=False)
    memory = Memory(proof=PROOF, node="node-3", total=8 * GIB, available=4 * GIB, waiting={"io": waits})
    (found,) = judged("NODE-09", BOUND, machine(message=SLOW), CLOCK, host(), crowd, memory)
    assert reason == found.reason


def asked(*, timeouts: int = 0, call: Call = Call.OK, **sockets: bool) -> ContainerRuntime:
    """What became of calls to the runtime."""
    paths = {
        "containerd": "/run/containerd/containerd.sock",
        "crio": "/var/run/crio/crio.sock",
        "cri_dockerd": "/var/run/cri-dockerd.sock",
    }
    there = {paths[name]: present for name, present in sockets.items()}
    return ContainerRuntime(
        proof=PROOF, node="node-3", call=call, timeouts=timeouts, sockets=there, conditions={}, error="refused"
    )


HUNG_DOCKER = ManualContainers(proof=PROOF, node="node-3", running=(), timeouts=2)


def test_a_docker_that_nobody_uses_may_hang() -> None:
    """The kubelet uses containerd, which answers."""
    assert [] == judged("NODE-11", host(containerd="active", docker="active"), CLOCK, asked(), HUNG_DOCKER, machine())


def test_the_runtime_that_hangs_is_the_one_that_is_named() -> None:
    """Every docker has a containerd beside it, which is not at fault."""
    docker = machine(runtime="docker://20.10.24")
    (found,) = judged("NODE-11", host(containerd="active", docker="active"), CLOCK, HUNG_DOCKER, docker)
    assert ("docker", "sudo systemctl restart docker") == (found.facts["unit"], found.fixes[1].commands[0])


def test_a_kernel_that_complained_once_yesterday_agrees_with_nobody() -> None:
    """Lines count for ten minutes, or when there are three of them in the window."""
    line = "task containerd:812 blocked for more than 120 seconds."
    for minutes, confidence in ((2, Confidence.CONFIRMED), (20, Confidence.LIKELY), (2000, Confidence.LIKELY)):
        kernel = KernelLog(proof=PROOF, node="node-3", lines=(LogLine(text=line, at=ago(minutes=minutes)),))
        (found,) = judged("NODE-11", host(containerd="active"), CLOCK, asked(timeouts=3), machine(), kernel)
        assert confidence is found.confidence


CRI_DOCKERD = '"command failed" err="failed to run Kubelet: validate service connection: validate CRI v1 runtime API for endpoint "unix:///var/run/cri-dockerd.sock": rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /var/run/cri-dockerd.sock: connect: no such file or directory""'


def down(line: str, **active: str) -> tuple[HostUnits, KubeletLog]:
    """A kubelet that exits at its runtime's endpoint."""
    looping = Unit(
        name="kubelet",
        load="loaded",
        active="activating",
        sub="auto-restart",
        result="exit-code",
        started=ago(seconds=9),
    )
    units = host(**active)
    return replace(units, by_name={**units.by_name, "kubelet": looping}), log(
        "Started kubelet.", line, "Main process exited"
    )


def test_a_stopped_cri_dockerd_is_a_runtime_that_is_down() -> None:
    """Docker runs, the piece between it and the kubelet does not: NODE-10, and no wrong endpoint."""
    units, told = down(CRI_DOCKERD, docker="active", cri_docker="failed")
    docker, runtime = machine(runtime="docker://26.1.0"), asked(call=Call.FAILED, cri_dockerd=False)
    assert [("unit-failed", "cri-docker")] == [
        (f.reason, f.facts["unit"]) for f in judged("NODE-10", units, runtime, CLOCK, docker, told)
    ]
    assert [] == judged("NODE-12", units, told, CLOCK, runtime)


ENDPOINT = '"command failed" err="failed to run Kubelet: validate service connection: validate CRI v1 runtime API for endpoint "unix:///run/containerd/containerd.sock": rpc error: code = Unavailable desc = connection error: desc = "transport: Error while dialing: dial unix /run/containerd/containerd.sock: connect: {}""'
GONE, REFUSED = ENDPOINT.format("no such file or directory"), ENDPOINT.format("connection refused")


@pytest.mark.parametrize(
    ("line", "active", "runtime", "reasons"),
    [
        (GONE, {"containerd": "active"}, asked(containerd=True), []),
        (REFUSED, {"containerd": "active"}, asked(containerd=True), []),
        (GONE, {"containerd": "active"}, asked(containerd=False), []),
        (GONE, {"crio": "active"}, asked(containerd=False, crio=True), ["wrong-endpoint"]),
        (
            GONE.replace("containerd.sock", "cntrd.sock"),
            {"containerd": "active"},
            asked(containerd=True),
            ["wrong-endpoint"],
        ),
    ],
    ids=["came back", "came back, refused", "its own socket is gone", "another runtime is there", "misspelt"],
)
def test_an_endpoint_is_wrong_only_where_no_runtime_has_it(
    line: str, active: dict[str, str], runtime: ContainerRuntime, reasons: list[str]
) -> None:
    """A runtime that was down when the kubelet started leaves the same line behind."""
    units, told = down(line, **active)
    assert reasons == [f.reason for f in judged("NODE-12", units, told, CLOCK, runtime)]


def test_one_other_source_confirms_a_dead_runtime() -> None:
    """Systemd on the node and the API server are two; systemd and crictl, on one node, are one."""
    failed, words = host(containerd="failed"), "container runtime is down"
    (node_only,) = judged("NODE-10", failed, asked(call=Call.FAILED, containerd=False), CLOCK, machine())
    (both,) = judged(
        "NODE-10", failed, asked(call=Call.UNKNOWN, containerd=False), CLOCK, with_api(machine(message=words))
    )
    assert (Confidence.LIKELY, Confidence.CONFIRMED) == (node_only.confidence, both.confidence)


def test_a_runtime_in_a_restart_loop_was_down_before_its_last_attempt() -> None:
    """Systemd's time is that of the attempt: the node's word counts, else the boot since which it never was active."""
    loop = Unit(name="containerd", load="loaded", active="activating", sub="auto-restart", restarts=61)
    attempt, words = replace(loop, inactive_since=ago(seconds=2)), "container runtime is down"
    once = replace(attempt, active_since=ago(minutes=40))
    booted = NodeIdentity(
        proof=PROOF,
        node="node-3",
        hostname="node-3",
        kernel="6",
        boot_id="b",
        uptime_seconds=720,
        booted=ago(minutes=12),
    )
    for runtime, message, expected in (
        (once, words, ago(minutes=9)),
        (once, "", None),
        (attempt, "", ago(minutes=12)),
    ):
        units = replace(host(kubelet="active"), by_name={**host(kubelet="active").by_name, "containerd": runtime})
        (found,) = judged(
            "NODE-10", units, asked(call=Call.FAILED, containerd=False), CLOCK, machine(message=message), booted
        )
        assert expected == found.onset


def with_api(nodes: Nodes) -> Nodes:
    """The nodes as the API server tells of them."""
    return replace(nodes, proof=replace(PROOF, source=Source.API))


def test_the_runtimes_own_error_is_shown_and_not_what_systemd_says_of_it() -> None:
    """Behind it stand two lines of systemd for every start."""
    error = "containerd: failed to load TOML: /etc/containerd/config.toml: (141, 3): unexpected token"
    ends = (
        "containerd.service: Main process exited, code=exited",
        "containerd.service: Failed with result 'exit-code'.",
    )
    told = RuntimeLog(proof=PROOF, node="node-3", lines=tuple(LogLine(text=t) for t in (error, *ends)))
    says = machine(message="container runtime is down")
    (found,) = judged("NODE-10", host(containerd="failed"), asked(call=Call.FAILED), CLOCK, says, told)
    assert error == found.proofs[-1].excerpt


def test_the_calls_that_were_given_up_are_named() -> None:
    """By the command that anybody can repeat."""
    late = ("sudo -n crictl --timeout 8s info", "sudo -n crictl --timeout 8s ps -a -o json")
    hung = replace(asked(timeouts=2, call=Call.TIMEOUT), late=late)
    (found,) = judged("NODE-11", host(containerd="active"), hung, CLOCK, machine())
    assert [f"{command}: no answer" for command in late] == found.proofs[0].excerpt.splitlines()[1:]
