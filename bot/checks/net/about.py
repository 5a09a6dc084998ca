"""What several rows about a node's network ask: which pods use policy routing, which tables do not lead anywhere."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address

from bot.model.cluster import Nodes, PodsOnNode
from bot.model.evidence import PerNode
from bot.model.host import Links, PolicyRouting
from bot.model.host_net import AUTOMATIC
from bot.model.k8s import Node, Pod

POOL_LABELS = (
    "eks.amazonaws.com/nodegroup",
    "cloud.google.com/gke-nodepool",
    "kubernetes.azure.com/agentpool",
    "alibabacloud.com/nodepool-id",
    "node.kubernetes.io/instance-type",
)


def routed_pods(pods: PodsOnNode) -> tuple[Pod, ...]:
    """Running pods that have an address of their own."""
    return tuple(
        p
        for p in pods.items
        if not p.spec.host_network and p.status.pod_ip and _is_ip(p.status.pod_ip) and p.status.phase == "Running"
    )


def running_since(pod: Pod) -> datetime | None:
    """When the youngest of its running containers was started."""
    starts = [c.state.running.started_at for c in pod.status.container_statuses or () if c.state.running]
    return max((t for t in starts if t), default=None)


def runs(pod: Pod) -> bool:
    """Whether the pod works, by its containers where they are known.

    When the kubelet falls silent, the node controller marks every pod of the node not ready: the condition then tells
    about the kubelet, while the containers' states are the last that the kubelet has seen.
    """
    statuses = pod.status.container_statuses or ()
    return all(c.ready for c in statuses) if statuses else pod.ready


def _is_ip(text: str) -> bool:
    try:
        ip_address(text)
    except ValueError:
        return False
    return True


@dataclass(frozen=True, slots=True, kw_only=True)
class DeadTable:
    """A table that a pod's rule leads to and that has no default route.

    Attributes:
        name: as ``ip rule`` calls it.
        pods: the pods whose packets end there.
        empty: whether it has no route at all.
    """

    name: str
    pods: tuple[Pod, ...]
    empty: bool


def dead_tables(routing: PolicyRouting, pods: PodsOnNode) -> tuple[DeadTable, ...]:
    """Tables that rules of running pods lead to and that have no default route (catalogue NET-02, first case)."""
    hit: dict[str, list[Pod]] = {}
    for pod in routed_pods(pods):
        for table in _tables_of(routing, pod.status.pod_ip or ""):
            if table in routing.tables and routing.default(table) is None:
                hit.setdefault(table, []).append(pod)
    return tuple(DeadTable(name=t, pods=tuple(p), empty=not routing.tables[t]) for t, p in hit.items())


def _tables_of(routing: PolicyRouting, address: str) -> Iterator[str]:
    """Tables that the rules about this source lead to, in the order the kernel asks them."""
    ordered = sorted(routing.rules, key=lambda r: r.priority)
    yield from dict.fromkeys(r.table for r in ordered if r.table not in AUTOMATIC and r.covers(address))


def works_by_table(routing: PolicyRouting) -> bool:
    """Whether this node sends pods' packets through a table that has a default route."""
    sources = [r for r in routing.rules if r.table not in AUTOMATIC and r.source not in {"all", ""}]
    return any(routing.default(r.table) for r in sources)


def peers_agree(routing: PerNode[PolicyRouting], node: str) -> tuple[PolicyRouting, ...]:
    """Other nodes on which the same arrangement works."""
    return tuple(r for r in routing.others(node) if works_by_table(r))


def expected_device(node: str, routing: PerNode[PolicyRouting], links: Links | None, pods: tuple[Pod, ...]) -> str:
    """The interface that the pods' packets should leave by: the one in whose subnet they are, else as on the peers."""
    for pod in pods:
        found = links.holding(pod.status.pod_ip or "") if links else None
        if found:
            return found.name
    peers = [d for r in peers_agree(routing, node) for t in r.tables if (x := r.default(t)) and (d := x.device)]
    return max(set(peers), key=peers.count) if peers else ""


def same_pool(left: Node | None, right: Node | None) -> bool:
    """Whether nothing says that two nodes are of different kinds: pool labels differ, or one is control plane."""
    if left is None or right is None:
        return True
    if left.control_plane != right.control_plane:
        return False
    pairs = [(left.metadata.label(k), right.metadata.label(k)) for k in POOL_LABELS]
    return all(a == b for a, b in pairs if a and b)


def of_pool(node: str, nodes: Nodes | None, names: Iterator[str] | tuple[str, ...]) -> tuple[str, ...]:
    """The names that belong to the pool of ``node``."""
    if nodes is None:
        return tuple(n for n in names if n != node)
    return tuple(n for n in names if n != node and same_pool(nodes.get(node), nodes.get(n)))
