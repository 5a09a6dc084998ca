"""Opening an SSH connection: address, jump host, pinned host key, key or certificate; never a password."""

from __future__ import annotations

import socket
import time
from dataclasses import dataclass
from pathlib import Path

import paramiko

from bot.clients.host_keys import HostKeys
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
        keys: private keys of its own, tried first; those that cannot be read without asking are passed over.
        jump: the jump host, or None.
    """

    host: str
    port: int
    user: str
    names: tuple[str, ...] = ()
    keys: tuple[Path, ...] = ()
    jump: Target | None = None


class Connector:
    """Logs in with the configured keys and accepts only pinned host keys.

    Args:
        keys: private keys that were asked for: each must be readable without a passphrase.
        known_hosts: files with the pinned host keys.
        use_agent: whether the OpenSSH agent's keys are tried, last.
        reach: where addresses really are.
        usual: private keys that may be there: one with a passphrase is the agent's, and is passed over.

    Raises:
        SettingsError: a key that was asked for, or a file of host keys, cannot be read.
    """

    def __init__(
        self,
        *,
        keys: tuple[Path, ...],
        known_hosts: tuple[Path, ...],
        use_agent: bool,
        reach: Reach,
        usual: tuple[Path, ...] = (),
    ) -> None:
        self._keys = tuple(key for path in keys for key in _load(path))
        self._usual = usual
        self._loaded: dict[Path, tuple[paramiko.PKey, ...]] = {}
        self._host_keys = HostKeys(known_hosts)
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
            self._authenticate(transport, target, what)
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
        pinned = self._host_keys.of((*target.names, target.host), target.port)
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
        key = transport.get_remote_server_key()
        self._host_keys.compare(key, pinned, (target.host, target.port), what)

    def _prefer(self, transport: paramiko.Transport, pinned: dict[str, paramiko.PKey]) -> None:
        """Ask for the kinds of key that are pinned, so that a second kind at the host is no false alarm."""
        options = transport.get_security_options()
        kinds = [k for k in options.key_types if k in pinned or (k.startswith("rsa-sha2") and "ssh-rsa" in pinned)]
        if kinds:
            options.key_types = tuple(kinds)

    def _authenticate(self, transport: paramiko.Transport, target: Target, what: str) -> None:
        agent = paramiko.Agent().get_keys() if self._use_agent else ()
        keys = (*self._readable(target.keys), *self._keys, *self._readable(self._usual), *agent)
        for number, key in enumerate(keys):
            try:
                if not transport.auth_publickey(target.user, key):
                    return
            except paramiko.AuthenticationException:
                continue
            except (paramiko.SSHException, EOFError, OSError) as error:
                if number and not transport.is_active():
                    raise _too_many(number + 1, len(keys), what) from None
                raise SourceError(Kind.RESET, what, f"the connection broke while logging in: {error}") from None
        hint = f"Put the public key of kubewhy into ~{target.user}/.ssh/authorized_keys of the node."
        raise SourceError(Kind.AUTHENTICATION, what, f"no key was accepted for user {target.user}", hint=hint)

    def _readable(self, paths: tuple[Path, ...]) -> tuple[paramiko.PKey, ...]:
        """The keys that can be read without asking for a passphrase."""
        for path in paths:
            if path not in self._loaded:
                try:
                    self._loaded[path] = _load(path)
                except SettingsError:
                    self._loaded[path] = ()
        return tuple(key for path in paths for key in self._loaded[path])


def _too_many(tried: int, there: int, what: str) -> SourceError:
    hint = "Say which key is meant: ssh.key in the settings, or IdentityFile in the OpenSSH configuration."
    return SourceError(
        Kind.AUTHENTICATION, what, f"the node ended the login after {tried} of {there} keys (MaxAuthTries)", hint=hint
    )


def _handshake_error(what: str, error: paramiko.SSHException) -> SourceError:
    text = str(error)
    if "timeout" in text.lower() or "Timeout" in text or "banner" in text.lower():
        return SourceError(Kind.TIMED_OUT, what, f"no SSH greeting in time ({text})")
    if isinstance(error, paramiko.ssh_exception.IncompatiblePeer):
        hint = "The node's sshd offers only algorithms that are no longer safe: upgrade it."
        return SourceError(Kind.MALFORMED, what, f"no common algorithms: {text}", hint=hint)
    return SourceError(Kind.RESET, what, f"handshake failed: {text}")


def _load(path: Path) -> tuple[paramiko.PKey, ...]:
    """The key with the certificate beside it (``KEY-cert.pub``), where there is one, and the key alone.

    Raises:
        SettingsError: it cannot be read, or has a passphrase.
    """
    try:
        key, alone = (paramiko.PKey.from_path(path.expanduser()) for _ in range(2))  # each with its certificate
    except (paramiko.PasswordRequiredException, TypeError):  # the cryptography library says TypeError
        raise SettingsError(f"ssh key {path}: it has a passphrase; add it to the agent (ssh.agent: true)") from None
    except (OSError, paramiko.SSHException, ValueError) as error:
        raise SettingsError(f"ssh key {path}: {error}") from None
    alone.public_blob = None
    return (key, alone) if key.public_blob else (alone,)
