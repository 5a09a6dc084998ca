"""Facts of a machine that the API and the node itself both tell."""

from __future__ import annotations

from tools.bases.ids import hexid, uid
from tools.bases.spec import Host
from tools.bases.world import World

DISK = 103865303040  # bytes, as df and the Node object both say


def boot_id(host: Host) -> str:
    """The kernel's boot id, as in ``/proc/sys/kernel/random/boot_id``."""
    return uid("boot", host.name, host.ip)


def machine_id(host: Host) -> str:
    """``/etc/machine-id``."""
    return hexid(32, "machine", host.name, host.ip)


def kernel(world: World) -> str:
    """``uname -r``."""
    return "3.10.0-1160.119.1.el7.x86_64" if world.spec.legacy else "5.15.0-161-generic"


def runtime(world: World) -> str:
    """The container runtime as nodeInfo names it."""
    return "docker://1.13.1" if world.spec.legacy else "containerd://1.7.28"


def role(world: World) -> str:
    """The label of a control-plane node."""
    return "node-role.kubernetes.io/master" if world.spec.legacy else "node-role.kubernetes.io/control-plane"


def labels(world: World, host: Host) -> dict[str, str]:
    """The labels of a Node."""
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": host.name,
        "kubernetes.io/os": "linux",
    }
    if host.zone:
        labels["topology.kubernetes.io/region"] = host.zone[:-1]
        labels["topology.kubernetes.io/zone"] = host.zone
    if host.control_plane:
        labels[role(world)] = ""
        if not world.spec.legacy:
            labels["node.kubernetes.io/exclude-from-external-load-balancers"] = ""
    return labels
