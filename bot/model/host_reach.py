"""What others see of a node: whether its ports answer, and what it asks of the certificate signer."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.model.evidence import Evidence, NodeEvidence

DEAD = frozenset({"timeout", "unreachable"})


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeReach(NodeEvidence):
    """Whether ports 22 and 10250 of a node answer, from the bot and from other nodes.

    Attributes:
        address: the node's address that was tried.
        bot: port → result (``ok``, ``refused``, ``timeout``, ``unreachable``).
        peers: node → port → result.
        neighbour: state of the neighbour entry on a peer of the same subnet; empty when there is none.
    """

    words: ClassVar[str] = "reach from outside"

    address: str
    bot: Mapping[int, str]
    peers: Mapping[str, Mapping[int, str]]
    neighbour: str = ""

    def dead_from(self) -> tuple[str, ...]:
        """The places from which neither port gives a sign of life (refused is one)."""
        places = {"bot": self.bot, **self.peers}
        return tuple(name for name, ports in places.items() if ports and set(ports.values()) <= DEAD)


@dataclass(frozen=True, slots=True, kw_only=True)
class SigningRequest:
    """A CertificateSigningRequest that waits; ``subject`` is the node that it is for, empty when it does not say."""

    name: str
    requestor: str
    signer: str
    created: datetime | None
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PendingRequests(Evidence):
    """CertificateSigningRequests that are neither approved nor denied."""

    words: ClassVar[str] = "pending certificate requests"

    items: tuple[SigningRequest, ...]
