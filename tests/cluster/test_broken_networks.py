"""Node networks that are really broken: each drill breaks one thing, and one thing is named."""

from __future__ import annotations

import pytest

from tests.cluster.conftest import Lab
from tests.cluster.control_plane import sh, until
from tests.cluster.drills import ask, broken, chain, healed, roots, run_web, says
from tests.cluster.machine import SECOND_CARD, TABLE

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
WHY = "node-why node2 net"


@pytest.fixture(autouse=True)
def web(lab: Lab) -> None:
    """Network rows are about pods: one runs behind the second interface."""
    run_web(lab)


def forwarding(lab: Lab, value: int) -> None:
    """Switch forwarding on or off in the machine's network."""
    lab.cloud.run("sysctl", "-q", "-w", f"net.ipv4.ip_forward={value}")


def policy(lab: Lab, word: str) -> None:
    """Set the policy of FORWARD."""
    lab.cloud.run("iptables", "-w", "3", "-P", "FORWARD", word)


def chatter(lab: Lab) -> None:
    """Packets from the pod to outside, five a second, until the unit is stopped."""
    pod = lab.cloud.run("ls", "/run/netns").split()[0]
    send = "while :; do echo x >/dev/udp/10.77.0.1/9; sleep .2; done"
    lab.cloud.run("systemd-run", "-q", "--unit=chatter", "ip", "netns", "exec", pod, "bash", "-c", send)


def test_two_kinds_of_networks_in_one_cluster_are_both_healthy(lab: Lab) -> None:
    """A worker behind a bridge does not lack the second interface that the other kind has."""
    assert [] == roots(ask(lab, WHY))
    assert [] == roots(ask(lab, "node-why node1 net"))


def test_a_second_interface_that_vanished(lab: Lab) -> None:
    """NET-01, with the table that went along as its effect."""

    def vanish() -> None:
        sh("ip", "-n", lab.cloud.name, "link", "del", SECOND_CARD)

    with broken(SECOND_CARD, vanish, lab.cloud.attach):
        report = ask(lab, WHY)
        says(lab, report, "NET-01", "nic-missing")
        assert ["NET-01", "NET-02"] == chain(report)
    healed(lab, WHY)


def test_a_table_that_was_flushed(lab: Lab) -> None:
    """NET-02: the rule stands and leads nowhere."""

    def flush() -> None:
        sh("ip", "-n", lab.cloud.name, "route", "flush", "table", TABLE)

    with broken(TABLE, flush, lab.cloud.lead):
        report = ask(lab, WHY)
        says(lab, report, "NET-02", "table-empty")
        assert (TABLE,) == report.entry(report.roots[0].finding).finding.facts["table"]
    healed(lab, WHY)


def test_forwarding_that_was_switched_off(lab: Lab) -> None:
    """NET-07 by the kernel's setting."""
    with broken("ip_forward", lambda: forwarding(lab, 0), lambda: forwarding(lab, 1)):
        says(lab, ask(lab, WHY), "NET-07", "ip-forward-off")
    healed(lab, WHY)


def test_a_firewall_that_drops_what_pods_send(lab: Lab) -> None:
    """NET-06: the policy is DROP, and its counter grows while the bot looks."""

    def drop() -> None:
        policy(lab, "DROP")
        chatter(lab)

    def repair() -> None:
        lab.cloud.run("systemctl", "stop", "chatter")
        policy(lab, "ACCEPT")

    def dropping() -> bool:
        return "policy DROP 0 packets" not in lab.cloud.run("iptables", "-w", "3", "-nvxL", "FORWARD")

    with broken("FORWARD", drop, repair):
        until("dropped packets", dropping)
        report = ask(lab, WHY)
        says(lab, report, "NET-06", "dropping")
        assert 0 != report.entry(report.roots[0].finding).finding.facts["dropped"]
    healed(lab, WHY)
