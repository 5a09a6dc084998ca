"""Renews requirements.lock and requirements-dev.lock: every version with its hashes, without naming an index."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
COMMON = (
    *("uv", "pip", "compile", "--universal", "--generate-hashes", "--no-emit-index-url", "--no-header", "--quiet"),
    "--python-version=3.11",
)


def main() -> int:
    """Compile both locks with uv; the dev lock holds the runtime versions fixed."""
    compile_(("--extra=build",), "requirements.lock")
    compile_(("--all-extras", "--constraint=requirements.lock"), "requirements-dev.lock")
    return 0


def compile_(options: tuple[str, ...], name: str) -> None:
    """Write one lock.

    Raises:
        subprocess.CalledProcessError: the requirements cannot be met.
    """
    subprocess.run([*COMMON, *options, "pyproject.toml", "-o", name], cwd=ROOT, check=True)  # noqa: S603 - fixed words


if __name__ == "__main__":
    sys.exit(main())
