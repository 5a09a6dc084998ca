"""Gathers evidence: runs collectors in the order of what they build on, in parallel, under deadlines.

Every evidence type that a check asks for ends either as evidence or as a gap that says why. A collector that is late
is given up; its thread ends by its client's own timeout and what it still delivers is not used, so a report never
mixes two moments.
"""

from __future__ import annotations

import logging
import time
from collections.abc import Callable, Iterable
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass

from bot.check import Check, Need, needs_of
from bot.collector import Collector, Wanted
from bot.errors import SourceError
from bot.model.command import Command
from bot.model.evidence import NO_KEY, Evidence, Gap, Known, NodeEvidence
from bot.model.refs import NodeName
from bot.source import Sources

WORKERS = 32
TICK = 0.25
log = logging.getLogger(__name__)


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """Progress: how many readings of how many are done, and what is being read now (English evidence words)."""

    done: int
    total: int
    now: str


def types_needed(
    checks: Iterable[Check], command: Command, collectors: tuple[Collector, ...]
) -> frozenset[type[Evidence]]:
    """Every evidence type that the checks, the choice of nodes, or a collector on the way to them builds on."""
    source = {kind: c for c in collectors for kind in c.provides}
    todo = [n.type for check in checks for n in check.needs]
    for chooser in (command.look_into, command.targets, command.unexplained):
        todo += [n.type for n in needs_of(chooser)] if chooser is not None else []
    seen: set[type[Evidence]] = set()
    while todo:
        kind = todo.pop()
        if kind not in seen:
            seen.add(kind)
            todo += [n.type for n in source[kind].needs] if kind in source else []
    return frozenset(seen)


@dataclass(frozen=True, slots=True)
class Task:
    """One collector, for one node where it runs once a node."""

    collector: Collector
    key: str = NO_KEY


