"""The real cluster, brought up once for all tests of this folder."""

from __future__ import annotations

import subprocess
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest

from bot.config import Cluster, NodeException, Settings, Ssh
from tests.cluster.control_plane import ControlPlane, until
from tests.cluster.images import image
from tests.cluster.machine import Machine
from tests.cluster.parts import part, require

BUSYBOX = "/bin/busybox"


@dataclass(frozen=True)
class Lab:
    """A running cluster with one node, and the settings by which kubewhy reaches it."""

    plane: ControlPlane
    node: Machine
    settings: Settings

    def node_ready(self) -> bool:
        """Whether the node's Ready condition is True."""
        path = '{.status.conditions[?(@.type=="Ready")].status}'
        return self.plane.kubectl("get", "node", self.node.name, "-o", f"jsonpath={path}", check=False) == "True"

    def metrics_available(self) -> bool:
        """Whether the metrics APIService is Available."""
        path = '{.status.conditions[?(@.type=="Available")].status}'
        return (
            self.plane.kubectl("get", "apiservice", "v1beta1.metrics.k8s.io", "-o", f"jsonpath={path}", check=False)
            == "True"
        )


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Control plane, one machine, metrics-server; ready when `kubectl top nodes` would work."""
    require()
    home = tmp_path_factory.mktemp("lab")
    plane = ControlPlane(home)
    node: Machine | None = None
    try:
        plane.start()
        key = home / "id_ed25519"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        node = Machine(plane, "node1", 11, _images(home), key.with_suffix(".pub").read_text())
        plane.kubectl("apply", "-f", str(Path(__file__).with_name("addons.yaml")))
        node.start()
        running = Lab(plane, node, _settings(home, node, key))
        until("node Ready", running.node_ready, 90)
        until("metrics API", running.metrics_available, 180, 1)
        yield running
    finally:
        if node is not None:
            node.stop()
        plane.stop()


def _images(home: Path) -> list[Path]:
    pause = image(home / "pause.tar", "lab.local/pause:1", [BUSYBOX, "sleep", "2147483647"], {BUSYBOX: BUSYBOX})
    served = {"/metrics-server": part("metrics-server")}
    return [pause, image(home / "metrics-server.tar", "lab.local/metrics-server:1", ["/metrics-server"], served)]


def _settings(home: Path, node: Machine, key: Path) -> Settings:
    known = home / "known_hosts"
    public = node.run("cat", "/etc/ssh/ssh_host_ed25519_key.pub").split()
    known.write_text(f"{node.address} {public[0]} {public[1]}\n")
    cluster = Cluster(
        kubeconfig=node.plane.admin,
        ssh=Ssh(user="root", key=key, known_hosts=known),
        nodes={node.name: NodeException(address=node.address)},
    )
    return Settings(clusters={"lab": cluster}, state=home / "state")
