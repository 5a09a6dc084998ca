"""One connection of the playground's API: TLS in its own thread, HTTP/1.1, watches held open, faults.

What is answered is decided in ``bot.bundle.api``; who asks, in ``bot.playground.users``.
"""

from __future__ import annotations

import gzip
import socket
import ssl
import struct
import sys
import threading
import uuid
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from email.utils import format_datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any
from urllib.parse import parse_qsl, unquote, urlsplit

from bot.bundle.api import Cluster, answer, watch
from bot.bundle.api.rbac import Action, forbidden
from bot.bundle.api.request import NO_SNIFF, READER, Request, User, failure, text
from bot.bundle.api.routes import action_of
from bot.playground.faults import Broken, Fault, Faults, Forbidden, Half, Instead, Reset, Slow, Throttled
from bot.playground.users import Users
from bot.source import Response

BODY_LIMIT = 3 * 1024 * 1024  # an API server's own limit
GZIP_FROM = 128 * 1024  # an API server compresses from this size on
IDLE = 60.0
TOO_MANY = "Too many requests, please try again later.\n"


@dataclass(slots=True, kw_only=True)
class Api:
    """What all connections share.

    Attributes:
        seen: every request so far: user, method, path with query.
        stopping: set when the server ends.
    """

    cluster: Cluster
    users: Users
    faults: Faults
    seen: list[tuple[str, str, str]] = field(default_factory=list)
    stopping: threading.Event = field(default_factory=threading.Event)


class Server(ThreadingHTTPServer):
    """Threads, TLS, and a list of open connections so that all of them can be ended."""

    daemon_threads = True
    block_on_close = False
    request_queue_size = 64

    def __init__(self, address: tuple[str, int], api: Api, context: ssl.SSLContext) -> None:
        self.api = api
        self._context = context
        self._open: set[socket.socket] = set()
        self._lock = threading.Lock()
        super().__init__(address, _Handler)

    def get_request(self) -> tuple[socket.socket, Any]:
        """Accept; the handshake happens in the connection's own thread."""
        plain, address = self.socket.accept()
        plain.settimeout(IDLE)
        plain.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        secure = self._context.wrap_socket(plain, server_side=True, do_handshake_on_connect=False)
        with self._lock:
            self._open.add(secure)
        return secure, address

    def shutdown_request(self, request: Any) -> None:
        """Forget a connection that has ended."""
        with self._lock:
            self._open.discard(request)
        super().shutdown_request(request)

    def end_connections(self) -> None:
        """Cut every open connection."""
        with self._lock:
            for connection in self._open:
                _cut(connection)

    def handle_error(self, request: Any, client_address: Any) -> None:
        """Clients that go away are nobody's error; anything else is shown."""
        if not isinstance(sys.exception(), OSError):
            super().handle_error(request, client_address)


def _cut(connection: socket.socket) -> None:
    try:
        connection.shutdown(socket.SHUT_RDWR)
    except OSError:
        return


class _Handler(BaseHTTPRequestHandler):
    """One connection."""

    protocol_version = "HTTP/1.1"
    server: Server

    def setup(self) -> None:
        assert isinstance(self.request, ssl.SSLSocket)
        self.request.do_handshake()
        super().setup()

    def log_message(self, format: str, *args: Any) -> None:  # noqa: A002 - http.server
        """Say nothing: ``ApiServer.seen`` holds the requests."""

    def version_string(self) -> str:
        return ""

    def _any_method(self) -> None:
        api = self.server.api
        parts = urlsplit(self.path)
        headers = {k.lower(): v for k, v in self.headers.items()}
        groups = self.headers.get_all("Impersonate-Group")
        if groups:
            headers["impersonate-group"] = ",".join(groups)
        body = self._body(headers)
        user = api.users.identify(headers, _certificate(self.request))
        api.seen.append((user.name if user else "", self.command, self.path))
        request = Request(
            method=self.command,
            path=unquote(parts.path),
            query=dict(parse_qsl(parts.query, keep_blank_values=True)),
            accept=headers.get("accept", "application/json"),
            user=user or READER,
            body=body,
        )
        fault = api.faults.find(request.path, parts.query)
        self._send(request, user, fault)

    do_GET = do_HEAD = do_POST = do_PUT = do_PATCH = do_DELETE = do_OPTIONS = _any_method  # noqa: N815 - http.server

    def _body(self, headers: Mapping[str, str]) -> bytes:
        length = headers.get("content-length", "0")
        size = int(length) if length.isdecimal() else 0
        if size > BODY_LIMIT:
            self.close_connection = True
            return b""
        return self.rfile.read(size)

    def _send(self, request: Request, user: User | None, fault: Fault | None) -> None:
        api = self.server.api
        if isinstance(fault, Slow) and api.stopping.wait(fault.seconds):
            return
        if isinstance(fault, Reset):
            self._reset()
            return
        response = _faulty(fault, request) or (_unauthorized() if user is None else answer(api.cluster, request))
        response = replace(response, date=api.cluster.now)
        if response.ok and request.method == "GET" and watch.wanted(request.query):
            self._hold(response, request)
            return
        self._write(response, half=isinstance(fault, Half))

    def _write(self, response: Response, *, half: bool) -> None:
        body = response.body
        self._head(response)
        if len(body) >= GZIP_FROM and "gzip" in self.headers.get("Accept-Encoding", ""):
            body = gzip.compress(body, 1)
            self.send_header("Content-Encoding", "gzip")
            self.send_header("Vary", "Accept-Encoding")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command == "HEAD":
            return
        self.wfile.write(body[: len(body) // 2] if half else body)
        if half:
            self.wfile.flush()
            self.close_connection = True

    def _head(self, response: Response) -> None:
        self.send_response_only(response.status)
        headers = {"audit-id": str(uuid.uuid4()), "cache-control": "no-cache, private", **response.headers}
        if response.date:
            headers["date"] = format_datetime(response.date.replace(microsecond=0), usegmt=True)
        for name, value in headers.items():
            self.send_header(name.title(), value)

    def _hold(self, response: Response, request: Request) -> None:
        """Send the start of a watch and keep it open until its time is over."""
        self._head(response)
        self.send_header("Transfer-Encoding", "chunked")
        self.end_headers()
        for line in response.body.splitlines(keepends=True):
            self.wfile.write(f"{len(line):x}\r\n".encode() + line + b"\r\n")
        self.wfile.flush()
        self.server.api.stopping.wait(watch.seconds(request.query))
        self.wfile.write(b"0\r\n\r\n")

    def _reset(self) -> None:
        """End the connection with a TCP reset."""
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        socket.socket(fileno=self.connection.detach()).close()
        self.close_connection = True


def _certificate(connection: Any) -> Mapping[str, Any] | None:
    found = connection.getpeercert() if isinstance(connection, ssl.SSLSocket) else None
    return found or None


def _unauthorized() -> Response:
    return failure(401, "Unauthorized", "Unauthorized")


def _faulty(fault: Fault | None, request: Request) -> Response | None:
    """The answer that a fault gives instead; None when it gives none."""
    match fault:
        case Throttled(retry_after):
            return text(TOO_MANY, status=429, headers={"retry-after": str(retry_after), **NO_SNIFF})
        case Broken(status, message):
            return failure(status, "InternalError" if status == 500 else "ServiceUnavailable", message)  # noqa: PLR2004
        case Forbidden(verb):
            action: Action = action_of(request)
            return forbidden(request.user, action).response if verb in ("", action.verb) else None
        case Instead(response):
            return response
    return None
