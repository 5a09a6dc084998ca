"""What several add-ons share."""

from __future__ import annotations

from tools.bases.ids import ago
from tools.bases.spec import Host
from tools.bases.world import World

NS = "kube-system"


NAMESPACES = ("default", "kube-system", "kube-public", "kube-node-lease", "kubewhy", "shop")


MASTER_OK = [
    {"key": "CriticalAddonsOnly", "operator": "Exists"},
    {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"},
]


def klog(seconds: float, where: str, text: str, level: str = "I") -> str:
    """A klog line ``seconds`` before the recording."""
    when = ago(seconds)
    return f"{level}{when:%m%d %H:%M:%S.%f}       1 {where}] {text}"


def hosts(world: World, names: tuple[str, ...]) -> list[Host]:
    """The hosts of these names, in order."""
    return [world.spec.host(n) for n in names]
