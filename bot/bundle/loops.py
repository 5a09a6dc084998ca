"""Loops of a recording taken apart: one entry for each value, where the output tells which value a line belongs to.

Two commands of a node are usually recorded as ``for`` loops: the subjects and dates of certificates, and the way to
each API server. Lines that could belong to several values belong to none, and the loop stays whole.
"""

from __future__ import annotations

import re
import shlex

from bot.bundle.entries import Entry
from bot.bundle.words import split_list

_LOOP = re.compile(r"for (?P<name>\w+) in (?P<values>[^;]+); *do (?P<body>.+); *done", re.DOTALL)
_CODE = re.compile(r"\d{3} [\d.]+")
TIMED_OUT = 124
REFUSED = 1


def unrolled(entry: Entry) -> tuple[Entry, ...]:
    """The commands that the loop ran, each with its own output; empty when it is no such loop."""
    loop = _LOOP.fullmatch(entry.command.strip())
    if loop is None:
        return ()
    try:
        values = shlex.split(loop["values"])
    except ValueError:
        return ()
    if "openssl x509" in loop["body"]:
        return _certificates(entry, loop, values)
    if "/dev/tcp/" in loop["body"] and "curl" in loop["body"]:
        return _ways(entry, loop, values)
    return ()


def _certificates(entry: Entry, loop: re.Match[str], files: list[str]) -> tuple[Entry, ...]:
    """A block from ``subject=`` on for each file; a file that could not be opened is named by the error."""
    lines = entry.text.splitlines(keepends=True)
    errors = {path: "".join(line for line in lines if path in line) for path in files}
    readable = [path for path in files if not errors[path]]
    blocks: list[str] = []
    for line in lines:
        if line.startswith("subject="):
            blocks.append("")
        if blocks and line.startswith(("subject=", "notAfter=", "notBefore=")):
            blocks[-1] += line
    if len(blocks) != len(readable):
        return ()
    found = dict(zip(readable, blocks, strict=True))
    return tuple(
        Entry(
            command=_filled(loop["body"], {loop["name"]: path}),
            exit=0 if path in found else 1,
            stdout=found.get(path, errors[path]),
        )
        for path in files
    )


def _ways(entry: Entry, loop: re.Match[str], endpoints: list[str]) -> tuple[Entry, ...]:
    """For each endpoint the connection and the answer: an error names the endpoint, a time-out says nothing."""
    lines = entry.text.splitlines()
    answers = [line for line in lines if _CODE.fullmatch(line)]
    errors = {e: [line for line in lines if "/dev/tcp/{}/{}:".format(*_parted(e)) in line] for e in endpoints}
    open_ = [e for e in endpoints if not errors[e]]
    if answers and len(answers) != len(open_):
        return ()
    said = dict(zip(open_, answers, strict=False))
    parts: list[Entry] = []
    for endpoint in endpoints:
        host, port = _parted(endpoint)
        status = 0 if endpoint in said else REFUSED if errors[endpoint] else TIMED_OUT
        parts.append(Entry(command=f"bash -c '</dev/tcp/{host}/{port}'", exit=status, stderr=_ended(errors[endpoint])))
        if endpoint in said:
            get = next(piece for _, piece in split_list(loop["body"]) if piece.startswith("curl"))
            parts.append(Entry(command=_filled(get, {loop["name"]: endpoint}), stdout=f"{said[endpoint]}\n"))
    return tuple(parts)


def _parted(endpoint: str) -> tuple[str, str]:
    host, _, port = endpoint.rpartition(":")
    return host.strip("[]"), port


def _filled(text: str, values: dict[str, str]) -> str:
    for name, value in values.items():
        text = re.sub(rf"\$\{{{name}\}}|\${name}\b", value.replace("\\", r"\\"), text)
    return text


def _ended(lines: list[str]) -> str:
    return "".join(f"{line}\n" for line in lines)
