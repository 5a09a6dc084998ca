"""One cluster from its description: in the order in which things refer to each other."""

from __future__ import annotations

from bases.addons import add_addons
from bases.apps import add_apps, csi_nodes
from bases.control import add_control_plane
from bases.host_all import commands
from bases.legacy import add_legacy
from bases.names import add_names
from bases.nodes import add_nodes
from bases.platform import add_platform
from bases.spec import Cluster
from bases.world import World


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
