"""Each message once, in the best form that this Slack takes."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from bot.config import Settings
from bot.model.command import Question
from bot.model.report import Report
from bot.runs.run import Run
from bot.runs.store import Store, database_url
from bot.slack import delivery as module
from bot.slack.client import web_client
from bot.slack.delivery import POOR_SECONDS, Delivery, Errand
from bot.slack.look import SlackLook
from bot.slack.outbox import Outbox
from tests.slack import fake
from tests.slack.reports import report

QUESTION = Question(command="node-why", target="node-3", cluster="prod-eu")
RUN = Run(id="node-0123456789", question=QUESTION, channel="C1", user="U1", created=1000.0, deadline=1400.0)
REPORT: Report = replace(report(QUESTION), run=RUN.id)


@pytest.fixture
def slack(monkeypatch: pytest.MonkeyPatch) -> Iterator[fake.StrictSlack]:
    """A strict Slack, and no pauses."""
    monkeypatch.setattr(module, "PAUSES", (0.0, 0.01, 0.01))
    monkeypatch.setattr(module, "SHARE_PAUSES", (0.0, 0.01))
    opened = fake.StrictSlack()
    yield opened
    opened.stop()


def delivery(slack: fake.StrictSlack, folder: Path, profile: str, now: list[float]) -> tuple[Delivery, Store]:
    """A delivery with an empty memory and a clock that stands at ``now``."""
    store = Store(database_url("", folder, "runs.db"))
    store.begin(RUN)
    return Delivery(Outbox(web_client("xoxb", slack.url), pace=0), store, profile, clock=lambda: now[0]), store


def part(kind: str) -> Errand:
    """One message of the thread."""
    look = SlackLook(Settings(slack={"bot_token": "x"}))

    def say(profile: str) -> Any:
        return next(o for o in look.details(RUN, REPORT, profile) if o.kind.value == kind)

    return Errand(run=RUN, part=kind, say=say, thread_ts="1.0")


def types(message: dict[str, Any]) -> set[str]:
    """The block types of a message."""
    return {block["type"] for block in message["blocks"]}


def test_a_workspace_that_takes_rich_blocks_gets_them(slack: fake.StrictSlack, tmp_path: Path) -> None:
    """Evidence folds."""
    sender, _ = delivery(slack, tmp_path, "rich", [0.0])
    sender.deliver(part("findings"))
    assert "container" in types(slack.thread("C1")[0])


def test_a_workspace_that_refuses_rich_blocks_gets_plain_ones_and_is_not_asked_again_for_a_day(
    slack: fake.StrictSlack, tmp_path: Path
) -> None:
    """The same message, one step simpler."""
    now = [0.0]
    sender, _ = delivery(slack, tmp_path, "rich", now)
    slack.refused_types = {"container", "plan"}
    sender.deliver(part("findings"))
    sender.deliver(part("chain"))
    slack.refused_types = set()
    sender.deliver(part("fixes"))
    assert all("container" not in types(m) for m in slack.thread("C1"))
    assert 4 == sum(method == "chat.postMessage" for method, _ in slack.calls)
    now[0] = POOR_SECONDS + 1
    sender.deliver(replace(part("findings"), part="findings-again"))
    assert "container" in types(slack.thread("C1")[-1])


def test_a_message_that_was_sent_before_a_kill_is_not_sent_again(slack: fake.StrictSlack, tmp_path: Path) -> None:
    """The note has no ts: Slack is searched, and the ts that is found is kept."""
    first, store = delivery(slack, tmp_path, "baseline", [0.0])
    ts = first.deliver(part("findings"))
    store.sent(RUN.id, "findings", "")
    second, _ = delivery(slack, tmp_path, "baseline", [0.0])
    assert ts == second.deliver(part("findings"))
    assert 1 == len(slack.thread("C1"))
    assert ts == store.delivery(RUN.id, "findings")[1]


def test_a_message_that_was_noted_but_not_sent_before_a_kill_is_sent(slack: fake.StrictSlack, tmp_path: Path) -> None:
    """Perhaps is not yes."""
    sender, store = delivery(slack, tmp_path, "baseline", [0.0])
    store.sending(RUN.id, "evidence")
    sender.deliver(part("evidence"))
    assert [f"evidence-{RUN.id}.md"] == [f["name"] for m in slack.thread("C1") for f in m.get("files", [])]


def test_a_message_of_every_size_is_within_the_limits_of_slack(slack: fake.StrictSlack, tmp_path: Path) -> None:
    """A report with a hundred findings posts without a refusal."""
    sender, _ = delivery(slack, tmp_path, "baseline", [0.0])
    many = tuple(replace(e, id=f"F{n}") for n, e in enumerate(REPORT.entries * 50, 1))
    look = SlackLook(Settings(slack={"bot_token": "x"}))
    big = replace(REPORT, entries=many)
    for out in look.details(RUN, big, "baseline"):
        sender.deliver(Errand(run=RUN, part=out.kind.value, say=lambda _, out=out: out, thread_ts="1.0"))  # type: ignore[misc]
    errors = [m for m in slack.thread("C1") if not m.get("blocks") and not m.get("files")]
    assert [] == errors
