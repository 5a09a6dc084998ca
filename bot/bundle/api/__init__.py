"""The Kubernetes API of a recorded cluster, without a socket: one answer, in process and behind the playground."""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import replace

from bot.bundle.api.cluster import Cluster
from bot.bundle.api.rbac import Action
from bot.bundle.api.request import READER, NotRecorded, Request, User, failure
from bot.bundle.api.reviews import judge
from bot.bundle.api.routes import SHAPES, respond
from bot.bundle.recording import Bundle
from bot.errors import BundleError, Kind, SourceError
from bot.source import JSON, Response, Right

__all__ = ["READER", "Cluster", "RecordedKube", "Request", "User", "answer"]

RAISED = {
    401: Kind.UNAUTHORIZED,
    403: Kind.FORBIDDEN,
    410: Kind.GONE,
    429: Kind.THROTTLED,
}
SERVER_ERRORS = 500
UNAVAILABLE = 503


def answer(cluster: Cluster, request: Request) -> Response:
    """Answer any request; what the bundle does not hold is a 503 with the reason ``NotRecorded``."""
    try:
        found = respond(cluster, request)
    except NotRecorded as missing:
        found = failure(UNAVAILABLE, "NotRecorded", str(missing), {})
    except BundleError as error:
        found = failure(SERVER_ERRORS, "InternalError", f"Internal error occurred: {error}")
    headers = {"cache-control": "no-cache, private", **found.headers}
    return replace(found, headers=headers, date=cluster.now)


class RecordedKube:
    """The :class:`bot.source.Kube` of a bundle."""

    def __init__(self, bundle: Bundle, user: User = READER) -> None:
        self.cluster = Cluster(bundle)
        self.user = user

    def get(
        self, path: str, query: Mapping[str, str] | None = None, *, accept: str = JSON, timeout: float | None = None
    ) -> Response:
        """See :meth:`bot.source.Kube.get`; raises NOT_RECORDED for what the bundle does not hold."""
        found = self.raw(path, query, accept=accept, timeout=timeout)
        kind = RAISED.get(found.status)
        if found.status >= SERVER_ERRORS:
            kind = Kind.SERVER_ERROR
        if kind is not None:
            raise SourceError(kind, f"GET {path}", _message(found), status=found.status)
        return found

    def raw(
        self, path: str, query: Mapping[str, str] | None = None, *, accept: str = JSON, timeout: float | None = None
    ) -> Response:
        """See :meth:`bot.source.Kube.raw`; raises NOT_RECORDED for what the bundle does not hold."""
        del timeout  # a recording answers at once
        request = Request(path=path, query=dict(query or {}), accept=accept, user=self.user)
        try:
            return replace(respond(self.cluster, request), date=self.cluster.now, recorded=True)
        except NotRecorded as missing:
            raise SourceError(Kind.NOT_RECORDED, f"GET {path}", str(missing)) from None
        except BundleError as error:
            raise SourceError(Kind.MALFORMED, f"GET {path}", str(error)) from error

    def review(self, right: Right, namespace: str | None = None) -> bool:
        """See :meth:`bot.source.Kube.review`."""
        action = Action(
            verb=right.verb,
            group=right.group,
            resource=right.resource,
            namespace=namespace or "",
            name=right.names[0] if len(right.names) == 1 else "",
            path=right.path.rstrip("*"),
        )
        try:
            return judge(self.cluster, self.user, action) is not None
        except NotRecorded as missing:
            raise SourceError(Kind.NOT_RECORDED, f"may {right}", str(missing)) from None
        except (BundleError, *SHAPES) as error:  # roles are somebody else's data too
            raise SourceError(Kind.MALFORMED, f"may {right}", str(error)) from error


def _message(response: Response) -> str:
    """The message of a Status body, or the first line of any other."""
    body = response.body.decode("utf-8", "replace")
    try:
        value = json.loads(body)
    except ValueError:
        return body.strip().split("\n", 1)[0][:500]
    return str(value.get("message", "")) if isinstance(value, dict) else body[:500]
