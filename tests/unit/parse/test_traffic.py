"""Counters of a node's traffic, as the tools print them."""

from __future__ import annotations

import pytest

from bot.parse import traffic
from bot.parse.common import UnparsableError

STAT = """\
cpu=0   \tfound=16 invalid=1 insert=0 insert_failed=412 drop=410 early_drop=3 error=0 search_restart=9
cpu=1   \tfound=22 invalid=0 insert=0 insert_failed=2 drop=0 early_drop=0 error=0 search_restart=1
"""
OLD_STAT = (
    "cpu=0   \tsearched=8 found=9 new=1 invalid=2 ignore=3 delete=1 insert=0 insert_failed=7 drop=5 early_drop=1 \n"
)
NSTAT = """\
#kernel
TcpExtIPReversePathFilter       20114              0.0
#kernel
TcpExtIPReversePathFilter       20161              0.0
"""
NETSTAT = """\
TcpExt: SyncookiesSent IPReversePathFilter TCPTimeouts
TcpExt: 0 12 7
TcpExt: SyncookiesSent IPReversePathFilter TCPTimeouts
TcpExt: 0 15 7
"""


def test_count_and_maximum() -> None:
    """Two numbers, a line each."""
    assert (568, 262144) == traffic.conntrack_count("568\n262144\n")


def test_a_kernel_without_conntrack_is_no_empty_table() -> None:
    """The files are not there: nothing is known."""
    text = "cat: /proc/sys/net/netfilter/nf_conntrack_count: No such file or directory\n"
    with pytest.raises(UnparsableError):
        traffic.conntrack_count(text)


def test_failures_are_summed_over_all_cpus() -> None:
    """One line a CPU; the names of conntrack-tools 1.4.6."""
    assert {"insert_failed": 414, "drop": 410, "early_drop": 3} == traffic.conntrack_stat(STAT)


def test_an_old_conntrack_prints_more_names() -> None:
    """conntrack-tools 1.4.4 of CentOS 7."""
    assert {"insert_failed": 7, "drop": 5, "early_drop": 1} == traffic.conntrack_stat(OLD_STAT)


def test_a_refusal_is_no_counter() -> None:
    """Conntrack needs root."""
    with pytest.raises(UnparsableError):
        traffic.conntrack_stat("conntrack v1.4.6 (conntrack-tools): Operation failed: sorry, you must be root")


@pytest.mark.parametrize(("text", "count"), [("29\n", 29), ("0\n", 0), ("# Warning: legacy tables present\n18\n", 18)])
def test_rules_are_counted(text: str, count: int) -> None:
    """``grep -c``, with the warning that iptables-nft prints before it."""
    assert count == traffic.service_rules(text)


def test_a_lock_that_is_held_is_no_count() -> None:
    """Grep counts 0 lines of a command that failed: that is not known to be 0."""
    text = "Another app is currently holding the xtables lock. Perhaps you want to use the -w option?\n0\n"
    with pytest.raises(UnparsableError):
        traffic.service_rules(text)


def test_kube_proxys_own_table() -> None:
    """Mode nftables keeps a table of its own; the tables of iptables-nft are others."""
    assert traffic.nft_tables("table ip nat\ntable ip kube-proxy\n")
    assert not traffic.nft_tables("table ip mangle\ntable ip nat\n")
    assert not traffic.nft_tables("")


def test_a_list_of_tables_that_is_none() -> None:
    """Nft may not be run."""
    with pytest.raises(UnparsableError):
        traffic.nft_tables("Operation not permitted (you must be root)")


def test_virtual_servers_are_counted() -> None:
    """The header of ipvsadm is no server."""
    text = """\
IP Virtual Server version 1.2.1 (size=4096)
Prot LocalAddress:Port Scheduler Flags
  -> RemoteAddress:Port           Forward Weight ActiveConn InActConn
TCP  10.96.0.1:443 rr
  -> 10.0.0.11:6443               Masq    1      0          0
UDP  10.96.0.10:53 rr
"""
    assert 2 == traffic.ipvs_services(text)


@pytest.mark.parametrize(("text", "readings"), [(NSTAT, (20114, 20161)), (NETSTAT, (12, 15))])
def test_reverse_path_drops_are_read_twice(text: str, readings: tuple[int, ...]) -> None:
    """nstat, and the kernel's own table where iproute has no nstat."""
    assert readings == traffic.reverse_path(text)


def test_no_reading_is_no_zero() -> None:
    """Neither tool was there."""
    with pytest.raises(UnparsableError):
        traffic.reverse_path("sh: nstat: not found\n")


@pytest.mark.parametrize(
    ("text", "found"),
    [
        ('[{"dst":"10.244.1.2","gateway":"10.244.1.0","dev":"flannel.1","flags":[]}]', ("flannel.1", "10.244.1.0", "")),
        ('[{"dst":"10.0.0.7","dev":"eth0","prefsrc":"10.0.0.14"}]', ("eth0", "", "")),
        ("RTNETLINK answers: Network is unreachable", ("", "", "Network is unreachable")),
    ],
)
def test_a_way_is_a_device_or_the_kernels_refusal(text: str, found: tuple[str, str, str]) -> None:
    """``ip -j route get`` prints a list, or one line of complaint."""
    assert found == traffic.way(text)


def test_an_old_ip_tells_no_way() -> None:
    """CentOS 7 does not know ``-j``: nothing is known then."""
    with pytest.raises(UnparsableError):
        traffic.way('Option "-j" is unknown, try "ip -help".')


def test_no_rules_beside_a_second_set_of_tables_is_no_count() -> None:
    """Iptables-nft counts none while kube-proxy has written the legacy tables."""
    with pytest.raises(UnparsableError):
        traffic.service_rules("# Warning: iptables-legacy tables present, use iptables-legacy to see them\n0\n")


def test_a_host_without_ipvsadm_has_no_number_of_virtual_servers() -> None:
    """An empty table has a header."""
    with pytest.raises(UnparsableError):
        traffic.ipvs_services("sudo: ipvsadm: command not found")
    assert 0 == traffic.ipvs_services(
        "IP Virtual Server version 1.2.1 (size=4096)\nProt LocalAddress:Port Scheduler Flags\n"
    )
