"""How a benchmark says what it measured: one JSON line a figure, the same keys everywhere."""

from __future__ import annotations

import json
import os
import sys
from pathlib import Path

HALF = 0.5
PAGE = os.sysconf("SC_PAGE_SIZE")


class Figures:
    """Prints figures and remembers whether a promise was broken by more than half."""

    def __init__(self) -> None:
        self._broken = False

    def say(
        self, name: str, value: float, unit: str, *, reference: float | None = None, ratio: float | None = None
    ) -> None:
        """Print one figure.

        Args:
            name: what was measured, ``bench.figure``.
            value: the measured value.
            unit: of ``value`` and ``reference``.
            reference: what it is held against, measured in the same run or promised.
            ratio: how many times better than the reference; worked out when left out.
        """
        if ratio is None and reference is not None and value:
            ratio = reference / value
        line = {"name": name, "value": _short(value), "unit": unit, "reference": _short(reference)}
        sys.stdout.write(json.dumps(line | {"ratio": _short(ratio)}) + "\n")
        sys.stdout.flush()

    def promise(self, ratio: float, promised: float) -> None:
        """Note a broken promise: a ratio below half of what was promised."""
        self._broken = self._broken or ratio < promised * HALF

    def end(self) -> int:
        """The exit status."""
        return int(self._broken)


def skipped(name: str, because: str) -> None:
    """Say that a benchmark could not run here, and why."""
    line = {"name": name, "value": None, "unit": "", "reference": None, "ratio": None, "skipped": because}
    sys.stdout.write(json.dumps(line) + "\n")


def resident() -> int:
    """The bytes of this process that are in memory now."""
    return int(Path("/proc/self/statm").read_text().split()[1]) * PAGE


def forget_peak() -> None:
    """Let :func:`peak` begin anew."""
    Path("/proc/self/clear_refs").write_text("5")


def peak() -> int:
    """The most bytes that were in memory since :func:`forget_peak`."""
    lines = Path("/proc/self/status").read_text().splitlines()
    return next(int(line.split()[1]) * 1024 for line in lines if line.startswith("VmHWM"))


def _short(value: float | None) -> float | None:
    return None if value is None else float(f"{value:.4g}")
