"""Puts the live sources of one configured cluster together."""

from __future__ import annotations

import getpass
import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from bot.clients.dns import LiveProber, LiveResolver
from bot.clients.kube import LiveKube, from_kubeconfig, in_cluster
from bot.clients.openssh import OpenSshConfig
from bot.clients.reach import Reach
from bot.clients.ssh import LiveShell
from bot.clients.ssh_connect import Connector, Target
from bot.config import Cluster, NodeException, Ssh
from bot.errors import Kind, SettingsError, SourceError
from bot.source import History, Kube, Output, Section, Sources

OPENSSH_CONFIG = Path("~/.ssh/config")
OPENSSH_KNOWN = (Path("~/.ssh/known_hosts"), Path("/etc/ssh/ssh_known_hosts"))
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
    openssh = OpenSshConfig(ssh.config or OPENSSH_CONFIG, required=ssh.config is not None)
    known = (ssh.known_hosts,) if ssh.known_hosts else tuple(p for p in OPENSSH_KNOWN if p.expanduser().exists())
    if not known or not known[0].expanduser().exists():
        name = ssh.known_hosts or OPENSSH_KNOWN[0]
        raise SettingsError(f"ssh.known_hosts: {name} does not exist; host keys must be pinned")
    connector = Connector(
        keys=(ssh.key,) if ssh.key else (),
        usual=() if ssh.key else _default_keys(),
        known_hosts=known,
        use_agent=ssh.agent,
        reach=reach,
    )
    return LiveShell(lambda node: target(node, cluster, ssh, openssh, kube), connector, collector=ssh.collector)


def _default_keys() -> tuple[Path, ...]:
    home = Path("~/.ssh").expanduser()
    return tuple(home / name for name in DEFAULT_KEYS if (home / name).exists())


def target(node: str, cluster: Cluster, ssh: Ssh, openssh: OpenSshConfig, kube: Kube) -> Target:
    """Where a node is reached: exceptions of the settings, then the OpenSSH configuration, then the node object.

    Raises:
        SourceError: the node object has no such address or cannot be read.
        SettingsError: the OpenSSH configuration or a jump host cannot be understood.
    """
    exception = cluster.nodes.get(node) or NodeException()
    entry = openssh.entry(node)
    user = exception.user or ssh.user or entry.user or getpass.getuser()
    return Target(
        host=exception.address or entry.host or node_address(node, ssh.address, kube),
        port=exception.port or entry.port or ssh.port,
        user=user,
        names=(entry.alias or node,),
        keys=() if ssh.key else entry.keys,
        jump=openssh.hops(ssh.jump or entry.jump, user),
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
