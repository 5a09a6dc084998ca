"""Rows about a node's network: what looks like a fault and is none, and what is one although it looks otherwise."""

# ruff: noqa: E501 - log lines stand as they were printed

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, datetime, timedelta
from typing import Any

import msgspec
import pytest

from bot.check import load
from bot.edges import LINKS
from bot.link import Case, Tri, Type
from bot.model.cluster import Log, LogLine, Nodes, PodsOnNode, SystemPods
from bot.model.evidence import Ask, Clock, Evidence, Known, PerNode
from bot.model.finding import Confidence, Finding, Severity
from bot.model.host import (
    Call,
    ContainerRuntime,
    HostUnits,
    Iptables,
    KernelLog,
    Link,
    Links,
    NetworkManager,
    NodeIdentity,
    PciNic,
    PciNics,
    PolicyRouting,
    ProxyMode,
    Route,
    Rule,
    Sysctls,
    Unit,
)
from bot.model.host_agents import CniAgent
from bot.model.host_traffic import CrossNode, Leg, ReversePath, ServiceProxy, ServiceProxyLog, ServiceRules, Way
from bot.model.k8s import (
    ContainerState,
    ContainerStatus,
    Meta,
    Node,
    NodeSpec,
    NodeStatus,
    OwnerReference,
    Pod,
    PodSpec,
    PodStatus,
    StateRunning,
    Taint,
)
from bot.model.k8s.pods import PodAddress
from bot.model.policies import NetworkPolicies
from bot.model.proof import Proof, Source
from bot.model.refs import node
from bot.model.text import T

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
PROOF = Proof(source=Source.NODE, what="test")
CLOCK = Clock(proof=PROOF, now=NOW)
HERE, POD = "node-a", "10.176.98.29"
MAIN = (Route(destination="default", device="eth0", gateway="10.0.0.1"),)
OUT = (Route(destination="default", device="eth1", gateway="10.176.98.253"),)
CHECKS = load()


def ago(**parts: float) -> datetime:
    """A moment before the observation."""
    return NOW - timedelta(**parts)


def judged(code: str, *evidence: Evidence, **peers: Mapping[str, Evidence]) -> list[Finding]:
    """The findings of one check; evidence that is not given is missing, of other nodes too."""
    check = CHECKS[code]
    values: dict[str, object] = {}
    for need in check.needs:
        given = next((e for e in (*evidence, CLOCK, pods()) if isinstance(e, need.type)), None)
        own = {given.key: given} if given else {}
        values[need.name] = PerNode({**own, **peers.get(need.name, {})}) if need.every_node else given
    return [r for r in check.run(**values) if isinstance(r, Finding)]


def pod(name: str = "shop/web-1", address: str | None = POD, *, started: datetime | None = None, **more: Any) -> Pod:
    """A pod with an address, whose only container runs."""
    space, _, short = name.partition("/")
    began = started or ago(days=9)
    state = ContainerState(running=StateRunning(started_at=began))
    status = PodStatus(
        phase="Running",
        pod_ip=address,
        start_time=began,
        container_statuses=(ContainerStatus(name="main", ready=more.get("ready", True), state=state),),
    )
    owner = (OwnerReference(kind=more.get("kind", "DaemonSet"), name=short, controller=True),)
    labels = more.get("labels", {})
    return Pod(
        metadata=Meta(name=short, namespace=space, labels=labels, owner_references=owner),
        spec=PodSpec(node_name=HERE, host_network=address is None),
        status=status,
    )


def pods(*items: Pod, node: str = HERE) -> PodsOnNode:
    """The pods of a node."""
    return PodsOnNode(proof=PROOF, node=node, items=items)


def links(*names: str, node: str = HERE, pod_card: str = "eth1") -> Links:
    """Network cards; one of them has the pods' subnet."""
    subnet = {"eth0": ("10.0.0.14/24",), pod_card: ("10.176.98.2/24",)}
    return Links(proof=PROOF, node=node, items=tuple(Link(name=n, up=True, addresses=subnet.get(n, ())) for n in names))


def routing(*rules: Rule, node: str = HERE, **tables: tuple[Route, ...]) -> PolicyRouting:
    """Rules and tables, ``t2`` for table 2."""
    named = {name.removeprefix("t"): routes for name, routes in tables.items()}
    return PolicyRouting(proof=PROOF, node=node, rules=rules, tables=named, main=MAIN)


