"""The front desk: decides what a request from Slack is, and accepts it durably before Slack is told that it arrived.

Everything here is fast and works from memory and the database: Slack waits at most three seconds, and people notice
much less. What takes longer (a private word by the Web API, the App Home) is done afterwards and may be lost with the
process; a question that was accepted may not.
"""

from __future__ import annotations

import dataclasses
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field

import structlog

from bot.ask import seconds
from bot.config import Settings
from bot.errors import UsageError
from bot.model.command import Command, Question
from bot.model.text import T
from bot.render.blocks import Message
from bot.render.i18n import Voice
from bot.rows import nearest
from bot.runs.run import Run, run_id
from bot.runs.store import Record, Store
from bot.slack import replies
from bot.slack.access import Access, Caller, Home
from bot.slack.arguments import ALIAS, FollowUp, Spoken, corrected, follow_up, read, spoken, unwrap
from bot.slack.lately import Lately

log = structlog.get_logger()
WAIT_SECONDS = 300.0
TOO_OLD = T("This run is older than what I keep. Ask again with the command.")


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """Something that a person typed or pressed.

    Attributes:
        key: Slack's unique id of it (``trigger_id``, ``event_id``); the same key is the same request.
        thread_ts: where the answer hangs; empty: a message of its own.
    """

    caller: Caller
    key: str
    thread_ts: str = ""
    response_url: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """What the front desk can do with an accepted question.

    Attributes:
        submit: accept a run durably.
        answer: accept a follow-up durably: the run that it is about, who asks, what.
    """

    submit: Callable[[Run], None]
    answer: Callable[[Record, Request, FollowUp], None]


