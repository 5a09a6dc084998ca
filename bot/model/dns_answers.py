"""What DNS answered, to whom: the replies to the probe set of catalogue B.7, and what earlier runs were answered."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from bot.model.evidence import Evidence, NodeEvidence
from bot.model.proof import Proof


class Asked(enum.StrEnum):
    """The probe set of catalogue B.7."""

    Q1 = "Q1"  # kubernetes.default at the Service
    Q2 = "Q2"  # the same at each DNS pod
    Q3 = "Q3"  # NAME at the Service
    Q4 = "Q4"  # NAME at each DNS pod
    Q5 = "Q5"  # NAME at each upstream, from a node


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """What came back for one question, asked up to three times.

    Attributes:
        asked: which of the probe set it is.
        origin: ``bot`` or ``node/NAME``.
        rcodes: one per try: ``NOERROR`` …, or ``timeout``, ``refused``, ``unreachable``.
        addresses: the answer of the last try that had one, sorted.
        ms: round trips of the answered tries.
    """

    asked: Asked
    origin: str
    server: str
    name: str
    type: str
    rcodes: tuple[str, ...]
    addresses: tuple[str, ...] = ()
    ms: tuple[int, ...] = ()
    proof: Proof

    @property
    def answered(self) -> bool:
        """Whether a server answered at least once, with whatever code."""
        return any(code.isupper() for code in self.rcodes)

    @property
    def good(self) -> bool:
        """Whether most tries gave an answer that a resolver can stand by (NOERROR or NXDOMAIN)."""
        return 2 * sum(code in {"NOERROR", "NXDOMAIN"} for code in self.rcodes) > len(self.rcodes)

    @property
    def bad(self) -> bool:
        """Whether at least two thirds of the tries failed: silence, SERVFAIL, REFUSED."""
        failed = sum(code not in {"NOERROR", "NXDOMAIN"} for code in self.rcodes)
        return bool(self.rcodes) and 3 * failed >= 2 * len(self.rcodes)

    @property
    def node(self) -> str:
        """The node that asked, empty for the bot."""
        return self.origin.removeprefix("node/") if self.origin.startswith("node/") else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsAnswers(Evidence):
    """What DNS answered to the bot.

    Silence counts only where the bot is known to have a route: see :meth:`counts`.

    Attributes:
        replies: one per question; questions that could not be asked are in ``unasked``.
        unasked: server → why.
    """

    words: ClassVar[str] = "the answers of cluster DNS to the bot"

    replies: tuple[Reply, ...]
    unasked: Mapping[str, str] = field(default_factory=dict)

    def counts(self, reply: Reply) -> bool:
        """Whether the reply is evidence: an answer always; silence only of a server that the bot is known to reach."""
        if reply.answered:
            return True
        heard = {r.server for r in self.replies if r.answered}
        pods = {r.server for r in self.replies if r.asked in {Asked.Q2, Asked.Q4} and r.answered}
        return reply.server in heard or (reply.asked in {Asked.Q2, Asked.Q4} and bool(pods))

    @property
    def telling(self) -> tuple[Reply, ...]:
        """The replies that are evidence."""
        return tuple(r for r in self.replies if self.counts(r))


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeDnsAnswers(NodeEvidence):
    """What cluster DNS answered when asked from a node."""

    words: ClassVar[str] = "answers of cluster DNS"

    replies: tuple[Reply, ...]

    def of(self, asked: Asked) -> tuple[Reply, ...]:
        """The replies to one kind of question."""
        return tuple(r for r in self.replies if r.asked is asked)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeUpstreamAnswers(NodeEvidence):
    """What the upstream resolvers answered when asked from a node (Q5 on nodes of DNS pods, Q6 on others)."""

    words: ClassVar[str] = "answers of the upstream resolvers"

    replies: tuple[Reply, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClusterAnswers(Evidence):
    """Every answer of cluster DNS that is evidence, to whomever: the bot where it has a route, the nodes."""

    words: ClassVar[str] = "the answers of cluster DNS"

    replies: tuple[Reply, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class UpstreamAnswers(Evidence):
    """What the upstream resolvers answered to the nodes, at least to one."""

    words: ClassVar[str] = "the answers of the upstream resolvers to nodes"

    replies: tuple[Reply, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PastAnswer:
    """An answer that an earlier run got for a name."""

    at: datetime
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class AnswerHistory(Evidence):
    """What earlier runs were answered for the name, oldest first."""

    words: ClassVar[str] = "earlier answers"

    items: tuple[PastAnswer, ...]
