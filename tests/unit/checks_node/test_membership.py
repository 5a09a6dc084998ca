"""Boots, bound pods, hosts that do not join, names and traps (NODE-30 to NODE-35, HYG-03): what is no fault."""

# ruff: noqa: E501 - log lines stand as they were printed

from __future__ import annotations

import base64
import subprocess
from datetime import datetime
from pathlib import Path
from typing import Any

import pytest

from bot.model.cluster import Leader, Leaders, LogLine, NodeEvents, Nodes, PodsOnNode, SystemPods
from bot.model.finding import Confidence, Safety, Severity
from bot.model.host import (
    BootHistory,
    Call,
    ContainerRuntime,
    DirectoryEntry,
    FileFact,
    HostUnits,
    KubeletArguments,
    KubeletFiles,
    KubeletLog,
    Link,
    Links,
    NetworkManager,
    NodeIdentity,
    Presence,
    Route,
    RoutingRules,
    Unit,
)
from bot.model.host_reach import PendingRequests, SigningRequest
from bot.model.k8s import (
    Condition,
    Event,
    Meta,
    Node,
    NodeAddress,
    NodeSpec,
    NodeStatus,
    NodeSystemInfo,
    Pod,
    PodSpec,
    PodStatus,
    Taint,
)
from bot.parse.certs import node_of_request
from tests.unit.checks_node.judging import ABOUT, NODE, PROOF, ago, judged

CONFIG = "/var/lib/kubelet/config.yaml"


def machine(name: str = NODE, *, ready: str = "True", **more: Any) -> Node:
    """A node object."""
    return Node(
        metadata=Meta(name=name, creation_timestamp=ago(days=90)),
        spec=more.get("spec", NodeSpec()),
        status=NodeStatus(
            conditions=(Condition(type="Ready", status=ready),),
            addresses=more.get("addresses", (NodeAddress(type="InternalIP", address="10.0.0.14"),)),
            node_info=NodeSystemInfo(boot_id=more.get("boot_id", "")),
        ),
    )


def nodes(*items: Node) -> Nodes:
    """Node objects."""
    return Nodes(proof=PROOF, items=items)


def events(*items: Event) -> NodeEvents:
    """Events about the node."""
    return NodeEvents(**ABOUT, items=items)


def log(*lines: str) -> KubeletLog:
    """The kubelet's log, a minute old."""
    return KubeletLog(**ABOUT, lines=tuple(LogLine(text=x, at=ago(minutes=1)) for x in lines))


def host(hours: float = 0.5, hostname: str = NODE) -> NodeIdentity:
    """A machine that booted so long ago."""
    return NodeIdentity(
        **ABOUT, hostname=hostname, kernel="6", boot_id="7f0d", uptime_seconds=hours * 3600, booted=ago(hours=hours)
    )


def boots(*, orderly: bool | None, recorded: int = 2) -> BootHistory:
    """What last -x tells."""
    return BootHistory(**ABOUT, orderly=orderly, boots=recorded)


OTHER = Event(reason="Starting", message="Starting kubelet.", last_timestamp=ago(hours=5, minutes=10))
YOUNG = Event(reason="Starting", message="Starting kubelet.", last_timestamp=ago(minutes=10))


@pytest.mark.parametrize(
    ("hours", "seen", "orderly", "confidence"),
    [
        (0.4, (), True, Confidence.LIKELY),
        (5, (), True, Confidence.POSSIBLE),
        (5, (YOUNG,), None, Confidence.POSSIBLE),
        (5, (OTHER,), True, Confidence.LIKELY),
        (5, (), False, Confidence.LIKELY),
    ],
    ids=["young", "events-gone", "younger-events", "events-of-that-time", "crashed"],
)
def test_no_announcement_is_no_proof_once_events_are_gone(
    hours: float, seen: tuple[Event, ...], orderly: bool | None, confidence: Confidence
) -> None:
    """Events are kept for an hour: a planned reboot of the morning has none at noon; a crash is never planned."""
    (found,) = judged("NODE-30", host(hours), boots(orderly=orderly), events(*seen), nodes(machine(boot_id="7f0d")))
    assert confidence is found.confidence


@pytest.mark.parametrize(
    ("recorded", "there", "confidence"),
    [
        (1, (), []),
        (2, (), [Confidence.LIKELY]),
        (0, (), [Confidence.POSSIBLE]),
        (1, (machine(),), [Confidence.LIKELY]),
    ],
    ids=["first-boot", "booted-before", "no-record", "a-node"],
)
def test_the_first_boot_of_a_host_that_is_no_node_is_no_reboot(
    recorded: int, there: tuple[Node, ...], confidence: list[Confidence]
) -> None:
    """The record of boots tells it; without one it remains possible. A node's record may have been rotated."""
    found = judged("NODE-30", host(0.2), boots(orderly=None, recorded=recorded), events(), nodes(*there))
    assert confidence == [f.confidence for f in found]


