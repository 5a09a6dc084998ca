"""The protobuf bodies of the three reviews, which kubectl does not send as JSON.

Envelope and field numbers: k8s.io/apimachinery ``pkg/runtime/generated.proto``, k8s.io/api
``authorization/v1/generated.proto``. Only text fields and messages are needed; what is not known is skipped, as
protobuf demands.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

MAGIC = b"k8s\x00"
LENGTH_DELIMITED, VARINT, FIXED64, FIXED32 = 2, 0, 1, 5
Fields = Mapping[int, Any]  # field number → name of a text field, or (name, fields) of a message

_RESOURCE: Fields = {
    1: "namespace",
    2: "verb",
    3: "group",
    4: "version",
    5: "resource",
    6: "subresource",
    7: "name",
}
_SPEC = {
    "SelfSubjectAccessReview": {
        1: ("resourceAttributes", _RESOURCE),
        2: ("nonResourceAttributes", {1: "path", 2: "verb"}),
    },
    "SelfSubjectRulesReview": {1: "namespace"},
    "SelfSubjectReview": {},
}
_RAW = 2  # the field of the envelope that holds the object


def review(body: bytes, kind: str) -> dict[str, Any]:
    """Decode a review as the JSON it stands for.

    Raises:
        ValueError: it is no such message.
    """
    raw = next((value for number, value in _fields(body.removeprefix(MAGIC)) if number == _RAW), b"")
    return _message(raw, {2: ("spec", _SPEC[kind])})


def _message(data: bytes, fields: Fields) -> dict[str, Any]:
    found: dict[str, Any] = {}
    for number, value in _fields(data):
        field = fields.get(number)
        if isinstance(field, tuple):
            found[field[0]] = _message(value, field[1])
        elif field is not None:
            found[field] = value.decode()
    return found


def _fields(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The length-delimited fields of a message, in order."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        number, wire = key >> 3, key & 7
        if wire == VARINT:
            _, at = _varint(data, at)
        elif wire in (FIXED64, FIXED32):
            at += 8 if wire == FIXED64 else 4
        elif wire == LENGTH_DELIMITED:
            size, at = _varint(data, at)
            if at + size > len(data):
                raise ValueError("a protobuf field is longer than its message")
            yield number, data[at : at + size]
            at += size
        else:
            raise ValueError(f"protobuf wire type {wire} is not in use")


def _varint(data: bytes, at: int) -> tuple[int, int]:
    value = shift = 0
    while True:
        if at >= len(data) or shift > 63:  # noqa: PLR2004 - ten bytes at most
            raise ValueError("a protobuf number does not end")
        byte = data[at]
        at += 1
        value |= (byte & 0x7F) << shift
        if byte < 0x80:  # noqa: PLR2004 - the last byte has its top bit clear
            return value, at
        shift += 7
