"""Stored runs on the command line: a run is kept when it ends, and shown again whole or by finding, evidence, fix."""

from __future__ import annotations

import json
import time

import sqlalchemy

from bot.cli.printed import Output, printed
from bot.config import Settings
from bot.errors import SettingsError, UsageError
from bot.model.report import Report
from bot.redact import harmless
from bot.render import plain
from bot.render.i18n import Voice
from bot.render.json import to_json
from bot.runs.run import Run, State
from bot.runs.store import Store, database_url
from bot.slack.answers import answer
from bot.slack.arguments import FollowUp

FILE = "runs.db"  # the same that the bot keeps its runs in
DAY = 86400.0
EXAMPLE = "show dns-7f3a9c01d2 F1"


def _store(settings: Settings) -> Store:
    return Store(database_url(settings.database_url, settings.state, FILE))


def keep(report: Report, settings: Settings) -> None:
    """Store a finished run, and forget those beyond their retention.

    Raises:
        OSError: the state directory or database cannot be written.
    """
    now = time.time()
    try:
        store = _store(settings)
        store.begin(Run(id=report.run, question=report.question, channel="", user="", created=now, deadline=now))
        store.save_report(report.run, report)
        store.change(report.run, state=State.DONE.value, finished=now)
        store.purge(now - settings.retention_days * DAY)
        store.close()
    except sqlalchemy.exc.SQLAlchemyError as error:
        raise OSError(str(error).splitlines()[0]) from None


def shown(settings: Settings, run: str, part: str, output: Output) -> str:
    """A stored run, or one part of it.

    Raises:
        UsageError: no such run or part.
    """
    try:
        report = _store(settings).report(run)
    except (OSError, sqlalchemy.exc.SQLAlchemyError) as error:
        raise SettingsError(f"state: {settings.state} cannot be used: {str(error).splitlines()[0]}") from None
    if report is None:
        raise UsageError(f"there is no stored run {run!r}", example=EXAMPLE)
    if not part:
        return printed(report, output, report.question.lang)
    known = {e.id for e in report.entries} | {e.id for e in report.exhibits} | {r.id for r in report.remedies}
    if part.upper() not in known:
        raise UsageError(f"run {run} has no {part!r}", nearest=tuple(sorted(known)[:5]), example=EXAMPLE)
    if output is Output.JSON:
        whole = json.loads(to_json(report, lang=report.question.lang))
        items = (*whole["findings"], *whole["evidence"], *whole["fixes"])
        return json.dumps(next(i for i in items if i["id"] == part.upper()), indent=2, ensure_ascii=False)
    exhibit = next((x for x in report.exhibits if x.id == part.upper()), None)
    if exhibit is not None:
        at = f"  {exhibit.proof.at:%Y-%m-%d %H:%M:%S} UTC" if exhibit.proof.at else ""
        return f"{exhibit.id}  {exhibit.proof.what}{at}\n\n{harmless(exhibit.proof.body or exhibit.proof.shown)}"
    voice = Voice(report.question.lang)
    return plain.message(answer(report, run, FollowUp(verb="show", subject=part.upper()), voice))
