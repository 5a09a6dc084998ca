"""kubectl reads what only a recording holds: logs, metrics, an unavailable API; and is told what was not recorded."""

from __future__ import annotations

import json
import os
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.bundle.recording import Bundle
from bot.bundle.store import open_base
from bot.playground.https import ApiServer, serve
from tests.real.parts import binary

pytestmark = pytest.mark.real
APISERVICES = "kubewhy/cluster-resources/apiservices.json"


@pytest.fixture(scope="module")
def server() -> Iterator[ApiServer]:
    """A base cluster."""
    with serve(open_base("kubeadm-5")) as running:
        yield running


def kubectl(server: ApiServer, folder: Path, *words: str, user: str = "system:admin") -> tuple[int, str]:
    """Run kubectl; its exit status and what it printed on both streams."""
    config = folder / "kubeconfig"
    config.write_text(server.kubeconfig(user))
    line = [binary("kubectl"), "--kubeconfig", str(config), "--cache-dir", str(folder), *words]
    environment = {k: v for k, v in os.environ.items() if k != "KUBECONFIG"} | {"HOME": str(folder)}
    done = subprocess.run(line, capture_output=True, text=True, timeout=60, check=False, env=environment)
    return done.returncode, done.stdout + done.stderr


def first_pod(server: ApiServer, folder: Path) -> str:
    """The first CoreDNS pod."""
    return kubectl(server, folder, "get", "pods", "-n", "kube-system", "-l", "k8s-app=kube-dns", "-o", "name")[
        1
    ].split()[0]


def test_logs(server: ApiServer, tmp_path: Path) -> None:
    """The recorded log, its tail, and the refusal of a previous one."""
    pod = first_pod(server, tmp_path)
    status, whole = kubectl(server, tmp_path, "logs", "-n", "kube-system", pod)
    assert (status, "CoreDNS" in whole) == (0, True)
    tail = kubectl(server, tmp_path, "logs", "-n", "kube-system", pod, "--tail=1")[1]
    assert whole.splitlines()[-1] == tail.strip()
    status, words = kubectl(server, tmp_path, "logs", "-n", "kube-system", pod, "--previous")
    assert (status, "previous terminated container" in words) == (1, True)


def test_top(server: ApiServer, tmp_path: Path) -> None:
    """Recorded metrics."""
    status, words = kubectl(server, tmp_path, "top", "nodes")
    assert (status, len(words.splitlines())) == (0, 6)


def test_top_without_its_api(tmp_path: Path) -> None:
    """An APIService that is not available ends as on a real cluster."""
    base = open_base("kubeadm-5")
    services = json.loads(base.read(APISERVICES) or b"")
    for item in services["items"]:
        if item["spec"].get("service"):
            item["status"]["conditions"] = [{"type": "Available", "status": "False", "reason": "MissingEndpoints"}]
    broken = base.patched({APISERVICES: json.dumps(services).encode()})
    with serve(broken) as server:
        assert kubectl(server, tmp_path, "top", "nodes") == (1, "error: Metrics API not available\n")
        words = kubectl(server, tmp_path, "get", "apiservices", "v1beta1.metrics.k8s.io")[1]
        assert "False (MissingEndpoints)" in words


def test_what_was_not_recorded(tmp_path: Path) -> None:
    """It is said so, and never shown as empty."""
    files = {"kubewhy/recorded-at": b"2026-11-21T04:58:50Z\n", "cluster-resources/nodes.json": b'{"items": []}'}
    with serve(Bundle("little", files)) as server:
        assert kubectl(server, tmp_path, "get", "nodes") == (0, "No resources found\n")
        status, words = kubectl(server, tmp_path, "get", "pods", "-A")
        assert (status, words) == (1, "Error from server (NotRecorded): not recorded in this bundle: pods\n")


def test_a_service_account_without_rights(server: ApiServer, tmp_path: Path) -> None:
    """Forbidden, in the words of a real server; ``auth can-i`` agrees."""
    account = "system:serviceaccount:shop:default"
    status, words = kubectl(server, tmp_path, "get", "nodes", user=account)
    expected = f'nodes is forbidden: User "{account}" cannot list resource "nodes" in API group "" at the cluster scope'
    assert (status, words) == (1, f"Error from server (Forbidden): {expected}\n")
    assert kubectl(server, tmp_path, "auth", "can-i", "list", "nodes", user=account)[1].split()[0] == "no"


def test_nothing_can_be_changed(server: ApiServer, tmp_path: Path) -> None:
    """Writing is not allowed."""
    for words in (
        ["delete", "pod", "x"],
        ["scale", "deploy", "web", "--replicas=3", "-n", "shop"],
        ["cordon", "node-1"],
    ):
        assert "does not allow this method" in kubectl(server, tmp_path, *words)[1], words
