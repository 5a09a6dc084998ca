"""Hosts that are down, cut off or hang: who may say so, and how many findings it makes (NODE-01, NODE-02, NODE-06)."""

# ruff: noqa: E501 - log lines stand as they were printed

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from bot.collect.host_reach import node_reach
from bot.errors import Kind, SourceError
from bot.model.cluster import LogLine, Nodes
from bot.model.evidence import PerNode
from bot.model.finding import Confidence
from bot.model.host import (
    ApiPath,
    HostUnits,
    KubeletHealth,
    KubeletLog,
    KubeletProcess,
    Probe,
    Unit,
)
from bot.model.host_reach import NodeReach
from bot.model.k8s import Meta, Node
from bot.model.refs import NodeName
from bot.source import Output, Reach, Section
from tests.unit.checks_node.test_rows import CLOCK, PROOF, ago, beats, judged, machine, nodes

DEAD, ALIVE = {22: "timeout", 10250: "timeout"}, {22: "timeout", 10250: "refused"}
SILENT = beats(node_3=ago(minutes=9), node_4=ago(seconds=5), node_5=ago(seconds=5))


def reach(*peers: Mapping[int, str], neighbour: str = "") -> NodeReach:
    """A node that the bot gets no answer from."""
    named = {f"node-{i}": ports for i, ports in enumerate(peers, 4)}
    return NodeReach(proof=PROOF, node="node-3", address="10.0.0.14", bot=DEAD, peers=named, neighbour=neighbour)


@pytest.mark.parametrize(
    ("seen", "confidences"),
    [
        (reach(DEAD, DEAD), [Confidence.LIKELY]),
        (reach(DEAD), [Confidence.POSSIBLE]),
        (reach(), []),
        (reach(DEAD, ALIVE), []),
        (reach(DEAD, DEAD, neighbour="FAILED"), [Confidence.LIKELY]),
        (reach(DEAD, DEAD, neighbour="STALE"), [Confidence.LIKELY]),
        (reach(DEAD, DEAD, neighbour="PERMANENT"), [Confidence.LIKELY]),
        (reach(DEAD, DEAD, neighbour="REACHABLE"), []),
    ],
)
def test_how_many_must_miss_a_host(seen: NodeReach, confidences: list[Confidence]) -> None:
    """Two others make it likely, one possible, none nothing; a neighbour entry that nobody uses says nothing."""
    assert confidences == [f.confidence for f in judged("NODE-01", seen, SILENT, CLOCK, nodes(machine()))]


class Lost:
    """Nobody answers the bot."""

    def connect(self, host: str, port: int, kind: str = "tcp", *, timeout: float = 3.0) -> Reach:
        """Nothing comes back."""
        return Reach(origin="bot", host=host, port=port, kind=kind, result="timeout")


@dataclass
class Peers:
    """Nodes whose neighbour entries pass through the given states, one a visit; others refuse SSH."""

    states: dict[str, list[str]]
    trips: list[str] = field(default_factory=list)

    def run(self, node: str, sections: Sequence[Section], *, deadline: float = 25.0) -> Mapping[str, Output]:
        """Every connection times out."""
        self.trips.append(node)
        if node not in self.states:
            raise SourceError(Kind.REFUSED, f"SSH to {node}")
        state = self.states[node].pop(0)
        texts = {s.key: f"10.0.0.14 dev eth0 {state}\n" if s.key.startswith("NEIGH") else "rc=124\n" for s in sections}
        return {key: Output(rc=0, text=text) for key, text in texts.items()}


def tried(peers: Peers, *names: str) -> NodeReach:
    """What the collector makes of it."""
    well = {f"node_{n.removeprefix('node-')}": ago(seconds=5) for n in names}
    heard = beats(node_3=ago(minutes=9), **well)
    found = node_reach(
        prober=Lost(),
        shell=peers,
        node=NodeName("node-3"),
        clock=CLOCK,
        nodes=nodes(machine(), *(machine(n) for n in names)),
        beats=heard,
    )
    (made,) = found
    assert isinstance(made, NodeReach)
    return made


def test_a_kernel_that_still_asks_for_its_neighbour_is_asked_once_more() -> None:
    """After six seconds it probes; it gives up after eight."""
    peers = Peers({"node-4": ["PROBE", "FAILED"], "node-5": ["FAILED"]})
    assert "FAILED" == tried(peers, "node-4", "node-5").neighbour
    assert ["node-4", "node-4", "node-5"] == peers.trips


def test_a_peer_that_lets_nobody_in_is_replaced() -> None:
    """Two that can be asked are needed."""
    peers = Peers({"node-5": ["FAILED"], "node-6": ["FAILED"]})
    assert {"node-5", "node-6"} == set(tried(peers, "node-4", "node-5", "node-6").peers)


def test_one_neighbour_that_is_answered_outweighs_another_that_is_not() -> None:
    """A sign of life counts wherever it is seen."""
    assert "REACHABLE" == tried(Peers({"node-4": ["STALE"], "node-5": ["REACHABLE"]}), "node-4", "node-5").neighbour


LEASE = 'E1121 controller.go:201] "Failed to ensure lease exists, will retry" err="Get "https://{}/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases/node-3?timeout=10s": context deadline exceeded" interval="7s"'
ENDPOINT = "10.0.0.11:6443"


def running(name: str = "node-3", *, hours: float = 9) -> HostUnits:
    """A node whose kubelet has been up for so long."""
    made = Unit(name="kubelet", load="loaded", file_state="enabled", active="active", active_since=ago(hours=hours))
    return HostUnits(proof=PROOF, node=name, by_name={"kubelet": made})