def rule(source: str = POD, table: str = "2", **more: Any) -> Rule:
    """A rule as a CNI makes it for a pod."""
    return Rule(priority=more.pop("priority", 1536), source=source, table=table, **more)


GOOD_PEER = {"node-d": routing(rule("10.176.98.77"), node="node-d", t2=OUT)}


@pytest.mark.parametrize(
    ("own", "gateway", "command"),
    [
        ("10.176.98.10/20", "10.176.96.1", "sudo ip route add default via 10.176.96.1 dev eth1 table 2"),
        ("10.176.98.10/24", "10.176.96.1", 'sudo ip route add default via "$GATEWAY" dev eth1 table 2'),
        ("10.176.98.10/24", "10.176.110.253", 'sudo ip route add default via "$GATEWAY" dev eth1 table 2'),
    ],
    ids=["of-the-same-subnet", "outside-of-a-smaller-one", "of-another-subnet"],
)
def test_the_gateway_of_a_repair_is_seen_and_never_computed(own: str, gateway: str, command: str) -> None:
    """A peer has it and it lies in the pod's subnet; else the person who repairs it has to find it."""
    card = Link(name="eth1", up=True, addresses=(own,))
    route = Route(destination="default", device="eth1", gateway=gateway)
    peer = {"node-d": routing(rule("10.176.98.77"), node="node-d", t2=(route,))}
    cards = Links(proof=PROOF, node=HERE, items=(card,))
    (found,) = judged("NET-02", routing(rule(), t2=()), pods(pod()), cards, peers=peer)
    assert command in [c for fix in found.fixes for c in fix.commands]


def test_a_table_without_default_route_that_nobody_needs_is_only_possible() -> None:
    """Packets that find no route in a table go on to the next rule: an administrator's table is no fault."""
    only_some = (Route(destination="10.50.0.0/16", device="eth0", gateway="10.0.0.9"),)
    (found,) = judged("NET-02", routing(rule("10.244.0.0/16"), t2=only_some), pods(pod(address="10.244.3.9")))
    assert Confidence.POSSIBLE is found.confidence
    assert Confidence.LIKELY is judged("NET-02", routing(rule(), t2=()), pods(pod()))[0].confidence


@pytest.mark.parametrize(
    ("there", "expected"), [(("eth0",), Confidence.LIKELY), (("eth0", "eth1"), Confidence.POSSIBLE)]
)
def test_an_empty_table_of_a_card_that_is_gone_was_the_way_out(there: tuple[str, ...], expected: Confidence) -> None:
    """The pods' rule names their subnet; another rule says whose table it is: ``oif eth1 [detached] lookup 2``."""
    rules = (rule("10.244.0.0/16"), rule("all", interface="eth1"))
    here = pods(pod(address="10.244.3.9"))
    (found,) = judged("NET-02", routing(*rules, t2=()), here, links(*there))
    assert expected is found.confidence


def test_a_table_that_is_so_on_every_node_is_the_arrangement() -> None:
    """The peers' table of the same name has routes and no default either."""
    only_some = (Route(destination="10.50.0.0/16", device="eth0"),)
    peer = {"node-d": routing(rule("10.176.98.77"), node="node-d", t2=only_some)}
    assert [] == judged("NET-02", routing(rule(), t2=only_some), pods(pod()), peers=peer)


@pytest.mark.parametrize("more", [{"destination": "10.0.0.0/8"}, {"mark": "0x80"}])
def test_a_rule_for_some_packets_only_needs_no_default_route(more: dict[str, str]) -> None:
    """``from POD to 10.0.0.0/8 lookup 2``: everything else goes by the main table."""
    assert [] == judged("NET-02", routing(rule(**more), t2=()), pods(pod()), peers=GOOD_PEER)


def test_a_table_that_comes_first_and_leads_out_is_enough() -> None:
    """The kernel stops at the first table that has a route."""
    both = routing(rule(priority=100, table="3"), rule(), t3=OUT, t2=())
    assert [] == judged("NET-02", both, pods(pod()), peers=GOOD_PEER)


def test_a_pod_whose_rule_alone_is_gone_needs_the_kernels_word() -> None:
    """Its neighbour has a rule: route get says whether this one's packets really leave by the other card."""
    there = routing(rule(), t2=OUT)
    both = pods(pod(), pod("shop/web-2", "10.176.98.30"))
    way = Way(peer="node-d", address="10.0.0.15", source="10.176.98.30", device="eth0")
    (maybe,) = judged("NET-02", there, both, links("eth0", "eth1"), peers=GOOD_PEER)
    (told,) = judged("NET-02", there, both, links("eth0", "eth1"), crossed(ways=(way,)), peers=GOOD_PEER)
    assert ("rules-missing", Confidence.POSSIBLE) == (maybe.reason, maybe.confidence)
    assert (("shop/web-2",), Confidence.CONFIRMED) == (told.facts["pods"], told.confidence)