def test_a_boot_is_told_by_its_id_whatever_the_nodes_clock_says() -> None:
    """The event's time is the node's own, an hour behind."""
    told = Event(
        reason="Rebooted", message="Node node-3 has been rebooted, boot id: 7f0d", last_timestamp=ago(hours=1.4)
    )
    (found,) = judged("NODE-30", host(0.5), events(told), nodes(machine(boot_id="7f0d")))
    assert Confidence.CONFIRMED is found.confidence


def test_a_node_that_was_cordoned_long_before_its_boot_is_no_alarm() -> None:
    """Out of service for three hours when it booted."""
    taint = Taint(key="node.kubernetes.io/unschedulable", effect="NoSchedule", time_added=ago(hours=3))
    here = nodes(machine(spec=NodeSpec(unschedulable=True, taints=(taint,))))
    assert [Severity.INFO] == [f.severity for f in judged("NODE-30", host(0.5), events(), here)]


@pytest.mark.parametrize(
    ("count", "title"),
    [
        (1, "the pod shop/p-0 is bound to node-3, but its kubelet has never seen it"),
        (2, "2 pods are bound to node-3, but its kubelet has never seen them"),
    ],
)
def test_one_pod_is_named_and_several_are_counted(count: int, title: str) -> None:
    """Nobody reads "1 pods"."""
    items = tuple(
        Pod(
            metadata=Meta(name=f"p-{i}", namespace="shop", creation_timestamp=ago(minutes=10)),
            spec=PodSpec(node_name=NODE),
            status=PodStatus(phase="Pending"),
        )
        for i in range(count)
    )
    runtime = ContainerRuntime(**ABOUT, call=Call.OK, sockets={}, conditions={})
    (found,) = judged("NODE-31", PodsOnNode(**ABOUT, items=items), runtime)
    assert title == str(found.title)


def test_a_node_that_was_declared_out_of_service_is_shown() -> None:
    """The only taint below node.kubernetes.io that people set; the others are the system's."""

    def tainted(key: str) -> Nodes:
        return nodes(machine(spec=NodeSpec(taints=(Taint(key=key, effect="NoExecute"),))))

    assert ["tainted"] == [f.reason for f in judged("NODE-32", events(), tainted("node.kubernetes.io/out-of-service"))]
    assert [] == judged("NODE-32", events(), tainted("node.kubernetes.io/not-ready"))


def units(**properties: Any) -> HostUnits:
    """The kubelet's unit, running for an hour unless told otherwise."""
    given = {"active": "active", "started": ago(hours=1), "active_since": ago(hours=1), **properties}
    return HostUnits(**ABOUT, by_name={"kubelet": Unit(name="kubelet", load="loaded", file_state="enabled", **given)})


STRANGERS = nodes(machine("node-1"))


@pytest.mark.parametrize(
    ("line", "reason"),
    [
        ('E kubelet_node_status.go:108] "Unable to register node with API server" err="Post https://10.77.0.1:6443/api/v1/nodes: tls: failed to verify certificate: x509: certificate signed by unknown authority" node="node2"', "unknown-authority"),
        ('E reflector.go:227] "Failed to watch" err="failed to list *v1.Node: Get https://10.77.0.1:6443/api/v1/nodes: x509: certificate signed by unknown authority"', "unknown-authority"),
        ('E remote_image.go:171] "PullImage from image service failed" err="rpc error: failed to pull: Head https://registry.example.com/v2/a/manifests/1: x509: certificate signed by unknown authority"', "not-registered"),
        ('E run.go:72] "command failed" err="failed to run Kubelet: cannot create certificate signing request: Unauthorized"', "token-refused"),
    ],
)  # fmt: skip
def test_only_what_the_kubelet_asks_of_the_api_server_counts(line: str, reason: str) -> None:
    """A registry with a certificate of its own is no reason why a host does not join."""
    (found,) = judged("NODE-33", units(), STRANGERS, log(*[line] * 3))
    assert reason == found.reason


def test_a_host_that_does_not_join_for_unknown_reasons_gets_no_token() -> None:
    """A look, and nothing that changes the cluster."""
    (found,) = judged("NODE-33", units(), STRANGERS)
    assert [Safety.READ_ONLY] == [f.safety for f in found.fixes]


