"""How a run looks in this workspace: the renderer, told about the run, the asker and the cluster."""

from __future__ import annotations

from collections import OrderedDict
from datetime import UTC, datetime

from bot.config import Settings
from bot.gather import Step
from bot.model.report import Report, Status, Summary
from bot.model.text import T
from bot.render import slack
from bot.render.blocks import Message, Outgoing
from bot.render.mrkdwn import Profile
from bot.render.slack_blocks import outgoing
from bot.runs.run import Run

KEPT = 64
ENDINGS = {
    Status.CANCELLED: Summary(
        wrong=T("The run was cancelled."), why=T("Somebody stopped it."), next=T("Run it again when you need it.")
    ),
    Status.EXPIRED: Summary(
        wrong=T("The run did not end in time."),
        why=T("I was stopped while I worked on it, or the cluster kept me waiting for too long."),
        next=T("Run it again."),
    ),
}


class SlackLook:
    """The :class:`bot.slack.thread.Look` of one installation."""

    def __init__(self, settings: Settings) -> None:
        """Show clusters by the names of ``settings``, in its flavor."""
        self.settings = settings
        self._kept: OrderedDict[tuple[str, str], list[Outgoing]] = OrderedDict()

    def running(self, run: Run, step: Step | None) -> Outgoing:
        """The receipt, with how far the run is."""
        return slack.root_running(
            run.question,
            run=run.id,
            cluster=self._cluster(run),
            started=_moment(run),
            done=step.done if step else 0,
            total=step.total if step else 0,
            now=step.now if step else "",
            by=run.user,
            profile=Profile(self.settings.slack.flavor),
            lang=run.question.lang,
        )

    def verdict(self, run: Run, report: Report, profile: str) -> Outgoing:
        """The receipt turned into the verdict."""
        return slack.root_final(report, profile=Profile(profile), lang=run.question.lang, by=run.user)

    def details(self, run: Run, report: Report, profile: str) -> list[Outgoing]:
        """The messages of the thread, in order; kept for the next part, because each part asks for them again."""
        key = (run.id, profile)
        kept = self._kept.get(key)
        if kept is None:
            kept = slack.thread(report, profile=Profile(profile), lang=run.question.lang, by=run.user)
            self._kept[key] = kept
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        return kept

    def notice(self, run: Run, status: Status, reference: str) -> Outgoing:
        """There is no verdict, and why."""
        failed = Summary(
            wrong=T("I failed while I looked. Nothing was changed."),
            why=T("The details are in my log under {reference}.", reference=reference),
            next=T("Run it again. If it fails again, tell whoever runs kubewhy."),
        )
        report = Report(
            run=run.id,
            question=run.question,
            cluster=self._cluster(run),
            observed_at=_moment(run),
            duration_ms=0,
            status=status,
            summary=ENDINGS.get(status, failed),
        )
        return slack.root_final(
            report, profile=Profile(self.settings.slack.flavor), lang=run.question.lang, by=run.user
        )

    def write(self, message: Message) -> Outgoing:
        """Any other message; never with blocks that a workspace may refuse."""
        flavor = self.settings.slack.flavor
        return outgoing(message, Profile.LOCAL if flavor == "local" else Profile.BASELINE)

    def _cluster(self, run: Run) -> str:
        named = run.question.cluster or self.settings.default_cluster
        return named or (next(iter(self.settings.clusters)) if len(self.settings.clusters) == 1 else "kubeconfig")


def _moment(run: Run) -> datetime:
    return datetime.fromtimestamp(run.created, UTC)
