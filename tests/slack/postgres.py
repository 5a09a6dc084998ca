"""A Postgres of Debian's, for one test, in a folder of its own."""

from __future__ import annotations

import contextlib
import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

PLACES = "usr/lib/postgresql/*/bin"


@contextlib.contextmanager
def postgres(folder: Path) -> Iterator[str]:
    """Run a server; the URL of an empty database. Without the package the test is skipped, and says so."""
    places = sorted(Path("/").glob(PLACES))
    if not places:
        pytest.skip("Postgres is not installed (Debian package postgresql)")
    home = Path("/tmp") / f"kubewhy-postgres-{os.getpid()}"
    data = home / "data"
    home.mkdir()
    prefix: list[str] = []
    if os.geteuid() == 0:
        shutil.chown(home, "postgres")
        prefix = ["runuser", "-u", pwd.getpwnam("postgres").pw_name, "--"]
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        port = probe.getsockname()[1]

    def run(tool: str, *arguments: str) -> None:
        command = [*prefix, str(places[-1] / tool), *arguments]
        subprocess.run(command, check=True, stdout=subprocess.DEVNULL, stderr=subprocess.STDOUT, cwd=home)

    try:
        run("initdb", "-D", str(data), "-U", "kubewhy", "-A", "trust", "--no-sync")
        options = f"-p {port} -k {home} -c listen_addresses=127.0.0.1 -c fsync=off"
        run("pg_ctl", "-D", str(data), "-w", "-l", str(home / "log"), "-o", options, "start")
        run("createdb", "-h", "127.0.0.1", "-p", str(port), "-U", "kubewhy", "kubewhy")
        yield f"postgresql://kubewhy@127.0.0.1:{port}/kubewhy"
    finally:
        if data.exists():
            with contextlib.suppress(subprocess.CalledProcessError):
                run("pg_ctl", "-D", str(data), "-m", "immediate", "stop")
        shutil.rmtree(home, ignore_errors=True)