@pytest.mark.parametrize(
    ("subject", "reason"), [("", "not-approved"), ("node-3", "not-approved"), ("node-9", "not-registered")]
)
def test_a_request_of_another_host_is_not_this_hosts(subject: str, reason: str) -> None:
    """It says whose it is; one that does not say may be this host's."""
    request = SigningRequest(
        name="csr-1",
        requestor="system:bootstrap:abcdef",
        signer="kubernetes.io/kube-apiserver-client-kubelet",
        created=ago(minutes=9),
        subject=subject,
    )
    (found,) = judged("NODE-33", units(), STRANGERS, PendingRequests(proof=PROOF, items=(request,)))
    assert reason == found.reason


def test_a_kubelet_that_exits_because_it_is_refused_has_run_long_enough() -> None:
    """Its unit is never active for three minutes; its log tells since when."""
    refused = 'E run.go:72] "command failed" err="failed to run Kubelet: cannot create certificate signing request: Unauthorized"'
    lines = [LogLine(text=refused, at=ago(minutes=m)) for m in (9, 5, 1)]
    looping = units(active="activating", sub="auto-restart", started=ago(seconds=70), active_since=None)
    (found,) = judged("NODE-33", looping, STRANGERS, KubeletLog(**ABOUT, lines=tuple(lines)))
    assert ("token-refused", ago(minutes=9)) == (found.reason, found.onset)
    assert [] == judged("NODE-33", looping, STRANGERS, log("kubelet.service: Main process exited"))


def test_a_request_says_which_node_it_is_for(tmp_path: Path) -> None:
    """As openssl makes it; anything else says nothing."""
    made = subprocess.run(
        ["openssl", "req", "-new", "-newkey", "ec", "-pkeyopt", "ec_paramgen_curve:P-256", "-nodes", "-keyout", tmp_path / "key", "-subj", "/O=system:nodes/CN=system:node:node-4"],
        check=True,
        capture_output=True,
    ).stdout  # fmt: skip

    assert "node-4" == node_of_request(base64.b64encode(made).decode())
    assert ["", "", ""] == [node_of_request(x) for x in ("", "zzz", "aGVsbG8=")]


CLOUD = Taint(key="node.cloudprovider.kubernetes.io/uninitialized", effect="NoSchedule", time_added=ago(minutes=11))


@pytest.mark.parametrize(
    ("pods", "record", "expected"),
    [
        ((), None, ("controller-missing", Confidence.CONFIRMED)),
        (("aws-cloud-controller-manager-x2x",), None, ("not-initialised", Confidence.LIKELY)),
        (None, None, ("not-initialised", Confidence.LIKELY)),
        ((), ago(minutes=9), ("controller-silent", Confidence.CONFIRMED)),
    ],
)
def test_a_cloud_controller_without_a_lease_may_still_be_there(
    pods: tuple[str, ...] | None, record: datetime | None, expected: tuple[str, Confidence]
) -> None:
    """With one replica it may elect no leader; its pod shows that it is not missing."""
    leader = Leader(component="cloud-controller-manager", holder="m1_x", renewed=record, transitions=1, proof=PROOF)
    leaders = Leaders(proof=PROOF, by_component={"cloud-controller-manager": leader} if record else {})
    made = tuple(Pod(metadata=Meta(name=n, namespace="kube-system")) for n in pods or ())
    system = () if pods is None else (SystemPods(proof=PROOF, items=made),)
    (found,) = judged("NODE-34", events(), nodes(machine(spec=NodeSpec(taints=(CLOUD,)))), leaders, *system)
    assert expected == (found.reason, found.confidence)


def links(*more: Link) -> Links:
    """A card in the nodes' network, and lo."""
    card = Link(name="ens192", up=True, addresses=("10.0.0.14/24",))
    return Links(**ABOUT, items=(Link(name="lo", up=True, addresses=("127.0.0.1/8", "192.0.2.7/32")), card, *more))


def addresses(*pairs: tuple[str, str]) -> tuple[NodeAddress, ...]:
    """Addresses of a node."""
    return tuple(NodeAddress(type=kind, address=address) for kind, address in pairs)


@pytest.mark.parametrize(
    ("known", "reasons"),
    [
        ((("InternalIP", "192.0.2.7"),), []),
        ((("InternalIP", "10.0.0.14"), ("InternalIP", "fd00::14")), ["not-on-host"]),
        ((("InternalIP", "10.0.0.114"),), ["not-on-host"]),
    ],
    ids=["on-lo", "second-family", "old-lease"],
)
def test_every_internal_address_must_be_on_some_interface(
    known: tuple[tuple[str, str], ...], reasons: list[str]
) -> None:
    """The loopback interface is one; a node with two families has two addresses."""
    peer = machine("node-4", addresses=addresses(("InternalIP", "10.0.0.15")))
    here = nodes(machine(addresses=addresses(*known)), peer)
    assert reasons == [f.reason for f in judged("NODE-35", links(), here)]


