"""The version of this installation."""

from __future__ import annotations

from importlib.metadata import PackageNotFoundError, version


def _version() -> str:
    try:
        return version("kubewhy")
    except PackageNotFoundError:  # run from a tree that was never installed
        return "0+unknown"


VERSION = _version()
