"""Rows about nodes and their network: a fact less makes a statement weaker or silent, never wrong."""

# ruff: noqa: E501 - log lines stand as they were printed

from __future__ import annotations

from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from bot.check import load
from bot.model.cluster import Heartbeats, KubernetesEndpoints, LogLine, Nodes, PodsOnNode
from bot.model.evidence import Clock, Evidence, Expectations, PerNode
from bot.model.finding import Confidence, Finding, Severity
from bot.model.host import (
    Call,
    ContainerRuntime,
    FileFact,
    HostUnits,
    Iptables,
    KubeletArguments,
    KubeletFiles,
    KubeletLog,
    Link,
    Links,
    NodeClock,
    PciNic,
    PciNics,
    PolicyRouting,
    Presence,
    Route,
    Rule,
    Unit,
)
from bot.model.k8s import Condition, Meta, Node, NodeAddress, NodeStatus, NodeSystemInfo, Pod, PodSpec, PodStatus
from bot.model.proof import Proof, Source

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
PROOF = Proof(source=Source.NODE, what="test")
CLOCK = Clock(proof=PROOF, now=NOW)
CONFIG = "/var/lib/kubelet/config.yaml"
CHECKS = load()


def ago(**parts: float) -> datetime:
    """A moment before the observation."""
    return NOW - timedelta(**parts)


def judged(code: str, *evidence: Evidence | PerNode[Any], **named: object) -> list[Finding]:
    """The findings of one check; evidence that is not given is missing."""
    check = CHECKS[code]
    values: dict[str, object] = {}
    for need in check.needs:
        given = None if need.every_node else next((e for e in evidence if isinstance(e, need.type)), None)
        values[need.name] = named.get(need.name, PerNode({}) if need.every_node else given)
    return [r for r in check.run(**values) if isinstance(r, Finding)]


def unit(name: str = "kubelet", **properties: Any) -> HostUnits:
    """One unit of a node."""
    made = Unit(**{"name": name, "load": "loaded", "file_state": "enabled", "sub": "dead", **properties})
    return HostUnits(proof=PROOF, node="node-3", by_name={name: made})


def machine(name: str = "node-3", *, ready: str = "True", message: str = "", role: str = "") -> Node:
    """A node object."""
    return Node(
        metadata=Meta(name=name, labels={f"node-role.kubernetes.io/{role}": ""} if role else {}),
        status=NodeStatus(
            conditions=(Condition(type="Ready", status=ready, message=message),),
            addresses=(NodeAddress(type="InternalIP", address="10.0.0.14"),),
            node_info=NodeSystemInfo(container_runtime_version="containerd://2.1.0"),
        ),
    )


def nodes(*items: Node) -> Nodes:
    """Node objects."""
    return Nodes(proof=PROOF, items=items)


def beats(**last: datetime) -> Heartbeats:
    """Heartbeats by node, ``node_3`` for node-3."""
    return Heartbeats(proof=PROOF, last={k.replace("_", "-"): v for k, v in last.items()}, by_lease=True)


def log(*lines: str) -> KubeletLog:
    """A kubelet's log."""
    return KubeletLog(proof=PROOF, node="node-3", lines=tuple(LogLine(text=x, at=ago(seconds=9)) for x in lines))


def files(presence: Presence, *, size: int = 661) -> KubeletFiles:
    """What is known about config.yaml."""
    fact = FileFact(path=CONFIG, presence=presence, size=size, modified=None)
    return KubeletFiles(proof=PROOF, node="node-3", by_path={CONFIG: fact}, directories={})


ARGUMENTS = KubeletArguments(proof=PROOF, node="node-3", flags={"config": CONFIG}, running=False)
STOPPED = unit(active="inactive", result="success", inactive_since=ago(minutes=12))
CRASHING = unit(active="activating", sub="auto-restart", result="exit-code", restarts=71, started=ago(seconds=9))
GONE = f'E1121 run.go:72] "command failed" err="failed to load kubelet config file, path: {CONFIG}, error: open: no such file or directory"'


