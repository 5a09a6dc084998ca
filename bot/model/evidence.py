"""The base of evidence: typed, frozen, and either there or a gap that says why it is not.

Concrete evidence lives beside this file, one module a family. A check declares the types that it needs as the types of
its parameters; a collector declares the types that it provides. Neither knows the other.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Generic, TypeVar

from bot.model.proof import Proof

NO_KEY = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Evidence:
    """Something known about the cluster as a whole.

    Attributes:
        proof: where it was read.
    """

    words: ClassVar[str] = ""  # what it is called in "could not check: … is missing"

    proof: Proof

    @property
    def key(self) -> str:
        """What this piece is about: empty for the cluster, the node's name for a node."""
        return NO_KEY


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEvidence(Evidence):
    """Something known about one node; checks that take it run once a node."""

    node: str

    @property
    def key(self) -> str:
        """The node's name."""
        return self.node


@dataclass(frozen=True, slots=True, kw_only=True)
class Gap:
    """Evidence that could not be had.

    Attributes:
        type: the evidence type that is missing.
        key: as :attr:`Evidence.key`.
        because: one line: ``SSH to node-3: connection refused``; English, it quotes foreign words.
        hint: what would make it available: the exact missing right, setting or step; may be empty.
    """

    type: type[Evidence]
    because: str
    key: str = NO_KEY
    hint: str = ""

    @property
    def words(self) -> str:
        """What is missing, in words, with the node it is about."""
        name = self.type.words or self.type.__name__
        return f"{name} of {self.key}" if self.key else name


E = TypeVar("E", bound=Evidence)


@dataclass(frozen=True, slots=True)
class PerNode(Generic[E]):
    """One evidence type of every node that delivered it, for checks that compare nodes."""

    by_node: Mapping[str, E]

    def __iter__(self) -> Iterator[E]:
        return iter(self.by_node.values())

    def __len__(self) -> int:
        return len(self.by_node)

    def get(self, node: str) -> E | None:
        """The evidence of one node, or None."""
        return self.by_node.get(node)

    def others(self, node: str) -> tuple[E, ...]:
        """The evidence of all nodes but one: its peers."""
        return tuple(e for name, e in self.by_node.items() if name != node)


@dataclass(frozen=True, slots=True, kw_only=True)
class Clock(Evidence):
    """The moment of the observation, by the API server's clock (UTC); a check has no other clock.

    Attributes:
        now: the observation time.
        window_seconds: how far back logs and events count (``--since``).
    """

    words: ClassVar[str] = "the time of the observation"

    now: datetime
    window_seconds: int = 1800

    def age(self, then: datetime) -> float:
        """Seconds from ``then`` to the observation; negative for the future."""
        return (self.now - then).total_seconds()


@dataclass(frozen=True, slots=True, kw_only=True)
class Ask(Evidence):
    """What the person asked: evidence too, because expectations decide some rows.

    Attributes:
        command: ``dns-check`` …
        target: the argument as typed, empty when none.
        options: ``from``, ``expect``, ``ns``, ``net`` … as parsed; a bare switch is ``"true"``.
    """

    words: ClassVar[str] = "the question"

    command: str
    target: str = ""
    options: Mapping[str, str] = field(default_factory=dict)

    def switch(self, name: str) -> bool:
        """Whether a bare word such as ``net`` was given."""
        return self.options.get(name, "") not in {"", "false", "no", "0"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Expectations(Evidence):
    """What the operator's configuration says is normal here (catalogue section 0, operator config).

    Attributes:
        control_plane_hosts: addresses or names of hosts that may run control-plane units.
        answers: name → CIDRs that are right for it.
        metrics: whether a metrics API is expected; None when the operator did not say.
        thresholds: row → name → number.
        ignored: rows that the operator silenced, as ``CODE`` or ``CODE@subject``.
    """

    words: ClassVar[str] = "the operator's expectations"

    control_plane_hosts: tuple[str, ...] = ()
    answers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    peers: Mapping[str, tuple[str, ...]] = field(default_factory=dict)
    metrics: bool | None = None
    thresholds: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    ignored: tuple[str, ...] = ()


class Known:
    """All evidence of one diagnosis: what is there and what is missing, by type and key."""

    def __init__(self) -> None:
        self._there: dict[tuple[type[Evidence], str], Evidence] = {}
        self._gaps: dict[tuple[type[Evidence], str], Gap] = {}

    def put(self, item: Evidence | Gap) -> None:
        """Add evidence, or the note that it is missing; evidence wins over a gap of the same type and key."""
        if isinstance(item, Gap):
            self._gaps[item.type, item.key] = item
        else:
            self._there[type(item), item.key] = item

    def get(self, kind: type[E], key: str = NO_KEY) -> E | None:
        """The piece of this type about ``key``, or None."""
        found = self._there.get((kind, key))
        return found if isinstance(found, kind) else None

    def gap(self, kind: type[Evidence], key: str = NO_KEY) -> Gap:
        """Why the piece is missing."""
        return self._gaps.get((kind, key)) or Gap(type=kind, key=key, because="not collected by this command")

    def per_node(self, kind: type[E]) -> PerNode[E]:
        """All pieces of a node-scoped type."""
        return PerNode({key: e for (t, key), e in self._there.items() if t is kind and isinstance(e, kind)})

    def all(self) -> Iterator[Evidence]:
        """Every piece."""
        return iter(self._there.values())

    def gaps(self) -> tuple[Gap, ...]:
        """Every gap that no evidence fills."""
        return tuple(gap for at, gap in self._gaps.items() if at not in self._there)
