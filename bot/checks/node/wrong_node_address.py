"""NODE-35: the cluster knows the node by a wrong address, or two nodes are one machine."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface

from bot.check import check
from bot.model.cluster import Nodes
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.health import is_virtual
from bot.model.host import Link, Links, NodeIdentity
from bot.model.k8s import Node
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T, Text

FEWEST_PEERS = 2


@check("NODE-35")
def wrong_node_address(links: Links, nodes: Nodes, identity: NodeIdentity | None) -> Iterator[Finding]:
    """The node's InternalIP is not its own or lies in the wrong network, or it is a clone.

    Says:
        "After adding a network card, logs and exec fail."
    Evidence:
        status.addresses against the interfaces of the host; machineID and systemUUID of all nodes.
    Rule:
        The InternalIP is on no interface of the host; or it is on one, but all other nodes are in the network of
        another one; or two nodes have the same machineID and systemUUID.
    Cause:
        Several network cards, a changed DHCP lease, a cloned machine. It explains METRICS-03, KUBECTL-01, NET-09.
    Fix:
        Tell the kubelet its address with --node-ip; give the clone a machine-id of its own.
    Verify:
        The addresses agree.
    Must not fire:
        External addresses, which may be translated on their way.
    Reasons:
        - not-on-host: no interface has the InternalIP
        - wrong-network: the InternalIP is in another network than the other nodes'
        - duplicate-machine: another node has the same machineID and systemUUID
    """
    here = nodes.get(links.node)
    if here is None or is_virtual(here):
        return
    address = here.address() or ""
    case = _address_case(here, links, nodes)
    if case is not None:
        known = f"{here.name}: InternalIP {address}, {here.status.node_info.os_image}"
        yield _finding(here, case, (case.proof, nodes.proof.quote(known)), address)
    twins = _twins(here, nodes)
    if twins:
        agrees = identity is not None and identity.machine_id == here.status.node_info.machine_id
        info = here.status.node_info
        ids = f"machineID={info.machine_id} systemUUID={info.system_uuid}"
        shown = nodes.proof.quote(*(f"{n}: {ids}" for n in (here.name, *twins)))
        same = Case(
            reason="duplicate-machine",
            title=T("{node} and {others} are clones: they have one machine-id", node=here.name, others=twins),
            confidence=Confidence.CONFIRMED if agrees else Confidence.LIKELY,
            proof=shown,
            detail=twins,
        )
        yield _finding(here, same, (shown, *((identity.proof,) if identity and agrees else ())), address)


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What is wrong, said once."""

    reason: str
    title: Text
    confidence: Confidence
    proof: Proof
    detail: tuple[str, ...] = ()


def _address_case(here: Node, links: Links, nodes: Nodes) -> Case | None:
    address = here.address()
    ours = [(link, a) for link in links.items for a in link.addresses if link.name != "lo"]
    if not address or not ours:
        return None
    mine = next((link for link, a in ours if ip_interface(a).ip == ip_address(address)), None)
    shown = links.proof.quote(*(f"{link.name}: {a}" for link, a in ours[:6]))
    if mine is None:
        return Case(
            reason="not-on-host",
            title=T("no interface of {node} has its InternalIP {address}", node=here.name, address=address),
            confidence=Confidence.CONFIRMED,
            proof=shown,
            detail=tuple(a for link, a in ours if link.physical),
        )
    peers = [a for n in nodes.items if n.name != here.name and (a := n.address())]
    better = _better(mine, peers, links)
    if better is None:
        return None
    return Case(
        reason="wrong-network",
        title=T(
            "{node} registered {address}, but the other nodes are in the network of {interface}",
            node=here.name,
            address=address,
            interface=better.name,
        ),
        confidence=Confidence.CONFIRMED,
        proof=shown,
        detail=better.addresses,
    )


def _better(mine: Link, peers: list[str], links: Links) -> Link | None:
    """Another card in whose network all other nodes are, while none is in that of the registered address."""
    if len(peers) < FEWEST_PEERS or not mine.physical or any(mine.holds(a) for a in peers):
        return None
    cards = [link for link in links.items if link.physical and link is not mine and link.addresses]
    return next((card for card in cards if all(card.holds(a) for a in peers)), None)


def _twins(here: Node, nodes: Nodes) -> tuple[str, ...]:
    info = here.status.node_info
    if not info.machine_id or not info.system_uuid:
        return ()
    same = (n for n in nodes.items if n.name != here.name and n.status.node_info.machine_id == info.machine_id)
    return tuple(n.name for n in same if n.status.node_info.system_uuid == info.system_uuid)


def _finding(here: Node, case: Case, proofs: tuple[Proof, ...], address: str) -> Finding:
    return Finding(
        code="NODE-35",
        reason=case.reason,
        title=case.title,
        severity=Severity.HIGH,
        confidence=case.confidence,
        subject=node(here.name),
        facts={"node": here.name, "address": address, "found": case.detail},
        proofs=proofs,
        fixes=(_clone() if case.reason == "duplicate-machine" else _node_ip(here.name),),
    )


def _node_ip(name: str) -> Fix:
    return Fix(
        what=T("On the node: compare the addresses; then set --node-ip in the kubelet's arguments and restart it."),
        safety=Safety.REVERSIBLE,
        commands=("ip -br addr", "sudoedit /etc/default/kubelet", "sudo systemctl restart kubelet"),
        verify=(f"kubectl get node {shlex.quote(name)} -o wide",),
    )


def _clone() -> Fix:
    return Fix(
        what=T("On the clone: make a machine-id of its own, and reboot it."),
        safety=Safety.DISRUPTIVE,
        commands=("sudo rm /etc/machine-id", "sudo systemd-machine-id-setup", "sudo systemctl reboot"),
        verify=("cat /etc/machine-id",),
    )
