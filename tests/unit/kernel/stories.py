"""Findings made for tests of the causal model: short to write, complete enough to be joined."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.model.evidence import Clock, Known
from bot.model.finding import Confidence, Finding, Severity
from bot.model.proof import Proof, Source
from bot.model.refs import Subject
from bot.model.rows import rows
from bot.model.text import T

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)


def known() -> Known:
    """What is known when nothing was read: the time."""
    store = Known()
    store.put(Clock(proof=Proof(source=Source.API, what="clock"), now=NOW))
    return store


def found(
    code: str,
    subject: str = "Node/node-3",
    *,
    minutes: float | None = None,
    confidence: Confidence = Confidence.CONFIRMED,
    severity: Severity | None = None,
    reason: str = "case",
    **facts: str | bool | tuple[str, ...],
) -> Finding:
    """A finding of a row; ``minutes`` is how long ago it began."""
    kind, _, rest = subject.partition("/")
    namespace, _, name = rest.rpartition("/")
    return Finding(
        code=code,
        reason=reason,
        title=T("something is wrong"),
        severity=severity or rows()[code].severity,
        confidence=confidence,
        subject=Subject(kind, name, namespace or None),
        facts=facts,
        onset=None if minutes is None else NOW - timedelta(minutes=minutes),
    )
