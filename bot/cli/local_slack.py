"""The bot in a local Slack: what a newcomer tries in a browser, without a workspace."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import typer

from bot import app
from bot.config import Settings, Slack
from bot.logs import to_stderr
from bot.playground import slack as local
from bot.slack.app import SlackApp, build


@contextmanager
def bot_in_local_slack(settings: Settings, folder: Path, port: int, question: str) -> Iterator[SlackApp]:
    """Start a local Slack and the bot in it; say first who can reach it, then where it is and what to type.

    Raises:
        SettingsError: local-slack is not installed or did not start.
    """
    to_stderr()
    typer.echo(local.WARNING, err=True)
    slack = local.start(app.commands(), port=port)
    try:
        at = connected(settings, slack, folder)
        bot = build(at, app.commands(), app.answering(at))
        bot.start()
        try:
            typer.echo(f"Slack is at {slack.url}: open #incidents there and type  {question}")
            yield bot
        finally:
            bot.stop()
    finally:
        slack.stop()


def connected(settings: Settings, slack: local.LocalSlack, folder: Path) -> Settings:
    """The settings, pointed at a local Slack and with their state in ``folder``."""
    environment = slack.environment
    connection: dict[str, Any] = {
        "bot_token": environment["SLACK_BOT_TOKEN"],
        "app_token": environment["SLACK_APP_TOKEN"],
        "signing_secret": environment["SLACK_SIGNING_SECRET"],
        "base_url": environment["SLACK_BASE_URL"],
        "flavor": environment["SLACK_FLAVOR"],
    }
    return settings.model_copy(update={"slack": Slack(**connection), "state": folder / "state"})
