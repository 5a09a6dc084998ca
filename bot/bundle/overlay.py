"""Patches over a recorded cluster (docs/scenarios.md), so that a scenario says only what is broken."""

from __future__ import annotations

import difflib
from collections.abc import Callable
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from bot.bundle import patch_lists
from bot.bundle.draft import Draft
from bot.bundle.handwritten import load
from bot.bundle.merge import PatchError
from bot.bundle.patch_nodes import NodePatches
from bot.bundle.patch_objects import ObjectPatches
from bot.bundle.times import Clock
from bot.errors import BundleError

if TYPE_CHECKING:
    from bot.bundle.recording import Bundle

FILE = "kubewhy/overlay.yaml"
RECORDED_AT = "recorded-at"
# In this order, whatever the order in the file: what is added can be patched, what is patched can be removed.
PARTS = (
    "forget",
    "add",
    "objects",
    "events",
    "remove",
    "logs",
    "previous-logs",
    "nodes",
    "dns",
    "probes",
    "api",
    "history",
)


def changes(bundle: Bundle, text: bytes) -> dict[str, bytes | None]:
    """The files that the overlay changes; None for those that it takes away.

    Raises:
        BundleError: the overlay is wrong; the message names the file and the key.
    """
    where = f"{bundle.name}: {FILE}"
    overlay = load(text, where)
    draft = Draft(bundle)
    if RECORDED_AT in overlay:
        draft.write("kubewhy/recorded-at", f"{overlay.pop(RECORDED_AT)}\n")
    unknown = [key for key in overlay if key not in PARTS]
    if unknown:
        near = difflib.get_close_matches(str(unknown[0]), PARTS, 1)
        raise BundleError(f"{where}: {unknown[0]}: unknown key{f'; did you mean {near[0]}?' if near else ''}")
    clock = Clock(bundle.patched(draft.changes()).recorded_at)
    for key, patch, value in _steps(overlay, draft, clock):
        try:
            patch(value)
        except (PatchError, BundleError, ValueError, TypeError) as error:
            raise BundleError(f"{where}: {key}: {error}") from None
    return draft.changes()


def _steps(overlay: dict[str, Any], draft: Draft, clock: Clock) -> list[tuple[str, Callable[[Any], None], Any]]:
    """What to do, in order: the key for messages, how, with which value."""
    objects, nodes = ObjectPatches(draft, clock), NodePatches(draft, clock)
    steps: list[tuple[str, Callable[[Any], None], Any]] = []
    for part in (p for p in PARTS if overlay.get(p) is not None):
        value = overlay[part]
        if part in _LISTS:
            one = {"forget": lambda v: _forget(draft, v), "add": objects.add, "events": objects.event}.get(part)
            items = value if isinstance(value, list) else [value]
            steps += [(f"{part}[{_title(i, item)}]", one or objects.remove, item) for i, item in enumerate(items)]
        elif part in _MAPS:
            if not isinstance(value, dict):
                raise BundleError(f"{draft.bundle.name}: {FILE}: {part}: must be a map")
            steps += [(f"{part}: {name}", _named(part, str(name), objects, nodes), v) for name, v in value.items()]
        else:
            steps.append((part, _whole(part, draft, clock), value))
    return steps


_LISTS = frozenset({"forget", "add", "events", "remove"})
_MAPS = frozenset({"objects", "logs", "previous-logs", "nodes"})


def _named(part: str, name: str, objects: ObjectPatches, nodes: NodePatches) -> Callable[[Any], None]:
    if part == "objects":
        return lambda value: objects.patch(name, value)
    if part == "nodes":
        return lambda value: nodes.patch(name, value)
    return lambda value: objects.log(name, value, previous=part == "previous-logs")


def _whole(part: str, draft: Draft, clock: Clock) -> Callable[[Any], None]:
    if part == "dns":
        return lambda value: patch_lists.dns(draft, value)
    if part == "probes":
        return lambda value: patch_lists.probes(draft, value)
    if part == "api":
        return lambda value: patch_lists.api(draft, clock.resolve(value))
    return lambda value: patch_lists.history(draft, value, clock)


def _title(at: int, item: Any) -> str:
    if isinstance(item, dict):
        return f"{item.get('kind', item.get('about', at))} {(item.get('metadata') or {}).get('name', '')}".strip()
    return str(item)[:80]


def _forget(draft: Draft, pattern: Any) -> None:
    """Make every file that matches not recorded."""
    found = [name for name in draft.names() if fnmatchcase(name, str(pattern))]
    if not found:
        raise PatchError("no recorded file is called so")
    draft.forget(found)
