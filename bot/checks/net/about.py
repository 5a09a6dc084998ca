"""What several rows about a node's network ask: which pods use policy routing, which tables do not lead anywhere."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta
from ipaddress import ip_address

from bot.model.cluster import Nodes, PodsOnNode
from bot.model.evidence import Clock, PerNode
from bot.model.host import HostUnits, Links, NodeIdentity, PolicyRouting
from bot.model.host_net import AUTOMATIC
from bot.model.host_traffic import CrossNode
from bot.model.k8s import Node, Pod

# the node's ends of pods' links, and what CNIs make; names of network cards do not look so
POD_SIDE = re.compile(
    r"^(?:veth|cali|eni|lxc|cni|cbr|vlan|flannel|vxlan|tunl|cilium|wg|wireguard|docker|br-|tun|tap|lo$)"
)
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


EBPF = re.compile(r"^cilium-(?!operator|envoy)")


def bypasses_iptables(pods: PodsOnNode | None) -> bool:
    """Whether the node's CNI carries packets in eBPF, past iptables and the kernel's own forwarding."""
    return any(EBPF.search(p.metadata.name) for p in (pods.items if pods else ()))


def families(pods: PodsOnNode | None) -> frozenset[int]:
    """The IP versions of the node's pods that have addresses of their own; empty where nobody knows of any."""
    found = [p for p in (pods.items if pods else ()) if not p.spec.host_network and not p.finished]
    texts = [a for p in found for a in (p.status.pod_ip or "", *(x.ip for x in p.status.pod_ips or ()))]
    return frozenset(ip_address(text).version for text in texts if _is_ip(text))


BOOTED = timedelta(hours=1)
WITH_BOOT = timedelta(minutes=3)


