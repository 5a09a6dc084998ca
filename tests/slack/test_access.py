"""Who may ask."""

from __future__ import annotations

from typing import Any

import pytest

from bot.slack.access import Access, Caller, Home, caller_of, is_external

HOME = Home(team="T1", enterprise="E1")


def caller(*teams: str, enterprise: str = "") -> Caller:
    """Somebody of the given teams."""
    return Caller(user="U1", channel="C1", teams=frozenset(teams), enterprise=enterprise)


@pytest.mark.parametrize(
    ("person", "external"),
    [
        (caller("T1"), False),
        (caller("T2"), True),
        (caller("T2", enterprise="E1"), False),
        (caller("T2", enterprise="E2"), True),
        (caller(), False),
    ],
)
def test_a_guest_of_another_company_is_external(person: Caller, external: bool) -> None:
    """Another workspace of one's own organisation is not."""
    assert external is is_external(person, HOME)


@pytest.mark.parametrize(
    ("access", "person", "key"),
    [
        (Access(), caller("T1"), None),
        (Access(), caller("T2"), "Only members"),
        (Access(external=True), caller("T2"), None),
        (Access(channels=frozenset({"C1"})), caller("T1"), None),
        (Access(channels=frozenset({"C2"})), caller("T1"), "slack.allowed_channels"),
        (Access(users=frozenset({"U2"})), caller("T1"), "slack.allowed_users"),
    ],
)
def test_the_settings_decide_and_the_refusal_names_the_setting(access: Access, person: Caller, key: str | None) -> None:
    """No list means everybody of the workspace."""
    refusal = access.refusal(person, HOME)
    assert (key is None) is (refusal is None)
    assert key is None or key in str(refusal)


MENTION = {"type": "app_mention", "user": "U1", "channel": "C1"}
PRESS = {"type": "block_actions", "user": {"id": "U1", "team_id": "T2"}, "channel": {"id": "C1"}}


@pytest.mark.parametrize(
    ("body", "who"),
    [
        ({"command": "/x", "user_id": "U1", "channel_id": "C1", "team_id": "T1"}, caller("T1")),
        ({"event": MENTION | {"user_team": "T2"}, "team_id": "T1"}, caller("T2")),
        ({"event": MENTION, "team_id": "T1"}, caller()),
        (PRESS | {"enterprise": {"id": "E1"}}, caller("T2", enterprise="E1")),
    ],
)
def test_the_caller_is_found_in_every_kind_of_request(body: dict[str, Any], who: Caller) -> None:
    """Slash command, event with and without the team of the person, button."""
    assert who == caller_of(body)
