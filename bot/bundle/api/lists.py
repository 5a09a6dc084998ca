"""Lists in pages: limit, continue tokens, and what is left, as etcd-backed storage hands them out.

A token is what a real one is: base64 of JSON with the list's resourceVersion and the key to go on from
(k8s.io/apiserver ``pkg/storage/continue.go``).
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from bot.bundle.api.objects import order
from bot.bundle.api.request import Refused, bad_request, failure
from bot.source import Response

Object = Mapping[str, Any]
ENCODED_AS = "meta.k8s.io/v1"
ANY_VERSION = -1  # go on with whatever there is now
EXPIRED = (
    "The provided continue parameter is too old to display a consistent list result. You can start a new list "
    "without the continue parameter, or use the continue token in this response to retrieve the remainder of the "
    "results. Continuing with the provided token results in an inconsistent list - objects that were created, "
    "modified, or deleted between the time the first chunk was returned and now may show up in the list."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Page:
    """A part of a list.

    Attributes:
        token: where the next page starts; empty on the last one.
        remaining: how many objects follow; None when a selector makes that unknown.
    """

    items: Sequence[Object]
    version: str
    token: str = ""
    remaining: int | None = None

    def meta(self) -> dict[str, object]:
        """ListMeta."""
        meta: dict[str, object] = {"resourceVersion": self.version}
        if self.token:
            meta["continue"] = self.token
            if self.remaining is not None:
                meta["remainingItemCount"] = self.remaining
        return meta


def page(items: Sequence[Object], query: Mapping[str, str], version: str) -> Page:
    """Cut the page out of ``items`` (in storage order) that ``limit`` and ``continue`` ask for.

    Raises:
        Refused: 400 for bad parameters, 410 for a token of another resourceVersion.
    """
    limit = _number(query.get("limit", ""))
    token = query.get("continue", "")
    if token:
        start = _start(token, query, version)
        items = [o for o in items if f"/{order(o)}" >= start]
    if limit <= 0 or len(items) <= limit:
        return Page(items=items, version=version)
    selected = bool(query.get("labelSelector") or query.get("fieldSelector"))
    return Page(
        items=items[:limit],
        version=version,
        token=_token(int(version), f"/{order(items[limit - 1])}\0"),
        remaining=None if selected else len(items) - limit,
    )


def _number(value: str) -> int:
    try:
        return int(value or 0)
    except ValueError:
        raise bad_request(f'strconv.ParseInt: parsing "{value}": invalid syntax') from None


def _token(version: int, start: str) -> str:
    value = {"v": ENCODED_AS, "rv": version, "start": start}
    return base64.urlsafe_b64encode(json.dumps(value, separators=(",", ":")).encode()).rstrip(b"=").decode()


def _start(token: str, query: Mapping[str, str], version: str) -> str:
    """The key that a token goes on from."""
    try:
        value = json.loads(base64.urlsafe_b64decode(token + "=" * (-len(token) % 4)))
    except (binascii.Error, ValueError):
        raise _invalid(_why(token)) from None
    value = value if isinstance(value, dict) else {}
    if value.get("v") != ENCODED_AS:
        raise _invalid(f"server does not recognize this encoded version {value.get('v', '')}")
    start, asked = value.get("start"), value.get("rv")
    if not isinstance(start, str) or not start or not isinstance(asked, int):
        raise _invalid("invalid start key or resourceVersion")
    if query.get("resourceVersion"):
        raise bad_request("specifying resource version is not allowed when using continue")
    if asked not in (int(version), ANY_VERSION):
        raise Refused(_expired(start))
    return f"/{start.lstrip('/')}"


def _invalid(why: str) -> Refused:
    return bad_request(f"invalid continue token: continue key is not valid: {why}")


def _why(token: str) -> str:
    """What is wrong with a token, in the words of Go's decoders where they are simple to foresee."""
    try:
        data = base64.urlsafe_b64decode(token + "=" * (-len(token) % 4))
    except (binascii.Error, ValueError):
        return "illegal base64 data"
    return (
        f"invalid character {chr(data[0])!r} looking for beginning of value" if data else "unexpected end of JSON input"
    )


def _expired(start: str) -> Response:
    """410: the token's list is gone; it offers a token for the inconsistent remainder, as a real server does."""
    return failure(410, "Expired", EXPIRED, meta={"continue": _token(ANY_VERSION, start)})
