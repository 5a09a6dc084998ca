"""The nodes of a recorded cluster as SSH servers on loopback: one port a node, real keys, recorded answers.

A node that could not be reached when the cluster was recorded fails here in the same way. A node of which nothing was
recorded lets nobody in: that is never evidence about the node (catalogue E).
"""

from __future__ import annotations

import io
import shlex
import socket
import threading
from dataclasses import dataclass
from pathlib import Path

import paramiko
from cryptography.hazmat.primitives import serialization
from cryptography.hazmat.primitives.asymmetric import ed25519
from paramiko.common import (
    AUTH_FAILED,
    AUTH_SUCCESSFUL,
    OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED,
    OPEN_SUCCEEDED,
    cMSG_CHANNEL_SUCCESS,
)

from bot import framing
from bot.bundle.entries import Entry
from bot.bundle.lookup import NodeCommands
from bot.bundle.script import NOT_FOUND, Script
from bot.bundle.shell import RecordedShell, shown, why_unreachable
from bot.bundle.words import words
from bot.errors import Kind
from bot.playground.ports import LOOPBACK, NOWHERE, Ports, background
from bot.source import Output, Section

USER = "kubewhy"
SECONDS = 30.0
ACCEPT_SECONDS = 0.5
MAX_SCRIPT = 1024 * 1024


def new_key() -> tuple[paramiko.Ed25519Key, str]:
    """A new ed25519 key and its private part as an OpenSSH file."""
    made = ed25519.Ed25519PrivateKey.generate()
    form = serialization.PrivateFormat.OpenSSH
    pem = made.private_bytes(serialization.Encoding.PEM, form, serialization.NoEncryption()).decode()
    return paramiko.Ed25519Key(file_obj=io.StringIO(pem)), pem


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeAddress:
    """Where a node listens, and the host key to pin for it (empty: none shall be pinned)."""

    node: str
    host: str
    port: int
    host_key: str


class NodeServers:
    """Every node of a recorded cluster, listening until ``close``.

    Attributes:
        client_key: the private key, as an OpenSSH file, that the nodes let in.
        addresses: one a node.
    """

    def __init__(self, shell: RecordedShell, nodes: tuple[str, ...]) -> None:
        self._shell = shell
        self._ports = Ports()
        self._client, self.client_key = new_key()
        self._transports: list[paramiko.Transport] = []
        self.addresses = tuple(self._serve(node) for node in nodes)

    def close(self) -> None:
        """End every connection and stop listening."""
        self._ports.close()
        for transport in list(self._transports):
            transport.close()

    def _serve(self, node: str) -> NodeAddress:
        reason = self._shell.unreachable(node)
        why = why_unreachable(reason) if reason is not None else None
        key, _ = new_key()
        pinned = f"{key.get_name()} {key.get_base64()}"
        if why is Kind.REFUSED:
            return NodeAddress(node=node, host=LOOPBACK, port=self._ports.closed(), host_key=pinned)
        if why is Kind.TIMED_OUT:
            return NodeAddress(node=node, host=LOOPBACK, port=self._ports.silent(), host_key=pinned)
        if why is Kind.UNREACHABLE:
            return NodeAddress(node=node, host=NOWHERE, port=22, host_key=pinned)
        listener = self._ports.listening()
        background(self._accept, f"playground-ssh-{node}", node, listener, key, why)
        if why is Kind.HOST_KEY_UNKNOWN:
            pinned = ""
        elif why is Kind.HOST_KEY_CHANGED:
            other, _ = new_key()
            pinned = f"{other.get_name()} {other.get_base64()}"
        return NodeAddress(node=node, host=LOOPBACK, port=listener.getsockname()[1], host_key=pinned)

    def _accept(self, node: str, listener: socket.socket, key: paramiko.PKey, why: Kind | None) -> None:
        commands = self._shell.node(node)
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return  # closed
            if why is Kind.RESET:
                connection.close()
                continue
            accepted = self._client if commands is not None and why is not Kind.AUTHENTICATION else None
            background(self._session, f"playground-ssh-{node}", connection, key, _Login(accepted, commands))

    def _session(self, connection: socket.socket, key: paramiko.PKey, login: _Login) -> None:
        connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        transport = _Transport(connection)
        login.transport = transport
        self._transports = [t for t in self._transports if t.is_active()]
        self._transports.append(transport)
        transport.add_server_key(key)
        try:
            transport.start_server(server=login)
        except (paramiko.SSHException, EOFError, OSError):
            transport.close()  # the client went away, or is none


