"""A whole playground: started from a bundle, reached with nothing but the files that it writes."""

import stat
import subprocess
import time
from datetime import UTC, datetime
from pathlib import Path

import pytest

from bot.bundle.recorded import sources as recorded
from bot.bundle.recording import Bundle
from bot.bundle.store import layered, open_base
from bot.clients.live import sources as live
from bot.collect.sections import base
from bot.config import load
from bot.errors import Kind, SourceError
from bot.playground.run import start

OVERLAY = """
nodes:
  node-4: {unreachable: connection refused}
dns: [{server: 10.96.0.10, name: example-api.com, rcode: NXDOMAIN}]
probes: [{host: 10.0.0.13, port: 10250, result: refused}]
"""


@pytest.fixture
def bundle(tmp_path: Path) -> Bundle:
    """A shipped base with a few faults."""
    (tmp_path / "kubewhy").mkdir()
    (tmp_path / "kubewhy" / "overlay.yaml").write_text(OVERLAY)
    return layered(open_base("kubeadm-5"), tmp_path)


def test_live_clients_get_from_the_playground_what_the_bundle_says(bundle: Bundle) -> None:
    """API, SSH, DNS and connections, through the written configuration, agree with the recording itself."""
    began = time.monotonic()
    with start(bundle, "demo") as running:
        assert time.monotonic() - began < 1.5
        cluster = load(running.config).clusters["demo"]
        here, there = recorded(bundle), live(cluster)
        answer = there.kube.get("/api/v1/nodes/node-3")
        assert answer.body == here.kube.get("/api/v1/nodes/node-3").body
        assert answer.date is not None
        assert 0 <= (answer.date - bundle.recorded_at).total_seconds() < 30
        asked = base("ID", "UNITS", "LINKS", "DISK")
        assert there.shell.run("node-3", asked) == here.shell.run("node-3", asked)
        for where in (here, there):
            with pytest.raises(SourceError) as caught:
                where.shell.run("node-4", asked)
            assert caught.value.kind is Kind.REFUSED
            assert where.resolver.ask("10.96.0.10", "example-api.com").rcode == "NXDOMAIN"
            assert where.prober.connect("10.0.0.13", 10250).result == "refused"


def test_the_ssh_configuration_is_for_people(bundle: Bundle) -> None:
    """``ssh -F FILE node-3 systemctl status kubelet``."""
    with start(bundle, "demo") as running:
        command = ["ssh", "-F", str(running.ssh_config), "-oBatchMode=yes", "node-3", "systemctl status kubelet"]
        done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=20)
    assert "Active: active (running)" in done.stdout
    assert done.returncode == 0


def test_files_are_private_and_gone_afterwards(bundle: Bundle) -> None:
    """The key and the token are nobody else's, and nothing is left behind."""
    running = start(bundle, "demo", {"expect": {"metrics": True}})
    try:
        modes = {stat.S_IMODE(p.stat().st_mode) for p in running.folder.iterdir()}
        assert modes == {0o600}
        assert stat.S_IMODE(running.folder.stat().st_mode) == 0o700
        assert load(running.config).clusters["demo"].expect.metrics is True
    finally:
        running.stop()
    assert not running.folder.exists()


def test_the_recorded_clock_is_the_base_clock(bundle: Bundle) -> None:
    """Both ways of reading a bundle start at the same moment."""
    assert recorded(bundle).now() == bundle.recorded_at
    assert bundle.recorded_at > datetime(2026, 1, 1, tzinfo=UTC)
