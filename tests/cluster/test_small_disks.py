"""Filesystems that are really full: kubelet and runtime have small ones of their own, behind loop devices.

The kubelet then sees disks as on a host of its own, and reports the pressure itself. Its garbage collection is slower
than these drills, as it is slower than whoever fills a disk.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.model.finding import Confidence
from tests.cluster.conftest import Lab
from tests.cluster.control_plane import until
from tests.cluster.disks import on_small_disk
from tests.cluster.drills import ask, broken, finding, healed, ready, says
from tests.cluster.images import image

pytestmark = [pytest.mark.real, pytest.mark.timeout(300)]
WHY = "node-why node2"
KUBELET, CONTAINERD = "/var/lib/kubelet", "/var/lib/containerd"
KEPT = ("config.yaml", "kubeadm-flags.env", "pki")
ASIDE = "/root/kubelet"
SETTINGS = "s/localStorageCapacityIsolation: false/localStorageCapacityIsolation: true/; $ a imageMinimumGCAge: 15m"
PRESSURE = '{.status.conditions[?(@.type=="DiskPressure")].status}'


@pytest.fixture(scope="module")
def small(lab: Lab) -> Iterator[None]:
    """The kubelet's folder on 96 MiB with few inodes, containerd's on 300 MiB; the old ones are back afterwards."""
    machine = lab.cloud

    def stop() -> None:
        machine.run("systemctl", "stop", "kubelet", "containerd")

    def start() -> None:
        machine.run("systemctl", "start", "containerd", "kubelet")
        ready(lab)

    lab.plane.kubectl("delete", "pod", "--all", "--wait=true", "--timeout=60s", check=False)
    machine.run("sh", "-c", f"rm -rf {ASIDE}; mkdir {ASIDE}; cd {KUBELET}; cp -a {' '.join(KEPT)} {ASIDE}")
    stop()
    try:
        with on_small_disk(machine, KUBELET, 96, "-N", "1024"), on_small_disk(machine, CONTAINERD, 300):
            try:
                machine.run("sh", "-c", f"cp -a {ASIDE}/. {KUBELET}; mkdir {KUBELET}/pods")
                machine.run("sed", "-i", SETTINGS, f"{KUBELET}/config.yaml")
                start()
                yield
            finally:
                stop()
    finally:
        start()


def pressed(lab: Lab) -> bool:
    """Whether the kubelet itself reports pressure on a disk."""
    return lab.plane.kubectl("get", "node", "node2", "-o", f"jsonpath={PRESSURE}", check=False) == "True"


def calm(lab: Lab) -> None:
    """Wait until the kubelet has forgotten the pressure of the drill before."""
    until("no DiskPressure", lambda: not pressed(lab), 60)


def payload(path: Path, mib: int) -> Path:
    """A file that gzip makes about as much smaller as it makes a usual image: to four tenths."""
    with path.open("wb") as file:
        for _ in range(mib * 256):
            file.write(os.urandom(1600) + bytes(2496))
    return path


def test_an_image_that_fills_the_disk_of_the_runtime(lab: Lab, small: None, tmp_path: Path) -> None:
    """NODE-18: compressed as registries serve it, it takes its own size once more than three times on the disk."""
    machine = lab.cloud
    data = payload(tmp_path / "data", 170)
    archive = image(tmp_path / "big.tar", "lab.local/big:1", ["/data"], {"/data": str(data)}, compressed=True)
    shutil.move(archive, machine.tree / "root" / archive.name)

    def repair() -> None:
        machine.run("crictl", "rmi", "--prune")
        machine.run("rm", f"/root/{archive.name}")

    def fill() -> None:
        machine.run("ctr", "-n", "k8s.io", "images", "import", f"/root/{archive.name}")

    calm(lab)
    with broken("images", fill, repair):
        until("DiskPressure", lambda: pressed(lab), 60)
        report = ask(lab, WHY)
        says(lab, report, "NODE-18", "images")
        assert (CONTAINERD, Confidence.CONFIRMED) == (finding(report).facts["mount"], finding(report).confidence)
    healed(lab, WHY)


def test_a_dump_that_fills_the_disk_of_the_kubelet(lab: Lab, small: None) -> None:
    """NODE-19 by df, by du, and by the kubelet's own condition."""
    dump = f"{KUBELET}/pods/dump"

    def fill() -> None:
        lab.cloud.run("dd", "if=/dev/zero", f"of={dump}", "bs=1M", "count=96", check=False)  # until nothing is left

    calm(lab)
    with broken("disk", fill, lambda: lab.cloud.run("rm", "-f", dump)):
        until("DiskPressure", lambda: pressed(lab), 60)
        report = ask(lab, WHY)
        says(lab, report, "NODE-19", "files")
        assert finding(report).confidence is Confidence.CONFIRMED
    healed(lab, WHY)


def test_small_files_that_use_up_the_inodes(lab: Lab, small: None) -> None:
    """NODE-20: the disk has space, and no new file can be made."""
    folder = f"{KUBELET}/many"
    make = f"mkdir {folder}; cd {folder}; i=0; while : > $i; do i=$((i + 1)); done 2> /dev/null"

    def fill() -> None:
        lab.cloud.run("sh", "-c", make, check=False)  # until no file can be made

    calm(lab)
    with broken("inodes", fill, lambda: lab.cloud.run("rm", "-r", folder)):
        until("DiskPressure", lambda: pressed(lab), 60)
        report = ask(lab, WHY)
        says(lab, report, "NODE-20")
        assert (KUBELET, Confidence.CONFIRMED) == (finding(report).facts["mount"], finding(report).confidence)
    healed(lab, WHY)
