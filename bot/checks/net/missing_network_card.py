"""NET-01: a network interface that the pods of the node need is not there."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.net.about import POD_SIDE, default_gateway, of_pool, peers_agree, routed_pods, since_boot
from bot.model.cluster import LogLine, Nodes, PodsOnNode
from bot.model.evidence import Clock, PerNode
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import KernelLog, Links, NodeIdentity, PciNic, PciNics, PolicyRouting
from bot.model.host_net import AUTOMATIC
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
    clock: Clock,
    identity: NodeIdentity | None,
) -> Iterator[Finding]:
    """A network interface that the cloud attached is missing in the operating system.

    Says:
        "eth1 disappeared", "ping -I eth1: unknown iface".
    Evidence:
        ip link; rules and routing tables; the same on nodes of the same pool; network cards on the PCI bus and their
        drivers; kernel messages; the addresses of the node's pods.
    Rule:
        An interface is absent that a rule names and pods' rules or other nodes rely on, or by which the same pool's
        nodes send pod traffic while pods here have addresses of no interface or rules that lead nowhere. Confirmed when
        a card without an interface is on the PCI bus; else likely.
    Cause:
        The hot-plug event was lost at or after boot, or the driver failed. All pods whose address belongs to the card
        lose their traffic: NET-02, NET-03, DNS-03, DNS-04, APP-01, APP-02.
    Fix:
        Scan the PCI bus again, bring the interface up, let the CNI agent restore its routes; else attach the card anew.
    Verify:
        ip -br link shows it UP; its gateway answers; the table has its default route.
    Must not fire:
        CNIs with one interface; pods in the subnet of the CNI's own bridge; an interface under a new name; a card that
        was detached and has no pods; a card or virtual function that was moved into a pod; rules about the interfaces
        of tunnels, VPNs and pods that are gone.
    Reasons:
        - nic-unbound: the card is on the PCI bus without an interface
        - nic-missing: nothing of it can be seen on this node
    """
    needy = tuple(p for p in routed_pods(pods) if _misses(p, links, routing))
    usual = _used_by_peers(links, peers, peer_links, nodes)
    name = _named_by_rule(links, routing, needy, usual) or _gone(links, routing, needy, usual)
    if not name or not needy:
        return
    unbound = _unbound(cards, kernel)
    hits = [x for x in (kernel.lines if kernel else ()) if _KERNEL.search(x.text) and _about(x.text, name, unbound)]
    yield Finding(
        code="NET-01",
        reason="nic-unbound" if unbound else "nic-missing",
        title=T("network interface {interface} of {node} is missing", interface=name, node=links.node),
        detail=T("{count} pods here have addresses that belong to no interface.", count=len(needy))
        if not any(links.homes(p.status.pod_ip or "") for p in needy)
        else T("The packets of {count} pods here have no way out.", count=len(needy)),
        severity=Severity.CRIT,
        confidence=Confidence.CONFIRMED if unbound else Confidence.LIKELY,
        subject=node(links.node),
        facts={
            "node": links.node,
            "interface": name,
            "pods": tuple(p.path for p in needy),
            "slot": unbound.slot if unbound else "",
        },
        onset=hits[0].at if hits else since_boot(identity, clock),
        proofs=tuple(_proofs(links=links, routing=routing, cards=cards, unbound=unbound, kernel=kernel, hits=hits)),
        fixes=tuple(_fixes(name, links.node, _gateway(needy, peers, peer_links, links.node))),
    )


def _misses(pod: Pod, links: Links, routing: PolicyRouting) -> bool:
    """Whether no interface has the pod's subnet, or the rules about the pod lead it nowhere."""
    return not links.homes(pod.status.pod_ip or "") or _ruled_nowhere(routing, pod)


def _ruled_nowhere(routing: PolicyRouting, pod: Pod) -> bool:
    """Whether rules name this pod and no table that they lead to has a default route."""
    tables = [r.table for r in routing.rules if r.plain and r.covers(pod.status.pod_ip or "")]
    own = [t for t in tables if t not in AUTOMATIC]
    return bool(own) and all(routing.default(t) is None for t in own)


