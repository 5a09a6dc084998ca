"""The captured samples of real systems: where they are, and how a test gets at one."""

from __future__ import annotations

import re
from pathlib import Path

from bot import framing
from bot.collect.commands import TABLE
from bot.source import Output
from tools.samples import key_of

__all__ = ["FAILING", "HEALTHY", "HERE", "SYSTEMD", "key_of", "names", "output", "systems", "text"]

HERE = Path(__file__).parent / "captured"
SYSTEMD = ("bookworm", "trixie", "bullseye", "xenial")  # machines that were booted
HEALTHY = ("bookworm", "trixie")  # a kubelet that runs, with pods
FAILING = ("bullseye", "xenial")  # their runtime is too old for the kubelet, or they have none
_HEAD = re.compile(r"# as (?:root|user), status (\d+)\n")


def output(system: str, name: str) -> Output:
    """What the section printed there, as a round trip would have brought it."""
    raw = (HERE / system / f"{name}.txt").read_text("utf-8")
    head = _HEAD.match(raw)
    assert head, f"{system}/{name}.txt does not say how it ended"
    root = TABLE[key_of(name)].root
    return framing.output(raw[head.end() :].encode(), int(head[1]), root=root)


def text(system: str, name: str) -> str:
    """The text alone."""
    return output(system, name).text


def names(system: str) -> tuple[str, ...]:
    """Every sample of a system."""
    return tuple(sorted(path.stem for path in (HERE / system).glob("*.txt")))


def systems(key: str) -> tuple[str, ...]:
    """The systems that have a sample of the key."""
    folders = sorted(path for path in HERE.iterdir() if path.is_dir())
    return tuple(f.name for f in folders if any(key_of(path.stem) == key for path in f.glob("*.txt")))
