"""Small evidence, collectors, checks and sources for tests of the kernel; nothing is registered for good."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any, ClassVar, cast

from bot import collector as collectors
from bot.check import Check, CheckFunction, needs_of
from bot.collector import Collector, collects
from bot.model.command import Command
from bot.model.evidence import Evidence, Known, NodeEvidence
from bot.model.proof import Proof, Source
from bot.model.text import T
from bot.source import Sources
from tests.unit.kernel.stories import NOW

PROOF = Proof(source=Source.API, what="GET /small")


@dataclass(frozen=True, slots=True, kw_only=True)
class Small(Evidence):
    """A piece about the cluster."""

    words: ClassVar[str] = "the small thing"

    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Other(Evidence):
    """Another piece about the cluster."""

    words: ClassVar[str] = "the other thing"

    value: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class OnNode(NodeEvidence):
    """A piece about a node."""

    words: ClassVar[str] = "the thing"

    value: str = ""


def made(function: Callable[..., Iterator[Any]], *provides: type[Evidence], deadline: float = 5.0) -> Collector:
    """A collector that other tests do not see."""
    collects(*provides, deadline=deadline)(function)
    return collectors._registry.pop(f"{function.__module__}.{function.__name__}")


def a_check(code: str, function: CheckFunction) -> Check:
    """A check that other tests do not see."""
    page = inspect.cleandoc(function.__doc__ or "")
    return Check(code=code, slug=function.__name__, needs=needs_of(function), run=function, page=page)


def visiting(*nodes: str) -> Command:
    """A command that looks into these nodes."""
    return Command(name="try", symptom=T("a test"), owns=("NODE-*",), look_into=lambda: nodes)


def sources(no_ssh: str = "") -> Sources:
    """Sources that nobody asks: the collectors of these tests make up what they yield."""
    nobody = cast("Any", None)
    return Sources(
        kube=nobody, shell=nobody, resolver=nobody, prober=nobody, history=nobody, now=lambda: NOW, no_ssh=no_ssh
    )


def empty() -> Known:
    """Nothing is known."""
    return Known()