def test_the_address_to_register_is_filled_in() -> None:
    """The one in whose network the other nodes are."""
    peer = machine("node-4", addresses=addresses(("InternalIP", "10.0.0.15")))
    here = nodes(machine(addresses=addresses(("InternalIP", "10.0.0.114"))), peer)
    (found,) = judged("NODE-35", links(), here)
    assert [Safety.READ_ONLY, Safety.DISRUPTIVE] == [f.safety for f in found.fixes]
    assert "--node-ip=10.0.0.14 " in str(found.fixes[1].what)


@pytest.mark.parametrize(
    ("hostname", "flags", "ready", "expected"),
    [
        ("worker-17", {"config": CONFIG}, "Unknown", [("hostname-changed", Severity.HIGH)]),
        ("worker-17", {"config": CONFIG}, "True", [("hostname-changed", Severity.WARN)]),
        ("node-3.example.com", {"config": CONFIG}, "True", []),
        ("NODE-3", {"config": CONFIG}, "True", []),
        ("worker-17", {"hostname-override": "node-3"}, "True", []),
        ("ip-10-0-0-14", {"cloud-provider": "external"}, "True", []),
    ],
)
def test_a_renamed_host(hostname: str, flags: dict[str, str], ready: str, expected: list[tuple[str, Severity]]) -> None:
    """Its kubelet registered another name, and neither a flag nor a cloud gave it that."""
    known = addresses(("InternalIP", "10.0.0.14"), ("Hostname", "node-3"))
    arguments = KubeletArguments(**ABOUT, flags=flags, running=True)
    found = judged("NODE-35", links(), nodes(machine(ready=ready, addresses=known)), host(hostname=hostname), arguments)
    assert expected == [(f.reason, f.severity) for f in found]


def test_a_trap_is_repaired_with_the_backup_that_is_there() -> None:
    """The newest one beside the file; without any, nothing is copied."""
    fact = FileFact(path=CONFIG, presence=Presence.ABSENT)
    entries = (
        DirectoryEntry(name="config.yaml.orig", kind="-", size=600, modified=ago(days=9)),
        DirectoryEntry(name="config.yaml.20261102", kind="-", size=634, modified=ago(days=2)),
        DirectoryEntry(name="config.yaml.bak", kind="-", size=0, modified=ago(days=1)),
    )
    arguments = KubeletArguments(**ABOUT, flags={"config": CONFIG}, running=True)
    commands = []
    for listed in (entries, ()):
        files = KubeletFiles(**ABOUT, by_path={CONFIG: fact}, directories={"/var/lib/kubelet": listed})
        (found,) = judged("HYG-03", units(), arguments, files)
        commands.append([c for f in found.fixes for c in f.commands if "cp" in c])
    assert [[f"sudo cp -p {CONFIG}.20261102 {CONFIG}"], []] == commands


@pytest.mark.parametrize(
    ("route", "setup", "found"),
    [
        (Route(destination="172.20.0.0/16", device="ens192", gateway="10.0.0.254"), "configured", True),
        (Route(destination="172.20.0.0/16", device="ens192", gateway="10.0.0.254"), "unmanaged", False),
        (
            Route(destination="172.20.0.0/16", device="ens192", gateway="10.0.0.254", protocol="static"),
            "configured",
            False,
        ),
        (Route(destination="10.244.9.0/24", device="ens192", gateway="10.0.0.15"), "configured", False),
        (Route(destination="10.244.1.0/24", device="cni0"), "configured", False),
    ],
    ids=["by-hand", "not-managed", "of-the-manager", "to-a-node", "of-the-cni"],
)
def test_a_route_that_nothing_sets_at_boot_is_possible_only(route: Route, setup: str, found: bool) -> None:
    """What a CNI sets looks the same; a script may set it."""
    routing = RoutingRules(**ABOUT, rules=(), main=(route,))
    manager = NetworkManager(**ABOUT, setup={"ens192": setup, "cni0": setup}, settings={}, log=(), upgrades=())
    peer = machine("node-4", addresses=addresses(("InternalIP", "10.0.0.15")))
    traps = judged("HYG-03", units(), routing, links(), manager, nodes(machine(), peer))
    assert ([("route-by-hand", Confidence.POSSIBLE)] if found else []) == [(f.reason, f.confidence) for f in traps]
