"""Resources of a machine: memory, tasks, cgroups, inotify, images, ``du``, and top-level settings of a YAML file."""

from __future__ import annotations

import re

from bot.model.host_resources import DeletedFile, Image
from bot.parse.common import UnparsableError, find_json, json_lines

_NO_SYSTEMD = re.compile(r"(?m)^(?:Failed to |System has not been booted)")
_NUMBER = re.compile(r"\d+")
_SETTING = re.compile(r"""^([A-Za-z0-9]+):[ \t]*([^\n#]*)""")
_COMPLAINT = re.compile(r"(?m)^\w+: .*(?:No such file|[Pp]ermission denied|not found|not permitted|directory)")
_NESTED = re.compile(r"""^[ \t]+["']?([A-Za-z.]+)["']?:[ \t]*["']?([^"'\n#]*)""")
_INLINE = re.compile(r"""["']?([a-z]+\.[A-Za-z]+)["']?\s*:\s*["']?([^"',}]+)""")
_DELETED = re.compile(
    r"(?m)^(?P<command>\S+)\s+(?P<pid>\d+)\s+(?:\d+\s+)?\S+\s+\d+\S*\s+REG\s+\S+\s+(?P<size>\d+)\s+0\s+(?P<inode>\d+)"
    r"\s+(?P<path>/.*?)(?: \(deleted\))?$"
)
_SIZE = re.compile(r"([\d.]+)\s*([kKMGT]?)B")
_STEPS = {"": 1, "k": 10**3, "K": 10**3, "M": 10**6, "G": 10**9, "T": 10**12}
KIB = 1024


def memory(text: str) -> tuple[int, int | None, dict[str, float]]:
    """``/proc/meminfo`` and ``/proc/pressure``: total, available, resource → ``some avg60``.

    Raises:
        UnparsableError: no MemTotal.
    """
    fields = dict(re.findall(r"(?m)^(MemTotal|MemAvailable):\s+(\d+) kB", text))
    if "MemTotal" not in fields:
        raise UnparsableError("meminfo", text)
    waiting = re.findall(r"(?m)^/proc/pressure/(\w+):some .*\bavg60=([\d.]+)", text)
    available = int(fields["MemAvailable"]) * KIB if "MemAvailable" in fields else None
    return int(fields["MemTotal"]) * KIB, available, {name: float(value) for name, value in waiting}


def tasks(text: str) -> tuple[int, int, int, int]:
    """Section PID: pid_max, threads-max, processes, threads.

    Raises:
        UnparsableError: not three numbers and ``running/all``.
    """
    found = re.fullmatch(r"(\d+)\n(\d+)\n(\d+)\n\d+/(\d+)", text.strip())
    if not found:
        raise UnparsableError("number of tasks", text)
    return int(found[1]), int(found[2]), int(found[3]), int(found[4])


