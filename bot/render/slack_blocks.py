"""Writes neutral messages as Block Kit: plain dicts, for the SDK's classes silently drop blocks they do not know."""

from __future__ import annotations

from collections.abc import Iterator

from bot.render import mrkdwn, plain
from bot.render.blocks import Block, Button, Buttons, Divider, Json, Line, Message, Note, Outgoing, Section, Tasks
from bot.render.limits import FALLBACK_CHARS, SECTION_CHARS
from bot.render.mrkdwn import Profile, escape

ROOM = SECTION_CHARS - 100
FOLD_TITLE = 150


def outgoing(message: Message, profile: Profile) -> Outgoing:
    """Write one message for a profile; ``block_id`` is ``<run>:<kind>:<n>``, stable over edits."""
    whole = plain.message(message)
    key = f"{message.run}:{message.kind.value}"
    blocks: list[Json] = []
    if profile is not Profile.PLAIN:
        blocks = [written for block in message.blocks for written in _block(block, profile)]
        for n, block in enumerate(blocks):
            block["block_id"] = f"run:{key}:{n}"
    text = _cut(escape(message.text, profile), FALLBACK_CHARS)
    if profile is Profile.PLAIN:
        text = _whole(text, whole)
    return Outgoing(kind=message.kind, key=key, text=text, blocks=tuple(blocks), files=message.files, plain=whole)


def _whole(text: str, whole: str) -> str:
    """The message without blocks: its one line, and the rest in a fence, where nothing is parsed."""
    head = _cut(text, FALLBACK_CHARS // 4)
    body = _cut(escape(whole.replace("```", "'''")), FALLBACK_CHARS - len(head) - 10)
    return f"{head}\n```\n{body}\n```"


def _cut(text: str, room: int) -> str:
    """At most so many characters, never cut inside an escape."""
    if len(text) <= room:
        return text
    head = text[: room - 1]
    start = head.rfind("&", len(head) - 5)
    return (head[:start] if start >= 0 and ";" not in head[start:] else head) + "…"


def _block(block: Block, profile: Profile) -> Iterator[Json]:
    if isinstance(block, Section):
        yield from _section(block, profile)
    elif isinstance(block, Note):
        yield {"type": "context", "elements": [_mrkdwn(_fit(block.line, profile))]}
    elif isinstance(block, Divider):
        yield {"type": "divider"}
    elif isinstance(block, Tasks):
        yield from _tasks(block, profile)
    elif isinstance(block, Buttons):
        yield {"type": "actions", "elements": [_button(item) for item in block.items]}


def _section(block: Section, profile: Profile) -> Iterator[Json]:
    texts = list(_packed([mrkdwn.line(one, profile) for one in block.lines]))
    fenced = list(_fences(block, profile)) if block.fence else []
    if fenced and profile is Profile.RICH and block.fold:
        yield from ({"type": "section", "expand": True, "text": _mrkdwn(text)} for text in texts)
        yield {
            "type": "container",
            "title": {"type": "plain_text", "text": plain.line(block.fold)[:FOLD_TITLE]},
            "is_collapsible": True,
            "default_collapsed": True,
            "child_blocks": [{"type": "section", "text": _mrkdwn(one)} for one in fenced],
        }
        return
    if fenced and texts and len(texts[-1]) + len(fenced[0]) < ROOM:
        texts[-1] = f"{texts[-1]}\n{fenced.pop(0)}"
    yield from ({"type": "section", "expand": True, "text": _mrkdwn(text)} for text in [*texts, *fenced])


def _packed(lines: list[str]) -> Iterator[str]:
    """Join lines to texts that fit one section each."""
    packed = ""
    for one in lines:
        line = one if len(one) <= ROOM else _shorten(one)
        if packed and len(packed) + len(line) + 1 > ROOM:
            yield packed
            packed = ""
        packed = f"{packed}\n{line}" if packed else line
    if packed:
        yield packed


def _shorten(line: str) -> str:
    """Cut an overlong line where no code span or escape is open."""
    head = line[:ROOM]
    head = head[: head.rfind(" ")] if " " in head else head
    return head + ("` …" if head.count("`") % 2 else " …")


def _fences(block: Section, profile: Profile) -> Iterator[str]:
    """The fence in pieces that fit one section each, cut between lines."""
    piece: list[str] = []
    length = 0
    for one in block.fence.splitlines():
        cost = len(mrkdwn.fence(one, profile, commands=block.commands)) if one.strip() else 1
        if piece and length + cost > ROOM:
            yield mrkdwn.fence("\n".join(piece), profile, commands=block.commands)
            piece, length = [], 0
        piece.append(one if len(one) <= ROOM // 2 or not block.commands else one[: ROOM // 2] + "…")
        length += cost
    yield mrkdwn.fence("\n".join(piece), profile, commands=block.commands)


def _fit(line: Line, profile: Profile) -> str:
    written = mrkdwn.line(line, profile)
    return written if len(written) <= ROOM else _shorten(written)


def _mrkdwn(text: str) -> Json:
    return {"type": "mrkdwn", "text": text, "verbatim": True}


def _tasks(block: Tasks, profile: Profile) -> Iterator[Json]:
    if profile is Profile.RICH:
        cards = [
            {"type": "task_card", "task_id": f"t{n}", "title": task.title[:256], "status": task.state}
            for n, task in enumerate(block.items)
        ]
        yield {"type": "plan", "title": plain.line(block.title)[:256], "tasks": cards}
        return
    yield {"type": "section", "expand": True, "text": _mrkdwn(mrkdwn.line(block.title, profile))}


def _button(item: Button) -> Json:
    number = f":{item.number}" if item.number else ""
    written: Json = {
        "type": "button",
        "text": {"type": "plain_text", "text": item.label[:75]},
        "action_id": f"{item.action.value}{number}",
        "value": item.value,
    }
    if item.says:
        written["accessibility_label"] = item.says[:75]
    return written
