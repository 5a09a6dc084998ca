"""The ports that the bot tried to connect to when a cluster was recorded, on loopback, with the same outcome."""

from __future__ import annotations

import socket
import ssl
import tempfile
from contextlib import suppress
from pathlib import Path

from bot.bundle.probes import RecordedProbes
from bot.playground.pki import Authority
from bot.playground.ports import LOOPBACK, NOWHERE, Ports, background
from bot.source import Reach

SECONDS = 5.0


class ProbedPorts:
    """Every probed address, listening (or not) until ``close``.

    Attributes:
        reach: ``address:port`` → where that is now, for the setting of that name.
    """

    def __init__(self, probes: RecordedProbes, *, taken: set[str]) -> None:
        self._ports = Ports()
        self._context: ssl.SSLContext | None = None
        by_target: dict[str, list[Reach]] = {}
        for reach in probes.all():
            by_target.setdefault(f"{reach.host}:{reach.port}", []).append(reach)
        self.reach = {target: self._serve(tried) for target, tried in by_target.items() if target not in taken}

    def close(self) -> None:
        """Stop listening."""
        self._ports.close()

    def _serve(self, tried: list[Reach]) -> str:
        results = {reach.result for reach in tried}
        if results & {"ok", "tls"}:
            listener = self._ports.listening()
            secure = any(reach.kind == "tls" and reach.result == "ok" for reach in tried)
            background(self._accept, "playground-port", listener, secure)
            return f"{LOOPBACK}:{listener.getsockname()[1]}"
        if "refused" in results:
            return f"{LOOPBACK}:{self._ports.closed()}"
        if "unreachable" in results:
            return f"{NOWHERE}:{tried[0].port}"
        return f"{LOOPBACK}:{self._ports.silent()}"

    def _accept(self, listener: socket.socket, secure: bool) -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # closed
            background(self._greet, "playground-port", connection, secure)

    def _greet(self, connection: socket.socket, secure: bool) -> None:
        """Let the client connect; shake hands where TLS was spoken, else answer TLS with what is none."""
        connection.settimeout(SECONDS)
        with connection, suppress(OSError):
            if secure:
                self._tls().wrap_socket(connection, server_side=True).close()
            elif connection.recv(1, socket.MSG_PEEK):
                connection.sendall(b"HTTP/1.1 400 Bad Request\r\n\r\n")

    def _tls(self) -> ssl.SSLContext:
        if self._context is None:
            context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
            certificate, key = Authority().server(LOOPBACK)
            with tempfile.TemporaryDirectory() as folder:
                path = Path(folder, "server.pem")
                path.touch(mode=0o600)
                path.write_text(certificate + key, encoding="ascii")
                context.load_cert_chain(path)
            self._context = context
        return self._context
