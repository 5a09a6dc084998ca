"""Networks that have run out of something: room for connections, addresses for pods."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.model.finding import Confidence
from bot.model.report import Status
from tests.cluster.conftest import Lab
from tests.cluster.control_plane import until
from tests.cluster.drills import WEB, ask, broken, finding, healed, quoted, roots, run_web, says, thresholds
from tests.cluster.parts import cannot

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
WHY = "node-why node2 net"
LIMIT, OWN = (Path(f"/proc/sys/net/netfilter/nf_conntrack_{name}") for name in ("max", "count"))
ROOM = 100  # for the node's own connections
LEASES = "/var/lib/cni/networks/lab"


@pytest.fixture
def limit(lab: Lab) -> Iterator[int]:
    """The kernel tracks only so many connections, in each network; this host's own stay far below."""
    assert lab.cloud.run("iptables", "-w", "3", "-t", "nat", "-S")  # what asks for tracking
    own, before = int(OWN.read_text()), LIMIT.read_text()
    lowered = 4 * (own + ROOM)
    try:
        LIMIT.write_text(str(lowered))
    except OSError as error:
        cannot(f"the limit of tracked connections is the host's, and cannot be set here: {error}")
    try:
        yield lowered
    finally:
        LIMIT.write_text(before)


def flood(lab: Lab, number: int) -> None:
    """New UDP flows from the node, twice as many as there is room for, again and again until the unit is stopped."""
    send = f"for p in $(seq 20000 {20000 + 2 * number}); do echo x >/dev/udp/10.77.0.1/$p; done 2>/dev/null"
    lab.cloud.run("systemd-run", "-q", "--unit=flood", "bash", "-c", f"while :; do {send}; sleep 1; done")
    until("dropped packets", lambda: dropped(lab) > 0)


def calm(lab: Lab) -> None:
    """End the flood, and forget its flows."""
    lab.cloud.run("systemctl", "stop", "flood")
    lab.cloud.run("conntrack", "-D", "-p", "udp", check=False)


def dropped(lab: Lab) -> int:
    """Packets that the node's kernel has dropped for want of room."""
    words = lab.cloud.run("conntrack", "-S").split()
    return sum(int(word.partition("=")[2]) for word in words if word.startswith("drop="))


def untracked_ssh(lab: Lab, verb: str) -> None:
    """Let SSH in beside the table (``-I``), as careful operators do; ``-D`` takes it back."""
    for chain, port in (("PREROUTING", "--dport"), ("OUTPUT", "--sport")):
        words = ("iptables", "-w", "3", "-t", "raw", verb, chain, "-p", "tcp", port, "22", "-j", "NOTRACK")
        lab.cloud.run(*words, check=False)


def test_a_full_table_of_connections(lab: Lab, limit: int) -> None:
    """NET-11 by the count, the kernel's log and its counters; every new connection of the node fails meanwhile."""

    def fill() -> None:
        untracked_ssh(lab, "-I")
        flood(lab, limit)

    def repair() -> None:
        calm(lab)
        untracked_ssh(lab, "-D")
        LIMIT.write_text("262144")

    with broken("connections", fill, repair):
        report = ask(lab, WHY)
        says(lab, report, "NET-11", "table-full")
        assert (limit, Confidence.CONFIRMED) == (finding(report).facts["maximum"], finding(report).confidence)
        assert "drop=" in quoted(report)
    if "table full in netns" in lab.cloud.run("journalctl", "-k", "-n", "400"):
        healed(lab, WHY)  # an older kernel does not say whose table it was, and its lines count for ten minutes


def test_a_full_table_that_lets_nobody_in_names_nothing_else(lab: Lab, limit: int) -> None:
    """SSH is a new connection, too: what cannot be looked at is not called fine, and nothing is guessed."""
    with broken("connections", lambda: flood(lab, limit), lambda: calm(lab)):
        report = ask(lab, WHY)
        assert {code for code, _ in roots(report)} <= {"NET-11"}, roots(report)
        assert report.status not in {Status.OK, Status.INFO}
        assert roots(report) or "NET-11" in {s.code for s in report.skipped}


def test_addresses_that_leaked(lab: Lab) -> None:
    """NET-16: the CNI's records of pods that are gone hold every address; the next pod waits."""
    run_web(lab)
    soon = thresholds(NET_16={"seconds": 2})
    network = lab.cloud.pods.rpartition(".")[0]
    leak = f"for i in $(seq 129 254); do [ -e {network}.$i ] || echo leaked >{network}.$i; done"
    late = WEB.format(node=lab.cloud.name).replace("name: web, labels", "name: late, labels")

    def inside(command: str) -> None:
        lab.cloud.run("bash", "-c", f"cd {LEASES} && {command}")

    def exhaust() -> None:
        inside(leak)
        lab.plane.kubectl("apply", "-f", "-", stdin=late)

    def repair() -> None:
        inside("grep -lx leaked * | xargs -r rm")
        lab.plane.kubectl("delete", "pod", "late", "--now")

    with broken("addresses", exhaust, repair):
        until("NET-16", lambda: bool(ask(lab, "node-why node2", **soon).roots), 60, 2)
        report = ask(lab, "node-why node2", **soon)
        says(lab, report, "NET-16", "addresses-leaked")
        assert ("default/late",) == finding(report).facts["pods"]
    healed(lab, "node-why node2", **soon)
