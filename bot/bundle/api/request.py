"""What reaches the recorded API and how it says no: one request, one refusal, bodies as a real API server writes them.

Shared by the in-process API and by the HTTPS playground, so both give the same answer to the same question.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import dataclass, field

from bot.source import JSON, Response

MASTERS = "system:masters"
AUTHENTICATED = "system:authenticated"
NO_SNIFF = {"x-content-type-options": "nosniff"}


@dataclass(frozen=True, slots=True, kw_only=True)
class User:
    """Who asks.

    Attributes:
        uid: stable id of the user; may be empty.
        groups: every group, ``system:authenticated`` included.
        extra: further attributes of the identity, as SelfSubjectReview shows them.
    """

    name: str
    groups: tuple[str, ...] = (AUTHENTICATED,)
    uid: str = ""
    extra: Mapping[str, tuple[str, ...]] = field(default_factory=dict)

    @property
    def unlimited(self) -> bool:
        """Whether RBAC is not asked at all."""
        return MASTERS in self.groups


READER = User(name="system:admin", groups=(MASTERS, AUTHENTICATED))
ANONYMOUS = User(name="system:anonymous", groups=("system:unauthenticated",))


@dataclass(frozen=True, slots=True, kw_only=True)
class Request:
    """One HTTP request, without its transport.

    Attributes:
        path: absolute, percent-decoded, without query.
        query: unescaped parameters.
    """

    method: str = "GET"
    path: str
    query: Mapping[str, str] = field(default_factory=dict)
    accept: str = JSON
    user: User = READER
    body: bytes = b""


class Refused(Exception):  # noqa: N818 - it carries an answer, it is no error of ours
    """The API answers with a failure; ``response`` is the whole answer."""

    def __init__(self, response: Response) -> None:
        super().__init__(f"HTTP {response.status}")
        self.response = response


class NotRecorded(Exception):  # noqa: N818 - see Refused
    """The bundle does not say; ``missing`` names what is missing, such as ``pods of namespace shop``."""

    def __init__(self, missing: str) -> None:
        super().__init__(f"not recorded in this bundle: {missing}")
        self.missing = missing


def encode(value: object) -> bytes:
    """Return compact JSON with a final newline, as an API server writes to programs; half a character becomes ``?``."""
    return json.dumps(value, separators=(",", ":"), ensure_ascii=False).encode("utf-8", "replace") + b"\n"


def reply(value: object, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a JSON answer."""
    return Response(status=status, body=encode(value), headers={"content-type": JSON, **(headers or {})})


def text(body: str, *, status: int = 200, headers: Mapping[str, str] | None = None) -> Response:
    """Return a plain text answer."""
    kind = {"content-type": "text/plain; charset=utf-8"}
    return Response(status=status, body=body.encode(), headers=kind | dict(headers or {}))


def failure(
    status: int,
    reason: str,
    message: str,
    details: Mapping[str, object] | None = None,
    headers: Mapping[str, str] | None = None,
    *,
    meta: Mapping[str, object] | None = None,
) -> Response:
    """Return a failure with a ``Status`` body; ``details`` is left out when None."""
    body: dict[str, object] = {
        "kind": "Status",
        "apiVersion": "v1",
        "metadata": dict(meta or {}),
        "status": "Failure",
        "message": message,
        "reason": reason,
    }
    if details is not None:
        body["details"] = dict(details)
    return reply(body | {"code": status}, status=status, headers=headers)


def bad_request(message: str) -> Refused:
    """400 BadRequest."""
    return Refused(failure(400, "BadRequest", message))


def unknown_resource() -> Refused:
    """404 of a path below a served group version."""
    return Refused(failure(404, "NotFound", "the server could not find the requested resource", {}))


def unknown_path() -> Refused:
    """404 of a path that no handler knows."""
    return Refused(text("404 page not found\n", status=404, headers=NO_SNIFF))


def not_found(group: str, plural: str, name: str) -> Refused:
    """404 of one object."""
    details = {"name": name} | ({"group": group} if group else {}) | {"kind": plural}
    return Refused(failure(404, "NotFound", f'{qualified(group, plural)} "{name}" not found', details))


def method_not_allowed() -> Refused:
    """405."""
    message = "the server does not allow this method on the requested resource"
    return Refused(failure(405, "MethodNotAllowed", message, {}))


def qualified(group: str, plural: str) -> str:
    """``deployments.apps``, ``pods``."""
    return f"{plural}.{group}" if group else plural
