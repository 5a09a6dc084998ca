"""Writes reports and questions as JSON and reads them back unchanged, so that a run outlives the process that made it.

The public JSON of a report (``-o json``) is for other programs and drops what they do not need; this one keeps
everything, and a message stays a message (its id and its values), so a stored run can be shown in another language.
Keys that a later release added are ignored, keys that it dropped take their defaults: a stored run survives an
upgrade in both directions.
"""

from __future__ import annotations

import dataclasses
import enum
import types
import typing
from collections.abc import Mapping
from datetime import datetime, timedelta
from functools import cache
from typing import Any, TypeVar, cast

import msgspec

from bot.model.text import Text

T = TypeVar("T")
MESSAGE, VALUES, AT, SECONDS = "$message", "$values", "$at", "$seconds"


def pack(value: object) -> bytes:
    """Encode a dataclass of the model as UTF-8 JSON.

    Raises:
        TypeError: it holds something that is no data.
    """
    return msgspec.json.encode(plain(value))


def unpack(kind: type[T], raw: bytes | str) -> T:
    """Decode what :func:`pack` wrote for a ``kind``.

    Raises:
        ValueError: the text is no JSON or not of that shape.
    """
    try:
        return cast("T", build(kind, msgspec.json.decode(raw)))
    except (msgspec.DecodeError, TypeError, KeyError, AttributeError) as error:
        raise ValueError(f"a stored {kind.__name__} cannot be read: {error}") from error


def plain(value: object) -> Any:  # noqa: PLR0911 - one return a kind of value
    """Reduce a value of the model to what JSON knows."""
    match value:
        case enum.Enum():
            return value.value
        case None | bool() | int() | float() | str():
            return value
        case Text(msgid=msgid, values=values):
            return {MESSAGE: msgid, VALUES: {name: plain(v) for name, v in values}}
        case datetime():
            return {AT: value.isoformat()}
        case timedelta():
            return {SECONDS: value.total_seconds()}
        case Mapping():
            return {str(k): plain(v) for k, v in value.items()}
        case tuple() | list() | frozenset():
            return [plain(v) for v in value]
    if dataclasses.is_dataclass(value) and not isinstance(value, type):
        return {f.name: plain(getattr(value, f.name)) for f in dataclasses.fields(value)}
    raise TypeError(f"{type(value).__name__} is no data")


def build(hint: Any, raw: Any) -> Any:
    """Rebuild a value of the type ``hint`` from what :func:`plain` made of it."""
    if isinstance(raw, dict) and not raw.keys().isdisjoint({MESSAGE, AT, SECONDS}):
        return _tagged(raw)
    if typing.get_origin(hint) in {typing.Union, types.UnionType}:
        return _one_of(typing.get_args(hint), raw)
    if isinstance(raw, list):
        return _sequence(hint, raw)
    if isinstance(raw, dict):
        return _record(hint, raw)
    if isinstance(hint, type) and issubclass(hint, enum.Enum):
        return hint(raw)
    return raw


def _tagged(raw: dict[str, Any]) -> Text | datetime | timedelta:
    if AT in raw:
        return datetime.fromisoformat(raw[AT])
    if SECONDS in raw:
        return timedelta(seconds=raw[SECONDS])
    return Text(raw[MESSAGE], tuple((name, build(object, v)) for name, v in raw[VALUES].items()))


def _one_of(options: tuple[Any, ...], raw: Any) -> Any:
    """The unions of the model are ``X | None`` and scalars with tuples: at most one option is built from an object."""
    if raw is None:
        return None
    wanted = [o for o in options if o is not types.NoneType]
    if isinstance(raw, list):
        wanted = [o for o in wanted if typing.get_origin(o) is tuple] or [tuple]
    if isinstance(raw, dict):
        wanted = [o for o in wanted if dataclasses.is_dataclass(o)] or wanted
    return build(wanted[0], raw) if len(wanted) == 1 else raw


def _sequence(hint: Any, raw: list[Any]) -> Any:
    inner = [a for a in typing.get_args(hint) if a is not Ellipsis]
    kind = frozenset if typing.get_origin(hint) is frozenset else tuple
    if kind is tuple and len(inner) > 1:
        return tuple(build(h, r) for h, r in zip(inner, raw, strict=True))
    return kind(build(inner[0] if inner else object, r) for r in raw)


def _record(hint: Any, raw: dict[str, Any]) -> Any:
    if dataclasses.is_dataclass(hint) and isinstance(hint, type):
        hints = _hints(hint)
        return hint(**{name: build(hints[name], value) for name, value in raw.items() if name in hints})
    inner = typing.get_args(hint)
    return {name: build(inner[1] if len(inner) > 1 else object, value) for name, value in raw.items()}


@cache
def _hints(kind: type) -> dict[str, Any]:
    return typing.get_type_hints(kind)
