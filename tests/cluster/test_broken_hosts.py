"""Kubelets and runtimes that are really broken: each drill breaks one thing, and one thing is named."""

from __future__ import annotations

import datetime as dt
import shutil

import pytest

from tests.cluster.conftest import Lab
from tests.cluster.control_plane import ADDRESS, SERVER, until
from tests.cluster.drills import ask, broken, healed, not_ready, ready, roots, says, thresholds
from tests.cluster.machine import CNI_CONFIG, FLAGS, PEM
from tests.cluster.parts import part
from tests.cluster.pki import kubeconfig

pytestmark = [pytest.mark.real, pytest.mark.timeout(600)]
WHY = "node-why node2"


def signal_containerd(lab: Lab, name: str) -> None:
    """Stop (STOP) or go on (CONT) with containerd's own process; its shims are left alone."""
    lab.cloud.run("systemctl", "kill", "-s", name, "--kill-who=main", "containerd")


def restart_kubelet(lab: Lab) -> None:
    """As an operator ends a repair."""
    lab.cloud.run("systemctl", "restart", "kubelet")
    ready(lab)


def test_a_kubelet_that_somebody_stopped(lab: Lab) -> None:
    """NODE-03 stopped, until it is started."""
    with broken("kubelet", lambda: lab.cloud.run("systemctl", "stop", "kubelet"), lambda: restart_kubelet(lab)):
        not_ready(lab)
        says(lab, ask(lab, WHY), "NODE-03", "stopped")
    healed(lab, WHY)


def test_a_masked_kubelet(lab: Lab) -> None:
    """NODE-03 masked: starting alone would not help."""

    def repair() -> None:
        lab.cloud.run("systemctl", "unmask", "kubelet")
        restart_kubelet(lab)

    with broken("mask", lambda: lab.cloud.run("systemctl", "mask", "--now", "kubelet"), repair):
        not_ready(lab)
        says(lab, ask(lab, WHY), "NODE-03", "masked")
    healed(lab, WHY)


def test_a_flag_that_this_kubelet_no_longer_has(lab: Lab) -> None:
    """NODE-05 with the flag and its file; right after the repair nothing is left of the restart loop."""

    def edit(expression: str) -> None:
        lab.cloud.run("sed", "-i", expression, FLAGS)
        lab.cloud.run("systemctl", "restart", "kubelet")

    def repair() -> None:
        edit("s/--network-plugin=cni //")
        ready(lab)

    with broken("flag", lambda: edit("s/--node-ip/--network-plugin=cni --node-ip/"), repair):
        not_ready(lab)
        report = ask(lab, WHY)
        says(lab, report, "NODE-05", "unknown-flag")
        assert FLAGS in str(report.entry(report.roots[0].finding).finding.title)
    healed(lab, WHY)


def test_an_expired_client_certificate(lab: Lab) -> None:
    """NODE-07: the kubelet runs, and the API server refuses it."""
    groups, life = ("system:nodes",), dt.timedelta(minutes=50)
    lab.plane.authority.issue("expired", "system:node:node2", groups=groups, life=life)

    def swap(dated: str, certificate: str) -> None:
        lab.cloud.credentials(dated, certificate)
        lab.cloud.run("systemctl", "restart", "kubelet")

    def repair() -> None:
        swap("2026-01-01-00-00-00", "node2")
        ready(lab)

    with broken("certificate", lambda: swap("2025-01-01-00-00-00", "expired"), repair):
        not_ready(lab)
        report = ask(lab, WHY)
        says(lab, report, "NODE-07", "expired")
        assert report.entry(report.roots[0].finding).finding.facts["certificate"] == PEM
    healed(lab, WHY)


def test_a_stopped_container_runtime(lab: Lab) -> None:
    """NODE-10 by the unit, the socket and the node's own word."""

    def repair() -> None:
        lab.cloud.run("systemctl", "start", "containerd")
        ready(lab)

    with broken("containerd", lambda: lab.cloud.run("systemctl", "stop", "containerd"), repair):
        not_ready(lab)
        says(lab, ask(lab, WHY), "NODE-10", "unit-stopped")
    healed(lab, WHY)


def test_a_frozen_container_runtime(lab: Lab) -> None:
    """NODE-11: active, its socket there, and silent; the node says the same as of a stopped one."""

    def repair() -> None:
        signal_containerd(lab, "CONT")
        ready(lab)

    with broken("containerd", lambda: signal_containerd(lab, "STOP"), repair):
        not_ready(lab)
        says(lab, ask(lab, WHY), "NODE-11", "calls-time-out")
    healed(lab, WHY)


def test_a_cni_configuration_that_is_gone(lab: Lab) -> None:
    """NODE-13 by the file: the CNI of this cluster has no pods, as its other node shows."""
    kept = "/root/kept.conflist"
    soon = thresholds(NODE_13={"seconds": 2})

    def repair() -> None:
        lab.cloud.run("cp", kept, CNI_CONFIG)
        lab.cloud.run("systemctl", "restart", "containerd")
        ready(lab)

    with broken("CNI", lambda: lab.cloud.run("mv", CNI_CONFIG, kept), repair):
        not_ready(lab)
        until("NODE-13", lambda: bool(ask(lab, WHY, **soon).roots), 60, 2)
        says(lab, ask(lab, WHY, **soon), "NODE-13", "config-missing")
    healed(lab, WHY, **soon)


def test_a_scheduler_on_a_worker(lab: Lab) -> None:
    """CTRL-09: a unit of a control plane, running and enabled on a host that is none; stopped, it is still enabled."""
    machine, unit, pki = lab.cloud, "kube-scheduler", "/etc/kubernetes/pki"
    known = {"control_plane_hosts": [ADDRESS]}
    pair = tuple(f"{pki}/{unit}.{end}" for end in ("crt", "key"))
    config = "/etc/kubernetes/scheduler.conf"

    def start() -> None:
        shutil.copy(part(unit), machine.tree / "usr" / "bin" / unit)
        for path in pair:
            machine.write(path, (machine.plane.pki / path.rpartition("/")[2]).read_text())
        machine.write(config, kubeconfig(machine.plane.home / "stray", SERVER, f"{pki}/ca.crt", *pair).read_text())
        flags = (f"--{kind}kubeconfig={config}" for kind in ("", "authentication-", "authorization-"))
        machine.unit(unit, " ".join((f"/usr/bin/{unit}", *flags)))
        machine.run("systemctl", "daemon-reload")
        machine.run("systemctl", "start", unit)

    def remove() -> None:
        machine.run("systemctl", "disable", "--now", unit)
        machine.run("rm", f"/lib/systemd/system/{unit}.service")
        machine.run("systemctl", "daemon-reload")

    with broken(unit, start, remove):
        until("port 10259", lambda: ":10259" in machine.run("ss", "-Hlnt"))
        report = ask(lab, WHY, **known)
        says(lab, report, "CTRL-09", "running")
        assert report.entry(report.roots[0].finding).finding.facts["component"] == (unit,)
        machine.run("systemctl", "stop", unit)
        stopped = ask(lab, WHY, **known)
        assert [] == roots(stopped), "nothing is broken before the next boot"
        assert ("CTRL-09", "enabled-only") in {(e.finding.code, e.finding.reason) for e in stopped.entries}
    healed(lab, WHY, **known)
