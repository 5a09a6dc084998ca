"""NET-01: a network interface that the pods of the node need is not there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.net.about import of_pool, routed_pods
from bot.model.cluster import LogLine, Nodes, PodsOnNode
from bot.model.evidence import PerNode
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import KernelLog, Links, PciNic, PciNics, PolicyRouting
from bot.model.k8s import Pod
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T

_KERNEL = re.compile(
    r"(?:virtio_net|ena|mlx5_core|xen_netfront|pciehp).*(?:probe.*failed|error|timeout|Link Down|surprise|removed)"
    r"|eth\d+: (?:renamed from|unregister)"
)


@check("NET-01")
def missing_network_card(
    *,
    links: Links,
    routing: PolicyRouting,
    pods: PodsOnNode,
    peers: PerNode[PolicyRouting],
    peer_links: PerNode[Links],
    cards: PciNics | None,
    kernel: KernelLog | None,
    nodes: Nodes | None,
) -> Iterator[Finding]:
    """A network interface that the cloud attached is missing in the operating system.

    Says:
        "eth1 disappeared", "ping -I eth1: unknown iface".
    Evidence:
        ip link; rules and routing tables; the same on nodes of the same pool; network cards on the PCI bus and their
        drivers; kernel messages; the addresses of the node's pods.
    Rule:
        An interface that a rule names, or by which the same pool's nodes send pod traffic while pods here have
        addresses of no interface, is absent. Confirmed when a card without an interface is on the PCI bus; else likely.
    Cause:
        The hot-plug event was lost at or after boot, or the driver failed. All pods whose address belongs to the card
        lose their traffic: NET-02, NET-03, DNS-03, DNS-04, APP-01, APP-02.
    Fix:
        Scan the PCI bus again, bring the interface up, let the CNI agent restore its routes; else attach the card anew.
    Verify:
        ip -br link shows it UP; its gateway answers; the table has its default route.
    Must not fire:
        CNIs with one interface; pods in the subnet of the CNI's own bridge; an interface under a new name; a card that
        was detached and has no pods; a virtual function that was moved into a pod.
    Reasons:
        - nic-unbound: the card is on the PCI bus without an interface
        - nic-missing: nothing of it can be seen on this node
    """
    homeless = tuple(p for p in routed_pods(pods) if not links.homes(p.status.pod_ip or ""))
    name = _named_by_rule(links, routing) or _used_by_peers(
        links=links, routing=routing, homeless=homeless, peers=peers, peer_links=peer_links, nodes=nodes
    )
    if not name or not homeless:
        return
    unbound = _unbound(cards)
    hits = [x for x in (kernel.lines if kernel else ()) if _KERNEL.search(x.text) and _about(x.text, name, unbound)]
    yield Finding(
        code="NET-01",
        reason="nic-unbound" if unbound else "nic-missing",
        title=T("network interface {interface} of {node} is missing", interface=name, node=links.node),
        detail=T("{count} pods here have addresses that belong to no interface.", count=len(homeless)),
        severity=Severity.CRIT,
        confidence=Confidence.CONFIRMED if unbound else Confidence.LIKELY,
        subject=node(links.node),
        facts={
            "node": links.node,
            "interface": name,
            "pods": tuple(p.path for p in homeless),
            "slot": unbound.slot if unbound else "",
        },
        onset=hits[0].at if hits else None,
        proofs=tuple(_proofs(links=links, routing=routing, cards=cards, unbound=unbound, kernel=kernel, hits=hits)),
        fixes=tuple(_fixes(name)),
    )


def _named_by_rule(links: Links, routing: PolicyRouting) -> str:
    """An interface that a rule or table names and that is not there."""
    return next((n for n in sorted(routing.named_devices()) if links.get(n) is None), "")


def _used_by_peers(
    *,
    links: Links,
    routing: PolicyRouting,
    homeless: tuple[Pod, ...],
    peers: PerNode[PolicyRouting],
    peer_links: PerNode[Links],
    nodes: Nodes | None,
) -> str:
    """The interface by which nodes of this pool send pod traffic, when this node lacks it and has pods that need it."""
    used: list[str] = []
    for name in of_pool(links.node, nodes, tuple(peers.by_node)):
        theirs, interfaces = peers.by_node[name], peer_links.get(name)
        devices = {d for t in theirs.tables if (r := theirs.default(t)) and (d := r.device)}
        main = {r.device for r in theirs.main if r.destination == "default"}
        used += [d for d in devices - main if interfaces is None or interfaces.get(d)]
    missing = [d for d in used if links.get(d) is None]
    if not missing or not any(_led_nowhere(routing, p) for p in homeless):
        return ""
    return max(sorted(set(missing)), key=missing.count)


def _led_nowhere(routing: PolicyRouting, pod: Pod) -> bool:
    """Whether no table that a rule about this pod names has a default route (or no rule is left for it)."""
    tables = [r.table for r in routing.rules if r.covers(pod.status.pod_ip or "")]
    return all(routing.default(t) is None for t in tables)


def _unbound(cards: PciNics | None) -> PciNic | None:
    """A card without driver, or with a driver that made no interface of it; virtual functions go to pods on purpose."""
    return next((c for c in cards.unbound if not re.search(r"vf$|vfio", c.driver)), None) if cards else None


def _about(text: str, name: str, unbound: PciNic | None) -> bool:
    return re.search(rf"\b{re.escape(name)}\b", text) is not None or (unbound is not None and unbound.slot in text)


def _proofs(
    *,
    links: Links,
    routing: PolicyRouting,
    cards: PciNics | None,
    unbound: PciNic | None,
    kernel: KernelLog | None,
    hits: list[LogLine],
) -> Iterator[Proof]:
    yield links.proof.quote(*(f"{x.name} {x.operstate} {' '.join(x.addresses)}" for x in links.items if x.physical))
    if cards and unbound:
        yield cards.proof.quote(f"{unbound.slot} {unbound.vendor} {unbound.device} drv={unbound.driver} net=")
    if kernel and hits:
        yield kernel.proof.quote(*(x.text for x in hits[-3:]))
    yield routing.proof


def _fixes(name: str) -> Iterator[Fix]:
    device = shlex.quote(name)
    yield Fix(
        what=T("On the node: scan the PCI bus again and bring {interface} up.", interface=name),
        safety=Safety.REVERSIBLE,
        commands=("echo 1 | sudo tee /sys/bus/pci/rescan", f"sudo ip link set {device} up"),
        verify=(f"ip -br link show {device}", "ip rule show"),
        undo=(f"sudo ip link set {device} down",),
    )
