"""HTTP mode: a small server that hands what Slack posts to Bolt, which checks the signature and its age.

Only for installations that cannot keep a socket open to Slack; put it behind a proxy that ends TLS.
"""

from __future__ import annotations

from collections.abc import Sequence
from http import HTTPStatus
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from urllib.parse import urlsplit

import structlog
from slack_bolt import App
from slack_bolt.request import BoltRequest

PATH = "/slack/events"
MOST_BYTES = 1 << 20
SILENCE_SECONDS = 10
log = structlog.get_logger()


def server(app: App, port: int, host: str = "") -> ThreadingHTTPServer:
    """A server for ``app``, bound but not yet serving; port 0 takes a free one."""

    class Handler(BaseHTTPRequestHandler):
        """One request from Slack."""

        protocol_version = "HTTP/1.1"
        timeout = SILENCE_SECONDS

        def do_POST(self) -> None:
            """Hand a request to Bolt."""
            size = self.headers.get("Content-Length", "")
            if urlsplit(self.path).path != PATH:
                self._answer(HTTPStatus.NOT_FOUND)
            elif not size.isdigit() or int(size) > MOST_BYTES:
                self._answer(HTTPStatus.REQUEST_ENTITY_TOO_LARGE)
            else:
                body = self.rfile.read(int(size)).decode(errors="replace")
                headers: dict[str, str | Sequence[str]] = {n.lower(): [v] for n, v in self.headers.items()}
                response = app.dispatch(BoltRequest(body=body, query=urlsplit(self.path).query, headers=headers))
                self._answer(response.status, response.body, response.first_headers_without_set_cookie())

        def do_GET(self) -> None:
            """Tell a probe that the server is there."""
            self._answer(HTTPStatus.OK if self.path == "/healthz" else HTTPStatus.NOT_FOUND)

        def _answer(self, status: int, body: str = "", headers: dict[str, str] | None = None) -> None:
            raw = body.encode()
            self.send_response(status)
            for name, value in (headers or {}).items():
                self.send_header(name, value)
            self.send_header("Content-Length", str(len(raw)))
            self.end_headers()
            self.wfile.write(raw)

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - http.server's signature
            """Log where everything else is logged."""
            log.debug("http", line=format % args)

    class Server(ThreadingHTTPServer):
        """Threads end with the process; a burst of commands waits instead of being refused."""

        daemon_threads = True
        request_queue_size = 128

    return Server((host, port), Handler)