def crossed(node: str = HERE, *, legs: tuple[Leg, ...] = (), ways: tuple[Way, ...] = ()) -> CrossNode:
    """What came of the ways to other nodes."""
    return CrossNode(proof=PROOF, node=node, legs=legs, ways=ways)


def test_a_rule_about_a_vpn_that_is_gone_is_no_missing_card() -> None:
    """Rules outlive what they name; with Calico no pod has an interface with its subnet."""
    calico = pods(pod(address="192.168.7.9"))
    left = routing(rule("all", "51820", interface="eth7"), t51820=())
    assert [] == judged("NET-01", left, calico, links("eth0"), PciNics(proof=PROOF, node=HERE, items=()))
    peer = {
        "node-d": routing(rule("all", "51820"), node="node-d", t51820=(Route(destination="default", device="wg0"),))
    }
    tunnel = Links(proof=PROOF, node="node-d", items=(Link(name="wg0", up=True, kind="wireguard"),))
    assert [] == judged("NET-01", left, calico, links("eth0"), peers=peer, peer_links={"node-d": tunnel})


def test_a_missing_card_in_the_subnet_of_the_first_one_is_seen() -> None:
    """Where all cards share a subnet, pods do not look homeless: their rules lead nowhere, and peers have the card."""
    one_net = Links(proof=PROOF, node=HERE, items=(Link(name="eth0", up=True, addresses=("10.176.98.2/24",)),))
    peer = {"node-d": links("eth0", "eth1", node="node-d")}
    (found,) = judged("NET-01", routing(rule(), t2=()), pods(pod()), one_net, peers=GOOD_PEER, peer_links=peer)
    assert ("eth1", Confidence.LIKELY) == (found.facts["interface"], found.confidence)


@pytest.mark.parametrize(
    ("driver", "confidence"),
    [("", "confirmed"), ("virtio-pci", "confirmed"), ("mlx5_core", "likely"), ("uio_pci_generic", "likely")],
)
def test_a_card_that_may_have_been_moved_into_a_pod_confirms_nothing(driver: str, confidence: str) -> None:
    """A bound card without an interface is in a pod's namespace or serves a user-space driver."""
    cards = PciNics(
        proof=PROOF,
        node=HERE,
        items=(PciNic(slot="0000:00:06.0", vendor="v", device="d", driver=driver, interfaces=()),),
    )
    peer = {"node-d": links("eth0", "eth1", node="node-d")}
    (found,) = judged(
        "NET-01", routing(rule(), t2=()), pods(pod()), links("eth0"), cards, peers=GOOD_PEER, peer_links=peer
    )
    assert confidence == found.confidence.value


def agent(
    *lines: str, ready: bool = True, started: datetime | None = None, container: str = "aws-node", **more: Any
) -> CniAgent:
    """The CNI agent of the node with a log."""
    item = pod("kube-system/aws-node-x1", None, ready=ready, started=started, **more)
    logs = {}
    if lines:
        origin = f"{item.path}/{container}"
        logs[origin] = Log(proof=PROOF, origin=origin, lines=tuple(LogLine(text=x, at=ago(seconds=40)) for x in lines))
        logs[f"{item.path}/zz"] = Log(proof=PROOF, origin=f"{item.path}/zz", lines=())
    return CniAgent(proof=PROOF, node=HERE, pods=(item,), logs=logs)


COMPLAINT = 'level=error msg="failed to add route for 10.176.98.29: device or resource busy"'


def test_a_complaint_of_the_agent_alone_is_only_possible() -> None:
    """Its log names a failure and nothing is missing; with a pod that waits for an address it is likely."""
    waiting = Pod(
        metadata=Meta(name="w", namespace="shop"), status=PodStatus(phase="Pending", start_time=ago(minutes=9))
    )
    (alone,) = judged("NET-04", agent(COMPLAINT), CLOCK, pods(pod()))
    (stuck,) = judged("NET-04", agent(COMPLAINT), CLOCK, pods(pod(), waiting))
    assert (Confidence.POSSIBLE, Confidence.LIKELY) == (alone.confidence, stuck.confidence)
    assert "failed-operation" == alone.reason


