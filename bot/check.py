"""The kernel of checks: what a check is, how it declares what it needs, and how it is run.

A check is a pure generator whose parameter types are its declaration of inputs: ``X`` is required, ``X | None`` is
optional, ``PerNode[X]`` is that evidence of every node that delivered it. A check with a required node-scoped
parameter runs once a node. Discovery fails loudly: an import error, an unknown code or a second check with one code
stops start-up.
"""

from __future__ import annotations

import importlib
import inspect
import pkgutil
import re
import types
import typing
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass

from bot.model.evidence import NO_KEY, Evidence, Gap, Known, NodeEvidence, PerNode
from bot.model.finding import Finding, RuledOut, Severity
from bot.model.rows import rows

HEADINGS = ("Says", "Evidence", "Rule", "Cause", "Fix", "Verify", "Must not fire", "Reasons")
FORBIDDEN_SLUG = re.compile(r"^(check|ensure|fix|should|test|verify|restart)_")
Result = Finding | RuledOut
CheckFunction = Callable[..., Iterator[Result]]


@dataclass(frozen=True, slots=True, kw_only=True)
class Need:
    """One declared input of a check or collector."""

    name: str
    type: type[Evidence]
    required: bool
    every_node: bool = False

    @property
    def per_node(self) -> bool:
        """Whether the value is bound to the node that the check is run for."""
        return issubclass(self.type, NodeEvidence) and not self.every_node


@dataclass(frozen=True, slots=True, kw_only=True)
class Check:
    """One catalogue row's rule.

    Attributes:
        code: the row.
        slug: the defect in words that fit after "the cluster has".
        needs: its inputs.
        run: the generator.
    """

    code: str
    slug: str
    needs: tuple[Need, ...]
    run: CheckFunction
    page: str

    @property
    def per_node(self) -> bool:
        """Whether it runs once a node."""
        return any(need.per_node for need in self.needs)

    @property
    def serious(self) -> bool:
        """Whether "nothing wrong" may not be said without it, in a command that owns its row."""
        return rows()[self.code].severity in {Severity.CRIT, Severity.HIGH}


_registry: dict[str, Check] = {}


def check(code: str) -> Callable[[CheckFunction], CheckFunction]:
    """Register a generator as the check of a catalogue row."""

    def register(function: CheckFunction) -> CheckFunction:
        slug = function.__name__
        if code not in rows():
            raise LookupError(f"{function.__module__}: {code} is no row of the catalogue")
        if code in _registry and _registry[code].run.__module__ != function.__module__:
            raise LookupError(f"{function.__module__}: {code} is already {_registry[code].run.__module__}")
        if FORBIDDEN_SLUG.match(slug):
            raise LookupError(f"{function.__module__}: {slug} names an action; name the defect")
        page = inspect.cleandoc(function.__doc__ or "")
        _registry[code] = Check(code=code, slug=slug, needs=needs_of(function), run=function, page=page)
        return function

    return register


def needs_of(function: Callable[..., object]) -> tuple[Need, ...]:
    """Read the declared inputs of a function from its annotations.

    Raises:
        TypeError: a parameter is no evidence.
    """
    hints = typing.get_type_hints(function)
    return tuple(_need(name, hints[name], function) for name in inspect.signature(function).parameters)


def _need(name: str, hint: object, function: Callable[..., object]) -> Need:
    required = True
    if isinstance(hint, types.UnionType) or typing.get_origin(hint) is typing.Union:
        options = [a for a in typing.get_args(hint) if a is not type(None)]
        required = len(options) == len(typing.get_args(hint))
        hint = options[0] if len(options) == 1 else hint
    if typing.get_origin(hint) is PerNode:
        return Need(name=name, type=typing.get_args(hint)[0], required=False, every_node=True)
    if isinstance(hint, type) and issubclass(hint, Evidence):
        return Need(name=name, type=hint, required=required)
    raise TypeError(f"{function.__module__}.{function.__qualname__}: parameter {name} is no evidence")


def load(package: str = "bot.checks") -> dict[str, Check]:
    """Import every module below ``package`` and return the checks by code, in catalogue order."""
    root = importlib.import_module(package)
    for module in pkgutil.walk_packages(root.__path__, f"{package}."):
        importlib.import_module(module.name)
    return {code: _registry[code] for code in rows() if code in _registry}


@dataclass(frozen=True, slots=True, kw_only=True)
class Outcome:
    """What became of one check (for one node, where it runs once a node): exactly one of the four.

    Attributes:
        results: findings and rulings-out; no finding means clean.
        missing: the evidence it could not run without; not empty means skipped.
        error: what it raised, as ``Type: message``; not empty means failed.
        without: optional evidence that it judged without, where it is known what would make it available.
    """

    check: Check
    key: str = NO_KEY
    results: tuple[Result, ...] = ()
    missing: tuple[Gap, ...] = ()
    error: str = ""
    without: tuple[Gap, ...] = ()

    @property
    def findings(self) -> tuple[Finding, ...]:
        """The findings among the results."""
        return tuple(r for r in self.results if isinstance(r, Finding))

    @property
    def state(self) -> str:
        """``found``, ``clean``, ``skipped`` or ``failed``."""
        if self.error:
            return "failed"
        if self.missing:
            return "skipped"
        return "found" if self.findings else "clean"


def run(checks: Iterable[Check], known: Known, nodes: Sequence[str]) -> list[Outcome]:
    """Run every check on what is known; ``nodes`` are those that the diagnosis looked into."""
    outcomes: list[Outcome] = []
    for item in checks:
        keys = nodes if item.per_node else (NO_KEY,)
        outcomes.extend(_run_one(item, known, key) for key in keys)
    return outcomes


def _run_one(item: Check, known: Known, key: str) -> Outcome:
    values: dict[str, object] = {}
    missing: list[Gap] = []
    without: list[Gap] = []
    for need in item.needs:
        at = key if need.per_node else NO_KEY
        value = known.per_node(need.type) if need.every_node else known.get(need.type, at)
        if value is None:
            (missing if need.required else without).append(known.gap(need.type, at))
        values[need.name] = value
    if missing:
        return Outcome(check=item, key=key, missing=tuple(missing))
    try:
        told = tuple(gap for gap in without if gap.hint)
        return Outcome(check=item, key=key, results=tuple(item.run(**values)), without=told)
    except Exception as error:  # noqa: BLE001 - a check that raises is reported as failed, the rest goes on
        return Outcome(check=item, key=key, error=f"{type(error).__name__}: {error}")
