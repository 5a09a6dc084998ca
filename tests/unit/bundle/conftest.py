"""Small recorded clusters, written as files."""

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from bot.bundle.recording import Bundle
from bot.bundle.store import open_bundle

RECORDED_AT = "2026-11-21T04:00:00Z"
Make = Callable[..., Bundle]


def write(root: Path, files: dict[str, Any]) -> Path:
    """Write files below ``root``; what is no text becomes JSON."""
    for name, content in files.items():
        path = root / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(content if isinstance(content, str) else json.dumps(content), "utf-8")
    return root


@pytest.fixture
def make(tmp_path: Path) -> Make:
    """Open a bundle of the given files; ``recorded-at`` is there unless another one is given."""

    def made(files: dict[str, Any], name: str = "bundle") -> Bundle:
        return open_bundle(write(tmp_path / name, {"kubewhy/recorded-at": RECORDED_AT, **files}))

    return made


@pytest.fixture
def node(make: Make) -> Callable[[list[dict[str, Any]]], Any]:
    """The commands of a node with the given entries."""
    from bot.bundle.names import RecordedNames  # noqa: PLC0415 - only where nodes are asked
    from bot.bundle.shell import RecordedShell  # noqa: PLC0415 - only where nodes are asked

    def made(entries: list[dict[str, Any]], dns: list[dict[str, Any]] | None = None) -> Any:
        files: dict[str, Any] = {"kubewhy/nodes/node-3/commands.json": entries}
        if dns is not None:
            files["kubewhy/dns.json"] = dns
        bundle = make(files)
        return RecordedShell(bundle, RecordedNames(bundle))

    return made
