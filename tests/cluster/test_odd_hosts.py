"""Hosts that are odd rather than broken: an address of another machine, a name that nobody has, two names of one."""

from __future__ import annotations

import json

import pytest

from bot.config import NodeException
from bot.errors import UsageError
from bot.model.report import Status
from tests.cluster.conftest import Lab
from tests.cluster.control_plane import until
from tests.cluster.drills import ask, broken, healed, not_ready, ready, roots

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
WHY = "node-why node2"
LEFTOVER = "node2-old"


def test_a_node_that_is_not_in_the_cluster_is_refused_with_the_nearest(lab: Lab) -> None:
    """A typing error is no diagnosis."""
    with pytest.raises(UsageError) as refused:
        ask(lab, "node-why node-2")
    assert "node2" in refused.value.nearest


def test_an_address_that_leads_to_another_node_accuses_neither(lab: Lab) -> None:
    """What SSH reads is node1; the kubelet that stands still is node2's: nothing of node1 may explain it."""
    nodes = {name: NodeException(address=lab.node.address) for name in ("node1", "node2")}

    def repair() -> None:
        lab.cloud.run("systemctl", "start", "kubelet")
        ready(lab)

    with broken("kubelet", lambda: lab.cloud.run("systemctl", "stop", "kubelet"), repair):
        not_ready(lab)
        report = ask(lab, WHY, nodes=nodes)
        assert {code for code, _ in roots(report)} <= {"NODE-35"}, roots(report)
        assert report.status not in {Status.OK, Status.INFO}
    healed(lab, WHY)


def test_a_second_name_of_one_machine_is_the_leftover(lab: Lab) -> None:
    """NODE-35: renamed once, it is still registered under its old name, too, until that is deleted as the bot says."""
    addresses = [{"type": "InternalIP", "address": lab.cloud.address}, {"type": "Hostname", "address": LEFTOVER}]
    ended = {"type": "Ready", "status": "True", "reason": "KubeletReady", "lastHeartbeatTime": "2026-01-01T00:00:00Z"}
    status = json.dumps({"status": {"addresses": addresses, "conditions": [ended]}})
    node = json.dumps({"apiVersion": "v1", "kind": "Node", "metadata": {"name": LEFTOVER}})

    def register() -> None:
        lab.plane.kubectl("create", "-f", "-", stdin=node)
        lab.plane.kubectl("patch", "node", LEFTOVER, "--subresource=status", "--type=merge", "-p", status)
        until("NodeStatusUnknown", lambda: unknown(lab, LEFTOVER), 60)

    with broken("node", register, lambda: lab.plane.kubectl("delete", "node", LEFTOVER, "--ignore-not-found")):
        report = ask(lab, WHY)
        assert [] == roots(report), "the machine itself is well"
        found = next(e.finding for e in report.entries if e.finding.code == "NODE-35")
        assert ("registered-twice", f"Node/{LEFTOVER}") == (found.reason, str(found.subject))
        assert (f"kubectl delete node {LEFTOVER}",) == found.fixes[-1].commands
    assert "NODE-35" not in {e.finding.code for e in ask(lab, WHY).entries}


def unknown(lab: Lab, node: str) -> bool:
    """Whether the control plane has noticed that no kubelet speaks for this node."""
    path = '{.status.conditions[?(@.type=="Ready")].status}'
    return lab.plane.kubectl("get", "node", node, "-o", f"jsonpath={path}") == "Unknown"