def since_boot(identity: NodeIdentity | None, clock: Clock, units: HostUnits | None = None) -> datetime | None:
    """Since when the kernel lacks what it lacks: a boot within the hour, unless a network manager came later."""
    if identity is None or clock.now - identity.booted > BOOTED:
        return None
    managers = (units.get(n) for n in ("systemd-networkd", "NetworkManager")) if units else ()
    later = any(u and u.active_since and u.active_since > identity.booted + WITH_BOOT for u in managers)
    return None if later else identity.booted


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
        name: as ``ip rule`` calls it; empty when no rule is left that would lead the pods anywhere.
        pods: the pods whose packets end there.
        empty: whether it has no route at all.
        sure: whether it is known to be the pods' way out: packets that find no route in a table go on to the next
            rule, so a table without default route is no fault where it was never meant to have one.
    """

    name: str
    pods: tuple[Pod, ...]
    empty: bool
    sure: bool = True

    @property
    def line(self) -> str:
        """What is wrong, as a line of evidence."""
        if not self.name:
            return f"no rule from {', '.join(p.status.pod_ip or '' for p in self.pods[:3])}"
        return f"table {self.name}: {'empty' if self.empty else 'no default route'}"


def broken_tables(
    routing: PolicyRouting,
    pods: PodsOnNode,
    links: Links | None,
    peers: PerNode[PolicyRouting],
    ways: CrossNode | None = None,
) -> tuple[DeadTable, ...]:
    """What is wrong with the pods' policy routing (catalogue NET-02): dead tables, else rules that are gone.

    Where only some rules are gone, the kernel's own word (``ways``) must say that it sends such a pod's packets astray.
    """
    dead = dead_tables(routing, pods, links, peers)
    lost = () if dead or links is None else _without_rules(routing, pods, links, peers)
    if not lost:
        return dead
    astray = any(
        w.source == p.status.pod_ip and w.device and w.device != _second_card(routing, links, p)
        for p in lost
        for w in (ways.ways if ways else ())
    )
    return (DeadTable(name="", pods=lost, empty=True, sure=astray or not routing.tables),)


def dead_tables(
    routing: PolicyRouting, pods: PodsOnNode, links: Links | None, peers: PerNode[PolicyRouting]
) -> tuple[DeadTable, ...]:
    """Tables that rules of running pods lead to and that have no default route (catalogue NET-02, first case)."""
    hit: dict[str, list[Pod]] = {}
    for pod in routed_pods(pods):
        for table in _dead_on_the_way(routing, pod.status.pod_ip or ""):
            hit.setdefault(table, []).append(pod)
    usual = {t for r in peers.others(routing.node) for t, routes in r.tables.items() if routes and r.default(t) is None}
    return tuple(
        DeadTable(name=t, pods=tuple(p), empty=not routing.tables[t], sure=_meant(t, tuple(p), routing, links, peers))
        for t, p in hit.items()
        if not (routing.tables[t] and t in usual)
    )


def _dead_on_the_way(routing: PolicyRouting, address: str) -> Iterator[str]:
    """Tables without default route that a packet from this source is led through before it finds one."""
    for rule in sorted(routing.rules, key=lambda r: r.priority):
        if rule.table in AUTOMATIC or not rule.plain or not rule.covers(address) or rule.table not in routing.tables:
            continue
        if routing.default(rule.table) is not None:
            return
        yield rule.table


def _meant(
    table: str, pods: tuple[Pod, ...], routing: PolicyRouting, links: Links | None, peers: PerNode[PolicyRouting]
) -> bool:
    """Whether a table is the pods' way out: other nodes have it so, a second card has their subnet, or it is theirs.

    Also an empty one that is that of an interface, too, which is gone: its routes went along.
    """
    if peers_agree(peers, routing.node) or any(_second_card(routing, links, p) for p in pods):
        return True
    leading = [r for r in routing.rules if r.table == table] if not routing.tables[table] else []
    own = any(r.single and r.covers(p.status.pod_ip or "") for r in leading for p in pods)
    return own or any(links is not None and r.interface and links.get(r.interface) is None for r in leading)


def _second_card(routing: PolicyRouting, links: Links | None, pod: Pod) -> str:
    """The network card whose subnet holds the pod, when it is not the one of the main default route."""
    main = {r.device for r in routing.main if r.destination in {"default", "0.0.0.0/0"}}
    found = links.holding(pod.status.pod_ip or "") if links else None
    return found.name if found and main and found.name not in main else ""


def _without_rules(
    routing: PolicyRouting, pods: PodsOnNode, links: Links, peers: PerNode[PolicyRouting]
) -> tuple[Pod, ...]:
    """Pods of a second card that no rule leads to a table, unlike their neighbours here or on other nodes."""
    if any(r.table not in AUTOMATIC and not r.plain for r in routing.rules):
        return ()  # a mark or an interface may lead them, too
    bound = {p.path: card for p in routed_pods(pods) if (card := _second_card(routing, links, p))}
    ruled = {
        p.path
        for p in routed_pods(pods)
        if any(r.table not in AUTOMATIC and r.covers(p.status.pod_ip or "") for r in routing.rules)
    }
    alike = {card for path, card in bound.items() if path in ruled} if works_by_table(routing) else set()
    usual = bool(peers_agree(peers, routing.node))
    return tuple(
        p for p in routed_pods(pods) if p.path in bound and p.path not in ruled and (usual or bound[p.path] in alike)
    )


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


def default_gateway(address: str, peers: tuple[PolicyRouting, ...], near: Iterable[Links]) -> str:
    """The gateway of a pod's subnet, as nodes that work have it in their tables; empty when none of them is there.

    Args:
        address: the pod's address.
        peers: nodes whose tables work.
        near: interfaces that tell how large the pod's subnet is: a gateway outside of it is that of another one.
    """
    cards = [card for links in near if (card := links.holding(address))]
    seen = {r.gateway for p in peers for t in p.tables if (r := p.default(t)) and _is_ip(r.gateway)}
    found = {gateway for gateway in seen if any(card.holds(gateway) for card in cards)}
    return found.pop() if len(found) == 1 else ""
