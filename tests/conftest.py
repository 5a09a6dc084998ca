"""What every test shares: golden files, and the flag that writes them anew."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add ``--update-golden``."""
    parser.addoption("--update-golden", action="store_true", help="write golden files from what the code does now")


Golden = Callable[[str, str], None]


@pytest.fixture
def golden(request: pytest.FixtureRequest) -> Golden:
    """Compare a text with ``golden/<name>`` beside the test file; with ``--update-golden``, write it instead."""
    folder = Path(request.path).parent / "golden"

    def same(name: str, actual: str) -> None:
        path = folder / name
        if request.config.getoption("--update-golden"):
            path.parent.mkdir(parents=True, exist_ok=True)
            path.write_text(actual, "utf-8")
        assert path.is_file(), f"{path} does not exist: run pytest --update-golden and read what it wrote"
        assert path.read_text("utf-8") == actual

    return same
