"""Rows of custom resources: the columns that their definition asks for, by simple JSON paths.

As k8s.io/apiextensions-apiserver ``pkg/registry/customresource/tableconvertor``.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import datetime
from typing import Any

from bot.bundle.api.resources import Resource
from bot.bundle.api.tables.cells import NAME, Column, Printer, since

_STEP = re.compile(
    r"\.([A-Za-z0-9_$-]+)|\['([^']+)'\]|\[(\d+|\*)\]|\[\?\(@\.([\w.-]+)\s*==\s*[\"']([^\"']*)[\"']\)\]|(.)"
)
AGE = {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"}


def printer(kind: Resource, version: str) -> Printer:
    """The printer of a custom kind."""
    wanted = kind.printed.get(version) or (AGE,)
    columns = (NAME, *(_column(c) for c in wanted))
    return Printer(columns, lambda item, now: [item["metadata"].get("name"), *(_cell(c, item, now) for c in wanted)])


def _column(wanted: Mapping[str, Any]) -> Column:
    kind, priority = str(wanted.get("type") or "string"), int(wanted.get("priority") or 0)
    return Column(str(wanted.get("name")), kind, priority, str(wanted.get("format") or ""))


def _cell(wanted: Mapping[str, Any], item: Mapping[str, Any], now: datetime) -> Any:
    path = str(wanted.get("jsonPath") or wanted.get("JSONPath") or "").replace("\\.", "\x00")
    value = next(_values([item], path), None)
    kind = wanted.get("type")
    if value is None:
        return None
    if kind == "date":
        return since(value, now)
    if kind == "string":
        return str(value).lower() if isinstance(value, bool) else str(value)
    return value


def _values(start: list[Any], path: str) -> Iterator[Any]:
    found = start
    for name, quoted, index, key, wanted, other in _STEP.findall(path):
        if other:
            return
        found = [v for value in found for v in _step(value, (name or quoted).replace("\x00", "."), index, key, wanted)]
    yield from found


def _step(value: Any, name: str, index: str, key: str, wanted: str) -> Iterator[Any]:
    if isinstance(value, list) and index:
        yield from value if index == "*" else value[int(index) : int(index) + 1]
    elif isinstance(value, list) and key:
        yield from (v for v in value if isinstance(v, Mapping) and str(v.get(key)) == wanted)
    elif isinstance(value, Mapping) and name in value:
        yield value[name]
