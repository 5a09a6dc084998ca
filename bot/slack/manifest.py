"""The manifest from which a workspace creates the Slack app: made from the table of commands, so that it cannot lag.

What may stand in it: docs.slack.dev, reference "app manifest"; an app may have at most 50 slash commands.
"""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from bot.model.command import Command
from bot.slack.arguments import ALIAS
from bot.slack.listener import SHORTCUT

# Each scope with its reason; docs/slack.md prints the same table.
SCOPES = {
    "app_mentions:read": "to be asked by name, which is the only way inside a thread",
    "channels:history": "to find its own messages again after a crash, and the message that a shortcut was used on",
    "chat:write": "to answer",
    "commands": "slash commands and the message shortcut",
    "files:write": "to attach the evidence of a run to its thread",
    "groups:history": "the same as channels:history, in private channels that it was invited to",
    "users:read": "to tell guests of other workspaces from people of this one",
}
EVENTS = ("app_home_opened", "app_mention")
DESCRIPTION = 'Answers "why is it broken?" for Kubernetes clusters, with proof. Reads, never writes.'
HINT_CHARS = 100
COLOR = "#1d4ed8"


def manifest(commands: Iterable[Command]) -> str:
    """The manifest as JSON, ready for "Create New App, from a manifest"; Socket Mode, no public address needed."""
    known = tuple(commands)
    listed = [_slash(c.name, str(c.symptom), _hint(c)) for c in known]
    listed.append(
        _slash(ALIAS, "every command above as /kubewhy COMMAND, and help", "COMMAND [TARGET] [KEY=VALUE ...]")
    )
    app: dict[str, Any] = {
        "_metadata": {"major_version": 1, "minor_version": 1},
        "display_information": {"name": "kubewhy", "description": DESCRIPTION, "background_color": COLOR},
        "features": {
            "app_home": {"home_tab_enabled": True, "messages_tab_enabled": False},
            "bot_user": {"display_name": "kubewhy", "always_online": True},
            "shortcuts": [
                {
                    "name": "Diagnose this message",
                    "type": "message",
                    "callback_id": SHORTCUT,
                    "description": "Runs the command that the message names",
                }
            ],
            "slash_commands": listed,
        },
        "oauth_config": {"scopes": {"bot": sorted(SCOPES)}},
        "settings": {
            "event_subscriptions": {"bot_events": list(EVENTS)},
            "interactivity": {"is_enabled": True},
            "org_deploy_enabled": False,
            "socket_mode_enabled": True,
            "token_rotation_enabled": False,
        },
    }
    return json.dumps(app, indent=2, ensure_ascii=False) + "\n"


def _slash(name: str, description: str, hint: str) -> dict[str, Any]:
    return {"command": f"/{name}", "description": description, "usage_hint": hint, "should_escape": False}


def _hint(command: Command) -> str:
    """Target and the command's own options, as many as fit."""
    name = command.target_name.upper() or (command.target.value.upper() if command.target else "")
    words = [name if command.target_required else f"[{name}]"] if command.target else []
    words += [f"[{option.name}=…]" for option in command.options]
    while len(" ".join(words)) > HINT_CHARS:
        words.pop()
    return " ".join(words)