def _named_by_rule(links: Links, routing: PolicyRouting, needy: tuple[Pod, ...], usual: tuple[str, ...]) -> str:
    """A network card that a rule or table names and that is not there, if pods' rules or other nodes rely on it.

    Rules outlive the interfaces of pods, tunnels and VPNs that they name.
    """
    ruled = any(_ruled_nowhere(routing, p) for p in needy)
    names = (n for n in sorted(routing.named_devices()) if links.get(n) is None and not POD_SIDE.match(n))
    return next((n for n in names if ruled or n in usual), "")


def _used_by_peers(
    links: Links, peers: PerNode[PolicyRouting], peer_links: PerNode[Links], nodes: Nodes | None
) -> tuple[str, ...]:
    """The network cards by which nodes of this pool send pod traffic, beside the one of the main default route."""
    used: list[str] = []
    for name in of_pool(links.node, nodes, tuple(peers.by_node)):
        theirs, interfaces = peers.by_node[name], peer_links.get(name)
        devices = {d for t in theirs.tables if (r := theirs.default(t)) and (d := r.device)}
        main = {r.device for r in theirs.main if r.destination == "default"}
        used += [d for d in devices - main if interfaces and (card := interfaces.get(d)) and card.physical]
    return tuple(used)


def _gone(links: Links, routing: PolicyRouting, needy: tuple[Pod, ...], usual: tuple[str, ...]) -> str:
    """The usual network card, when this node lacks it and has pods that no table leads out."""
    missing = [d for d in usual if links.get(d) is None]
    if not missing or not any(_led_nowhere(routing, p) for p in needy):
        return ""
    return max(sorted(set(missing)), key=missing.count)


def _led_nowhere(routing: PolicyRouting, pod: Pod) -> bool:
    """Whether no table that a rule about this pod names has a default route (or no rule is left for it)."""
    tables = [r.table for r in routing.rules if r.covers(pod.status.pod_ip or "")]
    return all(routing.default(t) is None for t in tables)


def _unbound(cards: PciNics | None, kernel: KernelLog | None) -> PciNic | None:
    """A card without driver, or with one that made no interface of it.

    A card that a working driver has without an interface may have been moved into a pod: it counts only when the
    kernel complains of it. Functions for pods and for user-space drivers are left alone on purpose.
    """

    def counts(card: PciNic) -> bool:
        if re.search(r"vf$|vfio|uio", card.driver):
            return False
        failed = any(card.slot in x.text and _KERNEL.search(x.text) for x in (kernel.lines if kernel else ()))
        return not card.driver or card.driver.startswith("virtio") or failed

    return next((c for c in cards.unbound if counts(c)), None) if cards else None


def _gateway(needy: tuple[Pod, ...], peers: PerNode[PolicyRouting], peer_links: PerNode[Links], node: str) -> str:
    return default_gateway(needy[0].status.pod_ip or "", peers_agree(peers, node), peer_links.others(node))


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


def _fixes(name: str, node: str, gateway: str) -> Iterator[Fix]:
    device, host = shlex.quote(name), shlex.quote(node)
    answers = (f"ping -c2 -W1 -I {device} {shlex.quote(gateway)}",) if gateway else ()
    verify = (f"ip -br link show {device}", *answers, "ip rule show")
    yield Fix(
        what=T("On the node: scan the PCI bus again and bring {interface} up.", interface=name),
        safety=Safety.REVERSIBLE,
        commands=("echo 1 | sudo tee /sys/bus/pci/rescan", f"sudo ip link set {device} up"),
        verify=verify,
        undo=(f"sudo ip link set {device} down",),
    )
    yield Fix(
        what=T("If it does not come back: detach and attach it in the cloud, or drain the node and reboot it."),
        safety=Safety.DISRUPTIVE,
        commands=(f"kubectl drain {host} --ignore-daemonsets --delete-emptydir-data", "sudo reboot"),
        verify=verify,
        undo=(f"kubectl uncordon {host}",),
    )
