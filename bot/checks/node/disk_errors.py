"""What the kernel says about failing hardware: which line is an error, and of which disk."""

from __future__ import annotations

import re
from collections import defaultdict
from collections.abc import Iterable, Mapping

from bot.model.cluster import LogLine

_ERROR = re.compile(
    r"EXT4-fs error|Buffer I/O error|Remounting filesystem read-only|XFS .* Shutting down filesystem"
    r"|I/O error, dev \S+|nvme\S*:? (?:timeout|I/O)|EDAC .* (?:UE|CE)\b"
)
_MADE_RO = re.compile(r"Remounting filesystem read-only|Shutting down filesystem")
_DEVICE = re.compile(
    r"\(device (?P<a>[\w-]+)\)|\((?P<b>[\w-]+)\): Remounting|\bdev (?P<c>[\w-]+)|XFS \((?P<d>[\w-]+)\)"
    r"|(?P<e>nvme\d+(?:n\d+)?)|EDAC (?P<f>MC\d+)"
)
_PART = re.compile(r"^((?:s|v|xv|h)d[a-z]+)\d+$|^(mmcblk\d+)p\d+$|^(nvme\d+)(?:c\d+)?n\d+(?:p\d+)?$")
_WITHOUT_MEDIUM = re.compile(r"^(?:sr|fd|loop|zram|ram)\d")  # CD-ROMs, floppies, images: no disk of the node
MEMORY = re.compile(r"^MC\d+$")
UNCORRECTED = re.compile(r"EDAC .* UE\b")


def disk_of(name: str) -> str:
    """The disk that a device or partition is on: ``/dev/sda2`` is on ``sda``, ``nvme0n1p1`` on ``nvme0``."""
    short = name.partition("[")[0].removeprefix("/dev/")
    found = _PART.match(short)
    return next((g for g in found.groups() if g), short) if found else short


def errors(lines: Iterable[LogLine]) -> Mapping[str, tuple[LogLine, ...]]:
    """The lines that are errors, by disk (or memory controller: ``MC0``); empty name where none is named."""
    found: dict[str, list[LogLine]] = defaultdict(list)
    for line in lines:
        if _ERROR.search(line.text):
            named = _DEVICE.search(line.text)
            name = disk_of(next(g for g in named.groups() if g)) if named else ""
            if not _WITHOUT_MEDIUM.match(name):
                found[name].append(line)
    return {name: tuple(said) for name, said in found.items()}


def made_read_only(lines: Iterable[LogLine]) -> tuple[LogLine, ...]:
    """The lines that say that the kernel itself made a filesystem read-only, or shut it down."""
    return tuple(line for line in lines if _MADE_RO.search(line.text))
