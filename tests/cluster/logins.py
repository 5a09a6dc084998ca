"""Ways into the cloud node other than root's: the collector's login, made as the guide says, and one without rights."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from bot.config import Ssh
from tests.cluster.conftest import Lab
from tests.cluster.machine import Machine
from tests.cluster.parts import cannot

WRAPPERS = Path(__file__).resolve().parents[2] / "node"
PLAIN = "visitor"


def apt(machine: Machine, *words: str) -> None:
    """Install or remove packages in the tree of a machine; it has no way to the network itself, this host has."""
    command = ["chroot", str(machine.tree), "env", "DEBIAN_FRONTEND=noninteractive", "apt-get", "-qq", *words]
    done = subprocess.run(command, capture_output=True, text=True, check=False, timeout=120)
    if done.returncode:
        cannot(f"apt-get {' '.join(words)} in a machine: {done.stderr[-500:]}")


@contextmanager
def packages(machine: Machine, *names: str) -> Iterator[None]:
    """The machine has these packages, and the folder of the collector in root's home; all is gone afterwards."""
    shutil.copytree(WRAPPERS, machine.tree / "root" / "node")
    try:
        apt(machine, "update")
        apt(machine, "install", "-y", "--no-install-recommends", *names)
        yield
        program(machine, "/root/node/uninstall.sh")
    finally:
        shutil.rmtree(machine.tree / "root" / "node")
        machine.run("env", "SUDO_FORCE_REMOVE=yes", "apt-get", "-qq", "purge", "-y", *names, check=False)


def program(machine: Machine, *words: str) -> str:
    """install.sh or uninstall.sh, from a copy of the folder, as the guide says."""
    return machine.run("env", "-u", "TMPDIR", "sh", *words)


def install(lab: Lab, *options: str) -> str:
    """Let kubewhy's key in on the cloud node; what the installation said."""
    return program(lab.cloud, "/root/node/install.sh", *options, public_key(lab))


def public_key(lab: Lab) -> str:
    """The line of the bot's key."""
    key = settings(lab).key
    assert key is not None
    return key.with_suffix(".pub").read_text().strip()


def settings(lab: Lab) -> Ssh:
    """How the lab's nodes are reached as root."""
    ssh = lab.settings.clusters["lab"].ssh
    assert ssh is not None
    return ssh


def collector(lab: Lab) -> Ssh:
    """The login that the installation makes."""
    return settings(lab).model_copy(update={"user": "kubewhy", "collector": True})


@contextmanager
def plain(lab: Lab) -> Iterator[Ssh]:
    """A login of somebody who is in no group and may run nothing as root."""
    lab.cloud.run("useradd", "--create-home", "--shell", "/bin/sh", PLAIN)
    try:
        home = lab.cloud.tree / "home" / PLAIN
        (home / ".ssh").mkdir()
        (home / ".ssh" / "authorized_keys").write_text(f"{public_key(lab)}\n")
        lab.cloud.run("chown", "-R", f"{PLAIN}:", f"/home/{PLAIN}")
        yield settings(lab).model_copy(update={"user": PLAIN})
    finally:
        lab.cloud.run("userdel", "--remove", "--force", PLAIN, check=False)
