"""The result of a diagnosis: plain data that every renderer, the store and the JSON output share."""

from __future__ import annotations

import enum
from dataclasses import dataclass
from datetime import datetime

from bot.model.command import Question
from bot.model.finding import Finding, Fix
from bot.model.proof import Proof
from bot.model.refs import Subject
from bot.model.text import Text


class Status(enum.StrEnum):
    """The verdict in one word (contract: status and exit code)."""

    OK = "ok"
    INFO = "info"
    WARNING = "warning"
    CRITICAL = "critical"
    INCOMPLETE = "incomplete"
    FAILED = "failed"
    CANCELLED = "cancelled"
    EXPIRED = "expired"

    @property
    def exit_code(self) -> int:
        """The exit code of the terminal command."""
        return {"ok": 0, "info": 0, "warning": 1, "critical": 2, "incomplete": 3, "failed": 4}.get(self.value, 5)


class Role(enum.StrEnum):
    """The part a finding plays in the causal story."""

    ROOT = "root"
    EFFECT = "effect"
    CONTRIBUTING = "contributing"
    TRIGGER = "trigger"
    NOISE = "noise"
    BYDESIGN = "bydesign"


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """A finding with its place in the report.

    Attributes:
        id: ``F1`` …, stable within the run.
        explained_by: ids of the findings that cause it by active edges.
        evidence: ids of its proofs; fixes: ids of its fixes.
    """

    id: str
    finding: Finding
    role: Role
    explained_by: tuple[str, ...] = ()
    evidence: tuple[str, ...] = ()
    fixes: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Root:
    """A cause that nothing found explains.

    Attributes:
        chain: finding ids from the root to the symptom, along active edges.
        exposed_by: ids of trigger findings.
    """

    finding: str
    chain: tuple[str, ...]
    exposed_by: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Edge:
    """An edge of the causal graph of this case; ``state`` is ``active`` or ``possible``."""

    cause: str
    effect: str
    type: str
    state: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Ruled:
    """A suspicion that was ruled out, with the ids of its proofs."""

    code: str
    subject: Subject
    because: Text
    evidence: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Skipped:
    """A check that could not run: which evidence was missing, and why.

    Attributes:
        mandatory: whether an all-clear is impossible without it.
    """

    code: str
    key: str
    missing: tuple[str, ...]
    because: str
    hint: str = ""
    mandatory: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Failed:
    """A check that raised; ``reference`` is what the log calls it."""

    code: str
    error: str
    reference: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Exhibit:
    """A proof with its id in this report (``E1`` …)."""

    id: str
    proof: Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class Remedy:
    """A fix with its id (``X1`` …) and the finding it repairs; the order of remedies is the order of repair."""

    id: str
    finding: str
    fix: Fix


@dataclass(frozen=True, slots=True, kw_only=True)
class Counts:
    """How many checks came out how."""

    found: int = 0
    clean: int = 0
    skipped: int = 0
    failed: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Summary:
    """The verdict for a hurried reader: what is wrong, why, what to do next."""

    wrong: Text
    why: Text
    next: Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One diagnosis, finished.

    Attributes:
        run: id with at least 40 random bits: ``dns-7f3a9c01d2``.
        observed_at: API-server time of the observation, UTC.
        entries: all findings, worst and most causal first.
        remedies: fixes in order of repair.
        unread: checks that judged without optional evidence, and what would make it available.
        ran: rows whose check ran with its evidence, at least once.
    """

    run: str
    question: Question
    cluster: str
    observed_at: datetime
    duration_ms: int
    status: Status
    summary: Summary
    roots: tuple[Root, ...] = ()
    entries: tuple[Entry, ...] = ()
    ruled_out: tuple[Ruled, ...] = ()
    skipped: tuple[Skipped, ...] = ()
    failed: tuple[Failed, ...] = ()
    edges: tuple[Edge, ...] = ()
    counts: Counts = Counts()
    remedies: tuple[Remedy, ...] = ()
    exhibits: tuple[Exhibit, ...] = ()
    note: Text | None = None
    unread: tuple[Skipped, ...] = ()
    ran: tuple[str, ...] = ()

    def entry(self, finding_id: str) -> Entry:
        """The entry with this id.

        Raises:
            KeyError: there is none.
        """
        for item in self.entries:
            if item.id == finding_id:
                return item
        raise KeyError(finding_id)

    def causes(self) -> tuple[tuple[Root, ...], ...]:
        """The roots, best first, with those that are one fault in several places (same row and reason) put together."""
        groups: dict[tuple[str, str], list[Root]] = {}
        for root in self.roots:
            finding = self.entry(root.finding).finding
            groups.setdefault((finding.code, finding.reason), []).append(root)
        return tuple(tuple(group) for group in groups.values())
