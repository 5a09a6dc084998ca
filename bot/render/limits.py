"""The limits of Slack as a table, and the linter that holds every message of ours to them.

Sources: Slack's documentation and SDK for single blocks; the caps over a whole message are undocumented (failures were
seen from 11,341 characters of text and 13,172 of blocks on), so ours lie below.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Mapping, Sequence

from bot.render.blocks import Outgoing

BLOCKS = 45
BLOCKS_JSON_CHARS = 12_000
TEXT_BYTES = 8_000
FALLBACK_CHARS = 4_000
SECTION_CHARS = 3_000

ELEMENTS = {"context": 10, "actions": 25, "container": 10, "plan": 50}
STRINGS = {
    "section.text": SECTION_CHARS,
    "section.fields": 2_000,
    "header.text": 150,
    "context.elements": 3_000,
    "container.title": 150,
    "container.subtitle": 150,
    "plan.title": 256,
    "task_card.title": 256,
    "image.alt_text": 2_000,
    "button.text": 75,
    "button.value": 2_000,
    "button.action_id": 255,
    "button.accessibility_label": 75,
    "block_id": 255,
}
KNOWN = frozenset({"section", "context", "actions", "header", "divider", "image", "container", "plan"})
CHILDREN = frozenset({"section", "context", "divider"})

_FENCE = re.compile(r"```.*?```", re.DOTALL)


def lint(message: Outgoing) -> list[str]:
    """Every breach of a limit, each as ``where: what``; empty for a message that Slack accepts."""
    found = list(_whole(message))
    for n, block in enumerate(message.blocks):
        found += _block(block, f"blocks[{n}]")
    return found


def size(blocks: Sequence[Mapping[str, object]]) -> tuple[int, int]:
    """UTF-8 bytes of all text, and characters of the JSON of all blocks."""
    text = sum(len(one.encode()) for block in blocks for one in texts(block))
    return text, len(json.dumps(blocks, ensure_ascii=False, separators=(",", ":")))


def texts(node: object) -> Iterator[str]:
    """Every text that people read in a block."""
    if isinstance(node, Mapping):
        for key, value in node.items():
            if key in {"text", "title", "subtitle", "alt_text"} and isinstance(value, str):
                yield value
            else:
                yield from texts(value)
    elif isinstance(node, (list, tuple)):
        for item in node:
            yield from texts(item)


def _whole(message: Outgoing) -> Iterator[str]:
    if not message.text.strip():
        yield "text: empty; screen readers and notifications have nothing to say"
    if len(message.text) > FALLBACK_CHARS:
        yield f"text: {len(message.text)} characters, at most {FALLBACK_CHARS}"
    if len(message.blocks) > BLOCKS:
        yield f"blocks: {len(message.blocks)}, at most {BLOCKS}"
    spoken, encoded = size(message.blocks)
    if spoken > TEXT_BYTES:
        yield f"blocks: {spoken} bytes of text, at most {TEXT_BYTES}"
    if encoded > BLOCKS_JSON_CHARS:
        yield f"blocks: {encoded} characters of JSON, at most {BLOCKS_JSON_CHARS}"
    ids = [block["block_id"] for block in message.blocks if "block_id" in block]
    if len(ids) != len(set(ids)):
        yield "blocks: a block_id occurs twice"


def _block(block: Mapping[str, object], where: str) -> Iterator[str]:
    kind = block.get("type")
    if kind not in KNOWN:
        yield f"{where}: {kind} is no block we send"
        return
    if kind == "section" and not (block.get("text") or block.get("fields")):
        yield f"{where}: a section without text"
    children = block.get("elements") or block.get("child_blocks") or block.get("tasks") or ()
    assert isinstance(children, Sequence)
    if kind in ELEMENTS and not 1 <= len(children) <= ELEMENTS[kind]:
        yield f"{where}: {len(children)} elements, from 1 to {ELEMENTS[kind]}"
    if kind == "container":
        for n, child in enumerate(children):
            if child.get("type") not in CHILDREN:
                yield f"{where}.child_blocks[{n}]: a {child.get('type')} may not stand in a container"
            yield from _block(child, f"{where}.child_blocks[{n}]")
    yield from _strings(block, str(kind), where)


def _strings(node: Mapping[str, object], kind: str, where: str) -> Iterator[str]:
    for key, value in node.items():
        at, limit = f"{where}.{key}", STRINGS.get(f"{kind}.{key}") or STRINGS.get(key)
        shown = value.get("text") if isinstance(value, Mapping) and "text" in value else value
        if isinstance(shown, str):
            if limit and len(shown) > limit:
                yield f"{at}: {len(shown)} characters, at most {limit}"
            if key in {"text", "title", "label"} and not shown.strip():
                yield f"{at}: empty"
        if isinstance(value, Mapping):
            yield from _marks(value, at)
        elif isinstance(value, (list, tuple)) and key != "child_blocks":
            for n, item in enumerate(value):
                if isinstance(item, Mapping):
                    yield from _strings(item, str(item.get("type", kind)), f"{at}[{n}]")
                    yield from _marks(item, f"{at}[{n}]")


def _marks(text: Mapping[str, object], where: str) -> Iterator[str]:
    """Text objects: data is never parsed, fences and code spans are closed."""
    if text.get("type") != "mrkdwn":
        return
    shown = str(text.get("text", ""))
    if text.get("verbatim") is not True:
        yield f"{where}: mrkdwn without verbatim"
    if shown.count("```") % 2:
        yield f"{where}: a fence is not closed"
    if _FENCE.sub("", shown).count("`") % 2:
        yield f"{where}: a code span is not closed"
    if len(shown) > SECTION_CHARS:
        yield f"{where}: {len(shown)} characters, at most {SECTION_CHARS}"
