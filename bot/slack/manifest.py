"""The Slack app's manifest, from the command table: paste it into "Create an app from a manifest".

The scopes are what the bot uses and no more: history only to find its own messages after a crash.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from bot.model.command import Command
from bot.slack.arguments import ALIAS
from bot.slack.listener import SHORTCUT

SCOPES = ("app_mentions:read", "channels:history", "chat:write", "commands", "files:write", "groups:history")
EVENTS = ("app_home_opened", "app_mention")
DESCRIPTION_CHARS = 200
HINT_CHARS = 100


def manifest(commands: Iterable[Command]) -> str:
    """The manifest as JSON text."""
    slash = [
        {
            "command": f"/{ALIAS}",
            "description": "Every command of kubewhy, and help",
            "usage_hint": "help | <command> [target] [key=value]",
            "should_escape": False,
        },
        *(_slash(command) for command in commands),
    ]
    document: dict[str, Any] = {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {
            "name": ALIAS,
            "description": "Says why something in a Kubernetes cluster is broken, with proof. It only reads.",
            "background_color": "#1f3a5f",
        },
        "features": {
            "app_home": {"home_tab_enabled": True, "messages_tab_enabled": False},
            "bot_user": {"display_name": ALIAS, "always_online": True},
            "shortcuts": [
                {
                    "name": "Diagnose this message",
                    "type": "message",
                    "callback_id": SHORTCUT,
                    "description": "Runs the command that the message names, and answers in its thread",
                }
            ],
            "slash_commands": slash,
        },
        "oauth_config": {"scopes": {"bot": list(SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True},
            "org_deploy_enabled": False,
            "socket_mode_enabled": True,
            "token_rotation_enabled": False,
        },
    }
    return json.dumps(document, indent=2, ensure_ascii=False) + "\n"


def _slash(command: Command) -> dict[str, Any]:
    example = (command.examples[-1] if command.examples else "").lstrip("/").removeprefix(command.name).strip()
    return {
        "command": f"/{command.name}",
        "description": str(command.symptom)[:DESCRIPTION_CHARS],
        "usage_hint": (example or "help")[:HINT_CHARS],
        "should_escape": False,
    }
