"""Which node object a machine is: by its name, where several are registered with one InternalIP."""

from __future__ import annotations

from collections.abc import Iterable

from bot.model.cluster import Nodes
from bot.model.health import is_ready, is_virtual
from bot.model.k8s import Node


def of_one_address(here: Node, nodes: Nodes) -> tuple[Node, ...]:
    """The other nodes with the same InternalIP; virtual ones have the address of what plays them."""
    address = here.address()
    others = (n for n in nodes.items if n.name != here.name and not is_virtual(n))
    return tuple(n for n in others if address and n.address() == address)


def owner(nodes: Iterable[Node], hostname: str) -> Node | None:
    """The node that a machine of this name is; the domain does not count."""
    return next((n for n in nodes if hostname and _short(hostname) in _names(n)), None)


def machine_of_another(here: Node, nodes: Nodes, hostname: str) -> Node | None:
    """The node that the visited machine is, when ``here`` is but left over at its address."""
    others = of_one_address(here, nodes)
    found = owner((here, *others), hostname) if others and not is_ready(here) else None
    return found if found is not here else None


def _names(item: Node) -> set[str]:
    names = (item.name, item.address("Hostname") or "", item.metadata.label("kubernetes.io/hostname") or "")
    return {_short(n) for n in names if n}


def _short(name: str) -> str:
    return name.lower().partition(".")[0]
