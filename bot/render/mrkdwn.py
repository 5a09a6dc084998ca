"""Writes spans as Slack mrkdwn, so that nothing from a cluster is ever parsed by Slack.

``& < >`` are escaped, data stands in code spans without backticks, and one ASCII space separates any mark from Chinese
letters: Slack shows ``文字*粗体*`` with its asterisks. The profile ``local`` is for the local-slack playground, which
escapes by itself and knows neither fences nor dates.
"""

from __future__ import annotations

import enum
from collections.abc import Iterable
from datetime import UTC

from bot.redact import clean
from bot.render.blocks import Icon, Inline, Line, Moment, Person, Style, merged

PROOF_CHARS = 160
NBSP = "\N{NO-BREAK SPACE}"


class Profile(enum.StrEnum):
    """How much the receiving Slack understands."""

    RICH = "rich"
    BASELINE = "baseline"
    LOCAL = "local"
    PLAIN = "plain"


def escape(text: str, profile: Profile = Profile.BASELINE) -> str:
    """Make ``& < >`` plain characters."""
    if profile is Profile.LOCAL:
        return text.replace("<", "< ") if any(mark in text for mark in ("<!", "<@", "<#", "<http")) else text
    return text.replace("&", "&amp;").replace("<", "&lt;").replace(">", "&gt;")


def line(spans: Line, profile: Profile) -> str:
    """Write one line."""
    written, marked = "", False
    for text, marks in (_inline(span, profile) for span in merged(spans)):
        if not text:
            continue
        apart = written and ((marks and _touches(written[-1])) or (marked and _touches(text[0])))
        written += f" {text}" if apart else text
        marked = marks
    return written


def lines(items: Iterable[Line], profile: Profile) -> str:
    """Write several lines."""
    return "\n".join(line(item, profile) for item in items)


def fence(data: str, profile: Profile, *, commands: bool = False) -> str:
    """Write data as a code block; proof lines are cut at 160 characters, commands never."""
    width = 4000 if commands else PROOF_CHARS
    shown, _ = clean(data.strip("\n"), line=width)
    shown = escape(shown.replace("```", "'''"), profile)
    if profile is not Profile.LOCAL:
        return f"```\n{shown}\n```"
    return "\n".join(_code(_keep_indent(one)) for one in shown.splitlines() if one.strip())


def _keep_indent(text: str) -> str:
    stripped = text.lstrip(" \t")
    return NBSP * (len(text.expandtabs(4)) - len(stripped.expandtabs(4))) + stripped


def _code(text: str) -> str:
    return "`" + (text.replace("`", "'") or " ") + "`"


def _inline(span: Inline, profile: Profile) -> tuple[str, bool]:
    """The written span, and whether it has marks that must not touch a letter."""
    if isinstance(span, Icon):
        return f":{span.name}: ", False
    if isinstance(span, Person):
        return f"<@{span.id}>", True
    if isinstance(span, Moment):
        return _moment(span, profile)
    if span.style is Style.CODE:
        return _code(escape(span.text, profile)), True
    text = escape(span.text, profile)
    if span.style is Style.PLAIN or not text.strip():
        return text, False
    inner = text.strip()
    return text.replace(inner, f"*{inner}*", 1), True


def _moment(moment: Moment, profile: Profile) -> tuple[str, bool]:
    if profile is Profile.LOCAL:
        return moment.plain, False
    at = moment.at if moment.at.tzinfo else moment.at.replace(tzinfo=UTC)
    return f"<!date^{int(at.timestamp())}^{{date_short_pretty}} {{time_secs}}|{moment.plain}>", True


def _touches(character: str) -> bool:
    """Whether a mark beside this character would not be seen as a mark by Slack."""
    return character.isalnum() or not character.isascii()
