"""Node commands: one entry for each section that a diagnosis may run, with the very text of the section."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime

from bot.collect.commands import UNITS
from bot.collect.sections import section
from tools.bases.ids import Obj, number

UNIT_NAMES = tuple(UNITS.split())


@dataclass(frozen=True, slots=True)
class Out:
    """What a command prints.

    Attributes:
        values: the parameters of the section it was run with.
    """

    stdout: str = ""
    stderr: str = ""
    exit: int = 0
    values: tuple[tuple[str, str], ...] = ()

    def of(self, **values: str) -> Out:
        """The same for a section with parameters."""
        return Out(self.stdout, self.stderr, self.exit, tuple(values.items()))


def entry(host: str, key: str, out: Out) -> Obj:
    """An entry of commands.json."""
    asked = section(key, **dict(out.values))
    return {
        "key": asked.key,
        "command": asked.command,
        "exit": out.exit,
        "stdout": out.stdout,
        "stderr": out.stderr,
        "duration_ms": 3 + number(90, host, asked.key),
    }


def join(lines: Iterable[str]) -> str:
    """Lines, each with its end."""
    return "".join(f"{line}\n" for line in lines)


def stamp(when: datetime) -> str:
    """As systemd prints times: ``Mon 2026-11-02 02:00:20 UTC``."""
    return f"{when:%a %Y-%m-%d %H:%M:%S} UTC"


def ls(entries: Iterable[tuple[str, int, str]], when: datetime, folder: str = "") -> str:
    """``ls -la --time-style=full-iso``: mode, size, name of each entry; ``folder`` heads it when several are listed."""
    time = f"{when:%Y-%m-%d %H:%M:%S}.418221870 +0000"
    rows = [("drwxr-xr-x", 4096, "."), ("drwxr-xr-x", 4096, ".."), *entries]
    lines = [
        f"{mode} {2 if mode.startswith('d') else 1} root root {size:>5} {time} {name}" for mode, size, name in rows
    ]
    return (f"{folder}:\n" if folder else "") + f"total {4 * len(rows)}\n" + join(lines)
