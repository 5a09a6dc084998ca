"""One cluster from its description: in the order in which things refer to each other."""

from __future__ import annotations

from tools.bases.addons import add_addons
from tools.bases.apps import add_apps
from tools.bases.control import add_control_plane
from tools.bases.host_all import commands
from tools.bases.legacy import add_legacy
from tools.bases.names import add_names
from tools.bases.nodes import add_nodes
from tools.bases.platform import add_platform
from tools.bases.spec import Cluster
from tools.bases.volume import csi_nodes
from tools.bases.world import World


def build(spec: Cluster) -> dict[str, str]:
    """The files of the base: relative path → content."""
    world = World(spec)
    add_control_plane(world)
    add_addons(world)
    if spec.legacy:
        add_legacy(world)
    add_apps(world)
    add_nodes(world)
    csi_nodes(world)
    add_platform(world)
    add_names(world)
    for host in spec.hosts:
        world.json(f"kubewhy/nodes/{host.name}/commands.json", commands(world, host))
    return world.files()
