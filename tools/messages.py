"""Builds the Chinese catalogue: collects every message, merges the translations, says what is missing.

Run as ``python -m tools.messages`` to write ``bot/locale/zh_CN/LC_MESSAGES/kubewhy.mo`` from ``bot/locale/zh_CN/*.po``,
or with ``--check`` to compare only: exit code 1 when the compiled catalogue is stale, a message has no translation, a
translation has no message, or the two do not name the same values.
"""

from __future__ import annotations

import argparse
import ast
import struct
import sys
from collections.abc import Iterator
from pathlib import Path
from string import Formatter

from babel.messages.pofile import read_po

ROOT = Path(__file__).resolve().parent.parent
CHINESE = ROOT / "bot" / "locale" / "zh_CN"
COMPILED = CHINESE / "LC_MESSAGES" / "kubewhy.mo"
SOURCES = ("bot", "handlers")
HEADER = "Content-Type: text/plain; charset=UTF-8\nLanguage: zh_CN\n"
MAGIC = 0x950412DE


def messages(root: Path = ROOT) -> dict[str, str]:
    """Every message of the program → where it stands: ``T("...")``, ``_("...")``, and the names of evidence."""
    found: dict[str, str] = {}
    for source in SOURCES:
        for path in sorted((root / source).rglob("*.py")):
            for line, msgid in _in_file(path):
                found.setdefault(msgid, f"{path.relative_to(root)}:{line}")
    return found


def _in_file(path: Path) -> Iterator[tuple[int, str]]:
    for item in ast.walk(ast.parse(path.read_text("utf-8"), str(path))):
        if isinstance(item, ast.Call) and isinstance(item.func, ast.Name) and item.func.id in {"T", "_"} and item.args:
            yield from ((item.lineno, text) for text in _literals(item.args[0]))
        elif isinstance(item, ast.AnnAssign) and isinstance(item.target, ast.Name) and item.target.id == "words":
            yield from ((item.lineno, text) for text in _literals(item.value))


def _literals(item: ast.expr | None) -> Iterator[str]:
    """A literal, or both branches of a condition between literals."""
    if isinstance(item, ast.Constant) and isinstance(item.value, str) and item.value:
        yield item.value
    elif isinstance(item, ast.IfExp):
        yield from _literals(item.body)
        yield from _literals(item.orelse)


def has_words(msgid: str) -> bool:
    """Whether a message is more than values and punctuation; if not, it may go without a translation."""
    return any(c.isalpha() for literal, _, _, _ in Formatter().parse(msgid) for c in literal)


def fields(msgid: str) -> frozenset[str]:
    """The values that a message names."""
    return frozenset(field for _, field, _, _ in Formatter().parse(msgid) if field is not None)


def translations(folder: Path = CHINESE) -> tuple[dict[str, str], list[str]]:
    """Message → Chinese, from all areas, and what is wrong with the files."""
    merged: dict[str, str] = {}
    wrong: list[str] = []
    for path in sorted(folder.glob("*.po")):
        with path.open("rb") as stream:
            entries = [(str(m.id), str(m.string)) for m in read_po(stream, locale="zh_CN") if m.id]
        for msgid, text in entries:
            if not text:
                wrong.append(f"{path.name}: {msgid!r} has an empty translation")
            elif fields(text) != fields(msgid):
                wrong.append(f"{path.name}: {msgid!r} and its translation do not name the same values")
            elif merged.setdefault(msgid, text) != text:
                wrong.append(f"{path.name}: {msgid!r} is translated in two ways")
    return merged, wrong


def compiled(merged: dict[str, str]) -> bytes:
    """The merged translations as a GNU .mo file; the same translations always give the same bytes."""
    pairs = sorted((k.encode(), v.encode()) for k, v in {"": HEADER, **merged}.items())
    start = 28 + 16 * len(pairs)
    keys, values, data = b"", b"", b""
    for table, column in (("keys", 0), ("values", 1)):
        index = b""
        for pair in pairs:
            index += struct.pack("<II", len(pair[column]), start + len(data))
            data += pair[column] + b"\0"
        keys, values = (index, values) if table == "keys" else (keys, index)
    head = struct.pack("<7I", MAGIC, 0, len(pairs), 28, 28 + 8 * len(pairs), 0, 0)
    return head + keys + values + data


def problems(said: dict[str, str], merged: dict[str, str]) -> list[str]:
    """Messages without a translation, and translations without a message."""
    missing = [
        f"{where}: no Chinese for {msgid!r}"
        for msgid, where in said.items()
        if has_words(msgid) and msgid not in merged
    ]
    stale = [f"no message {msgid!r} exists any more" for msgid in merged if msgid not in said]
    return missing + stale


def main() -> int:
    """Build or check; returns the exit code."""
    parser = argparse.ArgumentParser(description="Build bot/locale/zh_CN/LC_MESSAGES/kubewhy.mo from the .po files.")
    parser.add_argument("--check", action="store_true", help="write nothing; exit 1 when something is missing or stale")
    check = parser.parse_args().check
    merged, wrong = translations()
    content = compiled(merged)
    found = wrong + problems(messages(), merged)
    if check and (not COMPILED.is_file() or COMPILED.read_bytes() != content):
        found.append(f"{COMPILED.relative_to(ROOT)} is stale: run python -m tools.messages")
    if not check:
        COMPILED.parent.mkdir(parents=True, exist_ok=True)
        COMPILED.write_bytes(content)
    print("\n".join(found) or f"{len(merged)} messages in English and Chinese")  # noqa: T201 - a tool
    return 1 if found and check else 0


if __name__ == "__main__":
    sys.exit(main())
