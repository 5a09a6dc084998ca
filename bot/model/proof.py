"""Proof: where a statement comes from, so that a person can look it up and measure again."""

from __future__ import annotations

import enum
from dataclasses import dataclass, replace
from datetime import datetime

EXCERPT_LINES = 6
LINE_CHARS = 400


class Source(enum.StrEnum):
    """Which of the senses delivered a proof."""

    API = "api"
    LOG = "log"
    NODE = "node"
    DNS = "dns"
    PROBE = "probe"
    METRIC = "metric"
    USER = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """One thing that was read.

    Attributes:
        source: the sense.
        what: the question in words that can be repeated: ``node-3: systemctl show kubelet``, ``GET /apis/…``.
        at: when it was read, API-server time, UTC; None when the recording does not say.
        body: the answer, redacted, at most 64 KiB.
        excerpt: the few lines that carry the statement; empty means the head of ``body``.
        redactions: how many secrets were taken out of ``body``.
    """

    source: Source
    what: str
    at: datetime | None = None
    body: str = ""
    excerpt: str = ""
    redactions: int = 0

    def quote(self, *lines: str) -> Proof:
        """The same proof, narrowed to the given lines (at most 6 of 400 characters)."""
        kept = [line.strip("\n")[:LINE_CHARS] for line in lines if line.strip()][:EXCERPT_LINES]
        return replace(self, excerpt="\n".join(kept))

    @property
    def shown(self) -> str:
        """The excerpt, or the first lines of the body."""
        return self.excerpt or "\n".join(line[:LINE_CHARS] for line in self.body.splitlines()[:EXCERPT_LINES])
