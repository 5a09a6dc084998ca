"""Puts the live sources of one configured cluster together."""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

import paramiko

from bot.clients.dns import LiveProber, LiveResolver
from bot.clients.kube import LiveKube, from_kubeconfig, in_cluster
from bot.clients.reach import Reach
from bot.clients.ssh import LiveShell
from bot.clients.ssh_connect import Connector, Target
from bot.config import Cluster, Ssh
from bot.errors import Kind, SettingsError, SourceError
from bot.source import History, Kube, Output, Section, Sources

OPENSSH_CONFIG = Path("~/.ssh/config")
OPENSSH_KNOWN = Path("~/.ssh/known_hosts")
DEFAULT_KEYS = ("id_ed25519", "id_ecdsa", "id_rsa")


def sources(cluster: Cluster, *, ssh: bool = True) -> Sources:
    """Live sources of a cluster.

    Args:
        cluster: its settings.
        ssh: False for ``--no-ssh``.

    Raises:
        SettingsError: kubeconfig, keys or known_hosts cannot be used.
    """
    reach = Reach.of(cluster.reach)
    if cluster.kubeconfig == "in-cluster":
        kube = in_cluster()
    else:
        kube = from_kubeconfig(cluster.kubeconfig, cluster.context, reach)
    why_not = ""
    shell: LiveShell | None = None
    if not ssh:
        why_not = "SSH is switched off for this run (--no-ssh)"
    elif cluster.ssh is None:
        why_not = "no SSH settings for this cluster"
    else:
        shell = _shell(cluster, cluster.ssh, kube, reach)
    return Sources(
        kube=kube,
        shell=shell or NoShell(why_not),
        resolver=LiveResolver(reach),
        prober=LiveProber(reach),
        history=History(),
        now=lambda: datetime.now(UTC),  # noqa: TID251 - the bot's clock, used only until the API server tells its own
        no_ssh=why_not,
    )


class NoShell:
    """No way into the nodes, and the reason."""

    def __init__(self, because: str) -> None:
        self._because = because

    def run(self, node: str, sections: Sequence[Section], *, deadline: float = 25.0) -> Mapping[str, Output]:  # noqa: ARG002
        """Refuse, with the reason."""
        raise SourceError(Kind.UNREACHABLE, f"SSH to {node}", self._because)


def _shell(cluster: Cluster, ssh: Ssh, kube: LiveKube, reach: Reach) -> LiveShell:
    openssh = _openssh(ssh.config or OPENSSH_CONFIG, required=ssh.config is not None)
    known = ssh.known_hosts or OPENSSH_KNOWN
    if not known.expanduser().exists():
        raise SettingsError(f"ssh.known_hosts: {known} does not exist; host keys must be pinned")
    keys = (ssh.key,) if ssh.key else _default_keys()
    connector = Connector(keys=keys, known_hosts=(known,), use_agent=ssh.agent, reach=reach)
    return LiveShell(lambda node: target(node, cluster, ssh, openssh, kube), connector, collector=ssh.collector)


def _default_keys() -> tuple[Path, ...]:
    home = Path("~/.ssh").expanduser()
    return tuple(home / name for name in DEFAULT_KEYS if (home / name).exists())


def _openssh(path: Path, *, required: bool) -> paramiko.SSHConfig:
    at = path.expanduser()
    if not at.exists():
        if required:
            raise SettingsError(f"ssh.config: {path} does not exist")
        return paramiko.SSHConfig()
    return paramiko.SSHConfig.from_path(str(at))


def target(node: str, cluster: Cluster, ssh: Ssh, openssh: paramiko.SSHConfig, kube: Kube) -> Target:
    """Where a node is reached: exceptions of the settings, then the OpenSSH configuration, then the node object.

    Raises:
        SourceError: the node object has no such address or cannot be read.
    """
    exception = cluster.nodes.get(node)
    entry = openssh.lookup(node)
    named = entry.get("hostname", node)
    host = (exception.address if exception else "") or (named if named != node else "")
    host = host or node_address(node, ssh.address, kube)
    port = (exception.port if exception else None) or int(entry.get("port", ssh.port))
    user = (exception.user if exception else "") or ssh.user or entry.get("user", "") or getpass.getuser()
    jump = ssh.jump or entry.get("proxyjump", "")
    return Target(
        host=host,
        port=port,
        user=user,
        names=(node,),
        jump=_jump(jump, user, openssh) if jump not in {"", "none"} else None,
    )


def _jump(text: str, user: str, openssh: paramiko.SSHConfig) -> Target:
    """``[user@]host[:port]``; several hops are not supported."""
    login, _, rest = text.rpartition("@")
    host, _, port = rest.partition(":")
    entry = openssh.lookup(host)
    return Target(
        host=entry.get("hostname", host),
        port=int(port or entry.get("port", "22")),
        user=login or entry.get("user", user),
        names=(host,),
    )


def node_address(node: str, kind: str, kube: Kube) -> str:
    """The node's address of that kind, from its object.

    Raises:
        SourceError: no such node or address.
    """
    response = kube.get(f"/api/v1/nodes/{node}")
    if not response.ok:
        raise SourceError(Kind.NOT_FOUND, f"SSH to {node}", "the cluster has no node of that name")
    addresses = json.loads(response.body).get("status", {}).get("addresses") or ()
    found = [a.get("address") for a in addresses if a.get("type") == kind]
    if not found:
        raise SourceError(Kind.NOT_FOUND, f"SSH to {node}", f"the node object has no {kind}")
    return str(found[0])