def test_an_old_complaint_of_the_agent_does_not_count() -> None:
    """A line from before the container's start, or one of half an hour ago, is over."""
    assert [] == judged("NET-04", agent(COMPLAINT, started=ago(seconds=30)), CLOCK, pods(pod()))
    young = agent(COMPLAINT, started=ago(minutes=9))
    item = young.pods[0]
    old = Log(proof=PROOF, origin=f"{item.path}/aws-node", lines=(LogLine(text=COMPLAINT, at=ago(minutes=25)),))
    assert [] == judged(
        "NET-04", CniAgent(proof=PROOF, node=HERE, pods=(item,), logs={old.origin: old}), CLOCK, pods(pod())
    )


def test_an_agent_whose_kubelet_is_silent_is_not_called_unready() -> None:
    """The node controller marks every pod of a silent node; the containers' last states say otherwise."""
    well = agent()
    assert well.pods[0].ready is False  # no Ready condition at all, as after a mark
    assert [] == judged("NET-04", well, CLOCK, pods(pod()))
    assert ["agent-not-ready"] == [f.reason for f in judged("NET-04", agent(ready=False), CLOCK, pods(pod()))]


def test_an_agent_has_a_minute_to_notice_lost_routes() -> None:
    """Networkd was restarted ten seconds ago: the agent reconciles once a minute."""
    lost = routing(rule(), t2=())
    units = [
        HostUnits(proof=PROOF, node=HERE, by_name={"systemd-networkd": running("systemd-networkd", ago(**since))})
        for since in ({"seconds": 10}, {"minutes": 20})
    ]
    fresh, stale = (judged("NET-04", agent(), CLOCK, pods(pod()), lost, u) for u in units)
    assert ([], ["does-not-reconcile"]) == (fresh, [f.reason for f in stale])
    assert "table 2: empty" == stale[0].proofs[-1].shown


def running(name: str, since: datetime) -> Unit:
    """A unit that was started then."""
    return Unit(name=name, load="loaded", file_state="enabled", active="active", sub="running", active_since=since)


def networkd(since: datetime | None = None) -> HostUnits:
    """systemd-networkd, started then, or 25 minutes ago."""
    since = since or ago(minutes=25)
    return HostUnits(proof=PROOF, node=HERE, by_name={"systemd-networkd": running("systemd-networkd", since)})


def manager(*lines: str, **settings: str) -> NetworkManager:
    """What networkd manages and said."""
    told = tuple(LogLine(text=f"systemd-networkd: {x}", at=ago(minutes=10)) for x in lines)
    return NetworkManager(
        proof=PROOF, node=HERE, setup={"eth0": "configured", "eth1": "configured"}, settings=settings, log=told
    )


def identity(booted: datetime) -> NodeIdentity:
    """A machine that was booted then."""
    return NodeIdentity(
        proof=PROOF, node=HERE, hostname=HERE, kernel="6.1", boot_id="", uptime_seconds=0, booted=booted, load=(0, 0, 0),
        os_id="debian", os_version="12", machine_id="",
    )  # fmt: skip


LOST = routing(rule(), t2=())


def test_networkd_that_started_with_the_machine_removed_nothing() -> None:
    """After a reboot the tables are empty because the agent has not built them; pods keep their start times."""
    known = (LOST, pods(pod()), CLOCK, links("eth0", "eth1"), manager())
    assert [] == judged("NET-05", *known, networkd(), agent(), identity(ago(minutes=26)))
    assert ["networkd-restarted"] == [
        f.reason for f in judged("NET-05", *known, networkd(), agent(), identity(ago(days=40)))
    ]


def test_networkd_is_not_blamed_for_what_a_newer_agent_did_not_build() -> None:
    """An agent that was started after networkd has looked at the tables since."""
    known = (LOST, pods(pod()), identity(ago(days=40)), links("eth0", "eth1"), manager(), networkd())
    assert [] == judged("NET-05", *known, agent(started=ago(minutes=5)))
    assert 1 == len(judged("NET-05", *known, agent(started=ago(days=3))))