class Gathering:
    """One run of the collectors that the needed evidence asks for.

    Attributes:
        stopped: why the gathering ended early: empty, ``deadline`` or ``cancelled``.
    """

    def __init__(
        self,
        known: Known,
        sources: Sources,
        collectors: tuple[Collector, ...],
        needed: frozenset[type[Evidence]],
        command: Command,
    ) -> None:
        self._known = known
        self._sources = sources
        self._command = command
        self._wanted = Wanted(needed)
        chosen = [c for c in collectors if needed.intersection(c.provides)]
        self._waiting = {Task(c) for c in chosen if not c.per_node}
        self._per_node = [c for c in chosen if c.per_node]
        self._owed = {kind for c in chosen for kind in c.provides}
        self._nodes: tuple[str, ...] | None = None
        self._running: dict[Future[list[Evidence | Gap]], tuple[Task, float]] = {}
        self._settled: set[tuple[type[Evidence], str]] = {(type(e), e.key) for e in known.all()}
        self._done = 0
        self.stopped = ""

    def run(
        self, *, deadline: float, progress: Callable[[Step], None], cancelled: Callable[[], bool]
    ) -> tuple[str, ...]:
        """Gather until everything is settled or ``deadline`` (monotonic seconds); return the visited nodes."""
        pool = ThreadPoolExecutor(WORKERS, thread_name_prefix="gather")
        try:
            while self._advance(pool) or self._running:
                progress(self._step())
                wait(self._running, timeout=TICK, return_when=FIRST_COMPLETED)
                self._harvest()
                if cancelled() or time.monotonic() > deadline:
                    self.stopped = "cancelled" if cancelled() else "deadline"
                    break
        finally:
            pool.shutdown(wait=False, cancel_futures=True)
        self._give_up_rest()
        progress(self._step())
        return self._nodes or ()

    def _step(self) -> Step:
        now = next((task.collector.provides[0].words for task, _ in self._running.values()), "")
        return Step(done=self._done, total=self._done + len(self._running) + len(self._waiting), now=now)

    def _advance(self, pool: ThreadPoolExecutor) -> bool:
        """Start every task whose inputs are settled; whether anything is still waiting."""
        self._choose_nodes()
        for task in list(self._waiting):
            if all(self._is_settled(need, task.key) for need in task.collector.needs):
                self._waiting.discard(task)
                self._start(task, pool)
        if self._waiting and not self._running and not self._progress_possible():
            for task in list(self._waiting):
                self._waiting.discard(task)
                self._settle_rest(task, "it builds on evidence that nothing provides")
        return bool(self._waiting)

    def _progress_possible(self) -> bool:
        return any(all(self._is_settled(need, task.key) for need in task.collector.needs) for task in self._waiting)

    def _choose_nodes(self) -> None:
        """Once the evidence for the choice is settled, decide which nodes to visit and enqueue their collectors."""
        if self._nodes is not None:
            return
        look = self._command.look_into
        needs = needs_of(look) if look else ()
        if not all(self._is_settled(need, NO_KEY) for need in needs):
            return
        values = {n.name: self._value(n, NO_KEY) for n in needs}
        usable = look is not None and all(values[n.name] is not None for n in needs if n.required)
        self._nodes = tuple(dict.fromkeys(look(**values))) if look is not None and usable else ()
        self._waiting |= {Task(c, node) for c in self._per_node for node in self._nodes}

    def _is_settled(self, need: Need, key: str) -> bool:
        if need.type not in self._owed or (need.type, NO_KEY) in self._settled:
            return True
        if not need.every_node:
            at = key if issubclass(need.type, NodeEvidence) else NO_KEY
            return (need.type, at) in self._settled
        if self._nodes is None:
            return False
        return all((need.type, node) in self._settled for node in self._nodes)

    def _value(self, need: Need, key: str) -> object:
        if need.every_node:
            return self._known.per_node(need.type)
        return self._known.get(need.type, key if issubclass(need.type, NodeEvidence) else NO_KEY)

    def _start(self, task: Task, pool: ThreadPoolExecutor) -> None:
        collector = task.collector
        values = {n.name: self._value(n, task.key) for n in collector.needs}
        for need in collector.needs:
            if need.required and values[need.name] is None:
                gap = self._known.gap(need.type, task.key if need.per_node else NO_KEY)
                self._settle_rest(task, gap.because, gap.hint)
                return
        if "shell" in dict(collector.sources).values() and self._sources.no_ssh:
            self._settle_rest(task, self._sources.no_ssh)
            return
        values |= {name: getattr(self._sources, source) for name, source in collector.sources}
        values |= dict.fromkeys(collector.wanted_parameters, self._wanted)
        if collector.per_node:
            values |= {n: NodeName(task.key) for n in collector.node_parameters}
        self._running[pool.submit(_collect, collector, task.key, values)] = (task, time.monotonic())

    def _harvest(self) -> None:
        for future, (task, began) in list(self._running.items()):
            if future.done():
                del self._running[future]
                for item in future.result():
                    self._accept(item)
                self._settle_rest(task, "the answer did not hold it")
            elif time.monotonic() - began > task.collector.deadline:
                del self._running[future]
                self._settle_rest(task, f"no answer within {task.collector.deadline:g} s")

    def _accept(self, item: Evidence | Gap) -> None:
        self._known.put(item)
        self._settled.add((item.type if isinstance(item, Gap) else type(item), item.key))

    def _settle_rest(self, task: Task, because: str, hint: str = "") -> None:
        """Note a gap for everything that the task owes and has not delivered."""
        self._done += 1
        for kind in task.collector.provides:
            at = (kind, task.key if issubclass(kind, NodeEvidence) else NO_KEY)
            if at in self._settled or (issubclass(kind, NodeEvidence) and not task.key):
                self._settled.add(at)
                continue
            self._accept(Gap(type=kind, key=at[1], because=because, hint=hint))

    def _give_up_rest(self) -> None:
        because = "the run was cancelled" if self.stopped == "cancelled" else "the time for the whole run was over"
        for task, _ in self._running.values():
            self._settle_rest(task, because)
        for task in self._waiting:
            self._settle_rest(task, because)
        self._running.clear()
        self._waiting.clear()


def _collect(collector: Collector, key: str, values: dict[str, object]) -> list[Evidence | Gap]:
    """Run one collector; what it raises becomes a gap for what it still owes."""
    got: list[Evidence | Gap] = []
    try:
        for item in collector.run(**values):
            got.append(item)  # noqa: PERF402 - what came before an error is kept
    except SourceError as error:
        return got + _gaps(collector, key, got, str(error), error.hint)
    except Exception as error:  # a bug in one collector must not end the diagnosis
        log.exception("collector %s failed for %r", collector.name, key)
        return got + _gaps(collector, key, got, f"kubewhy failed to read it: {type(error).__name__}", "")
    return got


def _gaps(collector: Collector, key: str, got: list[Evidence | Gap], because: str, hint: str) -> list[Evidence | Gap]:
    there = {item.type if isinstance(item, Gap) else type(item) for item in got}
    return [
        Gap(type=kind, key=key if issubclass(kind, NodeEvidence) else NO_KEY, because=because, hint=hint)
        for kind in collector.provides
        if kind not in there
    ]
