"""Merges a handwritten patch into an object: maps merge, null deletes, lists of named things merge by their names.

A list may also be patched by a map from a name (or an index, or ``*``) to a patch:
``conditions: {Ready: {status: "False"}}``.
``{$replace: …}`` puts a value in place of the old one, whatever it was.
"""

from __future__ import annotations

import copy
from typing import Any

KEYS = ("name", "type", "ifname", "key", "ip", "containerPort", "mountPath", "topologyKey", "uid", "dst", "port")
_TEXT_MAPS = frozenset({"labels", "annotations", "nodeSelector", "matchLabels", "data"})
REPLACE = "$replace"
EVERY = "*"


class PatchError(ValueError):
    """A patch does not fit what it is for; the message names the field."""


def merge(old: Any, new: Any, where: str = "") -> Any:
    """``old`` with the patch ``new``; neither is changed.

    Raises:
        PatchError: the patch does not fit.
    """
    if isinstance(new, dict) and set(new) == {REPLACE}:
        return clean(new[REPLACE])
    if isinstance(new, dict) and isinstance(old, dict):
        return _maps(old, new, where)
    if isinstance(new, dict) and isinstance(old, list):
        return _list_by_map(old, new, where)
    if isinstance(new, list) and isinstance(old, list):
        return _lists(old, new, where)
    return clean(new, where.rpartition(".")[2])


def clean(value: Any, key: str = "") -> Any:
    """A copy as the API has it: no nulls in maps, labels are text, a condition's status is text."""
    if isinstance(value, dict):
        text = key in _TEXT_MAPS
        return {str(k): _text(v) if text else clean(v, str(k)) for k, v in value.items() if v is not None}
    if isinstance(value, list):
        return [clean(v, key) for v in value]
    if key == "status" and isinstance(value, bool):
        return str(value)
    return copy.deepcopy(value)


def _text(value: Any) -> Any:
    if isinstance(value, bool):
        return str(value).lower()
    return str(value) if isinstance(value, int | float) else clean(value)


def _maps(old: dict[str, Any], new: dict[Any, Any], where: str) -> dict[str, Any]:
    text = where.rpartition(".")[2] in _TEXT_MAPS
    merged = dict(old)
    for key, value in new.items():
        name = str(key)
        if value is None:
            merged.pop(name, None)
        else:
            merged[name] = _text(value) if text else merge(old.get(name), value, f"{where}.{name}".lstrip("."))
    return merged


def list_key(*lists: list[Any]) -> str | None:
    """The field by which the entries of all the lists are told apart; None when there is none."""
    items = [item for entries in lists for item in entries]
    if not items or not all(isinstance(item, dict) for item in items):
        return None
    for key in KEYS:
        if all(isinstance(item.get(key), str | int) for item in items) and all(
            len({str(item[key]) for item in entries}) == len(entries) for entries in lists
        ):
            return key
    return None


def _lists(old: list[Any], new: list[Any], where: str) -> list[Any]:
    key = list_key(old, new) if old and new else None
    if key is None:
        return [clean(item) for item in new]
    merged = list(old)
    for item in new:
        at = next((i for i, there in enumerate(merged) if str(there[key]) == str(item[key])), None)
        if at is None:
            merged.append(clean(item))
        else:
            merged[at] = merge(merged[at], item, f"{where}[{item[key]}]")
    return merged


def _list_by_map(old: list[Any], new: dict[Any, Any], where: str) -> list[Any]:
    key = list_key(old)
    merged: list[Any] = list(old)
    gone: set[int] = set()
    for name, patch in new.items():
        found = _positions(merged, key, str(name))
        if not found:
            if key is None or not isinstance(patch, dict):
                there = ", ".join(str(item[key]) for item in old) if key else f"{len(old)} entries"
                raise PatchError(f"{where}: there is no {name!r} in this list ({there or 'empty'})")
            merged.append(clean({key: name, **patch}))
        for at in found:
            if patch is None:
                gone.add(at)
            else:
                merged[at] = merge(merged[at], patch, f"{where}[{name}]")
    return [item for i, item in enumerate(merged) if i not in gone]


def _positions(items: list[Any], key: str | None, name: str) -> list[int]:
    if name == EVERY:
        return list(range(len(items)))
    if key is not None:
        named = [i for i, item in enumerate(items) if str(item.get(key)) == name]
        if named:
            return named
    return [int(name)] if name.isdecimal() and int(name) < len(items) else []
