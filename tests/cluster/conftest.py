"""The real cluster, brought up once for all tests of this folder."""

from __future__ import annotations

import json
import subprocess
import time
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from datetime import datetime
from functools import partial
from pathlib import Path

import pytest

from bot.config import Cluster, NodeException, Settings, Ssh
from tests.cluster.control_plane import ControlPlane, until
from tests.cluster.images import image
from tests.cluster.machine import Machine, root
from tests.cluster.parts import part, require

BUSYBOX = "/bin/busybox"
FRESH_SECONDS = 60


def seconds(timestamp: str) -> float:
    """An RFC 3339 time as seconds since 1970."""
    return datetime.fromisoformat(timestamp).timestamp()


@dataclass(frozen=True)
class Lab:
    """A running cluster with two nodes, and the settings by which kubewhy reaches it.

    Attributes:
        node: an ordinary worker, where metrics-server runs.
        cloud: a worker whose pods are in the subnet of a second interface.
    """

    plane: ControlPlane
    node: Machine
    cloud: Machine
    settings: Settings

    def node_ready(self, name: str = "node1") -> bool:
        """Whether the node's Ready condition is True."""
        path = '{.status.conditions[?(@.type=="Ready")].status}'
        return self.plane.kubectl("get", "node", name, "-o", f"jsonpath={path}", check=False) == "True"

    def age(self, machine: Machine) -> float:
        """Seconds since the node has been in the cluster."""
        path = "jsonpath={.metadata.creationTimestamp}"
        return time.time() - seconds(self.plane.kubectl("get", "node", machine.name, "-o", path))

    def measured(self) -> bool:
        """Whether metrics-server has a sample of every node that is younger than a minute."""
        raw = self.plane.kubectl("get", "--raw", "/apis/metrics.k8s.io/v1beta1/nodes", check=False)
        items = json.loads(raw)["items"] if raw.startswith("{") else []
        fresh = {i["metadata"]["name"] for i in items if time.time() - seconds(i["timestamp"]) < FRESH_SECONDS}
        return {self.node.name, self.cloud.name} <= fresh

    def metrics_available(self) -> bool:
        """Whether the metrics APIService is Available."""
        path = '{.status.conditions[?(@.type=="Available")].status}'
        return (
            self.plane.kubectl("get", "apiservice", "v1beta1.metrics.k8s.io", "-o", f"jsonpath={path}", check=False)
            == "True"
        )


@pytest.fixture(scope="session")
def lab(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Lab]:
    """Control plane, two machines, metrics-server; ready when `kubectl top nodes` would work."""
    require()
    home = tmp_path_factory.mktemp("lab")
    plane = ControlPlane(home)
    machines: tuple[Machine, ...] = ()
    try:
        plane.start()
        key = home / "id_ed25519"
        subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(key)], check=True)
        images, public = _images(home), key.with_suffix(".pub").read_text()
        machines = (
            Machine(plane, "node1", 11, images, public),
            Machine(plane, "node2", 12, images, public, cloud=True),
        )
        plane.kubectl("apply", "-f", str(Path(__file__).with_name("addons.yaml")))
        root()
        with ThreadPoolExecutor() as pool:
            list(pool.map(Machine.start, machines))
        running = Lab(plane, *machines, _settings(home, machines, key))
        for machine in machines:
            until(f"{machine.name} Ready", partial(running.node_ready, machine.name), 90)
        until("metrics API", running.metrics_available, 180, 1)
        yield running
    finally:
        for machine in machines:
            machine.stop()
        plane.stop()


def _images(home: Path) -> list[Path]:
    pause = image(home / "pause.tar", "lab.local/pause:1", [BUSYBOX, "sleep", "2147483647"], {BUSYBOX: BUSYBOX})
    served = {"/metrics-server": part("metrics-server")}
    return [pause, image(home / "metrics-server.tar", "lab.local/metrics-server:1", ["/metrics-server"], served)]


def _settings(home: Path, machines: tuple[Machine, ...], key: Path) -> Settings:
    known = home / "known_hosts"
    public = {m.address: m.run("cat", "/etc/ssh/ssh_host_ed25519_key.pub").split() for m in machines}
    known.write_text("".join(f"{address} {words[0]} {words[1]}\n" for address, words in public.items()))
    cluster = Cluster(
        kubeconfig=machines[0].plane.admin,
        ssh=Ssh(user="root", key=key, known_hosts=known),
        nodes={m.name: NodeException(address=m.address) for m in machines},
    )
    return Settings(clusters={"lab": cluster}, state=home / "state")
