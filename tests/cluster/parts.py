"""Where the real parts are, and what to say when they are not."""

from __future__ import annotations

import os
import shutil
from pathlib import Path
from typing import NoReturn

import pytest

HOME = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kubewhy" / "parts"
BIN = Path(os.environ.get("KUBEWHY_PARTS") or HOME / "bin")
NEEDED = (
    "kube-apiserver",
    "kube-controller-manager",
    "kube-scheduler",
    "kubelet",
    "kube-proxy",
    "kubectl",
    "etcd",
    "metrics-server",
    "crictl",
)


def require() -> None:
    """Say what is missing: a failure in CI, a skip with instructions on a laptop."""
    missing = [name for name in NEEDED if not (BIN / name).exists()]
    missing += [name for name in ("debootstrap", "systemd-nspawn", "ip", "iptables") if not shutil.which(name)]
    if os.geteuid() != 0:
        missing.append("root")
    if not missing:
        return
    cannot(f"missing: {', '.join(missing)}; run `make parts` as root")


def cannot(why: str) -> NoReturn:
    """This host cannot do what a test needs: a failure in CI, a skip on a laptop."""
    if os.environ.get("CI"):
        pytest.fail(why)
    pytest.skip(why)


def part(name: str) -> str:
    """The path of a built binary."""
    return str(BIN / name)
