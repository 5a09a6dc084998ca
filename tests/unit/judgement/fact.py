"""What a fact of a rule is, and the small tools that turn it into its opposite.

A rule joins facts by AND (catalogue, ``R:``). A :class:`Fact` says what would be so if one of them were not, and
changes the evidence accordingly; the finding must then be gone or weaker.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import msgspec

from bot.model.evidence import Clock, Evidence, Gap, Known
from bot.model.finding import Finding


@dataclass(frozen=True, slots=True)
class Scene:
    """What a change may look at: the finding that is to be undone, the node the check ran for, all evidence."""

    finding: Finding
    key: str
    known: Known
    clock: Clock

    def ago(self, **span: float) -> datetime:
        """The time so long before the observation."""
        return self.clock.now - timedelta(**span)

    def fact(self, name: str) -> str:
        """A fact of the finding as one word."""
        value = self.finding.facts.get(name, "")
        return str(value[0] if isinstance(value, tuple) and value else value)


Change = Callable[[Any, Scene], Any]
Changes = dict[type[Evidence], Change]


@dataclass(frozen=True, slots=True)
class Fact:
    """The opposite of one fact that a rule joins by AND.

    Attributes:
        says: what is so instead, in words.
        changes: evidence type → how a piece of it looks then. Several types only where one fact shows in several
            places.
        reasons: the cases of the row that rest on the fact; empty means all.
        left: what may be left of a finding: ``nothing`` (absent, possible or skipped), ``likely`` (the fact is only the
            second source), ``quiet`` (the catalogue says: reported as information).
        everywhere: whether the pieces of every node change, and not only of the node that the check ran for.
    """

    says: str
    changes: Mapping[type[Evidence], Change]
    reasons: tuple[str, ...] = ()
    left: str = "nothing"
    everywhere: bool = False

    def applies(self, finding: Finding) -> bool:
        """Whether a finding rests on this fact."""
        return not self.reasons or finding.reason in self.reasons


def swap(thing: Any, **members: Any) -> Any:
    """A copy of a dataclass or struct with other members."""
    if isinstance(thing, msgspec.Struct):
        return msgspec.structs.replace(thing, **members)
    return dataclasses.replace(thing, **members)


def put(thing: Any, path: str, value: Any) -> Any:
    """A copy with another value at ``a.b.c``; a callable value makes it of the old one."""
    head, _, rest = path.partition(".")
    old = getattr(thing, head)
    return swap(thing, **{head: put(old, rest, value) if rest else value(old) if callable(value) else value})


def unread(thing: Any, _: Scene) -> Gap:
    """Nobody could read it."""
    return Gap(type=type(thing), key=thing.key, because="not answered")


def each(path: str, change: Callable[[Any, Scene], Any]) -> Change:
    """A change of every member of the sequence at ``path``; None takes the member away."""

    def all_of(thing: Any, scene: Scene) -> Any:
        return put(thing, path, lambda old: tuple(x for o in old or () if (x := change(o, scene)) is not None))

    return all_of


def to(**members: Any) -> Change:
    """A change that sets members to given values, whatever they were."""
    return lambda thing, _: swap(thing, **members)


def both(*changes: Change) -> Change:
    """One change after the other."""

    def one_by_one(thing: Any, scene: Scene) -> Any:
        for change in changes:
            thing = change(thing, scene)
        return thing

    return one_by_one
