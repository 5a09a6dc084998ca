"""Writes messages as plain text: the fallback of Slack, and the twin that logs and mail show."""

from __future__ import annotations

from bot.redact import clean
from bot.render.blocks import Buttons, Divider, Icon, Line, Message, Note, Section, Tasks


def line(spans: Line) -> str:
    """The words of a line, without marks; emoji are left out, the word follows them."""
    return "".join(span.plain for span in spans if not isinstance(span, Icon))


def message(item: Message) -> str:
    """The whole message; every button names the command that does the same."""
    parts: list[str] = []
    for block in item.blocks:
        if isinstance(block, Section):
            parts.append(_section(block))
        elif isinstance(block, Note):
            parts.append(line(block.line))
        elif isinstance(block, Tasks):
            parts.append("\n".join((line(block.title), *(f"  {task.title}" for task in block.items))))
        elif isinstance(block, Divider):
            parts.append("")
        elif isinstance(block, Buttons):
            parts.append("  ".join(f"({button.label})" for button in block.items))
    return "\n".join(parts)


def _section(block: Section) -> str:
    written = [line(one) for one in block.lines]
    if block.fence:
        shown, _ = clean(block.fence, line=4000 if block.commands else 400)
        written += [f"    {one}" for one in shown.splitlines()]
    return "\n".join(written)