@pytest.mark.parametrize("line", ["caliab12: Gained carrier", "veth9f: Lost carrier", "eni12ab34: Gained carrier"])
def test_the_ends_of_pods_links_are_no_reconfiguration(line: str) -> None:
    """Networkd tells of every pod that starts or ends."""
    known = (LOST, pods(pod()), identity(ago(days=60)), agent(), links("eth0", "eth1"), networkd(ago(days=40)))
    assert [] == judged("NET-05", *known, manager(line))
    again = judged("NET-05", *known, manager("eth1: Reconfiguring with /etc/systemd/network/10-eth1.network."))
    assert ["networkd-reconfigured"] == [f.reason for f in again]


def test_rules_that_networkd_removed_are_judged_by_the_setting_about_rules() -> None:
    """ManageForeignRoutes=no keeps routes, not rules."""
    gone = routing()
    known = (gone, pods(pod()), identity(ago(days=40)), agent(), links("eth0", "eth1"), networkd())
    routes, rules = manager(manageforeignroutes="no"), manager(manageforeignroutingpolicyrules="no")
    assert 1 == len(judged("NET-05", *known, routes, peers=GOOD_PEER))
    assert [] == judged("NET-05", *known, rules, peers=GOOD_PEER)


def machine(*taints: str, created: datetime | None = None) -> Nodes:
    """The node object, a month old."""
    found = Node(
        metadata=Meta(name=HERE, creation_timestamp=created or ago(days=30)),
        spec=NodeSpec(taints=tuple(Taint(key=t, effect="NoSchedule") for t in taints)),
        status=NodeStatus(),
    )
    return Nodes(proof=PROOF, items=(found,))


def kube_proxy(*, ready: bool = True, started: datetime | None = None) -> ServiceProxy:
    """kube-proxy's pod of the node."""
    item = pod("kube-system/kube-proxy-1", None, ready=ready, started=started, labels={"k8s-app": "kube-proxy"})
    return ServiceProxy(proof=PROOF, node=HERE, pods=(item,), logs={})


def mode(healthz: int | None, name: str = "iptables", node: str = HERE) -> ProxyMode:
    """What kube-proxy says about itself."""
    return ProxyMode(proof=PROOF, node=node, mode=name, healthz=healthz)


def services(iptables: int | None, ipvs: int | None = None, node: str = HERE) -> ServiceRules:
    """What is programmed for Services."""
    return ServiceRules(proof=PROOF, node=node, iptables=iptables, nftables=False, ipvs=ipvs)


def test_services_are_counted_with_the_eyes_of_the_mode() -> None:
    """Ipvs needs no KUBE-SVC rule, and a host without ipvsadm shows nothing although all is well."""
    known = (kube_proxy(), CLOCK, machine())
    peer = {"node-d": services(0, ipvs=29, node="node-d")}
    assert [] == judged("NET-13", *known, mode(200, "ipvs"), services(0), rules=peer)
    assert [] == judged("NET-13", *known, mode(200, "ipvs"), services(0, ipvs=12), rules=peer)
    (gone,) = judged("NET-13", *known, mode(200, "ipvs"), services(0, ipvs=0), rules=peer)
    assert "not-programmed" == gone.reason


def test_a_node_that_an_autoscaler_removes_is_unhealthy_on_purpose() -> None:
    """kube-proxy answers 503 then, so that load balancers leave the node alone."""
    known = (kube_proxy(), CLOCK, mode(503))
    assert [] == judged("NET-13", *known, machine("ToBeDeletedByClusterAutoscaler"))
    assert ["not-syncing"] == [f.reason for f in judged("NET-13", *known, machine())]


def test_nodes_and_pods_that_are_a_minute_old_may_still_be_starting() -> None:
    """The grace of the catalogue: a node 120 s, a pod 60 s."""
    young = kube_proxy(ready=False, started=ago(seconds=20))
    assert [] == judged("NET-13", young, CLOCK, mode(0), machine())
    assert [] == judged("NET-13", kube_proxy(ready=False), CLOCK, mode(0), machine(created=ago(seconds=50)))
    assert ["not-running"] == [f.reason for f in judged("NET-13", kube_proxy(ready=False), CLOCK, mode(0), machine())]


def test_kube_proxy_is_not_missed_where_the_cni_does_its_work() -> None:
    """Cilium took over node by node: other nodes still have kube-proxy."""
    none = ServiceProxy(proof=PROOF, node=HERE, pods=(), logs={})
    elsewhere = SystemPods(proof=PROOF, items=kube_proxy().pods)
    known = (none, CLOCK, mode(0, ""), machine(), elsewhere)
    assert [] == judged("NET-13", *known, pods(pod("kube-system/cilium-x9", None)))
    assert ["not-running"] == [f.reason for f in judged("NET-13", *known, pods(pod()))]


