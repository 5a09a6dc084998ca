"""The start of a watch: a recording never changes, so what exists is all that ever happens.

A watch from the beginning gets every object as ADDED; one that asks for initial events (``sendInitialEvents``) also
gets the bookmark that ends them; one from a resourceVersion gets nothing. Who serves it keeps the connection open
until ``timeoutSeconds``.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace
from typing import Any

from bot.bundle.api.accept import Media
from bot.bundle.api.request import encode
from bot.bundle.api.shapes import Shown, show
from bot.source import Response

LASTS = 1800.0  # seconds, when the client does not say
INITIAL = "k8s.io/initial-events-end"


def wanted(query: Mapping[str, str]) -> bool:
    """Whether a list request is a watch."""
    return query.get("watch", "").lower() in ("true", "1")


def seconds(query: Mapping[str, str]) -> float:
    """How long the watch stays open."""
    try:
        return float(int(query.get("timeoutSeconds", ""))) or LASTS
    except ValueError:
        return LASTS


def events(shown: Shown, media: Media, query: Mapping[str, str], version: str) -> Response:
    """Return the initial events, one JSON object a line."""
    from_start = query.get("resourceVersion", "") in ("", "0")
    initial = query.get("sendInitialEvents", "") == "true"
    lines: list[bytes] = []
    if from_start or initial:
        for item in shown.items:
            one = show(replace(shown, items=(item,), page=None), replace(media, type="application/json"), query)
            lines.append(_event("ADDED", json.loads(one.body)))
    if initial:
        lines.append(_event("BOOKMARK", _bookmark(shown, version)))
    return Response(status=200, body=b"".join(lines), headers={"content-type": "application/json"})


def _event(kind: str, item: Any) -> bytes:
    return encode({"type": kind, "object": item})


def _bookmark(shown: Shown, version: str) -> dict[str, Any]:
    meta = {"resourceVersion": version, "annotations": {INITIAL: "true"}}
    return {"kind": shown.kind.kind, "apiVersion": shown.api_version, "metadata": meta}
