"""Node networks that are really broken: each drill breaks one thing, and one thing is named."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.model.finding import Confidence
from tests.cluster.conftest import Lab
from tests.cluster.control_plane import sh, until
from tests.cluster.drills import ask, broken, chain, finding, healed, pod_address, quoted, roots, run_web, says
from tests.cluster.machine import SECOND_CARD, TABLE

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
WHY = "node-why node2 net"
NEW = 120  # seconds in which a node may lack what is still being started


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


def strict(lab: Lab, card: str, value: int) -> None:
    """Let one interface drop what would be answered by another one (1), and say so in the kernel's log; 0: no more."""
    keys = (f"net.ipv4.conf.{card}.{name}={value}" for name in ("rp_filter", "log_martians"))
    lab.cloud.run("sysctl", "-q", "-w", *keys)


@contextmanager
def asymmetric(lab: Lab) -> Iterator[None]:
    """Packets that reach the pod by the first interface, and would be answered by the second; five a second."""
    send = f"while :; do echo x >/dev/udp/{pod_address(lab, 'web')}/9; sleep .2; done"
    sender = subprocess.Popen(["bash", "-c", send])
    try:
        yield
    finally:
        sender.kill()
        sender.wait()


def dropped_on_reverse(lab: Lab) -> int:
    """What the kernel counts."""
    return int(lab.cloud.run("nstat", "-asz", "TcpExtIPReversePathFilter").split()[2])


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
        assert (TABLE,) == finding(report).facts["table"]
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
        assert 0 != finding(report).facts["dropped"]
    healed(lab, WHY)


def test_a_strict_reverse_path_filter_where_answers_leave_by_another_interface(lab: Lab) -> None:
    """NET-17: the count grows while the bot looks, and the kernel names the packets."""
    before = dropped_on_reverse(lab)
    with broken("eth0", lambda: strict(lab, "eth0", 1), lambda: strict(lab, "eth0", 0)), asymmetric(lab):
        until("dropped packets", lambda: dropped_on_reverse(lab) > before)
        report = ask(lab, WHY)
        says(lab, report, "NET-17", "drops-grow")
        assert (("eth0",), Confidence.CONFIRMED) == (finding(report).facts["interfaces"], finding(report).confidence)
        assert "martian source" in quoted(report)
    healed(lab, WHY)


def test_a_strict_filter_that_nothing_runs_into_is_no_fault(lab: Lab) -> None:
    """Strict where pods answer by the same interface, beside the very traffic that the other interface would drop."""
    with broken(SECOND_CARD, lambda: strict(lab, SECOND_CARD, 1), lambda: strict(lab, SECOND_CARD, 0)), asymmetric(lab):
        assert [] == roots(ask(lab, WHY))


def test_a_service_proxy_that_was_stopped(lab: Lab) -> None:
    """NET-13 by the unit and by its port, on a node that is no longer new; the rules that were left behind stand."""

    def proxy(verb: str) -> None:
        lab.cloud.run("systemctl", verb, "kube-proxy")

    until("node2 is no new node", lambda: lab.age(lab.cloud) > NEW, 150, 1)
    with broken("kube-proxy", lambda: proxy("stop"), lambda: proxy("start")):
        says(lab, ask(lab, WHY), "NET-13", "not-running")
    healed(lab, WHY)
