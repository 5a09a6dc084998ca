#!/usr/bin/env python3
"""Writes the programs that a node may run for kubewhy, and their page, from the one command table.

node/kubewhy-collect, node/kubewhy-capture and docs/node-commands.md; ``--check`` fails when one is stale. A value
becomes a positional parameter of the command's text, so a text in which a value would stand inside quotes is refused.
"""

from __future__ import annotations

import hashlib
import re
import stat
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # not the folder of this file: names in it would hide modules of the standard library

from bot.collect.commands import TABLE, Spec  # noqa: E402
from bot.framing import CAPTURE, CAPTURE_KEYS, COLLECTOR, LIMIT  # noqa: E402

FRAME = Path(__file__).with_name("node") / "frame.sh"
REACH = "bash -c '</dev/tcp/<HOST>/<PORT>'"
NARROWER = {"HOSTLOGS": {"FILE": "LOGFILE"}}  # as root, any file would be every file
_PLACE = re.compile(r"<([A-Z]{3,})>")
PAGE = """<!-- Written by tools/collector.py from the code; edit the code, then run `make docs`. -->
# Commands on nodes

Everything that kubewhy can run on a node, by key: the table of `kubewhy-collect` ([how to install
it](nodes.md#the-collector)). All of it reads. `<NAME>` is a value that is held to its form on both sides. *root* goes
through sudo; *capture* looks into pods and is there only when `kubewhy-capture` is installed too.

| key | as | s | command |
|---|---|---|---|
"""


def main(arguments: list[str]) -> int:
    """Write, or with ``--check`` compare; returns the exit status."""
    wrong = [path for path, text in products().items() if not _holds(ROOT / path, text)]
    if "--check" not in arguments:
        for path in wrong:
            _write(ROOT / path, products()[path])
        return 0
    for path in wrong:
        sys.stderr.write(f"{path} is stale: run python tools/collector.py\n")
    return 1 if wrong else 0


def products() -> dict[str, str]:
    """Every generated file: path below the repository, and content."""
    collect = {key: spec for key, spec in TABLE.items() if key not in CAPTURE_KEYS}
    capture = {key: spec for key, spec in TABLE.items() if key in CAPTURE_KEYS}
    return {
        "node/kubewhy-collect": program(Path(COLLECTOR).name, collect),
        "node/kubewhy-capture": program(Path(CAPTURE).name, capture),
        "docs/node-commands.md": PAGE + "".join(_row(key, spec) for key, spec in TABLE.items()),
    }


def program(name: str, table: Mapping[str, Spec]) -> str:
    """The program that runs the keys of a table and nothing else (POSIX sh)."""
    branches = "\n".join(branch(key, spec) for key, spec in table.items())
    parts = {
        "NAME": name,
        "CAP": str(LIMIT + 1),
        "LIST": "\n".join(_listed(key, spec) for key, spec in table.items()),
        "FILES_KEYS": " | ".join(k for k, s in table.items() if s.parameters == ("FILES",)) or "-",
        "TABLE": branches,
        "HASH": hashlib.sha256(branches.encode()).hexdigest()[:12],
    }
    return re.sub(r"@([A-Z_]+)@", lambda m: parts[m[1]], FRAME.read_text(encoding="utf-8"))


def branch(key: str, spec: Spec) -> str:
    """The case of one key."""
    text = positional(spec).replace("'", "'\\''")
    types = " ".join(NARROWER.get(key, {}).get(name, name) for name in spec.parameters)
    return f"{key})\n  takes '{types}' \"$@\"\n  runs {_rights(spec)} {spec.timeout} '{text}' \"$@\" ;;"


def positional(spec: Spec) -> str:
    """The command with ``"$1"``, ``"$2"`` for its parameters, and without sudo, which is asked for the whole key.

    Raises:
        ValueError: a value would stand inside quotes, where it could become text of another shell.
    """
    names = spec.parameters
    place = {name: "$@" if name == "FILES" else f"${number}" for number, name in enumerate(names, 1)}
    text = spec.text.replace("sudo -n ", "")
    if REACH in text:
        inner = "bash -c '<\"/dev/tcp/$1/$2\"' bash"
        text = text.replace(REACH, f'{inner} "{place["HOST"]}" "{place["PORT"]}"')
    text = re.sub(r"'<([A-Z]{3,})>'", r"<\1>", text)
    inside = [m[0] for m in _PLACE.finditer(text) if m[1] in place and _quoted(text[: m.start()])]
    if inside or ("FILES" in names and len(names) > 1):
        raise ValueError(f"{spec.text}: {', '.join(inside) or 'FILES'} cannot be passed as a word of its own")
    return _PLACE.sub(lambda m: f'"{place[m[1]]}"', text)


def _quoted(before: str) -> bool:
    """Whether a quote is open at the end of this shell text."""
    quote = ""
    for sign in re.sub(r"\\.", "", before):
        if sign == quote:
            quote = ""
        elif not quote and sign in "'\"":
            quote = sign
    return bool(quote)


def _rights(spec: Spec) -> str:
    return "root" if spec.root else "user"


def _listed(key: str, spec: Spec) -> str:
    return " ".join((key, _rights(spec), str(spec.timeout), *spec.parameters))


def _row(key: str, spec: Spec) -> str:
    whom = "capture" if key in CAPTURE_KEYS else _rights(spec)
    command = spec.text.replace("sudo -n ", "").replace("|", "\\|")
    return f"| {key} | {whom} | {spec.timeout} | `{command}` |\n"


def _holds(path: Path, text: str) -> bool:
    return path.is_file() and path.read_text(encoding="utf-8") == text and (_executable(path) or path.suffix == ".md")


def _executable(path: Path) -> bool:
    return bool(path.stat().st_mode & stat.S_IXUSR)


def _write(path: Path, text: str) -> None:
    path.parent.mkdir(exist_ok=True)
    path.write_text(text, encoding="utf-8")
    if path.suffix != ".md":
        path.chmod(0o755)


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
