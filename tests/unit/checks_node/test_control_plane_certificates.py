"""Certificates of the control plane (CTRL-12): also those that its kubeconfigs hold; words of now, not of yesterday."""

from __future__ import annotations

from datetime import timedelta

import pytest

from bot.collect import host_certs
from bot.collect.host_read import Trip
from bot.model.cluster import ControlPlaneLogs, Log, LogLine
from bot.model.finding import Confidence
from bot.model.host import Certificate, Certificates, StaticManifests
from tests.unit.checks_node.test_certificate_in_use import CONF, DATES, PEM, Papers
from tests.unit.checks_node.test_rows import CLOCK, NOW, PROOF, ago, judged

MANAGER = "/etc/kubernetes/controller-manager.conf"
HOST = StaticManifests(proof=PROOF, node="master-1", files={"kube-controller-manager.yaml": None})


def test_the_certificate_in_a_kubeconfig_of_the_control_plane_is_read() -> None:
    """Of the components that run here, and of no other."""
    shell = Papers({f"CERTS_DATA:{MANAGER}": DATES, f"CERTS:{PEM}": DATES})
    trip = Trip.make(shell, "master-1", CLOCK, host_certs.sections(HOST, None))
    found = host_certs.read(trip, shell, None)
    assert {MANAGER, PEM} == {c.path for c in found.items}
    assert [f"CERTS_DATA:{CONF}", f"CERTS_DATA:{MANAGER}"] == [k for k in shell.asked if k.startswith("CERTS_DATA")]


def ended(path: str, *, kubelet: str = PEM) -> Certificates:
    """A certificate that ended an hour ago."""
    end = NOW - timedelta(hours=1)
    made = Certificate(path=path, subject="CN=x", not_before=end - timedelta(days=365), not_after=end)
    return Certificates(proof=PROOF, node="master-1", items=(made,), unread={}, kubelet=kubelet)


def test_it_counts_as_its_components() -> None:
    """The kubelet's own certificate is NODE-07's, wherever it lies."""
    (found,) = judged("CTRL-12", ended(MANAGER), CLOCK)
    assert ("expired", ("kube-controller-manager",)) == (found.reason, found.facts["component"])
    odd = "/etc/kubernetes/pki/kubelet.crt"
    assert [] == judged("CTRL-12", ended(odd, kubelet=odd), CLOCK)


@pytest.mark.parametrize(
    ("minutes", "previous", "confidence"),
    [(2, False, Confidence.CONFIRMED), (600, False, Confidence.LIKELY), (2, True, Confidence.LIKELY)],
    ids=["now", "this morning", "the container before"],
)
def test_only_words_of_now_confirm_an_expired_certificate(
    minutes: float, previous: bool, confidence: Confidence
) -> None:
    """The freshness rule of every log line; a log of the container before tells why it ended."""
    line = LogLine(text="x509: certificate has expired or is not yet valid", at=ago(minutes=minutes))
    log = Log(origin="kube-system/kube-apiserver-master-1", lines=(line,), previous=previous, proof=PROOF)
    logs = ControlPlaneLogs(proof=PROOF, by_component={"kube-apiserver": (log,)})
    (found,) = judged("CTRL-12", ended("/etc/kubernetes/pki/apiserver.crt"), CLOCK, logs)
    assert confidence is found.confidence
