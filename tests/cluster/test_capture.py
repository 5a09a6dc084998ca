"""Packet headers and sockets of pods: the second wrapper, installed in a machine as the guide says, and really used.

sshd, sudo and tcpdump are the machine's own, the packets those of a pod that runs there.
"""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager

import pytest

from bot.clients.live import sources
from bot.clients.ssh import LiveShell
from bot.collect.sections import section
from bot.source import Output
from tests.cluster.conftest import Lab
from tests.cluster.control_plane import ADDRESS, sh
from tests.cluster.drills import ask, pod_address, roots, run_web
from tests.cluster.logins import collector, install, packages
from tests.cluster.machine import Machine

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
PACKAGES = ("sudo", "tcpdump")
MOST_PACKETS, MOST_SECONDS = 200, 20
SECRET = "hunter2hunter2"


@pytest.fixture(scope="module")
def machine(lab: Lab) -> Iterator[Machine]:
    """The cloud node with sudo and tcpdump, and the folder that is copied there; all is gone afterwards."""
    run_web(lab)
    with packages(lab.cloud, *PACKAGES):
        yield lab.cloud


@contextmanager
def login(lab: Lab) -> Iterator[LiveShell]:
    """The bot's own SSH client, let in by the forced command."""
    shell = sources(lab.settings.clusters["lab"].model_copy(update={"ssh": collector(lab)})).shell
    assert isinstance(shell, LiveShell)
    try:
        yield shell
    finally:
        shell.close()


def container(lab: Lab) -> str:
    """The id of the container of the pod web."""
    running = json.loads(lab.cloud.run("crictl", "ps", "-o", "json"))["containers"]
    return str(next(c["id"] for c in running if c["labels"]["io.kubernetes.pod.name"] == "web"))


def looked(lab: Lab) -> tuple[Output, Output]:
    """Sockets of the pod web, and packets between it and the control plane's host."""
    address = pod_address(lab, "web")
    with login(lab) as shell:
        asked = section("PODPID", container=container(lab))
        pid = shell.run(lab.cloud.name, [asked])[asked.key].text.strip()
        wanted = (section("PODSS", pid=pid), section("CAP", dst=ADDRESS, podip=address))
        found = shell.run(lab.cloud.name, wanted)
    return found[wanted[0].key], found[wanted[1].key]


@contextmanager
def talking(lab: Lab) -> Iterator[None]:
    """A TCP connection that stands in the pod, and hundreds of packets with a secret, to it and to a stranger."""
    pid = json.loads(lab.cloud.run("crictl", "inspect", container(lab)))["info"]["pid"]
    hold = f"exec 3<>/dev/tcp/{ADDRESS}/6443; sleep 60"
    send = (
        f"while :; do echo {SECRET}{SECRET}{SECRET} >/dev/udp/{ADDRESS}/4444; echo x >/dev/udp/10.77.0.99/4444;"
        " sleep .005; done"
    )
    for unit, command in (("hold", hold), ("talk", send)):
        lab.cloud.run("systemd-run", "-q", f"--unit={unit}", "nsenter", "-t", str(pid), "-n", "bash", "-c", command)
    try:
        yield
    finally:
        lab.cloud.run("systemctl", "stop", "hold", "talk", check=False)


def files(lab: Lab) -> set[str]:
    """What lies where a capture might leave something on the node."""
    folders = (str(lab.cloud.tree / d) for d in ("home", "root", "tmp", "usr/local", "var/tmp"))
    return set(sh("find", *folders, "-type", "f").split())


def test_packets_of_a_pod_are_read_as_text_and_nothing_stays_on_the_node(lab: Lab, machine: Machine) -> None:
    """At most 200, with the interface they took; headers alone, of the two addresses alone."""
    assert "kubewhy-capture" in install(lab, "--capture")
    before = files(lab)
    with talking(lab):
        sockets, packets = looked(lab)
    assert (0, False, False) == (packets.rc, packets.denied, packets.truncated)
    lines = [line for line in packets.text.splitlines() if " IP " in line]
    assert MOST_PACKETS == len(lines)
    assert f"{MOST_PACKETS} packets captured" in packets.text
    assert all(ADDRESS in line and pod_address(lab, "web") in line for line in lines)
    assert {"eth1"} <= {line.split()[2] for line in lines}
    assert SECRET not in packets.text
    assert packets.duration_ms < MOST_SECONDS * 1000
    assert (0, False) == (sockets.rc, sockets.denied)
    assert f"{ADDRESS}:6443" in sockets.text
    assert before == files(lab)
    assert "tcpdump" not in machine.run("ps", "-eo", "comm")


def test_where_no_packet_comes_the_capture_ends_by_itself(lab: Lab, machine: Machine) -> None:
    """After 20 seconds: none is an answer, too, and not the same as not having looked."""
    install(lab, "--capture")
    _, packets = looked(lab)
    assert (124, False) == (packets.rc, packets.denied)
    assert "0 packets captured" in packets.text
    assert MOST_SECONDS * 1000 <= packets.duration_ms < (MOST_SECONDS + 3) * 1000
    assert "tcpdump" not in machine.run("ps", "-eo", "comm")


def test_without_the_second_wrapper_pods_cannot_be_looked_into(lab: Lab, machine: Machine) -> None:
    """The installation without the option takes it away: both are refused, and everything else works."""
    assert "removing kubewhy-capture" in f"{install(lab, '--capture')}{install(lab)}"
    for refused in looked(lab):
        assert (True, False) == (refused.denied, refused.rc == 0)
        assert "kubewhy-capture is not installed" in refused.text
    report = ask(lab, "node-why node2", ssh=collector(lab))
    assert [] == roots(report)
    assert [] == [s for s in report.skipped if s.mandatory], report.skipped
    assert machine.run("ls", "/usr/local/sbin").split() == ["kubewhy-collect", "kubewhy-shell"]
