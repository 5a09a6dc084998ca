"""Hosts that are odd rather than broken: a clock of 1970, an address of another machine, a name that nobody has."""

from __future__ import annotations

import pytest

from bot.config import NodeException
from bot.errors import UsageError
from bot.model.report import Status
from tests.cluster.conftest import Lab
from tests.cluster.drills import ask, broken, healed, not_ready, ready, roots, says

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
WHY = "node-why node2"
DATE, REAL = "/usr/bin/date", "/usr/bin/date.real"


def test_a_node_that_is_not_in_the_cluster_is_refused_with_the_nearest(lab: Lab) -> None:
    """A typing error is no diagnosis."""
    with pytest.raises(UsageError) as refused:
        ask(lab, "node-why node-2")
    assert "node2" in refused.value.nearest


def test_a_clock_of_1970_is_the_one_thing_wrong(lab: Lab) -> None:
    """A machine has no clock of its own here, so its date command is 1970: nothing else may be read from it."""

    def turn_back() -> None:
        lab.cloud.run("mv", DATE, REAL)
        lab.cloud.write(DATE, f'#!/bin/sh\nexec {REAL} -d @100.5 "$@"\n')
        lab.cloud.run("chmod", "755", DATE)

    with broken("date", turn_back, lambda: lab.cloud.run("mv", REAL, DATE)):
        says(lab, ask(lab, WHY), "NODE-08")
    healed(lab, WHY)


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
