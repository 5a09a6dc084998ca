"""Reads the files of a recorded cluster from a directory or a .tar.gz that somebody else made.

Nothing in a recording is trusted: a path that leaves it, a device, or an archive that unpacks without end is refused
before anything of it is used. Support bundles hold symbolic links of their own (the pod logs); those that stay inside
are followed.
"""

from __future__ import annotations

import gzip
import posixpath
import tarfile
import zlib
from collections.abc import Mapping
from pathlib import Path
from typing import IO, TypeAlias

from bot.errors import BundleError

MAX_FILE = 256 * 1024 * 1024
MAX_TOTAL = 1024 * 1024 * 1024
MAX_FILES = 200_000
MAX_LINKS = 8
TOP_MARKS = ("cluster-resources", "cluster-info", "kubewhy")

Content: TypeAlias = "bytes | Path"
Files: TypeAlias = "Mapping[str, Content]"


def read_tree(path: Path) -> dict[str, Content]:
    """The files of a bundle: path relative to its top → content, or where to read it.

    Raises:
        BundleError: neither a directory nor a readable archive, or hostile.
    """
    if path.is_dir():
        return _without_top(_directory(path))
    if path.is_file():
        return _without_top(_archive(path))
    raise BundleError(f"{path}: there is no such bundle (a directory or a .tar.gz)")


def inside(name: str, archive: str) -> str:
    """``name`` in normal form, relative to the top of the bundle.

    Raises:
        BundleError: it is absolute, leaves the bundle, or holds a NUL.
    """
    clean = posixpath.normpath(name)
    if name.startswith("/") or clean == ".." or clean.startswith("../") or "\0" in name:
        raise BundleError(f"{archive}: {name!r} leads out of the bundle")
    return clean


def _directory(root: Path) -> dict[str, Content]:
    top = root.resolve()
    found: dict[str, Content] = {}
    for path in sorted(root.rglob("*")):
        if path.is_symlink() and not path.resolve().is_relative_to(top):
            raise BundleError(f"{root}: {str(path.relative_to(root))!r} leads out of the bundle")
        if not path.is_file():
            continue
        if path.stat().st_size > MAX_FILE:
            raise BundleError(f"{path}: larger than {MAX_FILE} bytes")
        found[path.relative_to(root).as_posix()] = path
        if len(found) > MAX_FILES:
            raise BundleError(f"{root}: more than {MAX_FILES} files")
    return found


class _Capped:
    """A reader that refuses to unpack more than :data:`MAX_TOTAL` bytes, whatever the archive's headers promise."""

    def __init__(self, inner: IO[bytes], name: str) -> None:
        self._inner = inner
        self._name = name
        self._left = MAX_TOTAL

    def read(self, size: int = -1) -> bytes:
        """As ``IO.read``; raises BundleError beyond the cap."""
        data = self._inner.read(min(size, self._left + 1) if size >= 0 else self._left + 1)
        self._left -= len(data)
        if self._left < 0:
            raise BundleError(f"{self._name}: unpacks to more than {MAX_TOTAL} bytes")
        return data


def _archive(path: Path) -> dict[str, Content]:
    found: dict[str, Content] = {}
    links: dict[str, str] = {}
    try:
        with path.open("rb") as raw:
            packed = raw.read(2) == b"\x1f\x8b"
            raw.seek(0)
            stream: IO[bytes] = gzip.GzipFile(fileobj=raw) if packed else raw  # type: ignore[assignment]
            with tarfile.open(fileobj=_Capped(stream, str(path)), mode="r|") as tar:  # type: ignore[call-overload]
                for member in tar:
                    _member(tar, member, str(path), found, links)
    except (tarfile.TarError, OSError, EOFError, zlib.error) as error:
        raise BundleError(f"{path}: no readable .tar.gz: {error}") from error
    return _with_links(found, links, str(path))


def _member(
    tar: tarfile.TarFile, member: tarfile.TarInfo, archive: str, found: dict[str, Content], links: dict[str, str]
) -> None:
    name = inside(member.name, archive)
    if len(found) + len(links) >= MAX_FILES:
        raise BundleError(f"{archive}: more than {MAX_FILES} files")
    if member.issym():
        links[name] = inside(posixpath.join(posixpath.dirname(name), member.linkname), archive)
        if member.linkname.startswith("/"):
            raise BundleError(f"{archive}: {name!r} leads out of the bundle")
    elif member.islnk():
        links[name] = inside(member.linkname, archive)
    elif member.isreg():
        if member.size > MAX_FILE:
            raise BundleError(f"{archive}: {name!r} is larger than {MAX_FILE} bytes")
        handle = tar.extractfile(member)
        found[name] = handle.read() if handle else b""
    elif not member.isdir():
        raise BundleError(f"{archive}: {name!r} is neither a file nor a directory")


def _with_links(found: dict[str, Content], links: dict[str, str], archive: str) -> dict[str, Content]:
    """Give every link the content it leads to; a link to nothing is as if it were not recorded."""
    for name in links:
        target, hops = name, 0
        while target in links:
            target, hops = links[target], hops + 1
            if hops > MAX_LINKS:
                raise BundleError(f"{archive}: {name!r} leads in a circle")
        if target in found and name not in found:
            found[name] = found[target]
    return found


def _without_top(found: dict[str, Content]) -> dict[str, Content]:
    """Drop the one top folder that an archive of a bundle usually has."""
    tops = {name.partition("/")[0] for name in found}
    if len(tops) != 1 or tops & set(TOP_MARKS):
        return found
    return {name.partition("/")[2]: content for name, content in found.items() if "/" in name}
