"""Kubelets that are there and do not start: what they refuse, each named by what they say when they end."""

from __future__ import annotations

import pytest

from bot.model.report import Role
from tests.cluster.conftest import Lab
from tests.cluster.control_plane import until
from tests.cluster.drills import ask, broken, healed, kubelet_said, ready, says

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
WHY = "node-why node2"
CONFIG = "/var/lib/kubelet/config.yaml"
CONTAINERD = "/etc/containerd/config.toml"


def refused(
    lab: Lab, edit: tuple[str, str, str], restarts: tuple[str, ...], words: str, named: tuple[str, str]
) -> None:
    """Edit a file, restart, wait for what the kubelet says at its end, have it ``named``; and undo all that.

    Args:
        lab: the running cluster.
        edit: the file, a line's beginning in it, and what is put in place of it.
        restarts: units.
        words: what the kubelet says.
        named: row and reason.
    """
    path, before, after = edit
    kept = f"/root/{path.rpartition('/')[2]}.kept"
    machine = lab.cloud

    def change() -> None:
        machine.run("cp", "-p", path, kept)
        machine.run("sed", "-i", f"s|^{before}.*|{after}|", path)
        machine.run("systemctl", "restart", *restarts)

    def repair() -> None:
        machine.run("cp", "-p", kept, path)
        machine.run("systemctl", "restart", *restarts)
        ready(lab)

    with broken(path, change, repair):
        until("an end of the kubelet", lambda: kubelet_said(lab, words), 60)
        report = ask(lab, WHY)
        says(lab, report, *named)
        assert "NODE-03" in {e.finding.code for e in report.entries if e.role is Role.EFFECT}
    healed(lab, WHY)


def test_a_kubelet_that_refuses_cgroup_v1(lab: Lab) -> None:
    """NODE-15: the default of this version, on a host whose cgroups are of the first version."""
    edit = (CONFIG, "failCgroupV1:", "failCgroupV1: true")
    refused(lab, edit, ("kubelet",), "not run on a host using cgroup v1", ("NODE-15", "cgroup-v1"))


def test_a_value_that_the_kubelet_does_not_allow(lab: Lab) -> None:
    """NODE-05 by the configuration file."""
    edit = (CONFIG, "evictionPressureTransitionPeriod:", "imageGCHighThresholdPercent: 150")
    refused(lab, edit, ("kubelet",), "failed to validate kubelet configuration", ("NODE-05", "invalid-value"))


def test_an_edit_that_broke_the_yaml(lab: Lab) -> None:
    """NODE-05: the file is there, and cannot be read as what it should be."""
    edit = (CONFIG, "clusterDNS:", "clusterDNS: [10.96.0.10")
    refused(lab, edit, ("kubelet",), "failed to load kubelet config file", ("NODE-05", "undecodable"))


def test_a_containerd_whose_cri_is_switched_off(lab: Lab) -> None:
    """NODE-12: as packages of containerd come that are made for Docker; the unit runs, and the socket answers."""
    edit = (CONTAINERD, "version = 2", r'version = 2\ndisabled_plugins = ["io.containerd.grpc.v1.cri"]')
    said = "validate CRI v1 runtime API"
    refused(lab, edit, ("containerd", "kubelet"), said, ("NODE-12", "cri-not-offered"))