def test_kube_proxy_is_no_news_where_nothing_can_run() -> None:
    """The container runtime is down: kube-proxy ended with it."""
    down = ContainerRuntime(
        proof=PROOF,
        node=HERE,
        call=Call.FAILED,
        slowest_ms=0,
        timeouts=0,
        error="",
        sockets={},
        containers=None,
        conditions={},
    )
    (found,) = judged("NET-13", kube_proxy(ready=False), CLOCK, mode(0), machine(), down)
    assert Confidence.POSSIBLE is found.confidence


def leg(result: str, name: str = "", peer: str = "node-d") -> Leg:
    """One attempt."""
    return Leg(peer=peer, address="10.244.4.2" if name else "10.0.0.15", port=1, result=result, pod=name)


ASK = Ask(proof=PROOF, command="node-why", target=HERE)
SILENT = (leg("ok"), leg("timeout", "kube-system/dns-1"))
OPEN = NetworkPolicies(proof=PROOF, items=())


def test_pods_that_have_no_way_to_another_node_are_cut_off_from_it() -> None:
    """The pods' leg of the matrix: the node itself reaches everything, the kernel has no route for its pods."""
    way = Way(peer="node-d", address="10.0.0.15", source=POD, refused="Network is unreachable")
    reached = (leg("ok"), leg("ok", "kube-system/dns-1"))
    (found,) = judged("NET-09", crossed(legs=reached, ways=(way,)), machine(), CLOCK, ASK)
    assert ("no-route", Confidence.LIKELY) == (found.reason, found.confidence)
    strict = Way(peer="node-d", address="10.0.0.15", source=POD, refused="Invalid cross-device link")
    assert [] == judged("NET-09", crossed(legs=reached, ways=(strict,)), machine(), CLOCK, ASK)


def test_one_end_of_a_broken_way_is_named_not_both() -> None:
    """Neither shows why: the node that was asked about; one shows why: that one."""
    back = crossed("node-d", legs=(leg("ok", peer=HERE), leg("timeout", "shop/web-1", peer=HERE)))
    here = judged("NET-09", crossed(legs=SILENT), machine(), ASK, everywhere={"node-d": back})
    there = judged("NET-09", back, machine(), ASK, everywhere={HERE: crossed(legs=SILENT)})
    assert (["no-answer"], []) == ([f.reason for f in here], there)
    broken = crossed("node-d", legs=back.legs, ways=(Way(peer=HERE, address=POD, device="flannel.1", forwarded=False),))
    assert [] == judged("NET-09", crossed(legs=SILENT), machine(), CLOCK, ASK, everywhere={"node-d": broken})


def test_the_kernels_log_is_none_of_these_rows() -> None:
    """A line about an interface inside a pod says nothing about a card."""
    kernel = KernelLog(proof=PROOF, node=HERE, lines=(LogLine(text="eth0: renamed from veth12", at=ago(minutes=1)),))
    assert [] == judged("NET-01", routing(), pods(pod()), links("eth0", "eth1"), kernel)


def chain(*rules: str, policy: str = "DROP", dropped: tuple[int, int] = (10, 90)) -> Iptables:
    """The FORWARD chain; packets keep meeting its policy."""
    return Iptables(proof=PROOF, node=HERE, policy=policy, rules=rules, dropped=dropped)


def said(findings: list[Finding]) -> list[tuple[str, str, str]]:
    """Reason, severity and confidence of each finding."""
    return [(f.reason, f.severity.value, f.confidence.value) for f in findings]


def test_a_policy_that_drops_is_likely_and_confirmed_by_a_node_that_loses_the_pods() -> None:
    """Another node reaches this one, and none of its pods."""
    back = crossed("node-d", legs=(leg("ok", peer=HERE), leg("timeout", "shop/web-1", peer=HERE)))
    assert [("dropping", "high", "likely")] == said(judged("NET-06", chain(), pods(pod())))
    assert [("dropping", "high", "confirmed")] == said(
        judged("NET-06", chain(), pods(pod()), everywhere={"node-d": back})
    )


@pytest.mark.parametrize(
    "others",
    [
        (pod("kube-system/cilium-x9", None), pod()),  # its packets pass iptables by
        (pod("kube-system/kube-proxy-1", None),),  # nothing on this node has an address of its own
    ],
)
def test_a_dropping_policy_that_need_not_touch_pods_is_only_possible(others: tuple[Pod, ...]) -> None:
    """What meets the policy may be anybody's packets."""
    assert [("dropping", "high", "possible")] == said(judged("NET-06", chain(), pods(*others)))


