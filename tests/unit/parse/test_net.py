"""Sockets, kernel settings, network cards, iptables, networkd, package runs."""

# ruff: noqa: E501 - captured output stands as it was printed

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.parse import net
from bot.parse.common import TimeBase, UnparsableError

SS_6 = """tcp LISTEN 0      128      0.0.0.0:22    0.0.0.0:*
udp UNCONN 0      0      127.0.0.53%lo:53 0.0.0.0:*
tcp LISTEN 0      128         [::]:22       [::]:*
tcp LISTEN 0      4096   *:10250 *:* users:(("kubelet",pid=76,fd=18))
"""
SS_4 = "tcp    LISTEN     0      128    127.0.0.1:10248                 *:*                  \n"
SYSCTL = """net.ipv4.ip_forward = 1
net.ipv4.conf.eth0/100.forwarding = 0
Filename				Type		Size	Used	Priority
/dev/dm-1                               partition	2097148	0	-2
"""
CARD = "/sys/bus/pci/devices/0000:00:06.0 0x1af4 0x1000 drv=virtio-pci net=/sys/bus/pci/devices/0000:00:06.0/virtio2/net:,eth1,\n"
UNBOUND = "/sys/bus/pci/devices/0000:00:06.0 0x1af4 0x1000 drv= net=\n"
FORWARD = """-P FORWARD DROP
-A FORWARD -m comment --comment "kubernetes forwarding rules" -j KUBE-FORWARD
"""
COUNTED = "Chain FORWARD (policy DROP 1234 packets, 56789 bytes)\n    pkts      bytes target\n"
NETWORKCTL = """WARNING: systemd-networkd is not running, output will be incomplete.

  1 lo           loopback - unmanaged
  2 eth0         ether    routable    configured
ManageForeignRoutes=No
"""
APT = """
Start-Date: 2026-11-21  03:33:40
Commandline: /usr/bin/unattended-upgrade
Upgrade: systemd:amd64 (249.11-0ubuntu3.16, 249.11-0ubuntu3.17)
End-Date: 2026-11-21  03:35:02
"""


def test_listeners_of_new_and_old_tools() -> None:
    """Brackets of IPv6 go; the process is known where root asked."""
    assert [("0.0.0.0", 22, ""), ("127.0.0.53%lo", 53, ""), ("::", 22, ""), ("*", 10250, "kubelet")] == [
        (x.address, x.port, x.process) for x in net.listeners(SS_6)
    ]
    assert [10248] == [x.port for x in net.listeners(SS_4)]


def test_settings_and_swap_are_told_apart() -> None:
    """/proc/swaps follows the settings; a dot inside an interface name is written as a slash."""
    values, swaps = net.sysctls(SYSCTL)
    assert {"net.ipv4.ip_forward": "1", "net.ipv4.conf.eth0.100.forwarding": "0"} == values
    assert ("/dev/dm-1",) == swaps


def test_every_value_that_a_file_gives_is_kept_and_comments_are_not() -> None:
    """Which file wins is not decided here."""
    text = "#net.ipv4.ip_forward=0\nnet.ipv4.ip_forward = 0\n-net/ipv4/ip_forward=1\n"
    assert {"net.ipv4.ip_forward": ("0", "1")} == net.sysctl_files(text)


def test_a_card_without_interface_is_unbound() -> None:
    """The directory heading that ls prints is no interface."""
    assert [("eth1",), ()] == [c.interfaces for text in (CARD, UNBOUND) for c in net.cards(text)]


def test_a_machine_without_pci_has_no_card() -> None:
    """The shell leaves its pattern as it is; that is an answer, another complaint is none."""
    assert () == net.cards("cat: '/sys/bus/pci/devices/*/class': No such file or directory\n")
    with pytest.raises(UnparsableError):
        net.cards("bash: syntax error\n")


def test_policy_rules_and_counter_of_forward() -> None:
    """Rules in order, without the chain's name."""
    policy, rules = net.forward(FORWARD)
    assert ("DROP", 1) == (policy, len(rules))
    assert rules[0].endswith("-j KUBE-FORWARD")
    assert (1234, 1234) == net.policy_packets(COUNTED + COUNTED)
    assert () == net.policy_packets("iptables: Permission denied\n")


def test_networkctl_without_networkd_still_lists() -> None:
    """A warning comes first despite --no-legend; keys are compared in lower case."""
    assert ({"lo": "unmanaged", "eth0": "configured"}, {"manageforeignroutes": "no"}) == net.managed(NETWORKCTL)
    assert ({}, {}) == net.managed("sh: 1: networkctl: not found\n")


def test_package_runs_have_a_time_and_a_command() -> None:
    """Apt writes local time; in an unknown zone there is no time, so no run."""
    assert ((datetime(2026, 11, 21, 3, 33, 40, tzinfo=UTC), "/usr/bin/unattended-upgrade"),) == net.package_runs(
        APT, TimeBase(0.0, "Etc/UTC")
    )
    assert () == net.package_runs(APT, TimeBase())


def test_a_host_without_iptables_has_no_forward_chain_where_nftables_shows_no_filter() -> None:
    """Shells and sudo say in their own words that a program is missing; a table may be in either family."""
    missing = ("sudo: iptables: command not found\n", "sh: 1: iptables: not found\n")
    assert [True, True] == [net.is_missing("iptables", text) for text in missing]
    assert [False, False] == [net.is_missing("iptables", text) for text in ("", FORWARD)]
    tables = ("table ip kube-proxy\n", "table ip filter\n", "table inet filter\n", "")
    assert [False, True, True, False] == [net.has_filter(text) for text in tables]
    with pytest.raises(UnparsableError):
        net.has_filter("netlink: Error: cache initialization failed\n")


@pytest.mark.parametrize("parse", [net.listeners, net.sysctls, net.forward])
def test_other_output_is_refused(parse: object) -> None:
    """Garbage is an error: no sockets and no policy are not facts."""
    assert callable(parse)
    for text in ("", "iptables v1.8.9 (nf_tables): Could not fetch rule set generation id: Permission denied\n"):
        with pytest.raises(UnparsableError):
            parse(text)


def test_addresses_that_were_given_away_are_files() -> None:
    """Host-local keeps one file an address, beside a lock and the last one given; the folder may hold several networks."""
    folder = "/var/lib/cni/networks/cbr0"
    text = f"{folder}/lock\n{folder}/last_reserved_ip.0\n{folder}/10.244.3.7\n{folder}/fd00::7\n"
    assert {f"{folder}/10.244.3.7": "10.244.3.7", f"{folder}/fd00::7": "fd00::7"} == net.leases(text)


@pytest.mark.parametrize("text", ["find: '/var/lib/cni/networks': No such file or directory", "usage: find [path]"])
def test_a_folder_that_is_not_there_holds_nothing_known(text: str) -> None:
    """Most CNIs keep no such files."""
    with pytest.raises(UnparsableError):
        net.leases(text)