def test_a_stopped_kubelet_is_confirmed_by_a_second_source_only() -> None:
    """Systemd alone makes it likely; a stale heartbeat confirms it."""
    (alone,) = judged("NODE-03", STOPPED, CLOCK)
    (both,) = judged("NODE-03", STOPPED, CLOCK, beats(node_3=ago(minutes=12)))
    assert (Confidence.LIKELY, Confidence.CONFIRMED) == (alone.confidence, both.confidence)
    assert ("stopped", ago(minutes=12)) == (both.reason, both.onset)


@pytest.mark.parametrize(
    ("properties", "reason"),
    [
        ({"active": "inactive", "result": "success", "file_state": "disabled"}, "disabled"),
        ({"active": "inactive", "load": "masked", "file_state": "masked"}, "masked"),
        ({"active": "failed", "result": "exit-code"}, "failed"),
        ({"active": "activating", "sub": "auto-restart", "result": "exit-code"}, "crash-looping"),
    ],
)
def test_the_reason_why_a_kubelet_does_not_run(properties: dict[str, Any], reason: str) -> None:
    """Each state of the unit has its word."""
    assert [reason] == [f.reason for f in judged("NODE-03", unit(**properties), CLOCK)]


def test_an_old_systemd_counts_restarts_by_their_lines() -> None:
    """Without NRestarts, three starts within ten minutes are what a loop looks like."""
    running = unit(active="active", sub="running", active_since=ago(minutes=1), started=ago(minutes=1))
    assert [] == judged("NODE-03", running, CLOCK, log("Started kubelet.", "Started kubelet."))
    assert ["restarts"] == [f.reason for f in judged("NODE-03", running, CLOCK, log(*["Started kubelet."] * 3))]


def test_a_missing_file_needs_stat_and_is_confirmed_by_the_log() -> None:
    """A file that may not be looked at is no missing file; the log alone makes it likely."""
    (both,) = judged("NODE-04", CRASHING, ARGUMENTS, files(Presence.ABSENT), CLOCK, log(GONE))
    (stat,) = judged("NODE-04", CRASHING, ARGUMENTS, files(Presence.ABSENT), CLOCK)
    (told,) = judged("NODE-04", CRASHING, ARGUMENTS, files(Presence.UNKNOWN), CLOCK, log(GONE))
    assert [Confidence.CONFIRMED, Confidence.LIKELY, Confidence.LIKELY] == [f.confidence for f in (both, stat, told)]
    assert [] == judged("NODE-04", CRASHING, ARGUMENTS, files(Presence.UNKNOWN), CLOCK)
    assert [] == judged("NODE-04", CRASHING, ARGUMENTS, files(Presence.PRESENT), CLOCK, log(GONE))


def test_an_empty_file_is_the_missing_file_and_no_invalid_configuration() -> None:
    """One fault, one row."""
    empty = (
        f'E1121 run.go:72] "command failed" err="failed to load kubelet config file, path: {CONFIG}, error: was empty"'
    )
    found = files(Presence.PRESENT, size=0)
    assert ["config-file-empty"] == [f.reason for f in judged("NODE-04", CRASHING, ARGUMENTS, found, CLOCK, log(empty))]
    assert [] == judged("NODE-05", CRASHING, ARGUMENTS, found, CLOCK, log(empty))


def test_an_invalid_flag_needs_a_kubelet_that_does_not_run() -> None:
    """The same line in the log of a running kubelet is of an earlier start."""
    line = 'E1121 run.go:72] "command failed" err="failed to parse kubelet flag: unknown flag: --network-plugin"'
    (found,) = judged("NODE-05", CRASHING, CLOCK, log(line))
    assert ("unknown-flag", "--network-plugin") == (found.reason, found.facts["flag"])
    assert [] == judged("NODE-05", unit(active="active"), CLOCK, log(line))


def test_the_uncertainty_of_the_clock_is_taken_off() -> None:
    """A slow round trip must not look like a wrong clock."""

    def clock(offset: float | None, uncertainty: float) -> NodeClock:
        return NodeClock(proof=PROOF, node="node-3", offset=offset, uncertainty=uncertainty, synchronised=True)

    assert [] == judged("NODE-08", clock(5.0, 4.0))
    assert [] == judged("NODE-08", clock(None, 0.0))
    assert [Severity.HIGH] == [f.severity for f in judged("NODE-08", clock(-95.0, 4.0))]


