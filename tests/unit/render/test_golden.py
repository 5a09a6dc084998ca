"""What people see, written down: every kind of report in both languages, on every surface."""

from __future__ import annotations

import json
from collections.abc import Callable

import pytest

from bot.model.report import Report
from bot.render.blocks import Outgoing
from bot.render.json import to_json
from bot.render.limits import lint
from bot.render.markdown import markdown
from bot.render.mrkdwn import Profile
from bot.render.slack import root_final, thread
from bot.render.terminal import terminal
from tests.unit.render.reports import REPORTS

LANGS = ("en", "zh-CN")
SHOWN = [name for name in REPORTS if name != "crowded"]


def messages(report: Report, profile: Profile, lang: str) -> list[Outgoing]:
    """Every message of a run."""
    return [
        root_final(report, profile=profile, lang=lang, by="U01ALICE"),
        *thread(report, profile=profile, lang=lang, by="U01ALICE"),
    ]


def written(items: list[Outgoing]) -> str:
    """Messages as readable JSON: blocks where there are any, else the text."""
    shown = [
        {"key": m.key, "text": m.text.split("\n"), "blocks": m.blocks, "files": [f.name for f in m.files]}
        for m in items
    ]
    return json.dumps(shown, ensure_ascii=False, indent=1) + "\n"


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", SHOWN)
def test_terminal(name: str, lang: str, golden: Callable[[str, str], None]) -> None:
    """The terminal shows the report in 80 columns without colour."""
    golden(f"{name}/{lang}/terminal.txt", terminal(REPORTS[name], lang=lang))


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", SHOWN)
def test_markdown(name: str, lang: str, golden: Callable[[str, str], None]) -> None:
    """Markdown shows the report for a ticket."""
    golden(f"{name}/{lang}/report.md", markdown(REPORTS[name], lang=lang))


@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", SHOWN)
def test_json(name: str, lang: str, golden: Callable[[str, str], None]) -> None:
    """JSON holds the report for machines."""
    golden(f"{name}/{lang}/report.json", to_json(REPORTS[name], lang=lang))


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", SHOWN)
def test_slack(name: str, lang: str, profile: Profile, golden: Callable[[str, str], None]) -> None:
    """Slack gets the root and its thread."""
    golden(f"{name}/{lang}/slack-{profile.value}.json", written(messages(REPORTS[name], profile, lang)))


@pytest.mark.parametrize("profile", list(Profile))
@pytest.mark.parametrize("lang", LANGS)
@pytest.mark.parametrize("name", list(REPORTS))
def test_every_message_keeps_within_the_limits_of_slack(name: str, lang: str, profile: Profile) -> None:
    """No message breaks a limit, whatever the report: a rejected message is a lost verdict."""
    breaches = {m.key: lint(m) for m in messages(REPORTS[name], profile, lang) if lint(m)}
    assert breaches == {}


@pytest.mark.parametrize("name", list(REPORTS))
def test_every_profile_has_the_same_messages(name: str) -> None:
    """A message that Slack rejects can be replaced by the same message of a simpler profile."""
    keys = {p: [m.key for m in messages(REPORTS[name], p, "en")] for p in Profile}
    assert {tuple(k) for k in keys.values()} == {tuple(keys[Profile.BASELINE])}


def test_a_run_has_at_most_six_messages() -> None:
    """One root and five thread posts, however much was found."""
    assert max(len(messages(r, Profile.RICH, "en")) for r in REPORTS.values()) == 6


def test_good_news_makes_no_noise() -> None:
    """An all-clear is the root alone."""
    assert [m.kind.value for m in messages(REPORTS["healthy"], Profile.BASELINE, "en")] == ["root"]
