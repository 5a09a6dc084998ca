"""The kernel of collectors: how evidence declares where it comes from, and in which order it is fetched.

A collector is a function whose parameters are sources (``Kube``, ``Shell``, ``Resolver``, ``Prober``, ``History``),
evidence that it builds on (``X`` required, ``X | None`` optional, ``PerNode[X]``), for node-scoped evidence
``node: NodeName``, or :class:`Wanted`, what this run has a use for. It yields evidence and gaps; a
:class:`~bot.errors.SourceError` that escapes becomes a gap for everything it still owes.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import typing
from collections.abc import Callable, Iterator
from dataclasses import dataclass

from bot.check import Need, needs_of
from bot.model.evidence import Evidence, Gap
from bot.model.refs import NodeName
from bot.source import History, Kube, Prober, Resolver, Right, Shell

SOURCES: dict[object, str] = {
    Kube: "kube",
    Shell: "shell",
    Resolver: "resolver",
    Prober: "prober",
    History: "history",
}
CollectFunction = Callable[..., Iterator[Evidence | Gap]]


@dataclass(frozen=True, slots=True)
class Wanted:
    """The evidence types that this run has a use for, so that a collector of many need not ask for them all."""

    types: frozenset[type[Evidence]]

    def __contains__(self, kind: type[Evidence]) -> bool:
        return kind in self.types


@dataclass(frozen=True, slots=True, kw_only=True)
class Collector:
    """One way to get some evidence types.

    Attributes:
        provides: the evidence types it owes.
        rights: what it must be allowed to read; the generated ClusterRole is the union.
        needs: evidence it builds on.
        sources: pairs of parameter name and source name.
        per_node: whether it runs once a node.
        node_parameters: names of the parameters that take the node's name.
        wanted_parameters: names of the parameters that take what the run has a use for.
        deadline: seconds after which what it owes is given up.
    """

    name: str
    provides: tuple[type[Evidence], ...]
    rights: tuple[Right, ...]
    needs: tuple[Need, ...]
    sources: tuple[tuple[str, str], ...]
    node_parameters: tuple[str, ...]
    wanted_parameters: tuple[str, ...]
    per_node: bool
    deadline: float
    run: CollectFunction


_registry: dict[str, Collector] = {}


def collects(
    *provides: type[Evidence], rights: tuple[Right, ...] = (), deadline: float = 30.0
) -> Callable[[CollectFunction], CollectFunction]:
    """Register a function as the collector of the given evidence types."""

    def register(function: CollectFunction) -> CollectFunction:
        hints = typing.get_type_hints(function)
        names = list(inspect.signature(function).parameters)
        sources = {n: SOURCES[hints[n]] for n in names if hints[n] in SOURCES}
        node_parameters = tuple(n for n in names if hints[n] is NodeName)
        wanted_parameters = tuple(n for n in names if hints[n] is Wanted)
        evidence = [n for n in names if n not in (*sources, *node_parameters, *wanted_parameters)]
        needs = tuple(n for n in needs_of(_only(function, evidence)) if n.name in evidence)
        name = f"{function.__module__}.{function.__name__}"
        _registry[name] = Collector(
            name=name,
            provides=provides,
            rights=rights,
            needs=needs,
            sources=tuple(sources.items()),
            node_parameters=node_parameters,
            wanted_parameters=wanted_parameters,
            per_node=bool(node_parameters),
            deadline=deadline,
            run=function,
        )
        return function

    return register


def _only(function: Callable[..., object], names: list[str]) -> Callable[..., object]:
    hints = typing.get_type_hints(function)

    def shadow() -> None: ...

    shadow.__annotations__ = {n: hints[n] for n in names}
    shadow.__module__ = function.__module__
    shadow.__qualname__ = function.__qualname__
    empty = inspect.Parameter.KEYWORD_ONLY
    shadow.__signature__ = inspect.Signature([inspect.Parameter(n, empty) for n in names])  # type: ignore[attr-defined]
    return shadow


def load(package: str = "bot.collect") -> tuple[Collector, ...]:
    """Import every collector.

    Raises:
        LookupError: two collectors provide one evidence type.
    """
    root = importlib.import_module(package)
    for module in pkgutil.walk_packages(root.__path__, f"{package}."):
        importlib.import_module(module.name)
    seen: dict[type[Evidence], str] = {}
    for collector in _registry.values():
        for kind in collector.provides:
            if seen.setdefault(kind, collector.name) != collector.name:
                raise LookupError(f"{kind.__name__} comes from {seen[kind]} and from {collector.name}")
    return tuple(_registry.values())
