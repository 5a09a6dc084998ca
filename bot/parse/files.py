"""Files: ``stat``, ``ls -la``, ``df``, mount tables. What may not be looked at is unknown, never absent."""

from __future__ import annotations

import re

from bot.model.host_kubelet import DirectoryEntry, FileFact, Presence
from bot.model.host_system import Filesystem, Mount
from bot.parse.common import TimeBase, UnparsableError

_STAT = re.compile(r"^(/[^|]*)\|(\d+)\|(\d+)\|([^|]*)\|(\d+)$")
_MISSING = re.compile(r"^(?:stat|ls): .*?['‘`]?(/[^'’:]*)['’]?: (No such file or directory|Not a directory|.*)$")
_LS = re.compile(
    r"^([-dlsbcp])[rwxsStT-]{9}[.+@]?\s+\d+\s+\S+\s+\S+\s+(\d+)\s+(\d{4}-\d\d-\d\d \S+ [+-]\d{4}) (.+?)(?: -> (.*))?$"
)
_WITHOUT_DISK = frozenset({"tmpfs", "overlay", "squashfs", "devtmpfs", "iso9660"})


def stats(text: str, base: TimeBase) -> dict[str, FileFact]:
    """``stat -L -c '%n|%s|%Y|%U|%a'`` of several files; other lines are passed over.

    Raises:
        UnparsableError: no line speaks of a file.
    """
    found: dict[str, FileFact] = {}
    for line in text.splitlines():
        if m := _STAT.match(line):
            found[m[1]] = FileFact(path=m[1], presence=Presence.PRESENT, size=int(m[2]), modified=base.epoch(int(m[3])))
        elif (m := _MISSING.match(line)) and line.startswith("stat"):
            gone = m[2] in {"No such file or directory", "Not a directory"}
            found.setdefault(m[1], FileFact(path=m[1], presence=Presence.ABSENT if gone else Presence.UNKNOWN))
    if not found:
        raise UnparsableError("stat", text)
    return found


def listings(text: str, base: TimeBase) -> dict[str, tuple[DirectoryEntry, ...]]:
    """``ls -la --time-style=full-iso`` of one or more directories, by directory without trailing slash.

    A directory that does not exist is absent from the result, as is one that may not be read; a listing without a
    heading (one directory only) is under the empty name.
    """
    found: dict[str, list[DirectoryEntry]] = {}
    here = ""
    for line in text.splitlines():
        if line.startswith("/") and line.endswith(":"):
            here = line[:-1].rstrip("/")
            found.setdefault(here, [])
        elif m := _LS.match(line):
            entry = DirectoryEntry(
                kind=m[1], size=int(m[2]), modified=base.read(m[3]), name=m[4].strip(), target=m[5] or ""
            )
            found.setdefault(here, []).append(entry)
    return {name: tuple(entries) for name, entries in found.items()}


def absences(text: str) -> dict[str, bool]:
    """Paths that ``ls`` could not show: path → whether it said that they do not exist."""
    found: dict[str, bool] = {}
    for line in text.splitlines():
        if line.startswith("ls: ") and (m := _MISSING.match(line)):
            found[m[1].rstrip("/")] = m[2] == "No such file or directory"
    return found


def filesystems(text: str) -> tuple[Filesystem, ...]:
    """``df -PT -B1`` followed by ``df -Pi``.

    Raises:
        UnparsableError: no filesystem.
    """
    sizes: dict[str, Filesystem] = {}
    inodes: dict[str, tuple[int, int]] = {}
    for line in text.splitlines():
        words = line.split()
        if m := re.match(r"^(\S+)\s+(\S+)\s+(\d+)\s+(\d+)\s+(\d+)\s+\d+%\s+(/.*)$", line):
            sizes[m[6]] = Filesystem(
                mount=m[6], device=m[1], type=m[2], size=int(m[3]), used=int(m[4]), available=int(m[5])
            )
        elif len(words) >= 6 and words[4][-1:] in {"%", "-"} and words[1].isdigit():  # noqa: PLR2004 - columns of df
            inodes[words[5]] = (int(words[1]), int(words[2]))
    if not sizes:
        raise UnparsableError("df", text)
    return tuple(
        Filesystem(
            mount=f.mount,
            device=f.device,
            type=f.type,
            size=f.size,
            used=f.used,
            available=f.available,
            inodes=inodes.get(f.mount, (0, 0))[0],
            inodes_used=inodes.get(f.mount, (0, 0))[1],
        )
        for f in sizes.values()
        if f.type not in _WITHOUT_DISK
    )


def mounts(text: str) -> tuple[Mount, ...]:
    """``findmnt -rn -o TARGET,SOURCE,FSTYPE,OPTIONS`` or ``/proc/self/mounts`` (there the source comes first).

    Raises:
        UnparsableError: no mount.
    """
    found: list[Mount] = []
    for line in text.splitlines():
        words = line.split()
        if len(words) == 4 and words[0].startswith("/"):  # noqa: PLR2004 - columns of findmnt
            found.append(Mount(target=words[0], source=words[1], type=words[2], options=tuple(words[3].split(","))))
        elif len(words) == 6 and words[4].isdigit() and words[1].startswith("/"):  # noqa: PLR2004 - fstab columns
            found.append(Mount(target=words[1], source=words[0], type=words[2], options=tuple(words[3].split(","))))
    if not found:
        raise UnparsableError("mount table", text)
    return tuple(found)
