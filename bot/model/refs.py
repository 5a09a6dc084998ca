"""Names of things: which object, node, address or name a statement is about."""

from __future__ import annotations

from dataclasses import dataclass
from typing import NewType

NodeName = NewType("NodeName", str)
Namespace = NewType("Namespace", str)


@dataclass(frozen=True, slots=True, order=True)
class Subject:
    """What an operator would repair: an object of the cluster, or a DNSName, Address, APIGroup.

    Attributes:
        kind: ``Node``, ``Pod``, ``Deployment``, ``APIService``, ``DNSName`` …
        name: the object's name.
        namespace: None for kinds without one.
    """

    kind: str
    name: str
    namespace: str | None = None

    def __str__(self) -> str:
        return "/".join(part for part in (self.kind, self.namespace, self.name) if part)


def node(name: str) -> Subject:
    """The node called ``name`` as a subject."""
    return Subject("Node", name)


def cluster() -> Subject:
    """The cluster as a whole, where no single object is meant."""
    return Subject("Cluster", "cluster")