def path(status: int, name: str = "node-3") -> ApiPath:
    """What the API server answers from a node; 0 when nothing."""
    return ApiPath(proof=PROOF, node=name, answers={ENDPOINT: status})


def wrote(line: str, *minutes: float) -> KubeletLog:
    """A log with one line, so many minutes ago each."""
    told = tuple(LogLine(text=line, at=ago(minutes=m)) for m in minutes)
    return KubeletLog(proof=PROOF, node="node-3", lines=told)


@pytest.mark.parametrize(
    ("minutes", "hours", "confidence"),
    [
        ((1,), 9, Confidence.CONFIRMED),
        ((15,), 9, Confidence.LIKELY),
        ((15, 16, 17), 9, Confidence.CONFIRMED),
        ((3, 4, 5), 0.03, Confidence.LIKELY),
    ],
    ids=["now", "once, before", "often", "before the start"],
)
def test_only_a_current_complaint_confirms_the_cut(
    minutes: tuple[float, ...], hours: float, confidence: Confidence
) -> None:
    """The freshness rule of every log line."""
    log = wrote(LEASE.format(ENDPOINT), *minutes)
    (found,) = judged("NODE-02", running(hours=hours), path(0), SILENT, CLOCK, log)
    assert confidence is found.confidence


def zoned(name: str, zone: str) -> Node:
    """A node of a zone."""
    labels = {"topology.kubernetes.io/zone": zone}
    return Node(metadata=Meta(name=name, labels=labels), status=machine(name).status)


CUT = beats(node_3=ago(minutes=9), node_4=ago(minutes=8), node_5=ago(minutes=9), node_6=ago(seconds=5))


def partition(here: str, *, visited: tuple[str, ...], zones: Nodes) -> list[tuple[object, str]]:
    """What is found on one node when several are visited, all of them without an answer from the API server."""
    found = judged(
        "NODE-02",
        running(here),
        path(0, here),
        CUT,
        CLOCK,
        zones,
        all_units=PerNode({n: running(n) for n in visited}),
        all_paths=PerNode({n: path(0, n) for n in visited}),
    )
    return [(f.facts["nodes"], str(f.detail)) for f in found]


def test_a_zone_that_is_cut_off_is_one_finding() -> None:
    """The first of its nodes speaks for all; a node of another zone for itself."""
    zones = nodes(zoned("node-3", "a"), zoned("node-4", "a"), far(zoned("node-5", "b")), zoned("node-6", "c"))
    visited = ("node-3", "node-4", "node-5")
    assert [("node-3", "node-4")] == [names for names, _ in partition("node-3", visited=visited, zones=zones)]
    assert [] == partition("node-4", visited=visited, zones=zones)
    assert [("node-5",)] == [names for names, _ in partition("node-5", visited=visited, zones=zones)]


def far(item: Node) -> Node:
    """The node without an address, so that it shares no subnet."""
    return Node(metadata=item.metadata)


def test_silent_nodes_of_the_zone_are_named_beside_it() -> None:
    """Where only one of them was looked into."""
    zones = nodes(zoned("node-3", "a"), zoned("node-4", "a"), far(zoned("node-5", "b")), zoned("node-6", "c"))
    ((_, detail),) = partition("node-3", visited=("node-3",), zones=zones)
    assert detail.endswith("Nodes near it not heard of either: node-4")


def test_a_load_balancer_that_does_not_answer_is_possible() -> None:
    """The API servers answer from the node; the kubelet uses another address. Nothing is said of an old complaint."""
    used = LEASE.format("lb.example.com")
    (found,) = judged("NODE-02", running(), path(200), SILENT, CLOCK, wrote(used, 1, 2, 3))
    assert ("another-address", Confidence.POSSIBLE, ("lb.example.com:443",)) == (
        found.reason,
        found.confidence,
        found.facts["addresses"],
    )
    assert [] == judged("NODE-02", running(), path(200), SILENT, CLOCK, wrote(LEASE.format(ENDPOINT), 1, 2, 3))
    assert [] == judged("NODE-02", running(), path(200), SILENT, CLOCK, wrote(used, 20))


def health(healthz: Probe, serving: Probe) -> KubeletHealth:
    """The kubelet's two ports."""
    return KubeletHealth(proof=PROOF, node="node-3", healthz=healthz, serving=serving)


TALKS = wrote("I1121 kubelet.go:1] all is well", 0.1)


@pytest.mark.parametrize(
    ("ports", "log", "state", "confidences"),
    [
        (health(Probe.TIMEOUT, Probe.TIMEOUT), TALKS, "S", [Confidence.CONFIRMED]),
        (health(Probe.REFUSED, Probe.REFUSED), TALKS, "S", [Confidence.CONFIRMED]),
        (health(Probe.REFUSED, Probe.OK), TALKS, "S", []),
        (health(Probe.TIMEOUT, Probe.TIMEOUT), TALKS, "t", []),
        (health(Probe.OK, Probe.OK), wrote("I1121 last words", 3), "S", [Confidence.LIKELY]),
        (health(Probe.OK, Probe.OK), wrote("", *()), "S", [Confidence.POSSIBLE]),
    ],
    ids=["no answer", "closed", "healthz switched off", "in a debugger", "silent", "logs elsewhere"],
)
def test_what_shows_that_a_kubelet_hangs(
    ports: KubeletHealth, log: KubeletLog, state: str, confidences: list[Confidence]
) -> None:
    """Its health port, or its silence; not a port that is switched off, nor a debugger."""
    process = KubeletProcess(proof=PROOF, node="node-3", state=state)
    found = judged("NODE-06", running(), SILENT, path(200), CLOCK, ports, log, process)
    assert confidences == [f.confidence for f in found]
