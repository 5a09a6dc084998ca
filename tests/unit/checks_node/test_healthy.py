"""A healthy node of every shipped base cluster: /node-why finds nothing and leaves nothing mandatory unchecked."""

from __future__ import annotations

from pathlib import Path

import pytest

from bot.app import run_scenario
from bot.model.report import Status
from bot.scenario import read

NODES = (
    ("kubeadm-5", "node-3"),
    ("kubeadm-5", "master-1"),
    ("ha", "master-2"),
    ("overlay-cni", "node-a"),
    ("cloud-cni", "node-a"),
    ("legacy-18", "node-3"),
)


@pytest.mark.parametrize(("base", "node"), NODES)
def test_a_healthy_node_has_no_finding(tmp_path: Path, base: str, node: str) -> None:
    """With every switch on."""
    folder = tmp_path / "NODE-03-healthy"
    (folder / "bundle").mkdir(parents=True)
    (folder / "expected.yaml").write_text(
        f"title: healthy\nbase: {base}\ncommand: /node-why {node} net\nroots: []\n", "utf-8"
    )
    report = run_scenario(read(folder))
    assert [] == [f"{e.finding.code} {e.finding.title}" for e in report.entries]
    assert [] == [f"{s.code}: {s.because}" for s in report.skipped if s.mandatory]
    assert Status.OK is report.status
