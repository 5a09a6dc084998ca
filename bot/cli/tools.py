"""The other tools on the command line: pages of checks, stored runs, accuracy, the Slack bot, skeletons."""

from __future__ import annotations

import json
import sys
from pathlib import Path
from typing import Annotated

import typer

from bot import app
from bot import check as checks
from bot.cli.diagnose import Config
from bot.cli.doctor import doctor
from bot.cli.printed import Output
from bot.config import load
from bot.errors import UsageError
from bot.evaluate import as_json, evaluate
from bot.evaluate_table import table
from bot.model.rows import rows
from bot.rows import matches, nearest
from bot.scenario import find
from handlers import COMMANDS

PANEL = "Tools"


def add(application: typer.Typer) -> None:
    """Add the tools to the command line."""
    application.command("explain", rich_help_panel=PANEL)(explain)
    application.command("eval", rich_help_panel=PANEL)(run_scenarios)
    application.command("new-check", rich_help_panel=PANEL)(new_check)
    application.command("serve", rich_help_panel="Slack")(serve)
    application.command("show", rich_help_panel=PANEL)(show)
    application.command("doctor", rich_help_panel=PANEL)(doctor)


def explain(
    code: Annotated[str, typer.Argument(help="A row's code, such as NODE-04.")] = "",
    *,
    listed: Annotated[bool, typer.Option("--list", help="List every check.")] = False,
    output: Annotated[Output, typer.Option("-o", "--output", help="text or json (with --list).")] = Output.TEXT,
) -> None:
    """Print the page of a check: what it says, its rule, its fix, and when it must not fire."""
    known = checks.load()
    if listed or not code:
        catalogue = [
            {
                "code": c.code,
                "slug": c.slug,
                "title": rows()[c.code].title,
                "family": rows()[c.code].family,
                "commands": [d.name for d in COMMANDS if matches(c.code, d.owns + d.runs)],
            }
            for c in known.values()
        ]
        if output is Output.JSON:
            typer.echo(json.dumps(catalogue, indent=2))
            return
        for entry in catalogue:
            typer.echo(f"{entry['code']:<12}{entry['title']}")
        return
    found = known.get(code.upper())
    if found is None:
        raise UsageError(f"there is no check {code[:40]!r}", nearest=nearest(code, known), example="explain NODE-04")
    typer.echo(f"{found.code}  {rows()[found.code].title}\n{found.slug.replace('_', ' ')}\n\n{found.page}")


def run_scenarios(
    folder: Annotated[Path, typer.Argument(help="Folder with scenarios below it.", exists=True, file_okay=False)],
    *,
    output: Annotated[Output, typer.Option("-o", "--output", help="text or json.")] = Output.TEXT,
) -> None:
    """Diagnose every scenario below a folder and print how accurate the answers are."""
    scenarios = find(folder)
    if not scenarios:
        raise UsageError(f"there is no expected.yaml below {folder}", example="eval tests/scenarios")
    verdicts = evaluate(scenarios, app.run_scenario)
    typer.echo(json.dumps(as_json(verdicts), indent=2) if output is Output.JSON else table(verdicts))
    raise typer.Exit(0 if all(v.passed for v in verdicts) else 1)


def new_check(
    code: Annotated[str, typer.Argument(help="A row's code, such as NODE-04.")],
    slug: Annotated[str, typer.Argument(help="The defect, in words that fit after 'the cluster has': kubelet_masked.")],
    *,
    root: Annotated[Path, typer.Option("--root", help="Root of the repository.")] = Path(),
) -> None:
    """Write the skeleton of a check, its edges' place and its two scenarios."""
    from bot.skeleton import write  # noqa: PLC0415 - developers only

    for path in write(root, code.upper(), slug):
        typer.echo(path)


def serve(*, config: Config = None) -> None:
    """Run the Slack bot (Socket Mode; HTTP mode by configuration)."""
    from bot.logs import to_stderr  # noqa: PLC0415 - see below
    from bot.slack.app import build  # noqa: PLC0415 - slack_bolt and dbos cost two seconds, other commands need neither

    to_stderr()
    settings = load(config)
    if not settings.slack.bot_token:
        raise UsageError("SLACK_BOT_TOKEN is not set; README, chapter Slack, says where it comes from", example="serve")
    build(settings, app.commands(), app.answering(settings)).serve()


def show(
    run: Annotated[str, typer.Argument(help="A run id, such as dns-7f3a9c01d2.")],
    part: Annotated[str, typer.Argument(help="F1 for a finding, E2 for a piece of evidence, X1 for a fix.")] = "",
    *,
    config: Config = None,
    output: Annotated[Output, typer.Option("-o", "--output", help="How it is printed.")] = Output.TEXT,
) -> None:
    """Print a stored run, or one finding, piece of evidence or fix of it."""
    from bot.cli.shown import shown  # noqa: PLC0415 - reads the store, which loads the durable engine

    typer.echo(shown(load(config), run, part, output))
    sys.stdout.flush()
