"""The shape of the JSON report, ``kubewhy/report/v1``: one definition for the writer and for the published schema.

Keys may be added; none changes its meaning within v1.
"""

from __future__ import annotations

from typing import Literal

from msgspec import Struct, field

SCHEMA = "kubewhy/report/v1"
Scalar = str | int | float | bool | list[str]


class Subject(Struct, kw_only=True):
    """What an operator would repair."""

    kind: str
    namespace: str | None
    name: str


class Summary(Struct, kw_only=True):
    """The verdict in three sentences."""

    wrong: str
    why: str
    next: str


class Root(Struct, kw_only=True):
    """A cause that nothing found explains; ``chain`` runs from the root to the symptom."""

    finding: str
    code: str
    subject: Subject
    confidence: Literal["confirmed", "likely", "possible"]
    chain: list[str]
    exposed_by: list[str]


class Finding(Struct, kw_only=True):
    """A defect that the cluster has."""

    id: str
    code: str
    reason: str
    facts: dict[str, Scalar]
    title: str
    detail: str | None
    severity: Literal["crit", "high", "warn", "info", "bydesign", "noise"]
    confidence: Literal["confirmed", "likely", "possible"]
    subject: Subject
    role: Literal["root", "effect", "contributing", "trigger", "noise", "bydesign"]
    onset: str | None
    explained_by: list[str]
    evidence: list[str]
    fixes: list[str]


class RuledOut(Struct, kw_only=True):
    """A suspicion that was looked into and is not it."""

    code: str
    subject: Subject
    because: str
    evidence: list[str]


class Skipped(Struct, kw_only=True):
    """A check that could not run."""

    code: str
    key: str
    missing: list[str]
    because: str
    hint: str
    mandatory: bool


class Failed(Struct, kw_only=True):
    """A check that raised."""

    code: str
    error: str
    reference: str


class Edge(Struct, kw_only=True):
    """An edge of the causal graph of this case."""

    cause: str = field(name="from")
    effect: str = field(name="to")
    type: str
    state: Literal["active", "possible"]


class Checks(Struct, kw_only=True):
    """How many checks came out how."""

    found: int
    clean: int
    skipped: int
    failed: int


class Fix(Struct, kw_only=True):
    """What to do; the order of fixes is the order of repair."""

    id: str
    finding: str
    what: str
    safety: Literal["read_only", "reversible", "disruptive"]
    commands: list[str]
    verify: list[str]
    undo: list[str]


class Evidence(Struct, kw_only=True):
    """One thing that was read."""

    id: str
    source: Literal["api", "log", "node", "dns", "probe", "metric", "user"]
    what: str
    at: str | None
    excerpt: str
    redactions: int


class Report(Struct, kw_only=True):
    """One diagnosis."""

    schema: Literal["kubewhy/report/v1"]
    run: str
    command: str
    cluster: str
    target: str
    observed_at: str
    duration_ms: int
    status: Literal["ok", "info", "warning", "critical", "incomplete", "failed", "cancelled", "expired"]
    summary: Summary
    note: str | None
    roots: list[Root]
    findings: list[Finding]
    ruled_out: list[RuledOut]
    skipped: list[Skipped]
    unread: list[Skipped]
    failed: list[Failed]
    edges: list[Edge]
    checks: Checks
    fixes: list[Fix]
    evidence: list[Evidence]
