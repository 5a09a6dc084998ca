"""What real hosts taught: a repaired kubelet, a CNI that came as files, pods behind a bridge, NICs of containers."""

from __future__ import annotations

import pytest

from bot.model.host import Link, Links
from tests.unit.checks_node.test_rows import CLOCK, PROOF, ago, judged, log, unit

AGAIN = ("kubelet.service: Scheduled restart job, restart counter is at 4.", "Started kubelet.service - kubelet.")
BY_HAND = ("Stopping kubelet.service - kubelet...", "Started kubelet.service - kubelet.")


@pytest.mark.parametrize(
    ("lines", "reasons"),
    [
        (AGAIN * 3, ["restarts"]),
        (AGAIN * 2, []),
        ((*AGAIN * 5, *BY_HAND), []),
        ((*BY_HAND, *AGAIN * 3), ["restarts"]),
        (BY_HAND * 4, []),
    ],
    ids=["three times", "twice", "repaired", "not repaired", "only by hand"],
)
def test_a_start_by_hand_ends_a_series_of_restarts(lines: tuple[str, ...], reasons: list[str]) -> None:
    """Systemd keeps its count over a restart by hand; its lines tell the two apart."""
    running = unit(active="active", sub="running", active_since=ago(minutes=1), restarts=5)
    assert reasons == [f.reason for f in judged("NODE-03", running, CLOCK, log(*lines))]


def test_pods_behind_a_bridge_have_a_home_and_those_of_a_single_address_have_none() -> None:
    """The host's end of a pod's veth carries a /32 at most; a CNI's bridge has the subnet."""
    bridge = Link(name="cni0", up=True, kind="bridge", addresses=("10.244.11.1/24",))
    pod = Link(name="veth94d6e794", up=True, kind="veth", addresses=("10.78.12.129/32",))
    links = Links(proof=PROOF, node="node-3", items=(bridge, pod))
    assert [True, False] == [links.homes(a) for a in ("10.244.11.2", "10.78.12.130")]


def test_a_veth_with_a_subnet_is_the_card_of_a_machine_that_is_a_container() -> None:
    """Interfaces as kind, LXC and nspawn nodes have them; bonds and VLANs are cards of real ones."""
    card = Link(name="eth1", up=True, kind="veth", addresses=("10.78.12.2/24", "fe80::1/64"))
    pod = Link(name="veth94d6e794", up=True, kind="veth", addresses=("10.78.12.129/32", "fe80::2/64"))
    bond, bridge = Link(name="bond0", up=True, kind="bond"), Link(name="cni0", up=True, kind="bridge")
    assert [True, False, True, False] == [link.physical for link in (card, pod, bond, bridge)]