def runtime(call: Call, *, socket: bool) -> ContainerRuntime:
    """What crictl said and whether containerd's socket is there."""
    return ContainerRuntime(
        proof=PROOF, node="node-3", call=call, sockets={"/run/containerd/containerd.sock": socket}, conditions={}
    )


def test_a_runtime_message_alone_never_makes_a_runtime_down() -> None:
    """A frozen runtime prints it, too: unit and socket decide."""
    says = nodes(machine(ready="False", message="container runtime is down"))
    running = unit("containerd", active="active")
    assert [] == judged("NODE-10", running, runtime(Call.TIMEOUT, socket=True), CLOCK, says)
    failed = unit("containerd", active="failed", inactive_since=ago(minutes=9))
    (found,) = judged("NODE-10", failed, runtime(Call.FAILED, socket=False), CLOCK, says)
    assert (Confidence.CONFIRMED, "unit-failed") == (found.confidence, found.reason)
    assert [] == judged("NODE-10", failed, runtime(Call.UNKNOWN, socket=False), CLOCK, nodes(machine()))


STRAYS = HostUnits(
    proof=PROOF,
    node="node-3",
    by_name={"kube-apiserver": Unit(name="kube-apiserver", load="loaded", file_state="enabled", active="active")},
)


def test_strays_are_judged_only_where_something_names_the_control_plane() -> None:
    """No label, no kubeadm, no setting: then nobody can say which host is a stray."""
    worker, master = machine(), machine("master-1", role="control-plane")
    assert [] == judged("CTRL-09", STRAYS, nodes(worker))
    assert [Severity.HIGH] == [f.severity for f in judged("CTRL-09", STRAYS, nodes(worker, master))]
    assert [] == judged("CTRL-09", STRAYS, nodes(machine(role="master"), master))
    named = Expectations(proof=PROOF, control_plane_hosts=("10.0.0.14",))
    assert [] == judged("CTRL-09", STRAYS, nodes(worker, master), named)


def test_a_stray_that_serves_pods_is_an_outage() -> None:
    """Its address among the endpoints of default/kubernetes."""
    endpoints = KubernetesEndpoints(proof=PROOF, addresses=("10.0.0.11", "10.0.0.14"), port=6443)
    (found,) = judged("CTRL-09", STRAYS, nodes(machine(), machine("master-1", role="control-plane")), endpoints)
    assert (Severity.CRIT, "serving") == (found.severity, found.reason)


POD = Pod(
    metadata=Meta(name="app", namespace="default"),
    spec=PodSpec(node_name="node-3"),
    status=PodStatus(phase="Running", pod_ip="10.176.98.29", start_time=ago(days=18)),
)
PODS = PodsOnNode(proof=PROOF, node="node-3", items=(POD,))
ETH0 = Link(name="eth0", up=True, addresses=("10.0.0.6/24",))
ETH1 = Link(name="eth1", up=True, addresses=("10.176.98.10/24",))
TO_TWO = Rule(priority=1536, source="10.176.98.29", table="2")


def routing(
    node: str = "node-3", *, routes: tuple[Route, ...] = (), rules: tuple[Rule, ...] = (TO_TWO,)
) -> PolicyRouting:
    """Rules and table 2 of a node."""
    main = (Route(destination="default", device="eth0", gateway="10.0.0.1"),)
    return PolicyRouting(proof=PROOF, node=node, rules=rules, tables={"2": routes} if rules else {}, main=main)


DEFAULT = Route(destination="default", device="eth1", gateway="10.176.98.1")


def links(*items: Link, node: str = "node-3") -> Links:
    """Interfaces of a node."""
    return Links(proof=PROOF, node=node, items=items)


