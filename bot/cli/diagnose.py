"""The diagnoses on the command line: one command a question, built from the same table as the slash commands."""

from __future__ import annotations

import os
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from bot import app, ask
from bot.cli.printed import Output, printed
from bot.config import Settings, load
from bot.diagnose import Progress
from bot.errors import UsageError
from bot.model.command import Argument, Command, Question
from bot.model.report import Report
from bot.model.text import Text
from bot.render.i18n import translator
from bot.render.progress import Progress as Screen
from bot.render.terminal import colored

RAW = {"allow_extra_args": True, "ignore_unknown_options": True}


Cluster = Annotated[str, typer.Option("--cluster", help="Configured cluster to ask.")]
Context = Annotated[str, typer.Option("--context", help="Context of the kubeconfig to ask.")]
BundlePath = Annotated[Path | None, typer.Option("--bundle", help="Recorded cluster: nothing else is read.")]
Config = Annotated[Path | None, typer.Option("--config", help="Settings file (default: ./kubewhy.yaml).")]
Format = Annotated[Output, typer.Option("-o", "--output", help="How the report is printed.")]
Lang = Annotated[str, typer.Option("--lang", help="Language of the report: en or zh-CN.")]
NoSsh = Annotated[bool, typer.Option("--no-ssh", help="Do not look into nodes.")]
Plan = Annotated[bool, typer.Option("--plan", help="Print what would be read, and stop.")]


def add(application: typer.Typer, command: Command) -> None:
    """Add one diagnosis to the command line."""

    def invoke(
        context: typer.Context,
        *,
        cluster: Cluster = "",
        kube_context: Context = "",
        bundle: BundlePath = None,
        config: Config = None,
        output: Format = Output.TEXT,
        lang: Lang = "",
        no_ssh: NoSsh = False,
        plan: Plan = False,
    ) -> None:
        settings = load(config)
        extra = {"cluster": cluster, "lang": lang, "no-ssh": "true" if no_ssh else ""}
        words = [*context.args, *(f"{k}={v}" for k, v in extra.items() if v)]
        asked = ask.question([w.translate(ask.NORMALISE) for w in words], command, settings.clusters)
        asked = with_language(asked, asked.options.get("lang", "") or settings.lang)
        if plan:
            typer.echo(app.plan(asked))
            return
        report = _run(asked, settings, bundle, kube_context)
        typer.echo(printed(report, output, asked.lang))
        remember(report, settings)
        raise typer.Exit(report.status.exit_code)

    application.command(
        command.name,
        help=_help(command),
        short_help=str(command.symptom),
        context_settings=RAW,
        options_metavar=_metavar(command),
        rich_help_panel="Diagnoses",
    )(invoke)


def with_language(asked: Question, lang: str) -> Question:
    """The question in a language of kubewhy.

    Raises:
        UsageError: it is none.
    """
    if lang not in {"en", "zh-CN"}:
        raise UsageError(f"lang: {lang!r} is no language of kubewhy", nearest=("en", "zh-CN"), example="--lang zh-CN")
    return replace(asked, lang=lang)


def _run(asked: Question, settings: Settings, bundle: Path | None, context: str) -> Report:
    with progress(asked.lang) as listener:
        if bundle is not None:
            return app.run_bundle(asked, app.bundle_at(bundle), progress=listener)
        return app.run_live(asked, settings, context=context, progress=listener)


@contextmanager
def progress(lang: str) -> Iterator[Progress]:
    """Progress on stderr while a diagnosis runs."""
    with Screen(sys.stderr, live=colored(sys.stderr, os.environ), lang=lang) as screen:
        yield Progress(step=screen)


def remember(report: Report, settings: Settings) -> None:
    """Keep the report for ``kubewhy show``; a state directory that cannot be written is said and costs nothing else."""
    from bot.cli.shown import keep  # noqa: PLC0415 - the database library loads after the answer is on the screen

    sys.stdout.flush()
    try:
        keep(report, settings)
    except OSError as error:
        typer.echo(f"kubewhy: this run is not kept for `kubewhy show`: {error}", err=True)


def _help(command: Command) -> str:
    lines = [_english(command.symptom), ""]
    if command.options:
        lines += ["Options as key=value or --key value:", ""]
        lines += [f"  {_usage(o.name, o.type)}  {_english(o.help)}\n" for o in command.options]
    lines += ["Common: " + ", ".join(_usage(o.name, o.type) for o in ask.COMMON), "", "Examples:", ""]
    lines += [f"  kubewhy {example.lstrip('/')}\n" for example in command.examples]
    return "\n".join(lines)


def _usage(name: str, kind: Argument) -> str:
    return name if kind is Argument.SWITCH else f"{name}={kind.value.upper()}"


def _metavar(command: Command) -> str:
    if command.target is None:
        return "[KEY=VALUE ...]"
    target = command.target_name.upper() or command.target.value.upper()
    return f"{target if command.target_required else f'[{target}]'} [KEY=VALUE ...]"


def _english(text: Text) -> str:
    return text.render(translator("en"), str)
