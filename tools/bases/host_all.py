"""All commands of one node, in the order of their round trips."""

from __future__ import annotations

from tools.bases.host import Out, entry
from tools.bases.host_control import certificates, control_plane
from tools.bases.host_kubelet import kubelet
from tools.bases.host_net import network
from tools.bases.host_paths import api_paths, pod_files, ports, reach
from tools.bases.host_runtime import runtime
from tools.bases.host_system import system
from tools.bases.ids import Obj
from tools.bases.spec import Host
from tools.bases.world import World


def commands(world: World, host: Host) -> list[Obj]:
    """The entries of the node's commands.json."""
    found: list[tuple[str, Out]] = []
    for part in (system(world, host), kubelet(world, host), runtime(world, host), network(world, host), ports(host)):
        found += part.items()
    found += certificates(host) + api_paths(world, host) + reach(world, host) + pod_files(world, host)
    if host.control_plane:
        found += control_plane(world, host)
    return [entry(host.name, key, out) for key, out in found]
