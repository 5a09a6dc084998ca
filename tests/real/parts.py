"""Real Kubernetes parts for tests: where the binaries are, and an API server of one's own on loopback.

Binaries come from ``KUBEWHY_PARTS``, from ``.parts/bin`` below the repository, or from ``KUBEBUILDER_ASSETS``. What
a test starts it also stops, by process id.
"""

from __future__ import annotations

import os
import socket
import ssl
import subprocess
import time
import urllib.request
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parents[2]
ADMIN = "admin-token"
TOKENS = f'{ADMIN},admin,1,"system:masters"\nalice-token,alice,2\nbob-token,bob,3,"devs"\n'
# Defaulting and refusing admission would change or refuse what a test loads.
QUIET = (
    "ServiceAccount,DefaultTolerationSeconds,Priority,TaintNodesByCondition,LimitRanger,ResourceQuota,"
    "DefaultStorageClass,StorageObjectInUseProtection,DefaultIngressClass,RuntimeClass,CertificateSigning,"
    "CertificateSubjectRestriction,PodSecurity,ClusterTrustBundleAttest"
)


def folders() -> list[Path]:
    """Where binaries may be, best first."""
    given = [os.environ.get(name, "") for name in ("KUBEWHY_PARTS", "KUBEBUILDER_ASSETS")]
    return [Path(given[0]) if given[0] else ROOT / ".parts" / "bin", *(Path(p) for p in given[1:] if p)]


def binary(name: str) -> str:
    """The path of a part.

    In CI a missing part fails the test; elsewhere it is skipped with the way to get it.
    """
    for folder in folders():
        if (folder / name).is_file():
            return str(folder / name)
    words = f"{name} is in none of {', '.join(map(str, folders()))}: build the parts, or set KUBEWHY_PARTS"
    if os.environ.get("CI"):
        pytest.fail(words)
    pytest.skip(words)


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPlane:
    """A running API server.

    Attributes:
        url: its address; its certificate is self-signed.
    """

    url: str


@contextmanager
def control_plane(folder: Path) -> Iterator[ControlPlane]:
    """Run etcd and an API server until the block ends; users are those of ``TOKENS``."""
    etcd, peer, port = free_port(), free_port(), free_port()
    processes: list[subprocess.Popen[bytes]] = []
    try:
        processes.append(_start(folder, "etcd", _etcd_flags(folder, etcd, peer)))
        _wait(processes[-1], lambda: _ok(f"http://127.0.0.1:{etcd}/health"), folder / "etcd.log")
        processes.append(_start(folder, "kube-apiserver", _api_flags(folder, etcd, port)))
        url = f"https://127.0.0.1:{port}"
        _wait(processes[-1], lambda: _ok(f"{url}/readyz"), folder / "kube-apiserver.log")
        yield ControlPlane(url=url)
    finally:
        for process in reversed(processes):
            process.terminate()
        for process in processes:
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait(5)


def _start(folder: Path, name: str, flags: list[str]) -> subprocess.Popen[bytes]:
    with (folder / f"{name}.log").open("wb") as log:
        return subprocess.Popen([binary(name), *flags], stdout=log, stderr=log, start_new_session=True)


def _etcd_flags(folder: Path, client: int, peer: int) -> list[str]:
    return [
        f"--data-dir={folder / 'etcd'}",
        f"--listen-client-urls=http://127.0.0.1:{client}",
        f"--advertise-client-urls=http://127.0.0.1:{client}",
        f"--listen-peer-urls=http://127.0.0.1:{peer}",
        f"--initial-advertise-peer-urls=http://127.0.0.1:{peer}",
        f"--initial-cluster=default=http://127.0.0.1:{peer}",
        "--unsafe-no-fsync",
    ]


def _api_flags(folder: Path, etcd: int, port: int) -> list[str]:
    key, public, tokens = folder / "sa.key", folder / "sa.pub", folder / "tokens.csv"
    subprocess.run(["openssl", "genrsa", "-out", key, "2048"], check=True, capture_output=True)
    subprocess.run(["openssl", "rsa", "-in", key, "-pubout", "-out", public], check=True, capture_output=True)
    tokens.write_text(TOKENS)
    return [
        f"--etcd-servers=http://127.0.0.1:{etcd}",
        "--bind-address=127.0.0.1",
        "--advertise-address=10.0.0.11",
        f"--secure-port={port}",
        f"--cert-dir={folder / 'certs'}",
        "--service-cluster-ip-range=10.96.0.0/16",
        "--service-account-issuer=https://kubernetes.default.svc",
        f"--service-account-key-file={public}",
        f"--service-account-signing-key-file={key}",
        "--authorization-mode=RBAC",
        f"--disable-admission-plugins={QUIET}",
        f"--token-auth-file={tokens}",
        "--endpoint-reconciler-type=none",
        "--allow-privileged=true",
        "--event-ttl=24h",
    ]


def _ok(url: str) -> bool:
    context = ssl._create_unverified_context()
    request = urllib.request.Request(url, headers={"Authorization": f"Bearer {ADMIN}"})
    try:
        with urllib.request.urlopen(request, context=context, timeout=3) as answer:
            return bool(answer.status == 200)
    except OSError:
        return False


def _wait(process: subprocess.Popen[bytes], ready: object, log: Path) -> None:
    assert callable(ready)
    end = time.monotonic() + 90
    while time.monotonic() < end:
        if ready():
            return
        if process.poll() is not None:
            break
        time.sleep(0.2)
    raise AssertionError(f"{log.stem} did not start:\n{log.read_text(errors='replace')[-2000:]}")
