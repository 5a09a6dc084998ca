"""The kernel of the causal model: what an edge is, and the three-valued guards that switch it on.

An edge is data (catalogue C.1); its guard is a pure function of two findings and of what is known, and answers true,
false or unknown. Unknown keeps the edge *possible*: shown dashed, never followed.
"""

from __future__ import annotations

import enum
from collections.abc import Callable
from dataclasses import dataclass

from bot.model.evidence import Known
from bot.model.finding import Finding


class Tri(enum.Enum):
    """The answer of a guard."""

    TRUE = "true"
    FALSE = "false"
    UNKNOWN = "unknown"

    @classmethod
    def of(cls, value: bool | None) -> Tri:
        """True, false, or None for unknown."""
        return cls.UNKNOWN if value is None else cls.TRUE if value else cls.FALSE


class Type(enum.StrEnum):
    """What an edge means (catalogue C.1); only CAUSES is followed when a root is named."""

    CAUSES = "causes"
    AMPLIFIES = "amplifies"
    MASKS = "masks"
    TRIGGERS = "triggers"
    LEADS = "leads"


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """What a guard may look at."""

    cause: Finding
    effect: Finding
    known: Known
    findings: tuple[Finding, ...]


Guard = Callable[[Case], Tri]


@dataclass(frozen=True, slots=True)
class Link:
    """``cause`` explains ``effect`` when ``guard`` holds; the order of onsets is checked for every edge."""

    cause: str
    effect: str
    type: Type
    guard: Guard
