"""The Slack app's manifest: what a workspace takes, and what the bot uses."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

from bot.slack.listener import SHORTCUT
from bot.slack.manifest import manifest
from handlers import COMMANDS

ROOT = Path(__file__).resolve().parents[3]
MADE: dict[str, Any] = json.loads(manifest(COMMANDS))
MOST_COMMANDS = 50  # docs.slack.dev, app manifest


def test_every_command_is_a_slash_command_and_so_is_the_alias() -> None:
    """/kubewhy reaches all of them where another app owns a name."""
    listed = [command["command"] for command in MADE["features"]["slash_commands"]]
    assert sorted(listed) == sorted([*(f"/{c.name}" for c in COMMANDS), "/kubewhy"])
    assert len(listed) <= MOST_COMMANDS


def test_the_hint_completes_what_was_typed() -> None:
    """Slack shows it behind the command: it must not say the command again."""
    hints = {c["command"]: c["usage_hint"] for c in MADE["features"]["slash_commands"]}
    assert [hint for command, hint in hints.items() if not hint or hint.startswith((command, "/"))] == []


def test_the_bot_asks_for_the_scopes_that_it_uses() -> None:
    """Posting, commands, mentions, the evidence file, and finding its own messages again; nothing about people."""
    assert sorted(MADE["oauth_config"]["scopes"]["bot"]) == [
        "app_mentions:read",
        "channels:history",
        "chat:write",
        "commands",
        "files:write",
        "groups:history",
    ]


def test_the_bot_hears_what_it_answers_and_nothing_else() -> None:
    """No message events: a channel's talk never reaches it."""
    assert sorted(MADE["settings"]["event_subscriptions"]["bot_events"]) == ["app_home_opened", "app_mention"]
    assert MADE["settings"]["interactivity"] == {"is_enabled": True}
    assert MADE["settings"]["socket_mode_enabled"] is True
    assert MADE["features"]["app_home"]["home_tab_enabled"] is True


def test_the_shortcut_is_the_one_that_the_listener_knows() -> None:
    """It diagnoses the message that it is used on."""
    (shortcut,) = MADE["features"]["shortcuts"]
    assert (shortcut["type"], shortcut["callback_id"]) == ("message", SHORTCUT)


def test_the_committed_manifest_is_this_one() -> None:
    """manifest.json is what a newcomer pastes."""
    assert json.loads((ROOT / "manifest.json").read_text("utf-8")) == MADE
