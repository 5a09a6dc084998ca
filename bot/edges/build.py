"""Writes many edges in one line: causes and effects as words, one type, one guard."""

from __future__ import annotations

from bot.link import Guard, Link, Type

CAUSES, AMPLIFIES, MASKS, TRIGGERS, LEADS = Type.CAUSES, Type.AMPLIFIES, Type.MASKS, Type.TRIGGERS, Type.LEADS


def links(causes: str, effects: str, kind: Type, guard: Guard) -> tuple[Link, ...]:
    """Every cause explains every effect: ``links("NODE-10", "POD-05 POD-10", CAUSES, same_node)``."""
    return tuple(Link(cause, effect, kind, guard) for cause in causes.split() for effect in effects.split())
