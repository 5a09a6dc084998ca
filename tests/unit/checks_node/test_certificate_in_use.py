"""Which certificate a kubelet uses: that of its flags, the file its kubeconfig names, or the kubeconfig itself."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import pytest

from bot.collect import host_certs
from bot.collect.host_read import Trip
from bot.model.host import KubeletArguments
from bot.source import Output, Section
from tests.unit.checks_node.test_rows import CLOCK, PROOF

DATES = "subject=CN = system:node:node-3\nnotAfter=Nov 21 03:48:00 2026 GMT\nnotBefore=Nov 21 03:48:00 2025 GMT\n"
LATER = DATES.replace("Nov 21 03:48:00 2026", "Nov 21 03:48:00 2027")
PEM, CONF = "/var/lib/kubelet/pki/kubelet-client-current.pem", "/etc/kubernetes/kubelet.conf"
MINE, ODD = "/opt/kubelet/pki/kubelet-client-current.pem", "/etc/kubernetes/pki/kubelet.crt"
NO_FILE = "Can't open {} for reading, No such file or directory\n"


@dataclass
class Papers:
    """A node with certificates; a file that it does not have is said to be missing."""

    said: Mapping[str, str]
    asked: list[str] = field(default_factory=list)

    def run(self, node: str, sections: Sequence[Section], *, deadline: float = 25.0) -> Mapping[str, Output]:
        """What openssl and grep print."""
        self.asked += [s.key for s in sections]
        return {
            s.key: Output(rc=0 if s.key in self.said else 1, text=self.said.get(s.key, NO_FILE.format(s.arguments[0])))
            for s in sections
        }


@pytest.mark.parametrize(
    ("flags", "said", "used"),
    [
        ({}, {f"CERTS:{PEM}": DATES}, PEM),
        ({"cert-dir": "/opt/kubelet/pki"}, {f"CERTS:{MINE}": DATES}, MINE),
        ({"root-dir": "/opt/kubelet"}, {f"CERTS:{MINE}": DATES}, MINE),
        (
            {},
            {
                f"CERTS_PATH:{CONF}": f"    server: https://x:6443\n    client-certificate: {ODD}\n",
                f"CERTS:{ODD}": DATES,
            },
            ODD,
        ),
        ({}, {f"CERTS_PATH:{CONF}": "    client-certificate: pki/kubelet.crt\n", f"CERTS:{ODD}": DATES}, ODD),
        ({}, {f"CERTS_DATA:{CONF}": DATES}, CONF),
        ({}, {f"CERTS_DATA:{CONF}": LATER, f"CERTS:{PEM}": DATES}, CONF),
        ({}, {f"CERTS_DATA:{CONF}": DATES, f"CERTS:{PEM}": LATER}, PEM),
        ({"kubeconfig": "/root/k.conf"}, {"CERTS_DATA:/root/k.conf": DATES}, "/root/k.conf"),
    ],
)
def test_the_certificate_in_use_is_found(flags: dict[str, str], said: dict[str, str], used: str) -> None:
    """By the flags, by the path in the kubeconfig, or in the kubeconfig itself; of two the one that is of use."""
    arguments = KubeletArguments(proof=PROOF, node="node-3", flags=flags, running=True)
    shell = Papers(said)
    trip = Trip.make(shell, "node-3", CLOCK, host_certs.sections(None, arguments))
    found = host_certs.read(trip, shell, arguments)
    assert (used, True) == (found.kubelet, used in {c.path for c in found.items})
