"""A filesystem that is really full: the kubelet's folder lies on a small one of its own, behind a loop device."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest

from tests.cluster.conftest import Lab
from tests.cluster.control_plane import sh
from tests.cluster.drills import ask, broken, healed, ready, says

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
WHY = "node-why node2"
HOME = "/var/lib/kubelet"
KEPT = ("config.yaml", "kubeadm-flags.env", "pki")
MIB = 1024 * 1024


@pytest.fixture
def small(lab: Lab) -> Iterator[str]:
    """The kubelet's folder on 96 MiB; its old one is back afterwards."""
    machine = lab.cloud
    image = machine.tree / "root" / "small.img"
    image.touch()
    os.truncate(image, 96 * MIB)
    sh("mkfs.ext4", "-q", "-m", "0", str(image))
    device = sh("losetup", "--find", "--show", str(image)).strip()
    try:
        machine.run("mknod", device, "b", "7", str(os.minor(Path(device).stat().st_rdev)))
        machine.run("systemctl", "stop", "kubelet")
        machine.run("mount", device, "/mnt")
        machine.run("cp", "-a", *(f"{HOME}/{name}" for name in KEPT), "/mnt/")
        machine.run("mkdir", "/mnt/pods")
        machine.run("umount", "/mnt")
        machine.run("mount", device, HOME)
        machine.run("systemctl", "start", "kubelet")
        ready(lab)
        yield HOME
    finally:
        machine.run("systemctl", "stop", "kubelet", check=False)
        machine.run("umount", "--recursive", "--lazy", HOME, check=False)
        machine.run("systemctl", "start", "kubelet", check=False)
        sh("losetup", "--detach", device, check=False)
    ready(lab)


def test_a_dump_that_fills_the_disk_of_the_kubelet(lab: Lab, small: str) -> None:
    """NODE-19 by df and du; in a machine of this kind the kubelet finds no disk to report pressure of."""
    dump = f"{small}/pods/dump"

    def fill() -> None:
        lab.cloud.run("dd", "if=/dev/zero", f"of={dump}", "bs=1M", "count=96", check=False)  # until nothing is left

    with broken("disk", fill, lambda: lab.cloud.run("rm", "-f", dump)):
        says(lab, ask(lab, WHY), "NODE-19")
    healed(lab, WHY)
