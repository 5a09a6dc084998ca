"""What several commands printed in one recording answers each of them; what cannot be told answers none."""

from __future__ import annotations

from dataclasses import replace

import pytest

from bot.bundle.entries import Entry
from bot.bundle.lookup import NodeCommands
from bot.collect.sections import section

FILTER = "-P FORWARD DROP\n-A FORWARD -j KUBE-FORWARD\n"
COUNTS = (
    "Chain FORWARD (policy DROP 3 packets, 180 bytes)\n    pkts      bytes target\n     498    23195 KUBE-FORWARD\n"
)
IPT = Entry(
    key="IPT",
    command="sudo -n iptables -S FORWARD; sudo -n iptables -L FORWARD -nvx | head -30; sudo -n iptables -t nat -S | "
    "grep -c KUBE-SVC; sudo -n nft list tables; sudo -n ipvsadm -Ln | head -50",
    stdout=f"{FILTER}{COUNTS}18\nsh: 1: nft: not found\n",
)
PORTS = Entry(
    key="PORTS",
    command="ss -Hlntu; sudo -n ss -Hlntup 'sport = :6443 or sport = :10250 or sport = :10257 or sport = :10259 "
    "or sport = :2379 or sport = :2380 or sport = :53'",
    stdout='tcp LISTEN 0 128 0.0.0.0:22 0.0.0.0:*\ntcp LISTEN 0 9 *:10250 *:* users:(("kubelet",pid=76,fd=18))\n',
)
DISK = Entry(
    key="DISK",
    command="df -PT -B1 -x tmpfs -x overlay -x squashfs; df -Pi -x tmpfs -x overlay -x squashfs; "
    "sudo -n journalctl --disk-usage",
    stdout="Filesystem Type 1-blocks Used Available Capacity Mounted on\n/dev/vda ext4 9 4 5 40% /\n"
    "Filesystem Inodes IUsed IFree IUse% Mounted on\n/dev/vda 9 4 5 5% /\nArchived and active journals take up 8.0M.\n",
)
DRIVERS = Entry(
    key="CGDRV",
    command="sudo -n grep -E '^cgroupDriver|^failCgroupV1' /var/lib/kubelet/config.yaml; sudo -n grep -nE "
    "'SystemdCgroup|disabled_plugins|systemd_cgroup' /etc/containerd/config.toml /etc/crio/crio.conf.d/*; "
    "sudo -n cat /etc/docker/daemon.json",
    exit=1,
    stdout="cgroupDriver: systemd\nenforceNodeAllocatable:\n/etc/containerd/config.toml:9:    SystemdCgroup = false\n",
    stderr="cat: /etc/docker/daemon.json: No such file or directory\n",
)
DOWN = Entry(
    key="KPMODE",
    command="curl -s -m 2 http://127.0.0.1:10249/proxyMode; curl -s -m 2 -w ' %{http_code}' http://127.0.0.1:10256/healthz",
    exit=7,
    stdout=" 000",
)
LIMITED = Entry(command="sudo -n iptables -L FORWARD -nvx | head -30", stdout=COUNTS)
PROXY = Entry(
    key="KPMODE",
    command="curl -s -m 2 http://127.0.0.1:10249/proxyMode; curl -s -m 2 -w ' %{http_code}' http://127.0.0.1:10256/healthz",
    stdout='iptables{"healthy":true} 200',
)


@pytest.mark.parametrize(
    ("entry", "key", "expected"),
    [
        (IPT, "IPT", (0, FILTER)),
        (IPT, "IPT_COUNT", (0, COUNTS)),
        (IPT, "IPT_SVC", (0, "18\n")),
        (IPT, "NFT", (127, "sh: 1: nft: not found\n")),
        (IPT, "IPVS", None),
        (IPT, "IPT_AGAIN", None),
        (PORTS, "PORTS", (0, PORTS.stdout.splitlines(keepends=True)[0])),
        (PORTS, "PORTS_OWN", (0, PORTS.stdout.splitlines(keepends=True)[1])),
        (DISK, "DISK", (0, "".join(DISK.stdout.splitlines(keepends=True)[:4]))),
        (DISK, "DISK_JOURNAL", (0, DISK.stdout.splitlines(keepends=True)[4])),
        (DRIVERS, "CGDRV", (0, "cgroupDriver: systemd\nenforceNodeAllocatable:\n")),
        (DRIVERS, "CGDRV_RUNTIME", (0, "/etc/containerd/config.toml:9:    SystemdCgroup = false\n")),
        (replace(DRIVERS, stdout=DRIVERS.stdout.splitlines(keepends=True)[2]), "CGDRV", None),
        (DOWN, "KPMODE", (7, "")),
        (DOWN, "KPHEALTH", (7, " 000")),
        (LIMITED, "IPT_COUNT", (0, COUNTS)),
        (LIMITED, "IPT_AGAIN", None),
        (PROXY, "KPMODE", (0, "iptables\n")),
        (PROXY, "KPHEALTH", (0, '{"healthy":true} 200')),
    ],
)
def test_each_command_has_its_own_lines(entry: Entry, key: str, expected: tuple[int, str] | None) -> None:
    """A tool that printed nothing was not recorded, and neither was a second reading."""
    found = NodeCommands("node-1", [entry], lambda _: None).section(section(key))
    assert expected == (None if found is None else (found.exit, found.text))


def test_a_compound_with_an_unknown_command_stays_whole() -> None:
    """Its lines could be anybody's."""
    entry = Entry(key="IPT", command="iptables -S FORWARD; dmesg", stdout=FILTER)
    commands = NodeCommands("node-1", [entry], lambda _: None)
    assert (FILTER, None) == (
        (commands.section(section("IPT")) or Entry()).text,
        commands.section(section("IPT_COUNT")),
    )


def test_of_several_calls_of_which_none_answered_each_timed_out() -> None:
    """A runtime that hangs: not one document, and the last call ended by its timeout."""
    entry = Entry(key="CRI", command="crictl info; crictl ps -a -o json; crictl pods -o json", exit=124)
    commands = NodeCommands("node-1", [entry], lambda _: None)
    found = [commands.section(section(key)) for key in ("CRI", "CRI_PS", "CRI_PODS")]
    assert [124, 124, 124] == [e.exit for e in found if e]


def test_each_call_that_failed_has_its_own_error() -> None:
    """A runtime that is down: crictl ends each call with a fatal line."""
    log = "E1121 11:04:00.1 99 remote_runtime.go:616] validate\n"
    fatal = 'time="2026-11-21T11:04:00Z" level=fatal msg="connect: no such file or directory {}"\n'
    out = f"{log}{fatal.format(1)}{log}{fatal.format(2)}FATA[0000] connect\n"
    entry = Entry(command="crictl info; crictl ps -a -o json; crictl pods -o json", exit=1, stderr=out)
    commands = NodeCommands("node-1", [entry], lambda _: None)
    found = [commands.section(section(key)) for key in ("CRI", "CRI_PS", "CRI_PODS")]
    expected = [(1, f"{log}{fatal.format(1)}"), (1, f"{log}{fatal.format(2)}"), (1, "FATA[0000] connect\n")]
    assert expected == [(e.exit, e.text) for e in found if e]