class _Transport(paramiko.Transport):
    """Tells when the client has been told that its request was accepted.

    A recorded answer takes no time: without this, a channel could be closed before the acceptance of its command is
    sent, and the client would see a failed request.
    """

    def __init__(self, connection: socket.socket) -> None:
        super().__init__(connection)
        self._waiting: list[threading.Event] = []

    def accepted(self) -> threading.Event:
        """An event that is set after the next acceptance has been sent."""
        event = threading.Event()
        self._waiting.append(event)
        return event

    def _send_user_message(self, data: paramiko.Message) -> None:
        super()._send_user_message(data)  # type: ignore[misc]
        if data.asbytes()[:1] == cMSG_CHANNEL_SUCCESS:
            waiting, self._waiting = self._waiting, []
            for event in waiting:
                event.set()


class _Login(paramiko.ServerInterface):
    """One connection: who may log in, and what commands say."""

    def __init__(self, accepted: paramiko.PKey | None, commands: NodeCommands | None) -> None:
        self._accepted = accepted
        self._commands = commands
        self.transport: _Transport | None = None

    def get_allowed_auths(self, username: str) -> str:  # noqa: ARG002 - overridden
        return "publickey"

    def check_auth_publickey(self, username: str, key: paramiko.PKey) -> int:  # noqa: ARG002 - overridden
        return AUTH_SUCCESSFUL if key == self._accepted else AUTH_FAILED

    def check_channel_request(self, kind: str, chanid: int) -> int:  # noqa: ARG002 - overridden
        return OPEN_SUCCEEDED if kind == "session" else OPEN_FAILED_ADMINISTRATIVELY_PROHIBITED

    def check_channel_pty_request(self, *args: object) -> bool:  # noqa: ARG002 - overridden
        return True

    def check_channel_env_request(self, *args: object) -> bool:  # noqa: ARG002 - overridden
        return True

    def check_channel_exec_request(self, channel: paramiko.Channel, command: bytes) -> bool:
        return self._start(channel, command.decode("utf-8", "replace"))

    def check_channel_shell_request(self, channel: paramiko.Channel) -> bool:
        return self._start(channel, "")

    def _start(self, channel: paramiko.Channel, command: str) -> bool:
        assert self.transport is not None
        background(self._execute, "playground-ssh-exec", channel, command, self.transport.accepted())
        return True

    def _execute(self, channel: paramiko.Channel, command: str, accepted: threading.Event) -> None:
        accepted.wait(ACCEPT_SECONDS)  # a client that wants no reply is sent none
        channel.settimeout(SECONDS)
        try:
            out, errors, status = self._answer(channel, command)
            channel.sendall(out)
            channel.sendall_stderr(errors)
            channel.send_exit_status(status)
        except (OSError, EOFError, paramiko.SSHException):
            pass  # the client went away
        finally:
            channel.close()

    def _answer(self, channel: paramiko.Channel, command: str) -> tuple[bytes, bytes, int]:
        """What a command line prints: stdout, stderr, status."""
        if self._commands is None:  # nobody logs in to such a node
            return b"", b"", NOT_FOUND
        if not command:
            return b"", b"This node is a recording: give a command, such as systemctl status kubelet.\r\n", 1
        if words(command) in {("sh", "-s"), ("sh",), ("bash", "-s")}:
            return self._script(_read(channel))
        said = _collector(self._commands, command) or Script(self._commands).run(command)
        return said.stdout.encode(), said.stderr.encode(), said.exit

    def _script(self, text: str) -> tuple[bytes, bytes, int]:
        assert self._commands is not None
        ours = framing.asked(text)
        if ours is None:
            said = Script(self._commands).run(text)
            return said.stdout.encode(), said.stderr.encode(), said.exit
        found = {s.key: self._commands.section(s) for s in ours[1]}

        def look(section: Section) -> Output | None:
            entry = found[section.key]
            return None if entry is None else shown(entry, root=section.root)

        return framing.answer(*ours, look), b"", 0


def _collector(commands: NodeCommands, command: str) -> Entry | None:
    """The answer of ``kubewhy-collect KEY args``; None for another program."""
    said = words(command)
    if not said or said[0] != Path(framing.COLLECTOR).name:
        return None
    found = commands.keyed(said[1], said[2:]) if len(said) > 1 else None
    return found or Entry(exit=NOT_FOUND, stderr=f"kubewhy playground: not recorded: {shlex.join(said)}\n")


def _read(channel: paramiko.Channel) -> str:
    """Standard input up to its end."""
    data = bytearray()
    while len(data) <= MAX_SCRIPT and (part := channel.recv(65536)):
        data += part
    return data.decode("utf-8", "replace")
