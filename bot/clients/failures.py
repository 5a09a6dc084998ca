"""Foreign errors of HTTP and sockets in our words; no foreign exception crosses a client."""

from __future__ import annotations

import errno
import json
import socket
import ssl
from collections.abc import Iterator

import urllib3

from bot.errors import Kind, SourceError
from bot.redact import redact
from bot.source import Response

BY_STATUS = {401: Kind.UNAUTHORIZED, 403: Kind.FORBIDDEN, 410: Kind.GONE, 429: Kind.THROTTLED}
SERVER_ERRORS = 500
MAX_DEPTH = 8
HINTS = {
    Kind.UNAUTHORIZED: "The credentials of kubewhy are expired or not known to the API server: renew them.",
    Kind.TLS: "The API server's certificate is not trusted: check certificate-authority of the kubeconfig.",
    Kind.REFUSED: "Nothing listens there: is the API server running, is the address right?",
    Kind.TIMED_OUT: "No answer in time: check the network path and the load of the server.",
    Kind.UNREACHABLE: "Check the address, DNS and the network path from where kubewhy runs.",
    Kind.THROTTLED: "The API server limits kubewhy: wait, or give it a FlowSchema of its own.",
}


class ThrottledError(SourceError):
    """429, with what the server asked for.

    Attributes:
        retry_after: seconds.
    """

    def __init__(self, what: str, detail: str, retry_after: float) -> None:
        super().__init__(Kind.THROTTLED, what, detail, hint=HINTS[Kind.THROTTLED], status=429)
        self.retry_after = retry_after


def http_error(response: Response, what: str) -> SourceError | None:
    """The error that a status means, or None when the response is an answer (2xx, 3xx, 400, 404, 405, 406 …)."""
    status = response.status
    if status == 429:  # noqa: PLR2004 - HTTP
        return ThrottledError(what, _message(response), _seconds(response.headers.get("retry-after")))
    kind = BY_STATUS.get(status) or (Kind.SERVER_ERROR if status >= SERVER_ERRORS else None)
    if kind is None:
        return None
    return SourceError(kind, what, _message(response), hint=HINTS.get(kind, ""), status=status)


def _seconds(value: str | None) -> float:
    return float(value) if value and value.isdigit() else 0.0


def _message(response: Response) -> str:
    text = response.body[:4096].decode("utf-8", "replace").strip()
    try:
        status = json.loads(response.body)
        text = str(status.get("message") or text) if isinstance(status, dict) else text
    except ValueError:
        pass
    return one_line(text) or f"HTTP {response.status}"


def one_line(text: str) -> str:
    """The first 300 characters in one line, without secrets."""
    return " ".join(redact(text)[0].split())[:300]


def transport_error(error: Exception, what: str, peer: str) -> SourceError:
    """What a failed connection or a broken answer means."""
    kind = _kind(error)
    return SourceError(kind, what, f"{peer}: {kind.value} ({one_line(str(error))})", hint=HINTS.get(kind, ""))


# Most telling first: urllib3 wraps one cause in several of its own errors.
CLASSES: tuple[tuple[tuple[type[BaseException], ...], Kind], ...] = (
    ((ConnectionRefusedError,), Kind.REFUSED),
    ((ssl.SSLEOFError,), Kind.RESET),
    ((ssl.SSLError, urllib3.exceptions.SSLError), Kind.TLS),
    ((socket.gaierror, urllib3.exceptions.NameResolutionError), Kind.UNREACHABLE),
    ((ConnectionResetError, BrokenPipeError, urllib3.exceptions.ProtocolError), Kind.RESET),
    ((TimeoutError, urllib3.exceptions.ReadTimeoutError), Kind.TIMED_OUT),
)


def _kind(error: BaseException) -> Kind:
    causes = tuple(_causes(error))
    if any(isinstance(e, OSError) and e.errno in {errno.EHOSTUNREACH, errno.ENETUNREACH} for e in causes):
        return Kind.UNREACHABLE
    for classes, kind in CLASSES:
        if any(isinstance(e, classes) for e in causes):
            return kind
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return Kind.UNREACHABLE
    return Kind.TIMED_OUT if isinstance(error, urllib3.exceptions.TimeoutError) else Kind.RESET


def _causes(error: BaseException | None) -> Iterator[BaseException]:
    """The error and what lies beneath it."""
    depth = 0
    while isinstance(error, BaseException) and depth < MAX_DEPTH:
        yield error
        inner = getattr(error, "reason", None)
        error = inner if isinstance(inner, BaseException) else error.__cause__ or error.__context__
        depth += 1
