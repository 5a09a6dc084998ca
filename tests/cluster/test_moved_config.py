"""The first incident, for real: the kubelet's config file was moved away, and a reboot exposed it."""

from __future__ import annotations

import time

import pytest

from bot.model.report import Role, Status
from tests.cluster.conftest import Lab
from tests.cluster.control_plane import until
from tests.cluster.drills import ask, chain, roots

pytestmark = [pytest.mark.real, pytest.mark.timeout(900)]
GRACE = 70
CONFIG = "/var/lib/kubelet/config.yaml"


def test_the_life_of_the_first_incident(lab: Lab) -> None:
    """Healthy, broken by a move and a reboot, named with its chain, repaired, healthy again."""
    until("samples of both nodes", lab.measured, 120, 2)
    healthy = ask(lab, "metrics-api")
    assert roots(healthy) == []
    assert roots(ask(lab, "node-why node1")) == []

    lab.node.run("mv", CONFIG, f"{CONFIG}.bak")
    lab.node.reboot()
    until("node NotReady", lambda: not lab.node_ready(), 120)
    until("metrics API gone", lambda: not lab.metrics_available(), 120)
    time.sleep(GRACE)  # an APIService and a pod count as failing only after a minute

    broken = ask(lab, "metrics-api")
    assert roots(broken) == [("NODE-04", "Node/node1")]
    assert chain(broken)[:2] == ["NODE-04", "NODE-03"]
    assert {"METRICS-02", "APISVC-01"} <= {e.finding.code for e in broken.entries if e.role is Role.EFFECT}
    assert chain(broken)[-1].startswith(("APISVC", "METRICS", "CTRL"))
    assert broken.status is Status.CRITICAL
    node = ask(lab, "node-why node1")
    assert roots(node) == [("NODE-04", "Node/node1")]
    found = {e.finding.code: e for e in node.entries}
    assert found["NODE-04"].finding.facts["path"] == CONFIG
    assert found["NODE-03"].role is Role.EFFECT

    lab.node.run("cp", "-p", f"{CONFIG}.bak", CONFIG)
    lab.node.run("systemctl", "restart", "kubelet")
    until("node Ready", lab.node_ready, 120)
    until("metrics API", lab.metrics_available, 180, 1)
    until("samples of both nodes", lab.measured, 120, 2)
    assert "NODE-04" not in {e.finding.code for e in ask(lab, "node-why node1").entries}
    assert roots(ask(lab, "metrics-api")) == []
