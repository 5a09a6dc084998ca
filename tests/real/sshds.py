"""Real OpenSSH servers on loopback ports, without systemd: what the SSH client is held against."""

from __future__ import annotations

import getpass
import shutil
import socket
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

SSHD = shutil.which("sshd") or "/usr/sbin/sshd"


@dataclass(frozen=True)
class Sshd:
    """One running server."""

    port: int
    user: str
    key: Path
    host_key: Path
    known_hosts: Path
    process: subprocess.Popen[bytes]


def free_port() -> int:
    """A port that was free a moment ago."""
    with socket.socket() as s:
        s.bind(("127.0.0.1", 0))
        return int(s.getsockname()[1])


def keygen(path: Path) -> Path:
    """An ed25519 key pair."""
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "", "-f", str(path)], check=True)
    return path


@contextmanager
def sshd(home: Path, *options: str) -> Iterator[Sshd]:
    """Run a server that lets this user in with a fresh key; ``options`` are lines of sshd_config."""
    assert Path(SSHD).exists(), "openssh-server is not installed"
    Path("/run/sshd").mkdir(parents=True, exist_ok=True)
    home.mkdir(parents=True, exist_ok=True)
    host_key, key, port = keygen(home / "host"), keygen(home / "id"), free_port()
    authorized = home / "authorized_keys"
    authorized.write_text((home / "id.pub").read_text())
    authorized.chmod(0o600)
    config = home / "sshd_config"
    config.write_text(
        "\n".join(
            [
                f"Port {port}",
                "ListenAddress 127.0.0.1",
                f"HostKey {host_key}",
                f"AuthorizedKeysFile {authorized}",
                "StrictModes no",
                "UsePAM no",
                "PasswordAuthentication no",
                f"PidFile {home}/pid",
                *options,
            ]
        )
        + "\n"
    )
    known = home / "known_hosts"
    known.write_text(f"[127.0.0.1]:{port} {(home / 'host.pub').read_text()}")
    process = subprocess.Popen([SSHD, "-D", "-e", "-f", str(config)], stderr=subprocess.DEVNULL)
    try:
        _wait(port)
        yield Sshd(port, getpass.getuser(), key, host_key, known, process)
    finally:
        process.terminate()
        process.wait(10)


def _wait(port: int) -> None:
    for _ in range(100):
        with socket.socket() as s:
            if s.connect_ex(("127.0.0.1", port)) == 0:
                return
        time.sleep(0.05)
    raise AssertionError("sshd did not start")
