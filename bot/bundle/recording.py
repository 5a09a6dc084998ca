"""The files of a recorded cluster by path, whatever they were packed in: what every reader of a bundle sees."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable
from datetime import UTC, datetime
from typing import Any

from bot.bundle.files import Files
from bot.errors import BundleError

RECORDED_AT = "kubewhy/recorded-at"
NODES = "kubewhy/nodes/"
# Only times of things that have happened: certificates and tokens hold times to come.
_PAST = re.compile(
    rb'"(?:creationTimestamp|lastHeartbeatTime|lastTransitionTime|lastTimestamp|eventTime|lastObservedTime|renewTime'
    rb'|startedAt|finishedAt|startTime|lastProbeTime)"\s*:\s*"(\d{4}-\d\d-\d\dT\d\d:\d\d:\d\d)(?:\.\d+)?Z"'
)


class Bundle:
    """A recorded cluster. Reading is safe from several threads.

    Attributes:
        name: what to call it in messages: the path it was opened from.
    """

    def __init__(self, name: str, files: Files, parsed: dict[str, Any] | None = None) -> None:
        self.name = name
        self._files = files
        self._parsed: dict[str, Any] = parsed or {}

    def __repr__(self) -> str:
        return f"Bundle({self.name!r}, {len(self._files)} files)"

    def names(self, prefix: str = "") -> Iterable[str]:
        """Relative paths of the recorded files below ``prefix``, sorted."""
        return sorted(name for name in self._files if name.startswith(prefix))

    def read(self, path: str) -> bytes | None:
        """The content of a file, or None when it was not recorded."""
        content = self._files.get(path)
        if content is None or isinstance(content, bytes):
            return content
        try:
            return content.read_bytes()
        except OSError as error:
            raise BundleError(f"{self.name}: {path}: {error.strerror}") from error

    def text(self, path: str) -> str | None:
        """The content of a file as text, undecodable bytes replaced, or None when it was not recorded."""
        data = self.read(path)
        return None if data is None else data.decode("utf-8", "replace")

    def json(self, path: str) -> Any | None:
        """The decoded JSON of a file, or None when it was not recorded. It is shared: never change it.

        Raises:
            BundleError: the file is no JSON.
        """
        if path not in self._parsed:
            data = self.read(path)
            if data is None:
                return None
            try:
                self._parsed[path] = json.loads(data)
            except (ValueError, RecursionError) as error:
                raise BundleError(f"{self.name}: {path} is no JSON: {error}") from error
        return self._parsed[path]

    @property
    def recorded_at(self) -> datetime:
        """The clock of a diagnosis, UTC: ``kubewhy/recorded-at``, else the newest thing that had happened.

        Raises:
            BundleError: neither is there.
        """
        text = self.text(RECORDED_AT)
        if text is not None:
            return parse_time(text.strip(), f"{self.name}: {RECORDED_AT}")
        newest = max((m for name in self.names("cluster-resources/") for m in self._times(name)), default=None)
        if newest is None:
            raise BundleError(f"{self.name}: no {RECORDED_AT}, and nothing recorded tells the time")
        return parse_time(f"{newest.decode()}Z", self.name)

    def _times(self, name: str) -> Iterable[bytes]:
        return _PAST.findall(self.read(name) or b"") if name.endswith(".json") else ()

    def nodes(self) -> tuple[str, ...]:
        """Nodes for which commands, or the reason why there are none, were recorded."""
        found = {name.removeprefix(NODES).partition("/")[0] for name in self.names(NODES)}
        return tuple(sorted(n for n in found if {"commands.json", "unreachable"} & self._of_node(n)))

    def _of_node(self, node: str) -> set[str]:
        return {f for f in ("commands.json", "unreachable") if f"{NODES}{node}/{f}" in self._files}

    def over(self, base: Bundle) -> Bundle:
        """This bundle's files in place of the base's files of the same path, before any patch of this one."""
        hidden = set(self._files)
        for node in self.nodes():  # a layer that says how a node answers replaces the other way of answering
            hidden |= {f"{NODES}{node}/commands.json", f"{NODES}{node}/unreachable"}
        files = {name: content for name, content in base._files.items() if name not in hidden}
        parsed = {name: value for name, value in base._parsed.items() if name not in hidden}
        return Bundle(self.name, files | dict(self._files), parsed | self._parsed)

    def patched(self, changes: dict[str, bytes | None]) -> Bundle:
        """A bundle with some files changed, or gone (None)."""
        files = {name: content for name, content in self._files.items() if name not in changes}
        parsed = {name: value for name, value in self._parsed.items() if name not in changes}
        files |= {name: content for name, content in changes.items() if content is not None}
        return Bundle(self.name, files, parsed)


def parse_time(text: str, where: str) -> datetime:
    """An RFC 3339 time in UTC.

    Raises:
        BundleError: it is none; the message begins with ``where``.
    """
    try:
        value = datetime.fromisoformat(text)
    except ValueError:
        raise BundleError(f"{where}: {text[:40]!r} is no RFC 3339 time, such as 2026-11-21T04:58:50Z") from None
    return value.replace(tzinfo=UTC) if value.tzinfo is None else value.astimezone(UTC)
