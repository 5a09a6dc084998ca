"""NODE-35: the cluster knows the node by a wrong address, or two nodes are one machine."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from ipaddress import ip_address, ip_interface

from bot.check import check
from bot.checks.node.shared_address import shared
from bot.model.cluster import Nodes
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.health import is_ready, is_virtual
from bot.model.host import KubeletArguments, Link, Links, NodeIdentity
from bot.model.k8s import Node
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.registered import of_one_address
from bot.model.text import T, Text

FEWEST_PEERS = 2


@check("NODE-35")
def wrong_node_address(
    *, links: Links, nodes: Nodes, identity: NodeIdentity | None, arguments: KubeletArguments | None
) -> Iterator[Finding]:
    """The node's InternalIP is not its own or lies in the wrong network, its host has another name, or it is a clone.

    Says:
        "After adding a network card, logs and exec fail", "since the host was renamed the node does not come back".
    Evidence:
        status.addresses against the interfaces and the name of the host; machineID and systemUUID of all nodes.
    Rule:
        The InternalIP is on no interface of the host; or it is on one, but all other nodes are in the network of
        another one; or the host has another name than its kubelet registered, which no flag sets and no cloud gives;
        or two nodes have the same machineID and systemUUID; or two nodes have the same InternalIP: then the host's
        name tells which of them it is, and the other one is a leftover when it is not Ready.
    Cause:
        Several network cards, a changed DHCP lease, a renamed host, a cloned machine, a node object of a machine that
        is gone. It explains METRICS-03, KUBECTL-01, NET-09.
    Fix:
        Tell the kubelet its address with --node-ip; give the host its name back; give the clone a machine-id of its
        own; delete the leftover.
    Verify:
        The addresses agree.
    Must not fire:
        External addresses, which may be translated on their way; an address of the loopback interface; a name with or
        without its domain.
    Reasons:
        - not-on-host: no interface has the InternalIP
        - wrong-network: the InternalIP is in another network than the other nodes'
        - hostname-changed: the host has another name than its kubelet registered: the next start fails
        - duplicate-machine: another node has the same machineID and systemUUID
        - registered-twice: the machine at its InternalIP is another node; nothing is behind this one
        - shared-address: another node has the same InternalIP
    """
    here = nodes.get(links.node)
    if here is None or is_virtual(here):
        return
    address = here.address() or ""
    case = _address_case(here, links, nodes)
    if case is not None:
        known = f"{here.name}: InternalIP {address}, {here.status.node_info.os_image}"
        yield _finding(here, case, (case.proof, nodes.proof.quote(known)), address)
    others = of_one_address(here, nodes)
    if others:
        yield from shared(here, others, nodes, identity)
        return
    named = _name_case(here, identity, arguments, nodes)
    if named is not None and identity:
        yield _finding(here, named, (named.proof, identity.proof.quote(identity.hostname)), address)
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
    severity: Severity = Severity.HIGH
    better: str = ""


def _name_case(
    here: Node, identity: NodeIdentity | None, arguments: KubeletArguments | None, nodes: Nodes
) -> Case | None:
    """The host was renamed: its kubelet still runs under the old name, or cannot register under the new one."""
    registered, now = here.address("Hostname") or "", identity.hostname if identity else ""
    flags = arguments.flags if arguments else None
    named = here.spec.provider_id or not flags or flags.get("hostname-override") or flags.get("cloud-provider")
    if named or not registered or not now:
        return None
    if registered.lower().partition(".")[0] == now.lower().partition(".")[0]:
        return None
    return Case(
        reason="hostname-changed",
        title=T(
            "the host of {node} is now called {hostname}: its kubelet may not register under that name",
            node=here.name,
            hostname=now,
        ),
        confidence=Confidence.CONFIRMED,
        proof=nodes.proof.quote(f"{here.name}: Hostname {registered}; the host says {now}"),
        detail=(now,),
        severity=Severity.WARN if is_ready(here) else Severity.HIGH,
    )


def _address_case(here: Node, links: Links, nodes: Nodes) -> Case | None:
    addresses = [a.address for a in here.status.addresses or () if a.type == "InternalIP"]
    ours = [(link, a) for link in links.items for a in link.addresses if not ip_interface(a).is_loopback]
    if not addresses or not any(link.name != "lo" for link, _ in ours):
        return None
    known = {ip_interface(a).ip: link for link, a in ours}
    lost = [a for a in addresses if ip_address(a) not in known]
    address = lost[0] if lost else addresses[0]
    mine = known.get(ip_address(address))
    peers = [a for n in nodes.items if n.name != here.name and (a := n.address())]
    shown = links.proof.quote(*(f"{link.name}: {a}" for link, a in ours[:6]))
    if mine is None:
        return Case(
            reason="not-on-host",
            title=T("no interface of {node} has its InternalIP {address}", node=here.name, address=address),
            confidence=Confidence.CONFIRMED,
            proof=shown,
            detail=tuple(a for link, a in ours if link.physical),
            better=_candidate([link for link, _ in ours if link.physical], peers),
        )
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
        better=_candidate([better], peers),
    )


def _candidate(links: list[Link], peers: list[str]) -> str:
    """The address of a card in whose network the other nodes are; empty when there is none."""
    fits = [link for link in links if peers and all(link.holds(a) for a in peers)]
    found = [ip_interface(a).ip for link in fits for a in link.addresses]
    return next((str(ip) for ip in found if not ip.is_link_local), "")


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
        severity=case.severity,
        confidence=case.confidence,
        subject=node(here.name),
        facts={"node": here.name, "address": address, "found": case.detail},
        proofs=proofs,
        fixes=_fixes(here, case),
    )


def _fixes(here: Node, case: Case) -> tuple[Fix, ...]:
    if case.reason == "duplicate-machine":
        return (_clone(),)
    if case.reason == "hostname-changed":
        return (_rename(here),)
    return _node_ip(here.name, case.better)


def _rename(here: Node) -> Fix:
    name = shlex.quote(here.address("Hostname") or here.name)
    return Fix(
        what=T("On the host: give it the name back under which its kubelet registered."),
        safety=Safety.REVERSIBLE,
        commands=(f"sudo hostnamectl set-hostname {name}",),
        verify=("hostname", f"kubectl get node {shlex.quote(here.name)} -o wide"),
    )


def _node_ip(name: str, better: str) -> tuple[Fix, ...]:
    look = Fix(
        what=T("On the node: compare the addresses, and see where --node-ip is set."),
        safety=Safety.READ_ONLY,
        commands=(
            "ip -br addr",
            "grep -rs -- --node-ip /etc/default/kubelet /etc/sysconfig/kubelet /var/lib/kubelet/kubeadm-flags.env",
        ),
    )
    what = T(
        "Set --node-ip={address} in the kubelet's arguments and restart it; containers keep running.", address=better
    )
    change = Fix(
        what=what if better else T("Set --node-ip in the kubelet's arguments and restart it; containers keep running."),
        safety=Safety.DISRUPTIVE,
        commands=("sudoedit /etc/default/kubelet", "sudo systemctl restart kubelet"),
        verify=(f"kubectl get node {shlex.quote(name)} -o wide",),
    )
    return look, change


def _clone() -> Fix:
    return Fix(
        what=T("On the clone: make a machine-id of its own, and reboot it."),
        safety=Safety.DISRUPTIVE,
        commands=("sudo rm /etc/machine-id", "sudo systemd-machine-id-setup", "sudo systemctl reboot"),
        verify=("cat /etc/machine-id",),
    )
