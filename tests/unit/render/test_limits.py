"""The linter knows the limits of Slack: it is what stands between a verdict and ``invalid_blocks``."""

from __future__ import annotations

from typing import Any

import pytest

from bot.render.blocks import Kind, Outgoing
from bot.render.limits import lint


def section(text: str, **more: Any) -> dict[str, Any]:
    """A section block."""
    return {"type": "section", "text": {"type": "mrkdwn", "text": text, "verbatim": True}, **more}


def button(**more: Any) -> dict[str, Any]:
    """A button."""
    return {"type": "button", "text": {"type": "plain_text", "text": "Go"}, "action_id": "a", "value": "v"} | more


def container(*children: dict[str, Any], title: str = "t") -> dict[str, Any]:
    """A container block."""
    return {"type": "container", "title": {"type": "plain_text", "text": title}, "child_blocks": list(children)}


def message(*blocks: dict[str, Any], text: str = "said") -> Outgoing:
    """A message of these blocks."""
    return Outgoing(kind=Kind.ROOT, key="r:root", text=text, blocks=blocks)


FINE = {
    "section": section("x" * 3000),
    "actions": {"type": "actions", "elements": [button()] * 25},
    "container": container(section("x"), {"type": "divider"}),
    "context": {"type": "context", "elements": [{"type": "mrkdwn", "text": "x", "verbatim": True}] * 10},
    "code": section("`a` ```\nb ` c\n```"),
}
BROKEN = {
    "long section": (message(section("x" * 3001)), "3001 characters"),
    "empty section": (message({"type": "section"}), "without text"),
    "blank text": (message(section(" ")), "empty"),
    "unknown block": (message({"type": "alert"}), "no block we send"),
    "many blocks": (message(*[{"type": "divider"}] * 46), "46, at most 45"),
    "many bytes": (message(*[section("文" * 900)] * 3), "8100 bytes"),
    "much JSON": (message(*[{"type": "actions", "elements": [button(value="v" * 1900)] * 7}]), "characters of JSON"),
    "no fallback": (message(section("x"), text=" "), "text: empty"),
    "long fallback": (message(text="x" * 4001), "4001 characters"),
    "same block_id": (message(section("a", block_id="b"), section("a", block_id="b")), "occurs twice"),
    "many buttons": (message({"type": "actions", "elements": [button()] * 26}), "26 elements"),
    "no buttons": (message({"type": "actions", "elements": []}), "0 elements"),
    "long value": (message({"type": "actions", "elements": [button(value="v" * 2001)]}), "2001 characters"),
    "long label": (
        message({"type": "actions", "elements": [button(text={"type": "plain_text", "text": "x" * 76})]}),
        "76 characters",
    ),
    "actions in a container": (message(container({"type": "actions", "elements": [button()]})), "may not stand"),
    "long child": (message(container(section("x" * 3001))), "3001 characters"),
    "long title": (message(container(section("x"), title="t" * 151)), "151 characters"),
    "parsed data": (message({"type": "section", "text": {"type": "mrkdwn", "text": "x"}}), "without verbatim"),
    "open fence": (message(section("```\nx")), "fence is not closed"),
    "open code": (message(section("`x")), "code span is not closed"),
}


@pytest.mark.parametrize("name", list(FINE))
def test_a_block_at_its_limit_is_fine(name: str) -> None:
    """The limits themselves are allowed."""
    assert lint(message(FINE[name])) == []


@pytest.mark.parametrize("name", list(BROKEN))
def test_a_breach_is_named(name: str) -> None:
    """With where and how much."""
    broken, said = BROKEN[name]
    found = lint(broken)
    assert [said in one for one in found][:1] == [True], found
