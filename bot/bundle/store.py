"""A recorded cluster opened, however many layers it comes from.

A scenario is a layer over a base, a base may be a layer over another, and each layer may patch instead of replace
(``kubewhy/overlay.yaml``, docs/scenarios.md). Readers see one bundle.
"""

from __future__ import annotations

from functools import cache
from pathlib import Path

from bot.bundle import overlay
from bot.bundle.base import EXTENDS, base_path
from bot.bundle.files import read_tree
from bot.bundle.recording import Bundle
from bot.errors import BundleError

MAX_LAYERS = 8


def open_bundle(path: Path) -> Bundle:
    """Open a recorded cluster; ``kubewhy/extends`` and ``kubewhy/overlay.yaml`` in it are honoured.

    Args:
        path: a directory or a .tar.gz of one, optionally with one top folder.

    Raises:
        BundleError: it cannot be read, is hostile, or its overlay is wrong.
    """
    return _open(path, 0)


def open_base(name: str, *, asked_by: str = "kubewhy") -> Bundle:
    """Open a base cluster that ships with kubewhy.

    Raises:
        BundleError: there is no such base.
    """
    return _shipped(base_path(name, asked_by=asked_by))


@cache
def _shipped(path: Path) -> Bundle:
    return _open(path, 0)


def layered(base: Bundle, over: Path) -> Bundle:
    """The base with the files of ``over`` in place of its own, then patched by the overlay in ``over``.

    Raises:
        BundleError: ``over`` cannot be read, or its overlay is wrong.
    """
    return _patched(Bundle(str(over), read_tree(over)).over(base))


def _open(path: Path, depth: int) -> Bundle:
    bundle = Bundle(str(path), read_tree(path))
    extends = bundle.text(EXTENDS)
    if extends is not None:
        if depth >= MAX_LAYERS:
            raise BundleError(f"{bundle.name}: {EXTENDS}: more than {MAX_LAYERS} bases, one over the other")
        below = base_path(extends.strip(), asked_by=f"{bundle.name}: {EXTENDS}")
        bundle = bundle.over(_open(below, depth + 1))
    return _patched(bundle)


def _patched(bundle: Bundle) -> Bundle:
    text = bundle.read(overlay.FILE)
    if text is None:
        return bundle
    return bundle.patched(overlay.changes(bundle, text) | {overlay.FILE: None, EXTENDS: None})
