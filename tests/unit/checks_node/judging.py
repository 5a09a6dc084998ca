"""One check asked about one node on evidence made by hand, and the moment of the observation."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

from bot.check import load
from bot.model.evidence import Clock, Evidence, PerNode
from bot.model.finding import Finding
from bot.model.proof import Proof, Source

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
PROOF = Proof(source=Source.NODE, what="test")
CLOCK = Clock(proof=PROOF, now=NOW)
NODE = "node-3"
CHECKS = load()
ABOUT: dict[str, Any] = {"proof": PROOF, "node": NODE}


def ago(**span: float) -> datetime:
    """A moment before the observation."""
    return NOW - timedelta(**span)


def judged(code: str, *evidence: Evidence) -> list[Finding]:
    """The findings of one check; evidence that is not given is missing."""
    values: dict[str, object] = {}
    for need in CHECKS[code].needs:
        given = next((e for e in (*evidence, CLOCK) if isinstance(e, need.type)), None)
        values[need.name] = PerNode({}) if need.every_node else given
    return [r for r in CHECKS[code].run(**values) if isinstance(r, Finding)]
