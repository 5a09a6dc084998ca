"""What the bot does for people beside runs: follow-ups, private words, the dialog and the App Home.

A follow-up is accepted as durably as a run: it is answered in public. The rest is private and may be asked again.
"""

from __future__ import annotations

import time
from collections.abc import Mapping

import structlog
from slack_sdk import WebClient
from slack_sdk.webhook import WebhookClient

from bot.config import Settings
from bot.model.command import Command
from bot.render.i18n import Voice
from bot.runs.run import Run
from bot.runs.store import Store
from bot.slack import answers, home, replies
from bot.slack.arguments import FollowUp
from bot.slack.failures import SendError
from bot.slack.front import TOO_OLD
from bot.slack.look import SlackLook
from bot.slack.outbox import Outbox
from bot.slack.thread import SlackDesk

log = structlog.get_logger()
WEBHOOK_SECONDS = 5
OK = 200
RECENT = 200


class Clerk:
    """Serves one workspace."""

    def __init__(
        self,
        *,
        settings: Settings,
        commands: Mapping[str, Command],
        store: Store,
        client: WebClient,
        outbox: Outbox,
        look: SlackLook,
    ) -> None:
        """Speak through ``outbox`` and ``client``, from what ``store`` knows."""
        self._settings = settings
        self._commands = commands
        self._store = store
        self._client = client
        self._outbox = outbox
        self._look = look

    def answer(self, desk: SlackDesk, payload: Mapping[str, str]) -> None:
        """Post the answer to a follow-up in the thread of its run."""
        record = self._store.get(payload["run"])
        if record is None:
            return
        asked = FollowUp(verb=payload["verb"], subject=payload["subject"])
        report = self._store.report(record.run.id)
        message = answers.answer(report, record.run.id, asked, Voice(record.run.question.lang))
        out = self._look.write(message)
        desk.answer(record.run, f"answer-{payload['key']}", lambda _: out, payload["thread"])

    def closed(self, run: Run, code: str) -> None:
        """Tell the asker privately that the bot may not speak in the channel; never raises."""
        out = self._look.write(replies.closed(Voice(run.question.lang), code, self._store.offer(run)))
        blocks = list(out.blocks)
        if run.response_url:
            try:
                webhook = WebhookClient(run.response_url, timeout=WEBHOOK_SECONDS)
                if webhook.send(text=out.text, blocks=blocks, response_type="ephemeral").status_code == OK:
                    return
            except (OSError, ValueError) as error:
                log.info("the response url did not answer", run=run.id, error=type(error).__name__)
        try:
            self._outbox.private(run.channel, run.user, out.text, blocks)
        except SendError as error:
            log.warning("nobody could be told", run=run.id, error=error.code)

    def details(self, trigger: str, run_id: str) -> None:
        """Open the dialog with what a run checked."""
        record, report = self._store.get(run_id), self._store.report(run_id)
        voice = Voice(record.run.question.lang if record else self._settings.lang)
        message = home.checked(report, voice) if report else replies.word(voice, TOO_OLD)
        self._client.views_open(trigger_id=trigger, view=home.as_dialog(self._look.write(message), "kubewhy", "OK"))

    def home(self, user: str) -> None:
        """Publish the App Home of a person: their own runs only, because others may be of private channels."""
        recent = [record for record in self._store.recent(RECENT) if record.run.user == user]
        page = home.home(Voice(self._settings.lang), recent, self._commands, time.time())
        self._client.views_publish(user_id=user, view=home.as_home(self._look.write(page)))
