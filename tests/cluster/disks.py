"""Folders of a machine on small filesystems of their own, behind loop devices; and what a host may refuse."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import NoReturn

import pytest

from tests.cluster.control_plane import sh
from tests.cluster.machine import Machine

MIB = 1024 * 1024
LOOP = "7"  # the kernel's major number of loop devices


def impossible(what: str) -> NoReturn:
    """This host cannot do what a drill needs: a failure in CI, a skip on a laptop."""
    if os.environ.get("CI"):
        pytest.fail(what)
    pytest.skip(what)


@contextmanager
def loop(image: Path, machine: Machine) -> Iterator[str]:
    """A loop device over the image, known to the host and to the machine by the same name."""
    device = sh("losetup", "--find", "--show", str(image), check=False).strip()
    if not device:
        impossible("no loop device is to be had")
    try:
        machine.run("sh", "-c", f"[ -e {device} ] || mknod {device} b {LOOP} {os.minor(Path(device).stat().st_rdev)}")
        yield device
    finally:
        sh("losetup", "--detach", device, check=False)


def blank(machine: Machine, name: str, mib: int) -> Path:
    """An empty file of this size in the machine; it takes no space until it is written."""
    image = machine.tree / "root" / name
    image.unlink(missing_ok=True)
    image.touch(0o600)
    os.truncate(image, mib * MIB)
    return image


@contextmanager
def on_small_disk(machine: Machine, folder: str, mib: int, *options: str) -> Iterator[None]:
    """The folder is an empty ext4 made with ``options``, until the end; nothing may use the folder at either time."""
    image = blank(machine, f"disk{folder.replace('/', '-')}.img", mib)
    sh("mkfs.ext4", "-q", "-m", "0", *options, str(image))
    with loop(image, machine) as device:
        try:
            machine.run("mount", device, folder)
            yield
        finally:
            machine.run("umount", "--recursive", "--lazy", folder, check=False)
    image.unlink()
