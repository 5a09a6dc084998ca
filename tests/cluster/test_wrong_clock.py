"""A clock that is really off: every program that an SSH session starts reads it so.

The kernel's clock is shared by all machines of the lab, so PAM gives libfaketime to what sshd starts: shell, date,
timedatectl, journalctl. What runs already, and the kubelet (a static binary), go on with the right time, so nothing
that a wrong clock leads to (certificates, Leases) is seen here. Given to sshd itself (/etc/ld.so.preload), the library
does what sshd's sandbox ends it for.
"""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.cluster.conftest import Lab
from tests.cluster.drills import ask, finding, healed, says

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
WHY = "node-why node2"
LIBRARY = "/usr/lib/x86_64-linux-gnu/faketime/libfaketime.so.1"
ENVIRONMENT = "/etc/environment"


@pytest.fixture
def right(lab: Lab) -> Iterator[None]:
    """The clock is right again after the test."""
    try:
        yield
    finally:
        lab.cloud.write(ENVIRONMENT, "")


def set_clock(lab: Lab, setting: str) -> None:
    """Set the clock of sessions that begin from now on."""
    lab.cloud.write(ENVIRONMENT, f'LD_PRELOAD="{LIBRARY}"\nFAKETIME="{setting}"\n')


def offset(lab: Lab, setting: str) -> float:
    """Set the clock, and have it named: how far it is off, as the finding has it."""
    set_clock(lab, setting)
    report = ask(lab, WHY)
    says(lab, report, "NODE-08", "skewed")
    found = finding(report).facts["offset_seconds"]
    assert isinstance(found, float)
    return found


def test_a_clock_that_is_wrong_is_named_with_its_offset(lab: Lab, right: None) -> None:
    """NODE-08 ahead, behind, and of 1970; with the right time, through the same library, it is ruled out."""
    assert abs(offset(lab, "+90") - 90) < 1
    assert abs(offset(lab, "-300") + 300) < 1
    assert offset(lab, "@1970-01-01 00:01:40") < -50 * 365 * 86400
    set_clock(lab, "+0")
    healed(lab, WHY)
    assert "NODE-08" in {ruled.code for ruled in ask(lab, WHY).ruled_out}
