"""One diagnosis: the only place where reading and judging meet.

Collectors run as soon as what they build on is settled, in parallel, each under a deadline; then the checks judge what
is known; then the causal model names the roots. A source that fails leaves a gap; nothing is ever taken from silence.
"""

from __future__ import annotations

import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import TypeVar

from bot import check as checks
from bot import collector as collectors
from bot.assemble import Case, assemble
from bot.chain import Story, explain
from bot.check import needs_of
from bot.errors import SourceError, UsageError
from bot.gather import Gathering, Step, types_needed
from bot.model.command import Command, Question
from bot.model.evidence import Ask, Clock, Expectations, Known
from bot.model.finding import Finding, Severity
from bot.model.proof import Proof, Source
from bot.model.report import Report
from bot.rows import nearest, wanted
from bot.source import Sources

DEFAULT_TIMEOUT = 90.0
Told = TypeVar("Told")
ALARMING = {Severity.CRIT, Severity.HIGH, Severity.WARN}


def nothing(_: Step) -> None:
    """A progress listener that does not care."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Order:
    """What to diagnose and how.

    Attributes:
        question: the parsed command line.
        command: its definition.
        cluster: the name shown in the report.
        expectations: what the operator's configuration says is normal.
        timeout: seconds for everything; what has not arrived by then is a gap.
        window_seconds: how far back logs and events count.
        run: the run id; a new one is made when empty.
    """

    question: Question
    command: Command
    cluster: str
    expectations: Expectations
    timeout: float = DEFAULT_TIMEOUT
    window_seconds: int = 1800
    run: str = ""


@dataclass(slots=True)
class Progress:
    """Where progress goes and whether somebody wants the run to stop."""

    step: Callable[[Step], None] = nothing
    cancelled: Callable[[], bool] = field(default=lambda: False)


def new_run(command: str) -> str:
    """A run id: a short word for the command and 40 random bits."""
    return f"{command.partition('-')[0]}-{secrets.token_hex(5)}"


def diagnose(order: Order, sources: Sources, progress: Progress | None = None) -> Report:
    """Answer the question from the sources; what the cluster refuses or breaks is in the report, never raised.

    Raises:
        UsageError: the target exists nowhere.
    """
    progress = progress or Progress()
    began = time.monotonic()
    known, unreachable = _preliminaries(order, sources)
    chosen = wanted(checks.load(), order.command, order.question)
    needed = types_needed(chosen, order.command, collectors.load())
    gathering = Gathering(known, sources, collectors.load(), needed, order.command)
    nodes = gathering.run(deadline=began + order.timeout, progress=progress.step, cancelled=progress.cancelled)
    _require_target(order, known)
    outcomes = checks.run(chosen, known, nodes)
    about = order.command.about(order.question) if order.command.about else frozenset()
    findings = tuple(f for outcome in outcomes for f in outcome.findings)
    story = _story(findings, known, order.command.owns, about)
    clock = known.get(Clock)
    assert clock is not None
    case = Case(
        question=order.question,
        owns=order.command.owns,
        headlines=order.command.headlines,
        cluster=order.cluster,
        run=order.run or new_run(order.question.command),
        observed_at=clock.now,
        duration_ms=int((time.monotonic() - began) * 1000),
        unreachable=unreachable,
        stopped=gathering.stopped,
        ignored=order.expectations.ignored,
        switched_off=tuple(s for s in order.command.switched if s not in order.question.options),
        plainly_wrong=_told(order.command.unexplained, known),
    )
    return assemble(case, outcomes, story)


def _story(findings: tuple[Finding, ...], known: Known, owns: tuple[str, ...], about: frozenset[str]) -> Story:
    """A fault of a node that was only visited to compare it is a remark, unless it explains what was asked about."""
    story = explain(findings, known, owns)
    here = {i for i, f in enumerate(story.findings) if not about or not f.nodes or f.nodes & about}
    remarks = {
        i
        for i, f in enumerate(story.findings)
        if i not in here and f.severity in ALARMING and not story.explains(i) & here
    }
    if not remarks:
        return story
    placed = (replace(f, severity=Severity.INFO) if i in remarks else f for i, f in enumerate(story.findings))
    return explain(placed, known, owns)


def _told(function: Callable[..., Told | None] | None, known: Known) -> Told | None:
    """What a function of evidence says; None when there is no such function, or evidence that it needs is missing."""
    if function is None:
        return None
    needs = needs_of(function)
    values = {n.name: known.per_node(n.type) if n.every_node else known.get(n.type) for n in needs}
    return None if any(values[n.name] is None for n in needs if n.required) else function(**values)


def _require_target(order: Order, known: Known) -> None:
    """Refuse a target that exists nowhere, as long as it is known what exists.

    Raises:
        UsageError: with the nearest names.
    """
    target = order.question.target
    names = _told(order.command.targets, known) if target else None
    if names is not None and target not in names:
        word = order.command.target_name or "target"
        raise UsageError(
            f"the cluster has no {word} {target!r}",
            nearest=nearest(target, names),
            example=next(iter(order.command.examples), order.command.name),
        )


def _preliminaries(order: Order, sources: Sources) -> tuple[Known, SourceError | None]:
    """The evidence that exists before anything is read: the clock, the question, the expectations."""
    known = Known()
    unreachable: SourceError | None = None
    now = sources.now()
    try:
        response = sources.kube.raw("/version", timeout=5.0)
        now = response.date or now
        response_proof = Proof(source=Source.API, what="GET /version (Date header)", at=now)
    except SourceError as error:
        unreachable = error
        response_proof = Proof(
            source=Source.API, what="the bot's own clock (the API server did not tell its time)", at=now
        )
    known.put(Clock(proof=response_proof, now=now, window_seconds=order.window_seconds))
    asked = Proof(source=Source.USER, what=f"/{order.question.command} {order.question.target}".strip(), at=now)
    known.put(
        Ask(
            proof=asked,
            command=order.question.command,
            target=order.question.target,
            options=dict(order.question.options),
        )
    )
    known.put(order.expectations)
    return known, unreachable
