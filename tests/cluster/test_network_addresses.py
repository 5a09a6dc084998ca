"""Two nodes with one InternalIP: a node object made by hand at the address of a machine that is another node."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest

from bot.model.finding import Confidence
from tests.cluster.conftest import Lab
from tests.cluster.control_plane import until
from tests.cluster.drills import ask, broken, finding, healed, ready, roots, says
from tests.cluster.machine import Machine

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
WHY = "node-why node9"
NODE = """apiVersion: v1
kind: Node
metadata: {name: node9, labels: {kubernetes.io/hostname: node9, kubernetes.io/os: linux}}
"""


@pytest.fixture
def second(lab: Lab) -> Iterator[Machine]:
    """The machine that is node2 is registered as node9, too, until the controller has called that one lost."""
    addresses = [{"type": "InternalIP", "address": lab.cloud.address}, {"type": "Hostname", "address": "node9"}]
    patch = json.dumps({"status": {"addresses": addresses}})
    lab.plane.kubectl("apply", "-f", "-", stdin=NODE)
    try:
        lab.plane.kubectl("patch", "node", "node9", "--subresource=status", "--type=merge", "-p", patch)
        condition = 'jsonpath={.status.conditions[?(@.type=="Ready")].status}'
        until("node9 lost", lambda: lab.plane.kubectl("get", "node", "node9", "-o", condition) == "Unknown", 90)
        yield lab.cloud
    finally:
        lab.plane.kubectl("delete", "node", "node9")


def test_a_second_node_object_with_the_address_of_a_machine_is_a_leftover(lab: Lab, second: Machine) -> None:
    """NODE-35 says whose machine it is; nothing that was read there is said of the leftover, and its owner is fine."""
    report = ask(lab, WHY)
    says(lab, report, "NODE-35", "registered-twice", node="node9")
    assert ((second.name,), Confidence.CONFIRMED) == (finding(report).facts["found"], finding(report).confidence)
    assert {"kubectl delete node node9"} <= {c for fix in finding(report).fixes for c in fix.commands}
    assert (
        "node2, which is registered with the same InternalIP" in {s.code: s.because for s in report.skipped}["NODE-03"]
    )
    assert [] == roots(ask(lab, "node-why node2 net"))
    assert [] == roots(ask(lab, "node-why node1 net"))


def test_what_is_wrong_on_the_machine_is_not_said_of_the_leftover(lab: Lab, second: Machine) -> None:
    """A kubelet that was stopped is that of node2, whoever is asked about."""

    def start() -> None:
        second.run("systemctl", "start", "kubelet")
        ready(lab)

    with broken("kubelet", lambda: second.run("systemctl", "stop", "kubelet"), start):
        until("node2 NotReady", lambda: not lab.node_ready("node2"), 120)
        assert "NODE-03" not in {code for code, _ in roots(ask(lab, WHY))}
        says(lab, ask(lab, "node-why node2"), "NODE-03", "stopped")
    healed(lab)
