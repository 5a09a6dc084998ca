"""Recorded incidents on the command line.

``demo`` diagnoses one over real protocols, ``playground`` leaves one running.
"""

from __future__ import annotations

import json
import signal
import threading
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from bot import app, ask
from bot.bundle.recording import Bundle
from bot.bundle.store import open_bundle
from bot.cli.diagnose import Lang, progress, remember, with_language
from bot.cli.printed import Output, printed
from bot.config import load
from bot.errors import UsageError
from bot.model.command import Question
from bot.model.report import Status
from bot.playground.demos import demo as incident
from bot.playground.demos import demos
from bot.scenario import Scenario

if TYPE_CHECKING:
    from bot.playground.run import Playground

RAW = {"allow_extra_args": True, "ignore_unknown_options": True}
PANEL = "Try it without a cluster"
FAILED = 4


def add(application: typer.Typer) -> None:
    """Add both commands to the command line."""
    application.command("demo", context_settings=RAW, rich_help_panel=PANEL)(demo)
    application.command("playground", rich_help_panel=PANEL)(playground)


def demo(
    context: typer.Context,
    scenario: Annotated[str, typer.Argument(help="The incident (--list names them), or a scenario's folder.")] = "W1",
    *,
    listed: Annotated[bool, typer.Option("--list", help="List the incidents.")] = False,
    output: Annotated[Output, typer.Option("-o", "--output", help="How the report is printed.")] = Output.TEXT,
    lang: Lang = "",
) -> None:
    """Diagnose a recorded incident, served on loopback over the real protocols.

    A question of your own may follow: kubewhy demo W1 node-why node-3
    """
    if listed:
        typer.echo(_list(output))
        return
    chosen = incident(scenario)
    asked = with_language(_question(context.args, chosen, lang or chosen.lang), lang or chosen.lang)
    from bot.playground.run import start  # noqa: PLC0415 - servers that no other command needs

    if output is Output.TEXT:
        typer.echo(f"{chosen.title}\n$ kubewhy {asked.command} {_words(asked)}".rstrip(), err=True)
    with start(chosen.bundle(), chosen.id, dict(chosen.config)) as running:
        settings = load(running.config)
        with progress(asked.lang) as listener:
            report = app.run_live(asked, settings, progress=listener)
    typer.echo(printed(report, output, asked.lang))
    remember(report, load())
    raise typer.Exit(FAILED if report.status is Status.FAILED else 0)


def playground(
    scenario: Annotated[str, typer.Argument(help="An incident (demo --list), a scenario's folder, or a recording.")],
    *,
    slack: Annotated[bool, typer.Option("--slack", help="Start a local Slack too, with the bot connected.")] = False,
    port: Annotated[int, typer.Option("--port", help="Port of the local Slack; 0 takes a free one.")] = 0,
) -> None:
    """Leave a recorded cluster running on loopback until you press Ctrl-C, and print how to reach it."""
    from bot.playground.run import start  # noqa: PLC0415 - servers that no other command needs

    bundle, name, config, question = _served(scenario)
    stop = threading.Event()
    for number in (signal.SIGINT, signal.SIGTERM):
        signal.signal(number, lambda *_: stop.set())
    with start(bundle, name, config) as running:
        typer.echo(_how_to_reach(running, question.lstrip("/")))
        if slack:
            from bot.cli.local_slack import bot_in_local_slack  # noqa: PLC0415 - slack_bolt and dbos cost two seconds

            with bot_in_local_slack(load(running.config), running.folder, port, question):
                stop.wait()
        else:
            stop.wait()
    typer.echo("stopped", err=True)


def _question(words: list[str], chosen: Scenario, lang: str) -> Question:
    commands = app.commands()
    if words:
        name, *rest = words
        asked = ask.parse(" ".join(rest), name.lstrip("/"), commands)
    else:
        name, _, text = chosen.command.lstrip("/").partition(" ")
        asked = ask.parse(text, name, commands)
    return replace(asked, lang=lang or "en")


def _words(asked: Question) -> str:
    options = [k if v == "true" else f"{k}={v}" for k, v in asked.options.items()]
    return " ".join(w for w in (asked.target, *options) if w)


def _list(output: Output) -> str:
    known = demos()
    if output is Output.JSON:
        entries = [
            {"id": k, "title": s.title, "command": s.command, "expected_roots": [x.code for x in s.roots or ()]}
            for k, s in known.items()
        ]
        return json.dumps(entries, indent=2, ensure_ascii=False)
    return "\n".join(f"{k:<11}{s.command:<58}{s.title}" for k, s in known.items())


def _served(scenario: str) -> tuple[Bundle, str, dict[str, object], str]:
    """The recorded cluster of an incident's id, or at a path."""
    path = Path(scenario)
    known = scenario.lower() in {k.lower() for k in demos()} or (path / "expected.yaml").is_file()
    if path.exists() and not known:
        return open_bundle(path), path.name.split(".")[0] or "bundle", {}, "/metrics-api"
    if not known and ("/" in scenario or scenario.endswith((".gz", ".tgz"))):
        raise UsageError(f"{scenario} does not exist", example="playground W1")
    chosen = incident(scenario)
    return chosen.bundle(), chosen.id, dict(chosen.config), chosen.command


def _how_to_reach(running: Playground, question: str) -> str:
    dns = [f"{there} (as {address})" for address, there in running.reach.items() if address.endswith(":53")]
    lines = [
        f"{running.name} is running on loopback. In another terminal:",
        f"  export KUBEWHY_CONFIG={running.config} KUBECONFIG={running.kubeconfig}",
        f"  kubewhy {question}",
        "  kubectl get nodes",
        f"  ssh -F {running.ssh_config} NODE systemctl status kubelet",
    ]
    if dns:
        lines.append(f"  DNS servers: {', '.join(dns[:4])}")
    return "\n".join([*lines, "Ctrl-C ends it."])
