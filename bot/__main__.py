"""The executable ``kubewhy`` (and ``kubectl-why``)."""

from __future__ import annotations

import sys

from bot.cli import run


def main() -> None:
    """Run the command line and end with its exit code."""
    sys.exit(run())


if __name__ == "__main__":
    main()
