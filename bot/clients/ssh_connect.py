"""Opening an SSH connection: address, jump host, pinned host key, key or certificate; never a password."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from pathlib import Path

import paramiko

from bot.clients.reach import Reach
from bot.errors import Kind, SettingsError, SourceError

CONNECT_SECONDS = 10.0
HANDSHAKE_SECONDS = 10.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """Where and as whom to log in.

    Attributes:
        names: what the host key may be pinned under, first choice first (``host`` or ``[host]:port`` is added for
            each).
        jump: the jump host, or None.
    """

    host: str
    port: int
    user: str
    names: tuple[str, ...] = ()
    jump: Target | None = None


class Connector:
    """Logs in with the configured keys and accepts only pinned host keys."""

    def __init__(self, *, keys: tuple[Path, ...], known_hosts: tuple[Path, ...], use_agent: bool, reach: Reach) -> None:
        self._keys = tuple(_load_key(path) for path in keys)
        self._host_keys = _load_host_keys(known_hosts)
        self._use_agent = use_agent
        self._reach = reach

    def connect(self, node: str, target: Target, until: float) -> paramiko.Transport:
        """An authenticated transport.

        Raises:
            SourceError: UNREACHABLE, REFUSED, TIMED_OUT, RESET, HOST_KEY_UNKNOWN, HOST_KEY_CHANGED, AUTHENTICATION.
        """
        what = f"SSH to {node}"
        sock = self._socket(node, target, until, what)
        transport = paramiko.Transport(sock)
        try:
            self._handshake(transport, target, until, what)
            self._authenticate(transport, target.user, what)
        except BaseException:
            transport.close()
            raise
        return transport

    def _socket(self, node: str, target: Target, until: float, what: str) -> socket.socket | paramiko.Channel:
        if target.jump is not None:
            jump = self.connect(f"{node} (jump host {target.jump.host})", target.jump, until)
            left = max(0.1, min(CONNECT_SECONDS, until - time.monotonic()))
            try:
                return jump.open_channel("direct-tcpip", (target.host, target.port), ("", 0), timeout=left)
            except (paramiko.SSHException, EOFError) as error:
                jump.close()
                raise SourceError(Kind.UNREACHABLE, what, f"the jump host cannot reach it: {error}") from None
        address = self._reach(target.host, target.port)
        try:
            sock = socket.create_connection(address, timeout=max(0.1, min(CONNECT_SECONDS, until - time.monotonic())))
        except ConnectionRefusedError:
            hint = "The host is up and its SSH port is closed: is sshd running, is the port right?"
            raise SourceError(
                Kind.REFUSED, what, f"connection refused ({target.host}:{target.port})", hint=hint
            ) from None
        except TimeoutError:
            hint = "No SSH path from here: check routes, security groups, or configure a jump host."
            raise SourceError(Kind.TIMED_OUT, what, f"no answer ({target.host}:{target.port})", hint=hint) from None
        except OSError as error:
            raise SourceError(
                Kind.UNREACHABLE, what, f"{target.host}:{target.port}: {error.strerror or error}"
            ) from None
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        return sock

    def _handshake(self, transport: paramiko.Transport, target: Target, until: float, what: str) -> None:
        seconds = max(0.1, min(HANDSHAKE_SECONDS, until - time.monotonic()))
        transport.banner_timeout = transport.handshake_timeout = transport.auth_timeout = seconds
        transport.channel_timeout = seconds
        pinned = self._pinned(target)
        if pinned:
            self._prefer(transport, pinned)
        try:
            transport.start_client(timeout=seconds)
        except paramiko.SSHException as error:
            raise _handshake_error(what, error) from None
        except (EOFError, OSError) as error:
            raise SourceError(Kind.RESET, what, f"the connection broke during the handshake: {error}") from None
        if not transport.initial_kex_done:  # paramiko returns in silence when its own wait is over
            raise SourceError(Kind.TIMED_OUT, what, f"no SSH greeting from {target.host}:{target.port} in time")
        self._compare(transport.get_remote_server_key(), pinned, target, what)

    def _pinned(self, target: Target) -> dict[str, paramiko.PKey]:
        for name in (*target.names, target.host):
            for pinned in (f"[{name}]:{target.port}", name):
                entry = self._host_keys.lookup(pinned)
                if entry:
                    return {kind: entry[kind] for kind in entry}
        return {}

    def _prefer(self, transport: paramiko.Transport, pinned: dict[str, paramiko.PKey]) -> None:
        """Ask for the kinds of key that are pinned, so that a second kind at the host is no false alarm."""
        options = transport.get_security_options()
        kinds = [k for k in options.key_types if k in pinned or (k.startswith("rsa-sha2") and "ssh-rsa" in pinned)]
        if kinds:
            options.key_types = tuple(kinds)

    def _compare(self, key: paramiko.PKey, pinned: dict[str, paramiko.PKey], target: Target, what: str) -> None:
        where = f"{target.host}:{target.port}"
        if not pinned:
            hint = f"Compare and pin it: ssh-keyscan -p {target.port} {target.host} >> KNOWN_HOSTS ({key.fingerprint})"
            raise SourceError(Kind.HOST_KEY_UNKNOWN, what, f"the host key of {where} is not pinned", hint=hint)
        if not any(key == known for known in pinned.values()):
            hint = "The node was reinstalled, or somebody is in between: an operator must confirm the new key."
            raise SourceError(
                Kind.HOST_KEY_CHANGED, what, f"the host key of {where} differs from the pinned one", hint=hint
            )

    def _authenticate(self, transport: paramiko.Transport, user: str, what: str) -> None:
        agent = paramiko.Agent().get_keys() if self._use_agent else ()
        for key in (*self._keys, *agent):
            try:
                if not transport.auth_publickey(user, key):
                    return
            except paramiko.AuthenticationException:
                continue
            except (paramiko.SSHException, EOFError, OSError) as error:
                raise SourceError(Kind.RESET, what, f"the connection broke while logging in: {error}") from None
        hint = f"Put the public key of kubewhy into ~{user}/.ssh/authorized_keys of the node."
        raise SourceError(Kind.AUTHENTICATION, what, f"no key was accepted for user {user}", hint=hint)


def _handshake_error(what: str, error: paramiko.SSHException) -> SourceError:
    text = str(error)
    if "timeout" in text.lower() or "Timeout" in text or "banner" in text.lower():
        return SourceError(Kind.TIMED_OUT, what, f"no SSH greeting in time ({text})")
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        hint = "The node's sshd offers only algorithms that are no longer safe: upgrade it."
        return SourceError(Kind.MALFORMED, what, f"no common algorithms: {text}", hint=hint)
    return SourceError(Kind.RESET, what, f"handshake failed: {text}")


def _load_key(path: Path) -> paramiko.PKey:
    at = path.expanduser()
    try:
        key = paramiko.PKey.from_path(at)
        certificate = at.with_name(f"{at.name}-cert.pub")
        if certificate.exists():
            key.load_certificate(str(certificate))
    except (OSError, paramiko.SSHException, ValueError) as error:
        raise SettingsError(f"ssh key {path}: {error}") from None
    return key


def _load_host_keys(paths: tuple[Path, ...]) -> paramiko.HostKeys:
    keys = paramiko.HostKeys()
    for path in paths:
        try:
            keys.load(str(path.expanduser()))
        except OSError as error:
            raise SettingsError(f"known_hosts {path}: {error.strerror}") from None
    return keys
