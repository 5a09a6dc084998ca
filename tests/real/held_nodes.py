"""Nodes for the collector's tests: the real sshd, sudo and users of this machine, and install.sh moved to a folder.

Everything is put below a folder of its own, for a user of its own, and taken away again.
"""

from __future__ import annotations

import os
import secrets
import shutil
import subprocess
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from bot.clients.live import sources
from bot.clients.ssh import LiveShell
from bot.config import Cluster, NodeException, Ssh
from tests.real.sshds import Sshd, sshd

ROOT = Path(__file__).resolve().parents[2]
KUBECONFIG = """
apiVersion: v1
kind: Config
current-context: c
contexts: [{name: c, context: {cluster: c, user: u}}]
clusters: [{name: c, cluster: {server: "http://127.0.0.1:1"}}]
users: [{name: u, user: {token: x}}]
"""


@dataclass(frozen=True)
class Node:
    """One login on one server."""

    server: Sshd
    user: str
    home: Path
    prefix: Path

    def shell(self, *, collector: bool) -> LiveShell:
        """The client that these settings of a cluster make."""
        at = self.server.key.with_name("kubeconfig")
        at.write_text(KUBECONFIG)
        (empty := self.server.key.with_name("ssh_config")).touch()
        ssh = Ssh(
            user=self.user,
            key=self.server.key,
            known_hosts=self.server.known_hosts,
            config=empty,
            port=self.server.port,
            collector=collector,
        )
        shell = sources(Cluster(kubeconfig=at, ssh=ssh, nodes={"node-1": NodeException(address="127.0.0.1")})).shell
        assert isinstance(shell, LiveShell)
        return shell

    def ssh(self, *words: str, stdin: str = "") -> subprocess.CompletedProcess[str]:
        """The stock client."""
        options = ["BatchMode=yes", "IdentitiesOnly=yes", f"UserKnownHostsFile={self.server.known_hosts}"]
        login = ["-p", str(self.server.port), "-i", str(self.server.key), f"{self.user}@127.0.0.1"]
        command = ["ssh", "-F", "none", *(f"-o{o}" for o in options), *login, *words]
        return subprocess.run(command, input=stdin, capture_output=True, text=True, check=False, timeout=30)

    def program(self, name: str, *arguments: str) -> subprocess.CompletedProcess[str]:
        """install.sh or uninstall.sh, moved to this folder and this user."""
        moved = {
            "LOGIN": self.user,
            "HOME_DIR": str(self.home),
            "PREFIX": str(self.prefix),
            "SUDOERS": f"/etc/sudoers.d/{self.user}",
        }
        command = ["sh", str(ROOT / "node" / name), *arguments]
        return subprocess.run(command, capture_output=True, text=True, check=False, env={**os.environ, **moved})

    def install(self, *options: str) -> str:
        """Install; what it said."""
        done = self.program("install.sh", *options, f"{self.server.key}.pub")
        assert done.returncode == 0, done.stderr
        return done.stdout


@contextmanager
def node() -> Iterator[Node]:
    """A server that reads the keys of a user that does not exist yet; all is gone afterwards."""
    assert os.getuid() == 0, "run this as root"
    assert shutil.which("visudo"), "sudo is not installed: make parts"
    user = f"kwtest{secrets.token_hex(3)}"
    folder = Path(tempfile.mkdtemp(prefix="kubewhy-node-"))
    folder.chmod(0o755)
    home = folder / "home"
    try:
        match = f"Match User {user}\n  AuthorizedKeysFile {home}/.ssh/authorized_keys"
        with sshd(folder / "sshd", match) as server:
            it = Node(server, user, home, folder / "usr")
            yield it
            removed = it.program("uninstall.sh")
            assert removed.returncode == 0, removed.stderr
    finally:
        subprocess.run(["userdel", user], capture_output=True, check=False)
        for left in Path("/etc/sudoers.d").glob(f"{user}*"):
            left.unlink()
        shutil.rmtree(folder)
