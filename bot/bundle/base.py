"""The healthy clusters that ship with kubewhy, for scenarios to start from.

A scenario then holds only what is broken. A base may extend another one: ``kubewhy/extends`` holds its name.
"""

from __future__ import annotations

from importlib.resources import files
from pathlib import Path

from bot.errors import BundleError

EXTENDS = "kubewhy/extends"


def bases() -> tuple[str, ...]:
    """The names of all bases."""
    root = _root()
    return tuple(sorted(p.name for p in root.iterdir() if p.is_dir())) if root.is_dir() else ()


def base_path(name: str, *, asked_by: str = "kubewhy") -> Path:
    """Where the base of that name is.

    Raises:
        BundleError: there is none; the message names who asked and which bases exist.
    """
    known = bases()
    if name not in known:
        raise BundleError(f"{asked_by}: there is no base {name!r}; there are: {', '.join(known) or 'none'}")
    return _root() / name


def _root() -> Path:
    return Path(str(files("bot.bundle"))) / "bases"
