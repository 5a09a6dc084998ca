"""A scenario: a recorded cluster, a question, and what must come out.

The format is a contract with people outside (docs/scenarios.md).
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import yaml

from bot.bundle.recording import Bundle
from bot.bundle.store import layered, open_base, open_bundle
from bot.errors import BundleError

KEYS = {
    "title", "base", "command", "lang", "config", "status", "roots", "find", "info", "forbid", "silent", "ruled_out",
    "not_checked",
}  # fmt: skip


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """One row that is expected, with its subject where that matters (``Kind/name`` or ``Kind/ns/name``)."""

    code: str
    subject: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Scenario:
    """One folder of a scenario tree.

    Attributes:
        id: the folder's name.
        command: the question in the Slack grammar, with its slash.
        roots: None when the scenario does not say.
        silent: row → the fact that its silence turns on.
    """

    id: str
    path: Path
    title: str
    command: str
    base: str = ""
    lang: str = "en"
    config: Mapping[str, Any] = field(default_factory=dict)
    status: str = ""
    roots: tuple[Expected, ...] | None = None
    find: tuple[Expected, ...] = ()
    info: tuple[Expected, ...] = ()
    forbid: tuple[Expected, ...] = ()
    silent: Mapping[str, str] = field(default_factory=dict)
    ruled_out: tuple[Expected, ...] = ()
    not_checked: tuple[Expected, ...] = ()

    def bundle(self) -> Bundle:
        """Open what was recorded.

        Raises:
            BundleError: it cannot be read.
        """
        over = self.path / "bundle"
        if not self.base:
            return open_bundle(over)
        base = open_base(self.base, asked_by=str(self.path / "expected.yaml"))
        return layered(base, over) if over.exists() else base


def find(root: Path) -> tuple[Scenario, ...]:
    """Every scenario below ``root``, by id.

    Raises:
        BundleError: a folder's expected.yaml is broken, or two folders share an id.
    """
    scenarios = tuple(read(at.parent) for at in sorted(root.rglob("expected.yaml")))
    seen: dict[str, Path] = {}
    for scenario in scenarios:
        if scenario.id in seen:
            raise BundleError(f"{scenario.path} and {seen[scenario.id]} are both called {scenario.id}")
        seen[scenario.id] = scenario.path
    return scenarios


def read(path: Path) -> Scenario:
    """Read one folder.

    Raises:
        BundleError: missing file, broken YAML, unknown key, no command.
    """
    at = path / "expected.yaml"
    try:
        data = yaml.safe_load(at.read_text("utf-8"))
    except (OSError, yaml.YAMLError) as error:
        raise BundleError(f"{at}: {str(error).splitlines()[0]}") from None
    if not isinstance(data, dict) or not isinstance(data.get("command"), str):
        raise BundleError(f"{at}: a mapping with the key 'command' is expected")
    if unknown := sorted(set(data) - KEYS):
        raise BundleError(f"{at}: unknown key {unknown[0]!r}")
    return Scenario(
        id=path.name,
        path=path,
        title=str(data.get("title") or path.name),
        command=data["command"],
        base=str(data.get("base") or ""),
        lang=str(data.get("lang") or "en"),
        config=data.get("config") or {},
        status=str(data.get("status") or ""),
        roots=_expected(data["roots"], at) if "roots" in data else None,
        find=_expected(data.get("find"), at),
        info=_expected(data.get("info"), at),
        forbid=_expected(data.get("forbid"), at),
        silent={str(k): str(v) for k, v in (data.get("silent") or {}).items()},
        ruled_out=_expected(data.get("ruled_out"), at),
        not_checked=_expected(data.get("not_checked"), at),
    )


def _expected(value: object, at: Path) -> tuple[Expected, ...]:
    found: list[Expected] = []
    for item in value if isinstance(value, list) else []:
        if isinstance(item, str):
            found.append(Expected(code=item))
        elif isinstance(item, dict) and isinstance(item.get("code"), str):
            found.append(Expected(code=item["code"], subject=str(item.get("subject") or "")))
        else:
            raise BundleError(f"{at}: {item!r} is neither a row nor a mapping with 'code'")
    return tuple(found)
