"""The bot's own login on a node: with the collector it sees what root sees; without, it says what it could not see."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.model.report import Report, Status
from tests.cluster.conftest import Lab
from tests.cluster.drills import ask, broken, healed, not_ready, ready, roots, says
from tests.cluster.logins import collector, install, packages, plain

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]
WHY = "node-why node2"
CONFIG = "/var/lib/kubelet/config.yaml"


@pytest.fixture(scope="module", autouse=True)
def _sudo(lab: Lab) -> Iterator[None]:
    """The cloud node has sudo, as nearly every machine has, and lets the bot's key in to the collector alone."""
    with packages(lab.cloud, "sudo"):
        install(lab)
        yield


def unread(report: Report) -> set[str]:
    """The rows that could not be judged, with what was missing."""
    return {f"{s.code}: {', '.join(map(str, s.missing))}" for s in report.skipped}


def move_config(lab: Lab) -> None:
    """As in the first incident, without the reboot."""
    lab.cloud.run("mv", CONFIG, f"{CONFIG}.bak")
    lab.cloud.run("systemctl", "restart", "kubelet")


def put_back(lab: Lab) -> None:
    """The repair."""
    lab.cloud.run("mv", f"{CONFIG}.bak", CONFIG)
    lab.cloud.run("systemctl", "restart", "kubelet")
    ready(lab)


def test_with_the_collector_nothing_is_missing_that_root_would_see(lab: Lab) -> None:
    """The same rows are judged, and a moved file is named until it is back."""
    ssh = collector(lab)
    assert unread(ask(lab, WHY)) == unread(ask(lab, WHY, ssh=ssh))
    with broken("config", lambda: move_config(lab), lambda: put_back(lab)):
        not_ready(lab)
        says(lab, ask(lab, WHY, ssh=ssh), "NODE-04", "config-file-moved")
    healed(lab, WHY, ssh=ssh)


def test_without_any_right_what_everybody_may_read_is_told_and_the_rest_named(lab: Lab) -> None:
    """The moved file is seen and the fault named; the log is said to be unread, and nothing is called well."""
    with plain(lab) as ssh:
        well = ask(lab, WHY, ssh=ssh)
        assert [] == roots(well)
        assert well.status is not Status.OK
        unread_log = "kubelet's log of node2"
        assert [s.code for s in well.skipped if s.mandatory and unread_log in map(str, s.missing)]
        with broken("config", lambda: move_config(lab), lambda: put_back(lab)):
            not_ready(lab)
            says(lab, ask(lab, WHY, ssh=ssh), "NODE-04")
