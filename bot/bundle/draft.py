"""A bundle being patched: files are copied when they are first changed, and only those."""

from __future__ import annotations

import copy
import json
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from bot.errors import BundleError

if TYPE_CHECKING:
    from bot.bundle.recording import Bundle


class Draft:
    """Changes over a bundle, collected."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._json: dict[str, Any] = {}
        self._bytes: dict[str, bytes | None] = {}

    def names(self, prefix: str = "") -> tuple[str, ...]:
        """Paths of the files below ``prefix`` as they are now."""
        there = {n for n in self.bundle.names(prefix) if self._bytes.get(n, b"") is not None}
        new = {n for n in (*self._json, *(n for n, v in self._bytes.items() if v is not None)) if n.startswith(prefix)}
        return tuple(sorted(there | new))

    def has(self, path: str) -> bool:
        """Whether the file exists now."""
        if path in self._json:
            return True
        return self._bytes[path] is not None if path in self._bytes else self.bundle.read(path) is not None

    def peek(self, path: str) -> Any:
        """The JSON of a file to look at, None when there is none."""
        return self._json[path] if path in self._json else self.bundle.json(path) if self.has(path) else None

    def json(self, path: str, default: Any) -> Any:
        """The JSON of a file to change in place; ``default`` when there is no such file yet."""
        if path not in self._json:
            found = self.bundle.json(path) if self.has(path) else None
            self._json[path] = default if found is None else copy.deepcopy(found)
            if type(self._json[path]) is not type(default):
                raise BundleError(f"{path} is no {'list' if isinstance(default, list) else 'object'}")
        return self._json[path]

    def text(self, path: str) -> str:
        """The text of a file, empty when there is none."""
        changed = self._bytes.get(path)
        if path in self._bytes:
            return (changed or b"").decode("utf-8", "replace")
        return self.bundle.text(path) or ""

    def write(self, path: str, text: str) -> None:
        """Put text in place of a file."""
        self._json.pop(path, None)
        self._bytes[path] = text.encode()

    def forget(self, paths: Iterable[str]) -> None:
        """Make files not recorded."""
        for path in paths:
            self._json.pop(path, None)
            self._bytes[path] = None

    def changes(self) -> dict[str, bytes | None]:
        """Every changed file; None for those that are gone."""
        return self._bytes | {path: json.dumps(value).encode() for path, value in self._json.items()}