def test_an_empty_table_is_confirmed_by_a_node_that_has_its_route() -> None:
    """Without a peer it is likely; with a default route, or without the pod, it is nothing."""
    good = PerNode({"node-3": routing(), "node-4": routing("node-4", routes=(DEFAULT,))})
    (confirmed,) = judged("NET-02", routing(), PODS, peers=good)
    (likely,) = judged("NET-02", routing(), PODS)
    assert [Confidence.CONFIRMED, Confidence.LIKELY] == [confirmed.confidence, likely.confidence]
    assert [] == judged("NET-02", routing(routes=(DEFAULT,)), PODS)
    assert [] == judged("NET-02", routing(), PodsOnNode(proof=PROOF, node="node-3", items=()))


def test_rules_that_are_gone_need_a_peer_and_a_second_interface() -> None:
    """A cluster without policy routing has no rules either."""
    good = PerNode({"node-4": routing("node-4", routes=(DEFAULT,))})
    bare = routing(rules=())
    assert ["rules-missing"] == [f.reason for f in judged("NET-02", bare, PODS, links(ETH0, ETH1), peers=good)]
    assert [] == judged("NET-02", bare, PODS, links(ETH0, ETH1))
    assert [] == judged("NET-02", bare, PODS, links(ETH0), peers=good)


def test_a_missing_card_is_confirmed_by_the_bus_and_needs_pods_without_a_home() -> None:
    """The peers' interface alone is no reason: this node may not need it."""
    peers = PerNode({"node-4": routing("node-4", routes=(DEFAULT,))})
    theirs = PerNode({"node-4": links(ETH0, ETH1, node="node-4")})
    card = PciNic(slot="0000:00:06.0", vendor="0x1af4", device="0x1000", driver="", interfaces=())
    cards = PciNics(proof=PROOF, node="node-3", items=(card,))
    here = links(ETH0)
    (confirmed,) = judged("NET-01", here, routing(), PODS, cards, peers=peers, peer_links=theirs)
    (likely,) = judged("NET-01", here, routing(), PODS, peers=peers, peer_links=theirs)
    assert [Confidence.CONFIRMED, Confidence.LIKELY] == [confirmed.confidence, likely.confidence]
    assert [] == judged("NET-01", links(ETH0, ETH1), routing(), PODS, cards, peers=peers, peer_links=theirs)
    assert [] == judged("NET-01", here, routing(), PODS, cards)
    nobody = PodsOnNode(proof=PROOF, node="node-3", items=())
    assert [] == judged("NET-01", here, routing(), nobody, cards, peers=peers, peer_links=theirs)


@pytest.mark.parametrize(
    ("dropped", "rules", "confidence"),
    [
        ((10, 15), (), Confidence.LIKELY),
        ((10, 10), (), Confidence.POSSIBLE),
        (None, (), Confidence.POSSIBLE),
        ((10, 15), ("-j FLANNEL-FWD",), Confidence.LIKELY),  # that they are covered: information
        ((10, 15), ("-s 10.244.0.0/16 -j ACCEPT",), Confidence.LIKELY),
    ],
)
def test_a_drop_policy_counts_when_packets_meet_it(
    dropped: tuple[int, int] | None, rules: tuple[str, ...], confidence: Confidence
) -> None:
    """Rules that accept the pods come first; a network of others does not cover them."""
    chain = Iptables(proof=PROOF, node="node-3", policy="DROP", rules=rules, dropped=dropped)
    pod = Pod(metadata=Meta(name="p"), status=PodStatus(phase="Running", pod_ip="10.250.3.9"))
    here = PodsOnNode(proof=PROOF, node="node-3", items=(pod,))
    assert [confidence] == [f.confidence for f in judged("NET-06", chain, nodes(machine()), here)]


def every() -> Iterator[str]:
    """Rows of this package."""
    yield from (code for code in CHECKS if code.startswith(("NODE-", "NET-", "HYG-")) or code in {"CTRL-09", "CTRL-12"})


@pytest.mark.parametrize("code", list(every()))
def test_every_page_names_its_reasons(code: str) -> None:
    """Whoever routes reports relies on them: kebab-case words with a meaning."""
    reasons = CHECKS[code].page.partition("Reasons:")[2]
    lines = [line.strip() for line in reasons.splitlines() if line.strip().startswith("- ")]
    assert lines
    assert [] == [
        line for line in lines if ":" not in line or not line[2:].partition(":")[0].replace("-", "").isalnum()
    ]
