"""Ports on loopback that behave like the unreachable: closed, silent, or cut off at once.

No firewall is needed. A port that is bound but not listened on refuses; one whose queue of connections is full drops
the next one, as a dead host would.
"""

from __future__ import annotations

import contextlib
import socket
import threading
from typing import Self

LOOPBACK = "127.0.0.1"
# Connecting to the limited broadcast address fails at once with "Network is unreachable".
NOWHERE = "255.255.255.255"


class Ports:
    """Sockets held open for one playground."""

    def __init__(self) -> None:
        self._sockets: list[socket.socket] = []

    def closed(self, kind: socket.SocketKind = socket.SOCK_STREAM) -> int:
        """A port that refuses connections, and that nobody else can take meanwhile."""
        return self._bound(kind).getsockname()[1]  # type: ignore[no-any-return]

    def silent(self) -> int:
        """A port that never answers."""
        listener = self._bound(socket.SOCK_STREAM)
        listener.listen(0)
        for _ in range(3):
            waiting = socket.socket()
            waiting.setblocking(False)  # noqa: FBT003 - the name of the socket's own method
            with contextlib.suppress(BlockingIOError):
                waiting.connect(listener.getsockname())
            self._sockets.append(waiting)
        return listener.getsockname()[1]  # type: ignore[no-any-return]

    def listening(self, kind: socket.SocketKind = socket.SOCK_STREAM, port: int = 0) -> socket.socket:
        """A new socket that takes connections (or datagrams)."""
        found = self._bound(kind, port)
        if kind == socket.SOCK_STREAM:
            found.listen(64)
        return found

    def close(self) -> None:
        """Give every port back; threads that wait on one are woken."""
        for held in self._sockets:
            with contextlib.suppress(OSError):
                held.shutdown(socket.SHUT_RDWR)
            held.close()

    def __enter__(self) -> Self:
        return self

    def __exit__(self, *exception: object) -> None:
        self.close()

    def _bound(self, kind: socket.SocketKind, port: int = 0) -> socket.socket:
        made = socket.socket(socket.AF_INET, kind)
        if kind == socket.SOCK_STREAM:
            made.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        self._sockets.append(made)
        made.bind((LOOPBACK, port))
        return made


def background(target: object, name: str, *args: object) -> threading.Thread:
    """A started daemon thread."""
    thread = threading.Thread(target=target, name=name, args=args, daemon=True)  # type: ignore[arg-type]
    thread.start()
    return thread
