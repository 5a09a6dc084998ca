"""Foreign errors of HTTP and sockets in our words; no foreign exception crosses a client."""

from __future__ import annotations

import errno
import json
import socket
import ssl

import urllib3

from bot.errors import Kind, SourceError
from bot.redact import redact
from bot.source import Response

BY_STATUS = {401: Kind.UNAUTHORIZED, 403: Kind.FORBIDDEN, 410: Kind.GONE, 429: Kind.THROTTLED}
SERVER_ERRORS = 500
HINTS = {
    Kind.UNAUTHORIZED: "The credentials of kubewhy are expired or not known to the API server: renew them.",
    Kind.TLS: "The API server's certificate is not trusted: check certificate-authority of the kubeconfig.",
    Kind.REFUSED: "Nothing listens there: is the API server running, is the address right?",
    Kind.TIMED_OUT: "No answer in time: check the network path and the load of the server.",
    Kind.UNREACHABLE: "Check the address, DNS and the network path from where kubewhy runs.",
    Kind.THROTTLED: "The API server limits kubewhy: wait, or give it a FlowSchema of its own.",
}


class Throttled(SourceError):
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
        return Throttled(what, _message(response), _seconds(response.headers.get("retry-after")))
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


def _kind(error: BaseException) -> Kind:
    inner = getattr(error, "reason", None) or error.__cause__ or error.__context__
    if isinstance(error, (urllib3.exceptions.ConnectTimeoutError, urllib3.exceptions.ReadTimeoutError, TimeoutError)):
        return Kind.TIMED_OUT
    if isinstance(error, ConnectionRefusedError):
        return Kind.REFUSED
    if isinstance(error, (ssl.SSLError, urllib3.exceptions.SSLError)):
        return Kind.TLS
    if isinstance(error, (socket.gaierror, urllib3.exceptions.NameResolutionError)):
        return Kind.UNREACHABLE
    if isinstance(error, (ConnectionResetError, BrokenPipeError)):
        return Kind.RESET
    if isinstance(error, OSError) and error.errno in {errno.EHOSTUNREACH, errno.ENETUNREACH}:
        return Kind.UNREACHABLE
    if isinstance(inner, BaseException) and inner is not error:
        return _kind(inner)
    if isinstance(error, urllib3.exceptions.NewConnectionError):
        return Kind.UNREACHABLE
    return Kind.RESET
