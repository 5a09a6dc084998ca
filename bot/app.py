"""Wiring: settings and questions on one side, sources and commands on the other. Nothing here decides anything."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path

from bot.ask import parse, seconds
from bot.assemble import refused
from bot.bundle.recording import Bundle
from bot.bundle.store import open_bundle
from bot.config import Cluster, Settings, Ssh
from bot.diagnose import Order, Progress, diagnose, new_run
from bot.errors import SettingsError, UsageError
from bot.model.command import Command, Question
from bot.model.evidence import Expectations
from bot.model.proof import Proof, Source
from bot.model.report import Report
from bot.plan import plan as plan_of
from bot.rows import nearest
from bot.scenario import Scenario
from bot.source import Sources
from handlers import COMMANDS

KUBECONFIG = "kubeconfig"


def commands() -> dict[str, Command]:
    """Every slash command by name."""
    return {command.name: command for command in COMMANDS}


def expectations(cluster: Cluster, today: date | None = None) -> Expectations:
    """What the settings say is normal in a cluster; an ignore that has run out is left out."""
    return Expectations(
        proof=Proof(source=Source.USER, what="kubewhy.yaml"),
        control_plane_hosts=tuple(cluster.control_plane_hosts),
        answers={name: tuple(cidrs) for name, cidrs in cluster.expect.answers.items()},
        peers={name: tuple(peers) for name, peers in cluster.expect.peers.items()},
        metrics=cluster.expect.metrics,
        thresholds=cluster.thresholds,
        ignored=tuple(i.row for i in cluster.ignore if i.until is None or today is None or today <= i.until),
    )


def choose_cluster(question: Question, settings: Settings, context: str = "") -> tuple[str, Cluster]:
    """The cluster a question is about: named, the default, the only one, or the kubeconfig's.

    Raises:
        UsageError: several are configured and none is named.
    """
    if context:
        return context, Cluster(context=context, ssh=_plain_ssh())
    if question.cluster and question.cluster not in settings.clusters:
        known = ", ".join(settings.clusters) or "none"
        raise UsageError(
            f"no cluster {question.cluster!r} is configured (configured: {known})",
            nearest=nearest(question.cluster, settings.clusters),
            example=f"{question.command} cluster={next(iter(settings.clusters), 'NAME')}",
        )
    name = question.cluster or settings.default_cluster
    if name:
        if name not in settings.clusters:
            raise SettingsError(f"default_cluster: {name!r} is not configured")
        return name, settings.clusters[name]
    if len(settings.clusters) == 1:
        return next(iter(settings.clusters.items()))
    if settings.clusters:
        raise UsageError(
            "several clusters are configured: name one",
            nearest=tuple(settings.clusters),
            example=f"cluster={next(iter(settings.clusters))}",
        )
    return KUBECONFIG, Cluster(ssh=_plain_ssh())


def _plain_ssh() -> Ssh | None:
    """SSH as the person's own OpenSSH files have it; none without pinned host keys."""
    return Ssh(agent=True) if Path("~/.ssh/known_hosts").expanduser().exists() else None


def order(
    question: Question, command: Command, name: str, cluster: Cluster, *, run: str = "", today: date | None = None
) -> Order:
    """What to diagnose, from a question and the settings of its cluster."""
    return Order(
        question=question,
        command=command,
        cluster=name,
        expectations=expectations(cluster, today),
        timeout=float(seconds(question.options.get("timeout", "90s"))),
        window_seconds=seconds(question.options.get("since", "30m")),
        run=run,
    )


def live(cluster: Cluster, question: Question) -> Sources:
    """Live sources for a question."""
    from bot.clients import live as clients  # noqa: PLC0415 - paramiko and kubernetes cost half a second, --bundle needs neither

    return clients.sources(cluster, ssh="no-ssh" not in question.options)


def run_live(
    question: Question, settings: Settings, *, context: str = "", progress: Progress | None = None, run: str = ""
) -> Report:
    """Diagnose a live cluster."""
    name, cluster = choose_cluster(question, settings, context)
    sources = live(cluster, question)
    today = sources.now().date()
    return diagnose(
        order(question, commands()[question.command], name, cluster, run=run, today=today), sources, progress
    )


def run_bundle(
    question: Question,
    bundle: Bundle,
    *,
    cluster: Cluster | None = None,
    name: str = "",
    progress: Progress | None = None,
) -> Report:
    """Diagnose a recorded cluster; nothing but the bundle is read."""
    from bot.bundle.recorded import sources as recorded_sources  # noqa: PLC0415 - dnspython, which a live run loads in its own time

    sources = recorded_sources(bundle)
    if "no-ssh" in question.options:
        sources = replace(sources, no_ssh="SSH is switched off for this run (--no-ssh)")
    settings = cluster or Cluster()
    at = order(
        question, commands()[question.command], name or Path(bundle.name).name, settings, today=sources.now().date()
    )
    return diagnose(at, sources, progress)


def run_scenario(scenario: Scenario) -> Report:
    """Diagnose a scenario's recorded cluster with its settings."""
    name, _, rest = scenario.command.lstrip("/").partition(" ")
    asked = parse(rest, name, commands())
    if scenario.lang:
        asked = replace(asked, lang=scenario.lang)
    return run_bundle(asked, scenario.bundle(), cluster=Cluster.model_validate(dict(scenario.config)), name=scenario.id)


def bundle_at(path: Path) -> Bundle:
    """Open a bundle given on the command line."""
    return open_bundle(path)


def plan(question: Question) -> str:
    """What a diagnosis would read."""
    return plan_of(question, commands())


def answering(settings: Settings) -> Callable[[Question, Progress], Report]:
    """How the bot answers a question: from the live cluster of the settings; a wrong target is an answer too."""

    def answer(question: Question, progress: Progress) -> Report:
        try:
            return run_live(question, settings, progress=progress)
        except UsageError as error:
            now = datetime.now(UTC)  # noqa: TID251 - nothing was observed
            called = question.cluster or settings.default_cluster or next(iter(settings.clusters), KUBECONFIG)
            return refused(question, called, new_run(question.command), error, now)

    return answer
