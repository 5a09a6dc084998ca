"""Identity, clock, boots and the kubelet's ports."""

# ruff: noqa: E501 - captured output stands as it was printed

from __future__ import annotations

import pytest

from bot.model.host import Probe
from bot.parse import machine
from bot.parse.common import UnparsableError

ID = """node1
6.18.44-fc-v669
2baef22f-ab1d-4c17-8cf5-bcc3f68dc322
5970.12 7283.69
0.70 0.37 0.73 2/604 7716
VERSION_ID="12"
ID=debian
2557d49d7a574652a56a3d4a1f014ea4
"""
ID_CENTOS = ID.replace('VERSION_ID="12"\nID=debian', 'ID="centos"\nVERSION_ID="7"').replace(
    "2557d49d7a574652a56a3d4a1f014ea4\n", "cat: /etc/machine-id: Permission denied\n"
)
TIME_252 = "1795260012.121307861\nTimezone=Etc/UTC\nNTP=no\nNTPSynchronized=no\nsh: 1: chronyc: not found\n"
TIME_219 = """1795260012.121307861
Unknown operation show
      Local time: Sat 2026-11-21 19:20:12 CST
       Time zone: Asia/Shanghai (CST, +0800)
     NTP enabled: yes
NTP synchronized: yes
     remote           refid      st t when poll reach   delay   offset  jitter
==============================================================================
*10.0.0.1        .GPS.            1 u   33   64  377    0.512   -2.250   0.050
"""
CHRONY = "1795260012.1\nNTPSynchronized=yes\nNTP=yes\nA9FEA97B,169.254.169.123,3,1795259990.1,-94.961203400,0.1,0.2,-12.1,0.001,0.02,0.0004,0.0002,64.2,Normal\n"
HEALTHY = "ok 200\n401\n"
REFUSED = """curl: (7) Failed to connect to 127.0.0.1 port 10248 after 0 ms: Couldn't connect to server
 000
curl: (7) Failed to connect to 127.0.0.1 port 10250 after 0 ms: Couldn't connect to server
000
"""
HUNG = "curl: (28) Operation timed out after 3001 milliseconds with 0 bytes received\n 000\n401\n"
BAD = "[+]ping ok\n[-]syncloop failed: reason withheld\nhealthz check failed 500\n401\n"


def test_a_machine_says_who_it_is() -> None:
    """Name, kernel, boot id, uptime, distribution, machine id."""
    found = machine.identity(ID)
    assert ("node1", 5970.12, "debian", "12") == (found.hostname, found.uptime, found.os_id, found.os_version)
    assert "2557d49d7a574652a56a3d4a1f014ea4" == found.machine_id


def test_what_may_not_be_read_is_empty() -> None:
    """A machine id that is not readable does not spoil the rest."""
    found = machine.identity(ID_CENTOS)
    assert ("centos", "") == (found.os_id, found.machine_id)


def test_the_clock_with_and_without_time_daemons() -> None:
    """Timedatectl show of systemd 252, the text of 219 with ntpq, and chrony."""
    new, old, chrony = (machine.time(text) for text in (TIME_252, TIME_219, CHRONY))
    assert (False, False, "Etc/UTC", None) == (new.synchronised, new.ntp, new.zone, new.daemon_offset)
    assert (True, True, "Asia/Shanghai", 0.00225) == (old.synchronised, old.ntp, old.zone, old.daemon_offset)
    assert 94.9612034 == chrony.daemon_offset


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (
            "reboot   system boot  6.1 Sat Nov 21\nshutdown system down  6.1 Sat Nov 21\nreboot   system boot  6.1 x\n",
            (True, 2),
        ),
        ("reboot   system boot  6.1 Sat Nov 21\nreboot   system boot  6.1 Fri Nov 20\n", (False, 2)),
        ("         system boot  Nov 21 11:04\nreboot   system boot  6.1 x\n", (None, 1)),
        ("         system boot  2026-11-21 11:04\n", (None, 0)),
    ],
)
def test_a_boot_without_shutdown_before_it_was_a_crash(text: str, expected: tuple[bool | None, int]) -> None:
    """Where the record does not reach back, nothing is said."""
    assert expected == machine.boots(text)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (HEALTHY, (Probe.OK, Probe.OK)),
        (REFUSED, (Probe.REFUSED, Probe.REFUSED)),
        (HUNG, (Probe.TIMEOUT, Probe.OK)),
        (BAD, (Probe.BAD, Probe.OK)),
    ],
)
def test_the_kubelets_ports(text: str, expected: tuple[Probe, Probe]) -> None:
    """401 is an answer; refused and timed out are told apart."""
    assert expected == machine.health(text)[:2]


def test_blocked_tasks_and_the_kubelets_memory() -> None:
    """VmRSS is in kB; tasks in state D follow."""
    text = "State:\tD (disk sleep)\nVmRSS:\t  104664 kB\nThreads:\t13\nnfs_wait\n  812 D    nfs_wait_bit_killable  df\n"
    found = machine.process(text)
    assert ("D", 104664 * 1024, "nfs_wait", ("812 D nfs_wait_bit_killable df",)) == (
        found.state,
        found.rss_bytes,
        found.wchan,
        found.blocked,
    )


@pytest.mark.parametrize("parse", [machine.identity, machine.time, machine.boots, machine.health])
def test_other_output_is_refused(parse: object) -> None:
    """Garbage is an error."""
    assert callable(parse)
    with pytest.raises(UnparsableError):
        parse("sh: 1: curl: not found\nsh: 1: curl: not found\n")


def test_a_clock_of_1970_is_a_time() -> None:
    """A machine whose clock lost its battery counts seconds from the epoch."""
    assert 100.5 == machine.time("100.500000000\nNTPSynchronized=no\n").epoch