def test_ipv4_filters_and_settings_do_not_matter_to_pods_with_ipv6_alone() -> None:
    """IPv6-only: the IPv4 chain and ip_forward are nobody's; the IPv6 setting is."""
    six = pods(pod(address="fd00:10:244::9"))
    assert [] == judged("NET-06", chain(), six)
    assert [] == judged("NET-07", sysctls("0", "1"), six)
    (off,) = judged("NET-07", sysctls("1", "0"), six)
    assert ("net.ipv6.conf.all.forwarding",) == off.facts["setting"]
    assert [] == judged("NET-07", sysctls("1", "0"), pods(pod()))


def test_a_dual_stack_node_needs_both_settings() -> None:
    """The pod's second address is of the other family."""
    item = pod()
    both = Pod(
        metadata=item.metadata,
        spec=item.spec,
        status=msgspec.structs.replace(item.status, pod_ips=(PodAddress(ip=POD), PodAddress(ip="fd00::9"))),
    )
    (off,) = judged("NET-07", sysctls("0", "0"), pods(both))
    assert ("net.ipv4.ip_forward", "net.ipv6.conf.all.forwarding") == off.facts["setting"]


def sysctls(four: str, six: str) -> Sysctls:
    """Forwarding of both families."""
    values = {"net.ipv4.ip_forward": four, "net.ipv6.conf.all.forwarding": six}
    return Sysctls(proof=PROOF, node=HERE, values=values, swaps=(), files=None)


@pytest.mark.parametrize(
    "rule_text",
    [
        "-j ACCEPT",
        '-m comment --comment "all of it" -j ACCEPT',
        "-s 10.176.98.0/24 -j ACCEPT",
        "-i eni+ -j ACCEPT",
        "-m comment --comment flannel -j FLANNEL-FWD",
    ],
)
def test_rules_that_accept_the_pods_make_the_policy_information(rule_text: str) -> None:
    """Also where the pods' addresses are the VPC's and the node has no podCIDR."""
    assert [("covered", "info", "likely")] == said(judged("NET-06", chain(rule_text), pods(pod())))
    kube = "-m comment --comment kube -m mark --mark 0x4000/0x4000 -j ACCEPT"
    assert "dropping" == judged("NET-06", chain(kube, "-o docker0 -j ACCEPT"), pods(pod()))[0].reason


MISSING = 'E1121 proxier.go:1602] "Failed to delete stale service connections" err="error looking for path of conntrack: exec: "conntrack": executable file not found in $PATH"'


def test_kube_proxy_as_a_unit_is_heard_through_its_journal() -> None:
    """Binary installations: no pod, a unit; the repair is systemd's."""
    none = ServiceProxy(proof=PROOF, node=HERE, pods=(), logs={})
    unit = HostUnits(proof=PROOF, node=HERE, by_name={"kube-proxy": running("kube-proxy", ago(days=2))})
    told = ServiceProxyLog(proof=PROOF, node=HERE, lines=(LogLine(text=MISSING, at=ago(minutes=2)),))
    (found,) = judged("NET-12", none, CLOCK, unit, told)
    assert "sudo systemctl restart kube-proxy" in found.fixes[0].commands
    stale = ServiceProxyLog(proof=PROOF, node=HERE, lines=(LogLine(text=MISSING, at=ago(minutes=25)),))
    assert [] == judged("NET-12", none, CLOCK, unit, stale)


def test_the_rows_of_a_unit_that_does_not_run_name_its_journal() -> None:
    """The unit is enabled and failed; there is no pod to restart."""
    none = ServiceProxy(proof=PROOF, node=HERE, pods=(), logs={})
    dead = Unit(name="kube-proxy", load="loaded", file_state="enabled", active="failed", sub="failed")
    (found,) = judged(
        "NET-13", none, CLOCK, machine(), mode(0, ""), HostUnits(proof=PROOF, node=HERE, by_name={"kube-proxy": dead})
    )
    assert ("not-running", ("sudo systemctl restart kube-proxy",)) == (found.reason, found.fixes[1].commands)


