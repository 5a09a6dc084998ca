"""Who may ask: the settings name channels and users; guests from other companies are refused unless let in.

A Slack button has no memory of who may press it, so every click is judged like a command.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from bot.model.text import T, Text


@dataclass(frozen=True, slots=True, kw_only=True)
class Caller:
    """Who did something, and where, as Slack tells it.

    Attributes:
        teams: every team id that Slack gives for the person; empty when it gives none.
        enterprise: the person's organisation; empty without Enterprise Grid.
    """

    user: str
    channel: str
    teams: frozenset[str]
    enterprise: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Home:
    """The workspace that the app is installed in; unknown (empty) until Slack has told."""

    team: str = ""
    enterprise: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Access:
    """The rules of one installation; an empty list of channels or users means all."""

    channels: frozenset[str] = frozenset()
    users: frozenset[str] = frozenset()
    external: bool = False

    def refusal(self, caller: Caller, home: Home) -> Text | None:
        """Why the caller may not ask, in words for that person; None when they may."""
        if not self.external and is_external(caller, home):
            return T("Only members of this workspace can ask me. Nothing was run.")
        if self.channels and caller.channel not in self.channels:
            return T("I do not answer in this channel. Ask whoever runs kubewhy to add it to {key}.", key=CHANNELS_KEY)
        if self.users and caller.user not in self.users:
            return T("You are not on the list of people who can ask me ({key}). Nothing was run.", key=USERS_KEY)
        return None


CHANNELS_KEY = "slack.allowed_channels"
USERS_KEY = "slack.allowed_users"


def is_external(caller: Caller, home: Home) -> bool:
    """Whether the person belongs to another company: a team that is neither ours nor of our organisation."""
    if not home.team or not caller.teams or home.team in caller.teams:
        return False
    return not (home.enterprise and caller.enterprise == home.enterprise)


def caller_of(body: Mapping[str, Any]) -> Caller:
    """Who sent a request of any kind: slash command, event, button, shortcut, view."""
    event: Mapping[str, Any] = body.get("event") or {}
    user = body.get("user") or {}
    if not isinstance(user, Mapping):
        user = {"id": user}
    channel = body.get("channel") or {}
    enterprise = body.get("enterprise") or {}
    teams = {user.get("team_id"), event.get("user_team"), event.get("source_team"), body.get("user_team")} - {None, ""}
    if not teams and not event:
        teams = {body.get("team_id")} - {None, ""}
    return Caller(
        user=str(user.get("id") or body.get("user_id") or event.get("user") or ""),
        channel=str(
            (channel.get("id") if isinstance(channel, Mapping) else channel)
            or body.get("channel_id") or event.get("channel") or ""
        ),
        teams=frozenset(str(t) for t in teams),
        enterprise=str(enterprise.get("id") or body.get("enterprise_id") or ""),
    )  # fmt: skip
