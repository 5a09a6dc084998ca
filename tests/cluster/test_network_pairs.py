"""Networks that are broken between two nodes: which end is named, and which is not."""

from __future__ import annotations

import pytest

from bot.model.report import Role
from tests.cluster.conftest import Lab
from tests.cluster.control_plane import sh, until
from tests.cluster.drills import ask, broken, chain, finding, healed, roots, run_answering, says
from tests.cluster.machine import Machine
from tests.cluster.parts import cannot

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
WHY = "node-why node2 net"


def reaches(machine: Machine, address: str) -> bool:
    """Whether a pod answers this node."""
    return "rc=0" in machine.run("bash", "-c", f"timeout 2 bash -c '</dev/tcp/{address}/8080'; echo rc=$?")


@pytest.fixture(autouse=True)
def far(lab: Lab) -> str:
    """A listening pod on each node, that the other one reaches; the address of that on the ordinary node."""
    near, far = run_answering(lab, lab.cloud), run_answering(lab, lab.node)
    try:
        until("pods answer the other node", lambda: reaches(lab.cloud, far) and reaches(lab.node, near), 30)
    except AssertionError as error:
        cannot(f"{error}: does a firewall of this host keep it from forwarding?")
    return far


def test_pods_on_two_nodes_that_reach_each_other_are_healthy(lab: Lab) -> None:
    """The silent case of every drill below."""
    assert [] == roots(ask(lab, WHY))
    assert [] == roots(ask(lab, "node-why node1 net"))


def test_a_cloud_that_lost_the_route_to_the_pods_of_a_node(lab: Lab, far: str) -> None:
    """NET-09, seen from the other node; the nodes themselves reach each other."""
    pods = lab.node.pods

    def repair() -> None:
        sh("ip", "route", "del", "blackhole", pods)
        sh("ip", "route", "replace", pods, "via", lab.node.address)

    with broken("route", lambda: sh("ip", "route", "replace", "blackhole", pods), repair):
        assert not reaches(lab.cloud, far)
        report = ask(lab, WHY)
        says(lab, report, "NET-09")
        assert ("node1",) == finding(report).facts["peers"]
    healed(lab, WHY)


def test_a_route_that_leads_nowhere_on_the_node_itself(lab: Lab, far: str) -> None:
    """NET-09: somebody forbade the way to the other node's pods."""
    route = ("unreachable", lab.node.pods)
    on = ("ip", "-n", lab.cloud.name, "route")
    with broken("route", lambda: sh(*on, "add", *route), lambda: sh(*on, "del", *route)):
        assert not reaches(lab.cloud, far)
        says(lab, ask(lab, WHY), "NET-09")
    healed(lab, WHY)


def test_another_node_that_does_not_forward_is_named_instead(lab: Lab, far: str) -> None:
    """NET-07 of the other end, with NET-09 of the node that was asked about as its effect."""

    def forward(value: int) -> None:
        lab.node.run("sysctl", "-q", "-w", f"net.ipv4.ip_forward={value}")

    with broken("ip_forward", lambda: forward(0), lambda: forward(1)):
        assert not reaches(lab.cloud, far)
        report = ask(lab, WHY)
        says(lab, report, "NET-07", "ip-forward-off", node="node1")
        assert ["NET-07", "NET-09"] == chain(report)
        assert "node2" in {e.finding.subject.name for e in report.entries if e.role is Role.EFFECT}
    healed(lab, WHY)


def test_another_node_that_drops_what_it_should_forward_is_named_instead(lab: Lab, far: str) -> None:
    """NET-06 of the other end, likewise."""

    def policy(word: str) -> None:
        lab.node.run("iptables", "-w", "3", "-P", "FORWARD", word)

    with broken("FORWARD", lambda: policy("DROP"), lambda: policy("ACCEPT")):
        assert not reaches(lab.cloud, far)
        report = ask(lab, WHY)
        says(lab, report, "NET-06", "dropping", node="node1")
        assert ["NET-06", "NET-09"] == chain(report)
    healed(lab, WHY)