def test_loosening_all_interfaces_takes_one_setting() -> None:
    """The kernel takes the higher of all and the interface's own: thirty commands for thirty veths say no more."""
    strict = {f"net.ipv4.conf.{n}.rp_filter": "1" for n in ("all", "eth0", "eth1", *(f"veth{i}" for i in range(30)))}
    known = Sysctls(proof=PROOF, node=HERE, values=strict, swaps=(), files=None)
    grown = ReversePath(proof=PROOF, node=HERE, readings=(3, 9))
    (found,) = judged("NET-17", grown, known, links("eth0", "eth1"), CLOCK)
    assert 2 == len(found.fixes[0].commands)
    assert "sudo sysctl -w net.ipv4.conf.all.rp_filter=1" == found.fixes[0].undo[0]


def about(code: str, name: str = HERE, **facts: Any) -> Finding:
    """A finding about a node, with facts."""
    reason = str(facts.pop("reason", "x"))
    where = node(name)
    return Finding(
        code=code, reason=reason, title=T("x"), severity=Severity.HIGH, confidence=Confidence.LIKELY, subject=where, facts=facts
    )  # fmt: skip


@pytest.mark.parametrize(
    ("cause", "effect", "verdict"),
    [
        (about("NET-01", interface="eth1"), about("NET-02", interface="eth1"), Tri.TRUE),
        (about("NET-01", interface="eth1"), about("NET-02", interface="eth2"), Tri.FALSE),
        (about("NET-01", interface="eth1"), about("NET-02", interface=""), Tri.TRUE),
        (about("NET-01", pods=("kube-system/dns-1",)), about("DNS-03", pods=("kube-system/dns-1",)), Tri.TRUE),
        (about("NET-01", pods=("shop/web-1",)), about("DNS-03", pods=("kube-system/dns-1",)), Tri.FALSE),
        (about("NET-11", insert_failed="true"), about("DNS-14"), Tri.TRUE),
        (about("NET-11", insert_failed="false"), about("DNS-14"), Tri.FALSE),
        (about("NET-12"), about("APP-01"), Tri.UNKNOWN),
        (about("NET-16", pods=("shop/web-1",)), about("POD-05", "node-d", pods=("shop/web-9",)), Tri.FALSE),
        (about("NET-16"), about("CTRL-08", stage="1"), Tri.FALSE),
        (about("NET-04", reason="does-not-reconcile"), about("NET-16"), Tri.FALSE),
        (about("NET-04", reason="agent-not-ready"), about("NET-16"), Tri.TRUE),
        (
            about("NET-02", pods=("shop/web-1",)),
            about("NET-09", "node-d", node="node-d", peers=(HERE,), pods=("shop/web-1",)),
            Tri.TRUE,
        ),
        (
            about("NET-02", node=HERE, pods=("shop/web-1",)),
            about("NET-09", node=HERE, peers=("node-d",), on_node=("shop/web-1",)),
            Tri.TRUE,
        ),
        (
            about("NET-02", pods=("shop/web-2",)),
            about("NET-09", "node-d", node="node-d", peers=(HERE,), pods=("shop/web-1",)),
            Tri.FALSE,
        ),
        (about("NET-02", pods=("shop/web-1",)), about("DNS-04", pods=("kube-system/dns-1",)), Tri.FALSE),
        (about("NET-06", reason="covered"), about("DNS-03"), Tri.FALSE),
        (about("NODE-27", reason="stale-condition"), about("NODE-09"), Tri.FALSE),
    ],
)
def test_an_edge_is_followed_only_where_its_guard_holds(cause: Finding, effect: Finding, verdict: Tri) -> None:
    """The words behind each edge of catalogue C.1, as cases."""
    link = next(x for x in LINKS if (x.cause, x.effect) == (cause.code, effect.code) and x.type is Type.CAUSES)
    assert verdict is link.guard(Case(cause=cause, effect=effect, known=Known(), findings=(cause, effect)))


def test_silence_of_pods_that_nobody_knows_accuses_nobody() -> None:
    """Whether a policy holds a pod back can be told only of a pod that was read, and with the policies at hand."""
    dns = {"node-d": pods(pod("kube-system/dns-1"), node="node-d")}
    assert [] == judged("NET-09", crossed(legs=SILENT), machine(), ASK, OPEN)
    assert ["likely"] == [
        f.confidence.value for f in judged("NET-09", crossed(legs=SILENT), machine(), ASK, OPEN, pods=dns)
    ]
    assert ["possible"] == [
        f.confidence.value for f in judged("NET-09", crossed(legs=SILENT), machine(), ASK, pods=dns)
    ]
