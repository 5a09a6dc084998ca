"""``kubewhy doctor``: configuration, Slack, cluster rights and SSH reach, each with what to do."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Annotated

import typer

from bot import app, collector
from bot.cli.diagnose import Config
from bot.config import Settings, load
from bot.doctor import Examined, State, examine
from bot.errors import SettingsError, UsageError
from bot.model.command import Question

MARK = {State.WORKS: "ok      ", State.LIMITED: "limited ", State.BROKEN: "BROKEN  "}


def doctor(
    *,
    config: Config = None,
    cluster: Annotated[str, typer.Option("--cluster", help="Only this configured cluster.")] = "",
) -> None:
    """Say what of this installation works and what does not: settings, Slack, cluster rights, SSH reach."""
    settings = load(config)
    broken = 0
    for found in _everything(settings, cluster):
        typer.echo(f"{MARK[found.state]}{found.what}: {found.said}")
        if found.hint and found.state is not State.WORKS:
            typer.echo(f"        {found.hint}")
        broken += found.state is State.BROKEN
    raise typer.Exit(1 if broken else 0)


def _everything(settings: Settings, only: str) -> Iterator[Examined]:
    yield Examined(what="settings", state=State.WORKS, said=f"{len(settings.clusters)} clusters configured")
    yield _slack(settings)
    for name in [only] if only else list(settings.clusters) or [""]:
        try:
            called, cluster = app.choose_cluster(Question(command="doctor", cluster=name), settings)
            sources = app.live(cluster, Question(command="doctor"))
        except (SettingsError, UsageError) as error:
            yield Examined(what=f"{name or 'kubeconfig'}: settings", state=State.BROKEN, said=str(error))
            continue
        yield from examine(called, sources, collector.load())


def _slack(settings: Settings) -> Examined:
    if not settings.slack.bot_token:
        hint = "README, chapter Slack, says where it comes from."
        return Examined(what="Slack", state=State.LIMITED, said="SLACK_BOT_TOKEN is not set", hint=hint)
    from slack_sdk.errors import SlackClientError  # noqa: PLC0415 - only with a token

    from bot.slack.client import web_client  # noqa: PLC0415 - only with a token

    try:
        who = web_client(settings.slack.bot_token, settings.slack.base_url).auth_test()
    except (SlackClientError, OSError) as error:
        return Examined(
            what="Slack", state=State.BROKEN, said=str(error).splitlines()[0], hint="Install the app again."
        )
    return Examined(what="Slack", state=State.WORKS, said=f"{who.get('team')} as {who.get('user')}")
