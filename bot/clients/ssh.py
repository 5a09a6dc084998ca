"""SSH to nodes over paramiko Transports: one script a round trip, every wait under a deadline, host keys pinned.

The rules behind it (measured, docs/why.md): TCP_NODELAY after connecting, or every round trip costs 40 ms;
``open_session`` and not ``SSHClient.exec_command``, whose stdin file can dead-lock a transport; both streams drained
together under one deadline and a byte cap; keepalive does not notice a frozen peer, so a transport that missed a
deadline is dropped.
"""

from __future__ import annotations

import contextlib
import select
import threading
import time
from collections.abc import Callable, Mapping, Sequence

import paramiko
from tenacity import Retrying, retry_if_exception, stop_after_attempt, wait_fixed

from bot import framing
from bot.clients.ssh_connect import Connector, Target
from bot.errors import Kind, SourceError
from bot.redact import redact
from bot.source import Output, Section

CAP = 640 * 1024
WINDOW = 65536
CONNECTIONS = 32
RETRYABLE = {Kind.RESET, Kind.REFUSED}
ATTEMPTS = 3
CLEARING_SECONDS = 2.0
OPEN_FAILED = 2  # RFC 4254 section 5.1: SSH_OPEN_CONNECT_FAILED


class LiveShell:
    """SSH to the nodes of one cluster; connections stay open between round trips; safe for many threads.

    With ``collector`` the nodes have kubewhy-shell, and only keys and values are sent, never shell text.
    """

    def __init__(self, target: Callable[[str], Target], connector: Connector, *, collector: bool = False) -> None:
        self._target = target
        self._collector = collector
        self._connector = connector
        self._open: dict[str, paramiko.Transport] = {}
        self._lock = threading.Lock()
        self._node_locks: dict[str, threading.Lock] = {}
        self._slots = threading.BoundedSemaphore(CONNECTIONS)

    def run(self, node: str, sections: Sequence[Section], *, deadline: float = 25.0) -> Mapping[str, Output]:
        """See :meth:`bot.source.Shell.run`."""
        mark = framing.new_mark()
        command, text = framing.SHELL, framing.script
        if self._collector:
            command, text = framing.KEYS, framing.request
        with self._slots:
            raw = self._round_trip(node, command, text(sections, mark).encode(), deadline)
        found = framing.outputs(raw, sections, mark, numbered=self._collector)
        if not found:
            raise self._misunderstood(node)
        return {key: _clean(output) for key, output in found.items()}

    def close(self) -> None:
        """Close every connection."""
        with self._lock:
            transports = list(self._open.values())
            self._open.clear()
        for transport in transports:
            transport.close()

    def _misunderstood(self, node: str) -> SourceError:
        if self._collector:
            why = "the login did not answer as kubewhy-shell does"
            hint = "ssh.collector is set: install the collector on the node (docs/nodes.md)."
        else:
            why = "the login shell did not run the script"
            hint = "Is its shell a POSIX shell? A login that is held to kubewhy-shell needs ssh.collector: true."
        return SourceError(Kind.MALFORMED, f"SSH to {node}", why, hint=hint)

    def _round_trip(self, node: str, command: str, stdin: bytes, seconds: float) -> bytes:
        until = time.monotonic() + seconds
        transport = self._transport(node, until)
        try:
            return _execute(transport, command, stdin, until, f"SSH to {node}")
        except SourceError:
            self._drop(node, transport)
            raise
        except (paramiko.SSHException, EOFError, OSError) as error:
            self._drop(node, transport)
            raise SourceError(Kind.RESET, f"SSH to {node}", f"the connection broke: {error}") from None

    def _transport(self, node: str, until: float) -> paramiko.Transport:
        """The open connection to a node, or a new one; one attempt at a time for each node."""
        with self._lock:
            lock = self._node_locks.setdefault(node, threading.Lock())
        if not lock.acquire(timeout=max(0.0, until - time.monotonic())):
            raise SourceError(Kind.TIMED_OUT, f"SSH to {node}", "another connection attempt did not end in time")
        try:
            known = self._open.get(node)
            if known is not None and known.is_active():
                return known
            transport = self._connect(node, until)
            with self._lock:
                self._open[node] = transport
            return transport
        finally:
            lock.release()

    def _connect(self, node: str, until: float) -> paramiko.Transport:
        target = self._target(node)
        policy = Retrying(
            stop=stop_after_attempt(ATTEMPTS),
            wait=wait_fixed(0.3),
            retry=retry_if_exception(
                lambda e: isinstance(e, SourceError) and e.kind in RETRYABLE and time.monotonic() < until
            ),
            reraise=True,
        )
        transport: paramiko.Transport = policy(self._connector.connect, node, target, until)
        return transport

    def _drop(self, node: str, transport: paramiko.Transport) -> None:
        with self._lock:
            if self._open.get(node) is transport:
                del self._open[node]
        # close() joins the transport's thread, which a frozen peer can delay
        threading.Thread(target=transport.close, name=f"close-{node}", daemon=True).start()


def _execute(transport: paramiko.Transport, command: str, stdin: bytes, until: float, what: str) -> bytes:
    """Run one command; its stdout, at most :data:`CAP` bytes."""
    channel = _session(transport, until)
    try:
        channel.settimeout(max(0.1, until - time.monotonic()))
        channel.exec_command(command)
        out = _exchange(channel, stdin, until, what)
    finally:
        with contextlib.suppress(Exception):
            channel.close()
    return out


def _session(transport: paramiko.Transport, until: float) -> paramiko.Channel:
    """A channel; a server that allows one at a time (MaxSessions 1) may still be clearing the last one away."""
    give_up = min(until, time.monotonic() + CLEARING_SECONDS)
    while True:
        try:
            return transport.open_session(timeout=max(0.1, until - time.monotonic()))
        except paramiko.ChannelException as error:
            if error.code != OPEN_FAILED or time.monotonic() >= give_up:
                raise
            time.sleep(0.05)


def _exchange(channel: paramiko.Channel, stdin: bytes, until: float, what: str) -> bytes:
    """Send stdin while draining both streams, until the far side ends, the cap is reached, or time is over."""
    out = bytearray()
    channel.setblocking(0)
    pending = memoryview(stdin)
    while True:
        left = until - time.monotonic()
        if left <= 0:
            raise SourceError(Kind.TIMED_OUT, what, "the node did not finish in time")
        if pending and channel.send_ready():
            pending = pending[channel.send(bytes(pending[:WINDOW])) :]
            if not pending:
                channel.shutdown_write()
        moved = _drain(channel, out)
        if len(out) > CAP:
            return bytes(out[:CAP])
        if channel.closed or (channel.eof_received and not moved and not channel.recv_ready()):
            return bytes(out)
        if not moved:
            select.select([channel], [], [], min(left, 0.02 if pending else 0.25))


def _drain(channel: paramiko.Channel, out: bytearray) -> bool:
    """Read what is there; stderr is read and thrown away (sections carry their own)."""
    moved = False
    while channel.recv_ready() and len(out) <= CAP:
        data = channel.recv(WINDOW)
        out += data
        moved = moved or bool(data)
        if not data:
            break
    while channel.recv_stderr_ready():
        if not channel.recv_stderr(WINDOW):
            break
        moved = True
    return moved


def _clean(output: Output) -> Output:
    """The output without secrets."""
    text, _ = redact(output.text)
    return Output(
        rc=output.rc, text=text, truncated=output.truncated, denied=output.denied, duration_ms=output.duration_ms
    )