@dataclass(slots=True)
class Front:
    """Judges requests. Every method returns what to tell the person privately; None when the request was accepted."""

    settings: Settings
    commands: Mapping[str, Command]
    store: Store
    desk: Desk
    access: Access
    lately: Lately
    home: Home = field(default_factory=Home)
    clock: Callable[[], float] = time.time

    def say(self, request: Request, said: Spoken) -> Message | None:
        """A command was typed, as a slash command or to the bot's name."""
        voice = self.voice(request.caller.channel)
        refusal = self.refusal(request)
        if refusal is not None:
            return refusal
        if said.wants_help:
            return self.help_for(voice, said)
        try:
            question = self._question(said, request.caller.channel)
        except UsageError as error:
            return replies.usage_error(voice, error, self._offers(request, said, error))
        return self._accept(request, question, anyway=False)

    def mention(self, request: Request, text: str) -> Message | None:
        """The bot was mentioned; below one of its answers that may be a follow-up."""
        record = self.store.in_thread(request.caller.channel, request.thread_ts)
        asked = follow_up(text) if record is not None else None
        if record is None or asked is None:
            return self.say(request, spoken("", text))
        refusal = self.refusal(request)
        if refusal is not None:
            return refusal
        if asked.verb == "rerun":
            return self._rerun_with(request, record, asked.subject)
        self.desk.answer(record, request, asked)
        return None

    def ask_on(self, request: Request, run: str, subject: str) -> Message | None:
        """A button that asks about a part of a run; the answer goes into the run's thread, for everybody."""
        refusal = self.refusal(request)
        if refusal is not None:
            return refusal
        record = self.store.get(run)
        if record is None:
            return replies.word(self.voice(request.caller.channel), TOO_OLD)
        self.desk.answer(record, request, FollowUp(verb="why", subject=subject))
        return None

    def refusal(self, request: Request) -> Message | None:
        """Why the person may not ask; None when they may."""
        said = self.access.refusal(request.caller, self.home)
        return replies.word(self.voice(request.caller.channel), said) if said is not None else None

    def command_in(self, text: str) -> Spoken:
        """The command that a message names, for the shortcut on that message; help when it names none."""
        for line in text.splitlines():
            for name in self.commands:
                before, found, rest = unwrap(line).partition(name)
                if found and not before.strip("/ "):
                    return Spoken(command=name, rest=rest.strip())
        return Spoken(command="help", rest="")

    def again(self, request: Request, value: str) -> Message | None:
        """A button that runs a question: ``value`` is a run's id or that of an offer."""
        voice = self.voice(request.caller.channel)
        refusal = self.refusal(request)
        if refusal is not None:
            return refusal
        record = None if value.startswith("q:") else self.store.get(value)
        question = record.run.question if record else self.store.offered(value)
        if question is None:
            return replies.word(voice, TOO_OLD)
        if record is not None:
            request = dataclasses.replace(request, thread_ts=record.run.thread_ts)
        return self._accept(request, question, anyway=True)

    def stop(self, request: Request, value: str, stop: Callable[[str], bool]) -> Message | None:
        """The button that cancels a run."""
        voice = self.voice(request.caller.channel)
        refusal = self.refusal(request)
        if refusal is not None:
            return refusal
        return None if stop(value) else replies.word(voice, T("This run is over already."))

    def voice(self, channel: str) -> Voice:
        """The language of a channel."""
        known = self.settings.channels.get(channel)
        return Voice((known.lang if known else "") or self.settings.lang)

    def help_for(self, voice: Voice, said: Spoken) -> Message:
        """How to ask everything, or one command."""
        chosen = [self.commands[said.command]] if said.command in self.commands else list(self.commands.values())
        examples = chosen[0].examples if len(chosen) == 1 else tuple(c.examples[0] for c in chosen[:3] if c.examples)
        return replies.help_page(voice, [(c.name, c.symptom) for c in chosen], examples)

    # -- accepting ----------------------------------------------------------------------------------------------------

    def _question(self, said: Spoken, channel: str) -> Question:
        if said.command not in self.commands:
            raise UsageError(
                f"there is no command {said.command[:40]!r}",
                nearest=nearest(said.command, self.commands),
                example=f"{ALIAS} help",
            )
        question = read(said, self.commands, tuple(self.settings.clusters))
        known = self.settings.channels.get(channel)
        cluster = question.cluster or (known.cluster if known else "")
        if not cluster and not self.settings.default_cluster and len(self.settings.clusters) > 1:
            names = tuple(self.settings.clusters)
            raise UsageError(
                "several clusters are configured; name one",
                nearest=names[:3],
                example=f"{said.command} {said.rest} cluster={names[0]}",
            )
        lang = question.options.get("lang") or (known.lang if known else "") or self.settings.lang
        return dataclasses.replace(question, cluster=cluster, lang=lang)

    def _offers(self, request: Request, said: Spoken, error: UsageError) -> list[tuple[Spoken, str]]:
        """Corrected lines that would run, each kept behind a button."""
        guesses = [g for g in (corrected(said, error, self.commands),) if g is not None]
        guesses += [
            Spoken(command=said.command, rest=f"{said.rest} cluster={name}".strip())
            for name in error.nearest
            if name in self.settings.clusters and not guesses
        ]
        found: list[tuple[Spoken, str]] = []
        for guess in guesses[:3]:
            try:
                question = self._question(guess, request.caller.channel)
            except UsageError:
                continue
            found.append((guess, self.store.offer(self._run(request, question))))
        return found

    def _accept(self, request: Request, question: Question, *, anyway: bool) -> Message | None:
        run = self._run(request, question)
        same = None if anyway else self.lately.same(run)
        if same is not None:
            voice = self.voice(run.channel)
            return replies.same_question(voice, same.link, self.store.offer(run), going=same.going)
        self.desk.submit(run)
        self.lately.note(run)
        return None

    def _rerun_with(self, request: Request, record: Record, changes: str) -> Message | None:
        """``rerun since=30m`` below an answer: the same question with some options changed."""
        old = record.run.question
        kept = " ".join(f"{name}={value}" for name, value in old.options.items() if f"{name}=" not in changes)
        place = f"cluster={old.cluster}" if old.cluster and "cluster=" not in changes else ""
        rest = " ".join(part for part in (old.target, kept, place, changes) if part)
        try:
            question = self._question(Spoken(command=old.command, rest=rest), record.run.channel)
        except UsageError as error:
            return replies.usage_error(self.voice(record.run.channel), error, [])
        return self._accept(request, question, anyway=True)

    def _run(self, request: Request, question: Question) -> Run:
        now = self.clock()
        limit = seconds(question.options.get("timeout", self.settings.timeout))
        return Run(
            id=run_id(question.command, request.key),
            question=question,
            channel=request.caller.channel,
            user=request.caller.user,
            team=min(request.caller.teams, default=""),
            created=now,
            deadline=now + limit + WAIT_SECONDS,
            thread_ts=request.thread_ts,
            response_url=request.response_url,
        )
