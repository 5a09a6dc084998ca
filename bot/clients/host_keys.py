"""The pinned host keys: files in the format of OpenSSH's known_hosts (sshd(8)), read once and asked by name.

Read by ourselves, because the library's reader compares each line with all before it (two seconds for a thousand hashed
names, a minute for five thousand), stops at a damaged line, and passes over ``@revoked`` and patterns. An authority for
host certificates (``@cert-authority``) pins nothing here: the library cannot check such a certificate.
"""

from __future__ import annotations

import binascii
from collections.abc import Iterable
from fnmatch import fnmatchcase
from pathlib import Path

import paramiko
from paramiko.hostkeys import HostKeyEntry, InvalidHostKey

from bot.errors import Kind, SettingsError, SourceError

HASHED = "|1|"
REVOKED = "@revoked"
AUTHORITY = "@cert-authority"
WILD = "*?!"


class HostKeys:
    """Which keys the hosts may show.

    Raises:
        SettingsError: a file cannot be read.
    """

    def __init__(self, paths: Iterable[Path]) -> None:
        self._named: dict[str, dict[str, paramiko.PKey]] = {}
        self._patterns: list[tuple[tuple[str, ...], paramiko.PKey]] = []
        self._hashed: list[tuple[str, paramiko.PKey]] = []
        self._revoked: set[bytes] = set()
        self._authorities = False
        for path in paths:
            try:
                text = path.expanduser().read_text(encoding="utf-8", errors="replace")
            except OSError as error:
                raise SettingsError(f"known_hosts {path}: {error.strerror}") from None
            for line in text.splitlines():
                self._read(line.strip())

    def of(self, names: Iterable[str], port: int) -> dict[str, paramiko.PKey]:
        """The keys pinned under the first of the names that has any, with its port or without; kind → key."""
        for name in names:
            for pinned in (f"[{name}]:{port}", name):
                if found := self._under(pinned):
                    return found
        return {}

    def compare(self, key: paramiko.PKey, pinned: dict[str, paramiko.PKey], where: tuple[str, int], what: str) -> None:
        """Hold the key that a host shows against what is pinned.

        Args:
            key: shown by the host.
            pinned: from :meth:`of`.
            where: host and port.
            what: what was being done, for the error.

        Raises:
            SourceError: HOST_KEY_UNKNOWN or HOST_KEY_CHANGED (also for a revoked key).
        """
        host, port = where
        if key.asbytes() in self._revoked:
            hint = "The line @revoked in known_hosts refuses it: the node needs a new host key."
            raise SourceError(Kind.HOST_KEY_CHANGED, what, f"the host key of {host}:{port} is revoked", hint=hint)
        if not pinned:
            hint = f"Compare and pin it: ssh-keyscan -p {port} {host} >> KNOWN_HOSTS ({key.fingerprint})"
            if self._authorities:
                hint += "; @cert-authority lines are not used, only keys."
            raise SourceError(Kind.HOST_KEY_UNKNOWN, what, f"the host key of {host}:{port} is not pinned", hint=hint)
        if not any(key == known for known in pinned.values()):
            hint = "The node was reinstalled, or somebody is in between: an operator must confirm the new key."
            raise SourceError(
                Kind.HOST_KEY_CHANGED, what, f"the host key of {host}:{port} differs from the pinned one", hint=hint
            )

    def _read(self, line: str) -> None:
        """One line; what cannot be read pins nothing."""
        if not line or line.startswith("#"):
            return
        mark, _, rest = line.partition(" ") if line.startswith("@") else ("", "", line)
        self._authorities = self._authorities or mark == AUTHORITY
        if mark not in {"", REVOKED}:
            return
        try:
            entry = HostKeyEntry.from_line(" ".join(rest.split(None, 3)))
        except (paramiko.SSHException, InvalidHostKey, binascii.Error, ValueError):
            return
        if entry is None:
            return
        if mark == REVOKED:
            self._revoked.add(entry.key.asbytes())
            return
        if any(c in name for name in entry.hostnames for c in WILD):
            self._patterns.append((tuple(entry.hostnames), entry.key))
            return
        for name in entry.hostnames:
            if name.startswith(HASHED):
                self._hashed.append((name, entry.key))
            else:
                self._named.setdefault(name, {}).setdefault(entry.key.get_name(), entry.key)

    def _under(self, name: str) -> dict[str, paramiko.PKey]:
        found = dict(self._named.get(name, {}))
        others = [key for names, key in self._patterns if _fits(name, names)]
        others += [key for hashed, key in self._hashed if paramiko.HostKeys.hash_host(name, hashed) == hashed]
        for key in others:
            found.setdefault(key.get_name(), key)
        return found


def _fits(name: str, patterns: tuple[str, ...]) -> bool:
    """Whether one pattern fits and none with ``!`` in front does (ssh_config(5), PATTERNS)."""

    def is_like(pattern: str) -> bool:
        return fnmatchcase(name, pattern.replace("[", "[[]"))

    refused = any(is_like(p[1:]) for p in patterns if p.startswith("!"))
    return not refused and any(is_like(p) for p in patterns if not p.startswith("!"))
