"""The messages of a run in Slack, as pure functions of the report: the same report always gives the same messages.

The root is edited in place and carries the verdict; everything else stands in its thread. A message that would be too
large is composed again with less (:data:`bot.render.compose.ROOMS`): proof lines go first, then remarks, then second
sentences; each drop names what is left out, and the evidence file has it all.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime

from bot.model.command import Question
from bot.model.report import Report, Status
from bot.model.text import T
from bot.render import compose, markdown, pieces, story, words
from bot.render import thread as parts
from bot.render.blocks import (
    Action,
    Block,
    Button,
    Buttons,
    Kind,
    Line,
    Message,
    Moment,
    Note,
    Outgoing,
    Person,
    Section,
    Span,
    Task,
    Tasks,
)
from bot.render.compose import ROOMS, Room
from bot.render.i18n import Voice
from bot.render.limits import lint
from bot.render.mrkdwn import Profile
from bot.render.slack_blocks import outgoing


def root_running(
    question: Question,
    *,
    run: str,
    cluster: str,
    started: datetime,
    done: int = 0,
    total: int = 0,
    now: str = "",
    by: str = "",
    profile: Profile = Profile.BASELINE,
    lang: str = "en",
) -> Outgoing:
    """The root of a run that is going on; slots are fixed, so that edits do not jump.

    Args:
        question: what was asked.
        run: the run's id.
        cluster: as shown.
        started: UTC.
        done: readings that are in.
        total: readings planned so far.
        now: what is being read, in the words of the evidence.
        by: Slack id of who asked.
        profile: how much the receiving Slack understands.
        lang: the language of the run.
    """
    voice = Voice(lang)
    progress = _progress(voice, done, total, now)
    tasks = [Task(title=voice.word(now), state="in_progress")] if now else []
    if done:
        tasks.insert(0, Task(title=voice.text(T("{done} readings are in", done=done)), state="complete"))
    context: list[Line] = [voice(T("Run {run}", run=run))]
    if by:
        context.append((Person(by),))
    context.append((*voice(T("started")), Span(" "), Moment(started)))
    cancel = Button(action=Action.CANCEL, label=voice.text(T("Cancel")), value=run)
    head = pieces.title(voice, words.RUNNING, question.command)
    blocks: tuple[Block, ...] = (
        Section(lines=((*head, *pieces.where(cluster, question.target)),)),
        Tasks(title=progress, items=tuple(tasks)) if tasks else Section(lines=(progress,)),
        Note(line=pieces.join(context)),
        Buttons(items=(cancel,)),
    )
    named = voice.text(words.command(question.command))
    place = " / ".join(part for part in (cluster, question.target) if part)
    said = T("{command} on {place}: running, {done} of {total}", command=named, place=place, done=done, total=total)
    return outgoing(Message(kind=Kind.ROOT, run=run, text=voice.text(said), blocks=blocks), profile)


def _progress(voice: Voice, done: int, total: int, now: str) -> Line:
    if not total:
        return voice(T("Starting …"))
    counted = voice(T("{done} of {total} readings", done=done, total=total))
    if not now:
        return counted
    return (*counted, Span("  ·  "), *voice(T("now:")), Span(f" {voice.word(now)}"))


def root_final(report: Report, *, profile: Profile = Profile.BASELINE, lang: str = "en", by: str = "") -> Outgoing:
    """The root of a finished run, whatever its status: the verdict, for everybody in the channel."""
    return outgoing(compose.root(report, Voice(lang), by), profile)


def thread(report: Report, *, profile: Profile = Profile.BASELINE, lang: str = "en", by: str = "") -> list[Outgoing]:
    """What stands under the root, in order: findings, chain, fixes, evidence file, summary.

    Good news makes no noise: a run that is ok, or that was stopped before it found anything, has no thread. The same
    report gives the same messages in the same order in every profile.
    """
    stopped = report.status in {Status.CANCELLED, Status.EXPIRED}
    if report.status is Status.OK or (stopped and not report.entries):
        return []
    voice = Voice(lang)
    messages: list[Outgoing] = []
    if report.entries:
        messages.append(_fitting(lambda room: compose.findings(report, voice, room), profile))
    if report.entries or report.ruled_out or report.failed or len(story.not_checked(report.skipped)) > compose.BRIEF:
        messages.append(_fitting(lambda room: parts.chain(report, voice, room), profile))
    if report.remedies:
        messages.append(_fitting(lambda room: parts.fixes(report, voice, room), profile))
    if report.exhibits:
        messages.append(outgoing(evidence(report, voice), profile))
    if report.entries:
        messages.append(outgoing(parts.summary(report, voice, by), profile))
    return messages


def evidence(report: Report, voice: Voice) -> Message:
    """T4: one file with every piece of evidence."""
    file = markdown.evidence_file(report, voice)
    count = len(report.exhibits)
    hidden = markdown.hidden(report)
    said = T("Evidence of run {run}: {count} pieces, redacted: {hidden}", run=report.run, count=count, hidden=hidden)
    blocks = (Note(line=voice(said)),)
    return Message(kind=Kind.EVIDENCE, run=report.run, text=voice.text(said), blocks=blocks, files=(file,))


def _fitting(build: Callable[[Room], Message], profile: Profile) -> Outgoing:
    """The message with as much as fits; the last room always does."""
    for room in ROOMS[:-1]:
        written = outgoing(build(room), profile)
        if not lint(written):
            return written
    return outgoing(build(ROOMS[-1]), profile)
