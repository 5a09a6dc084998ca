"""A recorded cluster left running on loopback: API, SSH nodes, DNS servers and probed ports, and how to reach them.

Nothing listens beyond loopback, nothing needs root, and everything is gone with ``stop``.
"""

from __future__ import annotations

import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Self

import yaml

from bot.bundle.names import RecordedNames
from bot.bundle.probes import RecordedProbes
from bot.bundle.recording import Bundle
from bot.bundle.shell import RecordedShell
from bot.playground.dnsd import DnsServers
from bot.playground.https import ApiServer, serve
from bot.playground.probed import ProbedPorts
from bot.playground.sshd import USER, NodeAddress, NodeServers

NODE_OBJECTS = "cluster-resources/nodes.json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Playground:
    """A running recorded cluster.

    Attributes:
        name: what the cluster is called in ``config``.
        folder: holds every file below; removed by ``stop``.
        config: kubewhy.yaml that reaches everything.
        kubeconfig: of the API server, for kubectl.
        ssh_config: so that ``ssh -F FILE node-3 systemctl status kubelet`` works.
        reach: recorded ``address:port`` → where it is served.
    """

    name: str
    folder: Path
    config: Path
    kubeconfig: Path
    ssh_config: Path
    reach: dict[str, str]
    api: ApiServer
    nodes: NodeServers
    dns: DnsServers
    probed: ProbedPorts

    def stop(self) -> None:
        """End every server and remove the files."""
        self.nodes.close()
        self.dns.close()
        self.probed.close()
        self.api.stop()
        shutil.rmtree(self.folder, ignore_errors=True)

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.stop()


def start(bundle: Bundle, name: str, settings: dict[str, Any] | None = None) -> Playground:
    """Serve a recorded cluster.

    Args:
        bundle: the recorded cluster; its clock starts at its ``recorded-at`` and runs.
        name: what to call the cluster.
        settings: further settings of the cluster, as in kubewhy.yaml (``expect``, ``thresholds``).

    Raises:
        BundleError: the bundle cannot be read.
        OSError: no port is free.
    """
    names, probes = RecordedNames(bundle), RecordedProbes(bundle)
    shell = RecordedShell(bundle, names)
    api = serve(bundle)
    nodes = NodeServers(shell, _nodes(bundle))
    dns = DnsServers(names)
    probed = ProbedPorts(probes, taken=set(dns.reach))
    reach = dns.reach | probed.reach
    folder = Path(tempfile.mkdtemp(prefix="kubewhy-playground-"))
    files = _Files(folder)
    kubeconfig = files.write("kubeconfig", api.kubeconfig())
    key = files.write("id_ed25519", nodes.client_key)
    known_hosts = files.write("known_hosts", "".join(_pinned(a) for a in nodes.addresses))
    ssh_config = files.write("ssh_config", "".join(_host(a, key, known_hosts) for a in nodes.addresses))
    cluster = {
        **(settings or {}),
        "kubeconfig": str(kubeconfig),
        "context": "playground",
        "ssh": {"user": USER, "key": str(key), "known_hosts": str(known_hosts), "config": str(ssh_config)},
        "nodes": {a.node: {"address": a.host, "port": a.port} for a in nodes.addresses},
        "reach": reach,
    }
    config = {"clusters": {name: cluster}, "default_cluster": name}
    return Playground(
        name=name,
        folder=folder,
        config=files.write("kubewhy.yaml", yaml.safe_dump(config, sort_keys=False)),
        kubeconfig=kubeconfig,
        ssh_config=ssh_config,
        reach=reach,
        api=api,
        nodes=nodes,
        dns=dns,
        probed=probed,
    )


class _Files:
    """Files that only their owner may read."""

    def __init__(self, folder: Path) -> None:
        self._folder = folder

    def write(self, name: str, text: str) -> Path:
        path = self._folder / name
        with os.fdopen(os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL, 0o600), "w", encoding="utf-8") as file:
            file.write(text)
        return path


def _nodes(bundle: Bundle) -> tuple[str, ...]:
    """Every node that is recorded in any way."""
    listed = bundle.json(NODE_OBJECTS)
    items = (listed.get("items") if isinstance(listed, dict) else listed) or []
    objects = (item.get("metadata", {}).get("name") for item in items if isinstance(item, dict))
    return tuple(sorted({str(n) for n in objects if n and "/" not in str(n)} | set(bundle.nodes())))


def _pinned(address: NodeAddress) -> str:
    if not address.host_key:
        return ""
    return f"{address.node},[{address.host}]:{address.port} {address.host_key}\n"


def _host(address: NodeAddress, key: Path, known_hosts: Path) -> str:
    return (
        f"Host {address.node}\n  HostName {address.host}\n  Port {address.port}\n  User {USER}\n"
        f"  HostKeyAlias {address.node}\n  IdentityFile {key}\n  IdentitiesOnly yes\n"
        f"  UserKnownHostsFile {known_hosts}\n  StrictHostKeyChecking yes\n\n"
    )
