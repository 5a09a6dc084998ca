"""What people type in Slack, as the bot reads it."""

from __future__ import annotations

import pytest

from bot.errors import UsageError
from bot.slack.arguments import FollowUp, Spoken, corrected, follow_up, read, spoken, unwrap
from tests.slack.reports import COMMANDS


@pytest.mark.parametrize(
    ("typed", "read_as"),
    [
        ("<@UBOT> node-why node-3", "node-why node-3"),
        ("<@UBOT|kubewhy>: node-why node-3", "node-why node-3"),
        ("dns-check <http://example.com|example.com>", "dns-check example.com"),
        ("dns-check <https://example.com>", "dns-check example.com"),
        ("a &amp; b &lt;c&gt;", "a & b <c>"),
        ("  plain  ", "plain"),
    ],
)
def test_what_slack_puts_around_a_text_is_taken_off(typed: str, read_as: str) -> None:
    """Mentions in front, links, escapes."""
    assert read_as == unwrap(typed)


@pytest.mark.parametrize(
    ("command", "text", "heard"),
    [
        ("/node-why", "node-3", Spoken(command="node-why", rest="node-3")),
        ("/kubewhy", "node-why node-3", Spoken(command="node-why", rest="node-3")),
        ("/kubewhy", "", Spoken(command="", rest="")),
        ("", "<@UBOT> kubewhy node-why node-3", Spoken(command="node-why", rest="node-3")),
        ("", "<@UBOT> /node-why node-3", Spoken(command="node-why", rest="node-3")),
    ],
)
def test_the_command_is_found_wherever_it_stands(command: str, text: str, heard: Spoken) -> None:
    """As a slash command, behind the alias, behind a mention."""
    assert heard == spoken(command, text)


@pytest.mark.parametrize(
    ("typed", "asked"),
    [
        ("why F1", FollowUp(verb="why", subject="F1")),
        ("<@UBOT> Show e2", FollowUp(verb="show", subject="e2")),
        ("rerun", FollowUp(verb="rerun")),
        ("中文", FollowUp(verb="lang", subject="zh-CN")),
        ("English", FollowUp(verb="lang", subject="en")),
        ("node-why node-3", None),
        ("whyever", None),
    ],
)
def test_a_follow_up_is_told_from_a_command(typed: str, asked: FollowUp | None) -> None:
    """By a grammar, not by guessing."""
    assert asked == follow_up(typed)


@pytest.mark.parametrize(
    ("said", "meant"),
    [
        (Spoken(command="nodewhy", rest="node-3"), Spoken(command="node-why", rest="node-3")),
        (
            Spoken(command="node-why", rest="node-3 cluster=prod-eux"),
            Spoken(command="node-why", rest="node-3 cluster=prod-eu"),
        ),
        (Spoken(command="node-why", rest="node-3 --sinse 1h"), Spoken(command="node-why", rest="node-3 --since 1h")),
    ],
)
def test_a_typing_error_is_corrected_to_the_nearest_match(said: Spoken, meant: Spoken) -> None:
    """A wrong command, a wrong value, a wrong option: one word is replaced and nothing else."""
    with pytest.raises(UsageError) as error:
        read(said, COMMANDS, ("prod-eu",))
    assert meant == corrected(said, error.value, COMMANDS)


def test_what_resembles_nothing_is_not_corrected() -> None:
    """No guess is better than a wild one."""
    said = Spoken(command="qqqq", rest="")
    with pytest.raises(UsageError) as error:
        read(said, COMMANDS, ())
    assert corrected(said, error.value, COMMANDS) is None
