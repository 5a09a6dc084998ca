"""What OpenSSH's client configuration says about a host, so that a node that ``ssh`` reaches needs no settings here.

Read are Host and Match (without exec), HostName, Port, User, IdentityFile, HostKeyAlias, and ProxyJump with several
hops. A ProxyCommand is a program of somebody's choice: it is not run, and that is said.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import paramiko

from bot.clients.ssh_connect import Target
from bot.errors import Kind, SettingsError, SourceError

DEFAULT_PORT = 22
MOST_HOPS = 8
NONE = {"", "none"}
_HOP = re.compile(
    r"(?:ssh://)?(?:(?P<user>[^@\s]+)@)?(?:\[(?P<six>[0-9A-Fa-f:.%]+)\]|(?P<host>[\w.-]+))(?::(?P<port>\d{1,5}))?"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Entry:
    """What the configuration says; empty where it says nothing.

    Attributes:
        host: HostName, empty when it is the name itself.
        port: 0 when it is not said.
        keys: the IdentityFiles that exist.
        alias: the name under which the host key is pinned.
        jump: ProxyJump as it is written.
    """

    host: str = ""
    port: int = 0
    user: str = ""
    keys: tuple[Path, ...] = ()
    alias: str = ""
    jump: str = ""


class OpenSshConfig:
    """One configuration file.

    Raises:
        SettingsError: it is missing although it was named, or cannot be understood.
    """

    def __init__(self, path: Path, *, required: bool) -> None:
        at = path.expanduser()
        self._name = str(path)
        self._config = paramiko.SSHConfig()
        if at.exists():
            try:
                self._config = paramiko.SSHConfig.from_path(str(at))
            except (paramiko.SSHException, OSError, UnicodeDecodeError) as error:
                raise SettingsError(f"ssh.config: {path}: {error}") from None
        elif required:
            raise SettingsError(f"ssh.config: {path} does not exist")

    def entry(self, name: str) -> Entry:
        """What is said about a host.

        Raises:
            SettingsError: the entry cannot be understood.
            SourceError: it can only be reached through a program.
        """
        try:
            said: dict[str, Any] = dict(self._config.lookup(name))
            port = int(said.get("port", "0"))
        except (paramiko.SSHException, ImportError, ValueError) as error:
            raise SettingsError(f"ssh.config: {self._name}: {name}: {error}") from None
        jump = said.get("proxyjump") or ""
        command = said.get("proxycommand") or ""
        if jump in NONE and command not in NONE:
            hint = "A ProxyCommand is not run: name the host in between by ProxyJump, or in ssh.jump."
            raise SourceError(Kind.UNREACHABLE, f"SSH to {name}", f"{self._name} has a ProxyCommand for it", hint=hint)
        keys = (Path(k).expanduser() for k in said.get("identityfile", ()))
        host = said.get("hostname", name)
        return Entry(
            host=host if host != name else "",
            port=port,
            user=said.get("user", ""),
            keys=tuple(k for k in keys if k.exists()),
            alias=said.get("hostkeyalias", ""),
            jump="" if jump in NONE else jump,
        )

    def hops(self, text: str, user: str, depth: int = 0) -> Target | None:
        """The jump host of ``[user@]host[:port][,…]``, the last hop outermost, each by its own entry; None for none.

        Raises:
            SettingsError: it is no list of hops, or the hops lead in a circle.
        """
        if text in NONE:
            return None
        before, _, last = text.strip().rpartition(",")
        hop = _HOP.fullmatch(last.strip())
        if hop is None or depth >= MOST_HOPS:
            why = "is no [user@]host[:port]" if hop is None else f"leads over more than {MOST_HOPS} hosts"
            raise SettingsError(f"jump host {last.strip()!r} {why}")
        name = hop["six"] or hop["host"]
        entry = self.entry(name)
        login = hop["user"] or entry.user or user
        return Target(
            host=entry.host or name,
            port=int(hop["port"] or 0) or entry.port or DEFAULT_PORT,
            user=login,
            names=(entry.alias or name,),
            keys=entry.keys,
            jump=self.hops(before or entry.jump, login, depth + 1),
        )
