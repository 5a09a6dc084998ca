"""Nodes that are registered with one InternalIP (NODE-35): one machine under two names, or two machines."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from bot.model.cluster import Nodes
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.health import is_ready
from bot.model.host import NodeIdentity
from bot.model.k8s import Node
from bot.model.refs import node
from bot.model.registered import owner
from bot.model.text import T


def shared(here: Node, others: tuple[Node, ...], nodes: Nodes, identity: NodeIdentity | None) -> Iterator[Finding]:
    """What to say of them: the host at the address tells which of them it is, and those that are not Ready are left."""
    all_of_them = (here, *others)
    machine = owner(all_of_them, identity.hostname) if identity else None
    left = [n for n in all_of_them if machine and n is not machine and not is_ready(n)]
    if machine and identity and (here in left or len(left) == len(others)):
        for leftover in [here] if here in left else left:
            yield _leftover(leftover, machine, nodes, identity)
        return
    names = tuple(n.name for n in others)
    yield Finding(
        code="NODE-35",
        reason="shared-address",
        title=T(
            "{node} and {others} have the same InternalIP {address}", node=here.name, others=names, address=_ip(here)
        ),
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED if machine else Confidence.LIKELY,
        subject=node(here.name),
        facts={"node": here.name, "address": _ip(here), "found": names},
        proofs=(
            nodes.proof.quote(*(_registered(n) for n in all_of_them)),
            *((identity.proof,) if identity and machine else ()),
        ),
        fixes=(_look(),),
    )


def _leftover(left: Node, machine: Node, nodes: Nodes, identity: NodeIdentity) -> Finding:
    title = T(
        "{node} is a leftover: the machine at its InternalIP {address} is {other}",
        node=left.name,
        address=_ip(left),
        other=machine.name,
    )
    remove = Fix(
        what=T(
            "Delete the node object {node}, and with it the pods it still lists; its machine is {other}.",
            node=left.name,
            other=machine.name,
        ),
        safety=Safety.DISRUPTIVE,
        commands=(f"kubectl delete node {shlex.quote(left.name)}",),
        verify=("kubectl get nodes -o wide",),
    )
    return Finding(
        code="NODE-35",
        reason="registered-twice",
        title=title,
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED,
        subject=node(left.name),
        facts={"node": left.name, "address": _ip(left), "found": (machine.name,)},
        proofs=(
            nodes.proof.quote(_registered(left), _registered(machine)),
            identity.proof.quote(f"{_ip(left)}: hostname {identity.hostname}"),
        ),
        fixes=(_look(), remove),
    )


def _look() -> Fix:
    return Fix(
        what=T("See which of the nodes is Ready, and what the machine at the address is called."),
        safety=Safety.READ_ONLY,
        commands=("kubectl get nodes -o wide", "hostname; ip -br addr"),
    )


def _registered(item: Node) -> str:
    return f"{item.name}: InternalIP {_ip(item)}, {'Ready' if is_ready(item) else 'not Ready'}"


def _ip(item: Node) -> str:
    return item.address() or ""