def cgroups(text: str) -> tuple[bool, int, int, int]:
    """Section CGROUP: unified, memory cgroups, scopes, transient scopes.

    A kernel that leaves the memory controller out of ``/proc/cgroups`` (6.12) is counted by its folders.

    Raises:
        UnparsableError: the type of the filesystem or the three counts are not there, or systemd did not answer, so
            that it was a complaint whose lines were not counted.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    counts = [int(line) for line in lines if _NUMBER.fullmatch(line)]
    asked = bool(lines) and lines[0].endswith("fs") and not _NO_SYSTEMD.search(text)
    if not asked or len(counts) != 3:  # noqa: PLR2004 - folders, scopes, transient
        raise UnparsableError("cgroups", text)
    held = re.search(r"(?m)^memory\s+\d+\s+(\d+)\s+\d+$", text)
    return lines[0] == "cgroup2fs", int(held[1]) if held else counts[0], counts[1], counts[2]


def limits(text: str) -> tuple[int, int]:
    """Two numbers, one a line: inotify's watches and instances.

    Raises:
        UnparsableError: not that.
    """
    found = text.split()
    if len(found) != 2 or not all(_NUMBER.fullmatch(n) for n in found):  # noqa: PLR2004 - two limits
        raise UnparsableError("inotify limits", text)
    return int(found[0]), int(found[1])


def settings(text: str) -> dict[str, str]:
    """Lines ``name: value`` of a YAML file, as grep prints them; comments behind a value are left out.

    Indented lines belong to the last line that is not; ``{…}`` on one line is read like them.

    Raises:
        UnparsableError: the file could not be read, or something else was printed.
    """
    if _COMPLAINT.search(text):
        raise UnparsableError("configuration of the kubelet", text)
    found: dict[str, str] = {}
    above = ""
    for line in text.splitlines():
        if m := _SETTING.match(line):
            above, value = m[1], m[2].strip()
            found[above] = value
            found |= {f"{above}.{k}": v.strip() for k, v in _INLINE.findall(value)}
        elif m := _NESTED.match(line):
            found |= {f"{above}.{m[1]}": m[2].strip()} if above else {}
        elif line.strip():
            raise UnparsableError("configuration of the kubelet", text)
    return found


def driver(text: str) -> str:
    """The cgroup driver in the configuration of containerd or CRI-O, as grep prints it; empty when unclear."""
    said = re.findall(r"(?m):\s*(?:SystemdCgroup|systemd_cgroup)\s*=\s*(true|false)\b", text)
    drivers = {"systemd" if value == "true" else "cgroupfs" for value in said}
    return drivers.pop() if len(drivers) == 1 else ""


def docker_driver(text: str) -> str:
    """``CgroupDriver`` of ``docker info``; empty when the daemon does not tell.

    Raises:
        UnparsableError: not docker's answer.
    """
    data = find_json(text, "docker info")
    return str(data.get("CgroupDriver") or "") if isinstance(data, dict) else ""


def images(text: str) -> tuple[Image, ...]:
    """``crictl images -o json``, largest first.

    Raises:
        UnparsableError: not that.
    """
    data = find_json(text, "crictl images")
    if not isinstance(data, dict) or not isinstance(data.get("images"), list):
        raise UnparsableError("crictl images", text)
    found = [_image(item) for item in data["images"] if isinstance(item, dict)]
    return tuple(sorted(found, key=lambda image: (-image.size, image.name)))


def _image(item: dict[str, object]) -> Image:
    named = [name for key in ("repoTags", "repoDigests") for name in _words(item.get(key))]
    size = str(item.get("size") or 0)
    return Image(
        id=str(item.get("id", "")),
        name=named[0] if named else "<none>",
        size=int(size) if size.isdigit() else 0,
        names=tuple(named),
    )


def docker_images(text: str) -> tuple[Image, ...]:
    """``docker images --format '{{json .}}'``, largest first; an image with two tags has two lines and counts once.

    Raises:
        UnparsableError: not that.
    """
    found: dict[str, Image] = {}
    items = json_lines(text, "docker images")
    if not all("ID" in item and "Repository" in item for item in items):
        raise UnparsableError("docker images", text)
    for item in items:
        own, tag = str(item.get("ID", "")), str(item.get("Tag", ""))
        name = f"{item.get('Repository', '')}:{tag}" if tag not in {"", "<none>"} else str(item.get("Repository", ""))
        old = found.get(own)
        names = (*(old.names if old else ()), name)
        found[own] = Image(id=own, name=names[0], size=_bytes(str(item.get("Size", ""))), names=names)
    return tuple(sorted(found.values(), key=lambda image: (-image.size, image.name)))


def _bytes(text: str) -> int:
    """A size as docker writes it: ``1.23GB``; 0 for anything else."""
    found = _SIZE.match(text)
    return round(float(found[1]) * _STEPS[found[2]]) if found else 0


def _words(value: object) -> list[str]:
    return [str(word) for word in value] if isinstance(value, list) else []


def deleted(text: str) -> tuple[DeletedFile, ...]:
    """``lsof -nP +L1``: regular files without a name, largest first; a file that several processes hold counts once.

    Raises:
        UnparsableError: lsof says something else; nothing at all means that there is no such file.
    """
    if text.strip() and not re.search(r"(?m)^COMMAND\s+PID\s", text):
        raise UnparsableError("list of open files", text)
    found: dict[tuple[str, str], DeletedFile] = {}
    for m in _DELETED.finditer(text):
        made = DeletedFile(command=m["command"], pid=int(m["pid"]), path=m["path"], size=int(m["size"]))
        found.setdefault((m["inode"], m["path"]), made)
    return tuple(sorted(found.values(), key=lambda file: (-file.size, file.path)))


def written(text: str) -> int:
    """The lines of ``crictl stats -a -o json`` about used bytes: what all containers wrote into their own layers.

    Raises:
        UnparsableError: not that; a runtime without containers says ``"stats"`` alone.
    """
    sizes = re.findall(r'"usedBytes":\s*\{\s*"value":\s*"?(\d+)', text)
    if not re.match(r'\s*"stats":\s*\[', text) or len(sizes) != text.count("usedBytes"):
        raise UnparsableError("statistics of containers", text)
    return sum(int(size) for size in sizes)


def series(text: str) -> dict[str, int]:
    """``sort | uniq -c``: name of a metric → how many lines it has; comments are left out.

    Raises:
        UnparsableError: no such line.
    """
    found = {name: int(count) for count, name in re.findall(r"(?m)^\s*(\d+) ([A-Za-z_:][\w:]*)", text)}
    if not found:
        raise UnparsableError("metrics of the kubelet", text)
    return found


def counted(text: str) -> int | None:
    """What ``wc -l`` says after complaints of find about processes that ended meanwhile; None for anything else."""
    lines = [line.strip() for line in text.splitlines() if line.strip()]
    known = all(re.match(r"(?:find|grep): \S+: No such (?:file|process)", line) for line in lines[:-1])
    return int(lines[-1]) if lines and known and _NUMBER.fullmatch(lines[-1]) else None


def folders(text: str) -> dict[str, int]:
    """``du -B1 … | sort -nr``: path → bytes, in that order.

    Raises:
        UnparsableError: no line of du.
    """
    found = {path: int(size) for size, path in re.findall(r"(?m)^(\d+)\t(/.*)$", text)}
    if not found:
        raise UnparsableError("du", text)
    return found
