"""The operator's detours: ``reach:`` maps ``address:port`` to ``address:port`` for every client (docs/settings.md).

Port-forwards and bastions need it, and so does the playground, which cannot listen on 10.96.0.10:53.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlsplit, urlunsplit

from bot.errors import SettingsError


def _split(text: str) -> tuple[str, int]:
    host, _, port = text.rpartition(":")
    if not host or not port.isdigit():
        raise SettingsError(f"reach: {text!r} is no address:port")
    return host.strip("[]"), int(port)


@dataclass(frozen=True, slots=True)
class Reach:
    """Where to connect instead."""

    detours: Mapping[tuple[str, int], tuple[str, int]] = field(default_factory=dict)

    @classmethod
    def of(cls, settings: Mapping[str, str]) -> Reach:
        """From the settings.

        Raises:
            SettingsError: an entry is no ``address:port``.
        """
        return cls({_split(k): _split(v) for k, v in settings.items()})

    def __call__(self, host: str, port: int) -> tuple[str, int]:
        """The address to connect to for ``host`` and ``port``."""
        return self.detours.get((host, port), (host, port))

    def configured(self, configuration: Any) -> Any:
        """A client configuration of the cluster API with its host replaced where there is a detour."""
        parts = urlsplit(configuration.host)
        host, port = parts.hostname or "", parts.port or 443
        there = self(host, port)
        if there != (host, port):
            configuration.tls_server_name = configuration.tls_server_name or host
            configuration.host = urlunsplit((parts.scheme, f"{there[0]}:{there[1]}", parts.path, "", ""))
        return configuration
