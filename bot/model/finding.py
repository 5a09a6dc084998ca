"""Findings, what was ruled out, and the fixes that go with them."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime

from bot.model.proof import Proof
from bot.model.refs import Subject
from bot.model.text import Facts, Text


class Severity(enum.StrEnum):
    """How bad (catalogue section 0)."""

    CRIT = "crit"
    HIGH = "high"
    WARN = "warn"
    INFO = "info"
    BYDESIGN = "bydesign"
    NOISE = "noise"


class Confidence(enum.StrEnum):
    """How sure (catalogue section 0): two independent sources, one source, or a pattern only."""

    CONFIRMED = "confirmed"
    LIKELY = "likely"
    POSSIBLE = "possible"

    @property
    def counts(self) -> bool:
        """Whether a root may be built on it (catalogue C.2, step 1)."""
        return self is not Confidence.POSSIBLE


class Safety(enum.StrEnum):
    """What running a fix may do to the cluster."""

    READ_ONLY = "read_only"
    REVERSIBLE = "reversible"
    DISRUPTIVE = "disruptive"


class Stage(enum.IntEnum):
    """Where a fix belongs in the order of repair (catalogue C.2, step 8)."""

    MITIGATION = 1
    ROOT = 2
    CONSUMERS = 3
    POSTURE = 4


@dataclass(frozen=True, slots=True, kw_only=True)
class Fix:
    """What to do. Commands are printed, never run.

    Attributes:
        what: one sentence that says what the commands do and what they risk.
        safety: READ_ONLY, REVERSIBLE (changes state, needs approval) or DISRUPTIVE (restarts, drains, deletes).
        commands: copyable shell lines, no prompt, no comments.
        verify: how to see that it worked.
        undo: how to take it back; empty where nothing can.
        stage: mitigation, root, consumers, posture.
    """

    what: Text
    safety: Safety
    commands: tuple[str, ...] = ()
    verify: tuple[str, ...] = ()
    undo: tuple[str, ...] = ()
    stage: Stage = Stage.ROOT


@dataclass(frozen=True, slots=True, kw_only=True)
class Finding:
    """A defect that the cluster has.

    Attributes:
        code: the catalogue row.
        reason: stable kebab-case word for the case within the row, listed on the check's page.
        title: one line for people.
        detail: one plain sentence of meaning; None when the title says it all.
        severity: of this case; the row's severity unless the check knows better.
        confidence: confirmed needs two independent sources.
        subject: what an operator would repair.
        facts: typed particulars; ``node``, ``nodes``, ``pod`` (``ns/name``), ``group``, ``service`` (``ns/name``),
            ``upstream`` are the keys by which causes and effects are joined (catalogue C.1b).
        onset: when the defect began, API-server time, UTC; None when unknown.
        proofs: what was read, most telling first.
        fixes: what to do.
    """

    code: str
    reason: str
    title: Text
    severity: Severity
    confidence: Confidence
    subject: Subject
    detail: Text | None = None
    facts: Facts = field(default_factory=dict)
    onset: datetime | None = None
    proofs: tuple[Proof, ...] = ()
    fixes: tuple[Fix, ...] = ()

    @property
    def nodes(self) -> frozenset[str]:
        """The nodes that the finding is about: a node that is its subject, and the facts ``node`` and ``nodes``."""
        if self.subject.kind == "Node":
            return frozenset({self.subject.name}) | fact_set(self.facts, "nodes")
        return fact_set(self.facts, "node", "nodes")


@dataclass(frozen=True, slots=True, kw_only=True)
class RuledOut:
    """A suspicion that was looked into and is not it; posted, because ruling out is a result."""

    code: str
    subject: Subject
    because: Text
    proofs: tuple[Proof, ...] = ()


def fact_set(facts: Mapping[str, object], *keys: str) -> frozenset[str]:
    """The union of the named facts, each a word or a tuple of words."""
    found: set[str] = set()
    for key in keys:
        value = facts.get(key)
        if isinstance(value, str) and value:
            found.add(value)
        elif isinstance(value, tuple):
            found.update(value)
    return frozenset(found)
