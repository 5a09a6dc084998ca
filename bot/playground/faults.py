"""Faults on demand for the playground's API: what a client must survive, one request pattern at a time."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from fnmatch import fnmatchcase

from bot.source import Response


@dataclass(frozen=True, slots=True)
class Slow:
    """The answer comes, but late."""

    seconds: float


@dataclass(frozen=True, slots=True)
class Throttled:
    """429 with ``Retry-After``, as priority and fairness says it."""

    retry_after: int = 1


@dataclass(frozen=True, slots=True)
class Reset:
    """The connection is reset without an answer."""


@dataclass(frozen=True, slots=True)
class Half:
    """The answer's head promises all, half of the body comes, then the connection ends."""


@dataclass(frozen=True, slots=True)
class Broken:
    """A failure of the server: a ``Status`` of that code."""

    status: int = 500
    message: str = "etcdserver: request timed out"


@dataclass(frozen=True, slots=True)
class Forbidden:
    """403, as when RBAC does not allow the verb; an empty verb is every verb."""

    verb: str = ""


@dataclass(frozen=True, slots=True)
class Instead:
    """Another answer altogether: a proxy's log-in page, garbage."""

    response: Response


Fault = Slow | Throttled | Reset | Half | Broken | Forbidden | Instead


@dataclass(slots=True)
class _Rule:
    pattern: str
    fault: Fault
    left: int | None


class Faults:
    """Which requests go wrong, and how; changed while the server runs."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._rules: list[_Rule] = []

    def on(self, pattern: str, fault: Fault, *, times: int | None = None) -> Faults:
        """Let requests whose path (with query, where the pattern has ``?``) matches go wrong.

        Args:
            pattern: a shell pattern, such as ``/api/v1/nodes*``; ``[?]`` is a literal question mark.
            fault: what happens.
            times: for how many requests; None for all.
        """
        with self._lock:
            self._rules.append(_Rule(pattern, fault, times))
        return self

    def clear(self) -> None:
        """Nothing goes wrong any more."""
        with self._lock:
            self._rules.clear()

    def find(self, path: str, query: str = "") -> Fault | None:
        """The fault of a request, which is used up by asking; the first rule that matches wins."""
        whole = f"{path}?{query}" if query else path
        with self._lock:
            for rule in self._rules:
                if rule.left == 0 or not (fnmatchcase(path, rule.pattern) or fnmatchcase(whole, rule.pattern)):
                    continue
                if rule.left is not None:
                    rule.left -= 1
                return rule.fault
        return None
