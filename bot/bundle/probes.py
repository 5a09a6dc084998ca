"""Connection attempts of the time of recording (``kubewhy/probes.json``), and what earlier runs knew."""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from typing import Any

from bot.bundle.recording import Bundle
from bot.errors import BundleError, Kind, SourceError
from bot.source import History, Reach

FILE = "kubewhy/probes.json"
HISTORY = "kubewhy/history.json"
BOT = "bot"
_NC = re.compile(
    r"(?:^|[\s/])(?:nc|ncat)\s+-[a-z]*z[a-z]*(?:\s+-w\s*\d+)?\s+(?P<host>\S+)\s+(?P<port>\d{1,5})\s*(?:2>&1)?$"
)


class RecordedProbes:
    """Answers connection attempts as they came out when the cluster was recorded."""

    def __init__(self, bundle: Bundle) -> None:
        self._reach = {(r.origin, r.host, r.port, r.kind): r for r in _read(bundle)}

    def connect(self, host: str, port: int, kind: str = "tcp", *, timeout: float = 3.0) -> Reach:  # noqa: ARG002 - a recording does not wait
        """See :class:`bot.source.Prober`."""
        found = self.find(BOT, host, port, kind)
        if found is None:
            raise SourceError(
                Kind.NOT_RECORDED, f"{kind} connection to {host}:{port}", "the bundle holds no such attempt of the bot"
            )
        return found

    def find(self, origin: str, host: str, port: int, kind: str = "tcp") -> Reach | None:
        """What came of an attempt of ``bot``, ``node/NAME`` or ``pod/NS/NAME``; None when it was not recorded."""
        return self._reach.get((origin, host.strip("[]"), port, kind))

    def all(self, origin: str = BOT) -> tuple[Reach, ...]:
        """Every recorded attempt of ``origin``."""
        return tuple(r for r in self._reach.values() if r.origin == origin)


def history(bundle: Bundle) -> History:
    """What earlier runs knew; empty when none was recorded.

    Raises:
        BundleError: history.json is no object.
    """
    data = bundle.json(HISTORY)
    if data is None:
        return History()
    if not isinstance(data, dict):
        raise BundleError(f"{bundle.name}: {HISTORY} is no object")
    return History(entries=data)


def from_nc(origin: str, command: str, status: int, text: str) -> Reach | None:
    """Read ``nc -zv HOST PORT`` as another tool recorded it; None when the command is no such attempt."""
    match = _NC.search(command.strip())
    if match is None:
        return None
    return Reach(
        origin=origin, host=match["host"], port=int(match["port"]), kind="tcp", result=_nc_result(status, text)
    )


def _nc_result(status: int, text: str) -> str:
    if status == 0:
        return "ok"
    if "refused" in text.lower():
        return "refused"
    return "unreachable" if re.search(r"no route|unreachable", text, re.IGNORECASE) else "timeout"


def _read(bundle: Bundle) -> Iterable[Reach]:
    data = bundle.json(FILE)
    if data is not None and not isinstance(data, list):
        raise BundleError(f"{bundle.name}: {FILE} is no list")
    for i, entry in enumerate(data or ()):
        try:
            yield _reach(entry)
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BundleError(f"{bundle.name}: {FILE}: entry {i}: {type(error).__name__} {error}") from None


def _reach(entry: Mapping[str, Any]) -> Reach:
    return Reach(
        origin=str(entry.get("from", BOT)),
        host=str(entry["host"]).strip("[]"),
        port=int(entry["port"]),
        kind=str(entry.get("kind", "tcp")),
        result=str(entry["result"]),
        ms=int(entry.get("ms") or 0),
    )
