"""systemd: ``systemctl show`` of many units, ``systemctl cat`` with the command line of the process.

Properties come in systemd's own order (219 and 252 differ), unset ones as ``[not set]`` or empty.
"""

from __future__ import annotations

import re
import shlex
from dataclasses import dataclass

from bot.model.host_system import Unit
from bot.parse.common import TimeBase, UnparsableError, integer

_VARIABLE = re.compile(r"\$\{?([A-Za-z_][A-Za-z0-9_]*)\}?")


def units(text: str, base: TimeBase) -> dict[str, Unit]:
    """Units by name without ``.service``; those that systemd does not know are left out.

    Raises:
        UnparsableError: no block names its unit.
    """
    blocks = [_properties(block) for block in re.split(r"\n\s*\n", text)]
    named = [b for b in blocks if "Id" in b and "ActiveState" in b]
    if not named:
        raise UnparsableError("systemctl show", text)
    made = (_unit(b, base) for b in named)
    return {u.name: u for u in made if u.present}


def _properties(block: str) -> dict[str, str]:
    pairs = (line.partition("=") for line in block.splitlines() if "=" in line)
    return {key.strip(): value.strip() for key, _, value in pairs}


def _unit(p: dict[str, str], base: TimeBase) -> Unit:
    return Unit(
        name=p["Id"].removesuffix(".service"),
        load=p.get("LoadState", ""),
        file_state=p.get("UnitFileState", ""),
        active=p["ActiveState"],
        sub=p.get("SubState", ""),
        result=p.get("Result", ""),
        restarts=integer(p.get("NRestarts")),
        exit_status=integer(p.get("ExecMainStatus")),
        main_pid=integer(p.get("MainPID")) or 0,
        started=base.read(p.get("ExecMainStartTimestamp", "")),
        active_since=base.read(p.get("ActiveEnterTimestamp", "")),
        inactive_since=base.read(p.get("InactiveEnterTimestamp", "")),
        need_reload=p.get("NeedDaemonReload") == "yes",
        fragment=p.get("FragmentPath", ""),
        drop_ins=tuple(p.get("DropInPaths", "").split()),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Start:
    """How a unit starts its program.

    Attributes:
        unit: the unit file and drop-ins; empty when there is none.
        flags: name without dashes → value.
        running: whether the flags come from the process.
    """

    unit: str
    flags: dict[str, str]
    running: bool
    environment_files: tuple[str, ...]
    optional_files: tuple[str, ...]
    proxies: tuple[str, ...]


# The words of a process begin with its path; a unit file may end in ExecStart=/usr/bin/kubelet … just as well.
_PROCESS = re.compile(r"(?![A-Za-z]+=)\S*(kubelet|hyperkube|k3s)\S*(\s|$)")


def start(text: str) -> Start:
    """Read ``systemctl cat kubelet`` followed, where it runs, by the words of ``/proc/PID/cmdline``.

    Raises:
        UnparsableError: neither a unit file nor a command line.
    """
    lines = text.rstrip().splitlines()
    process = lines[-1] if lines and _PROCESS.match(lines[-1]) else ""
    unit = "\n".join(lines[:-1] if process else lines)
    if "[Service]" not in unit:
        unit = ""
        if not process and "No files found" not in text:
            raise UnparsableError("systemctl cat", text)
    settings = _settings(unit)
    environment = _environment(settings)
    command = process or _VARIABLE.sub(lambda m: environment.get(m[1], ""), _last(settings, "ExecStart"))
    files = [value for key, value in settings if key == "EnvironmentFile" and value]
    return Start(
        unit=unit,
        flags=flags(command),
        running=bool(process),
        environment_files=tuple(f for f in files if not f.startswith("-")),
        optional_files=tuple(f[1:] for f in files if f.startswith("-")),
        proxies=tuple(sorted(n for n in environment if n.lower() in {"http_proxy", "https_proxy", "all_proxy"})),
    )


def _settings(unit: str) -> list[tuple[str, str]]:
    joined = re.sub(r"\\\n\s*", " ", unit)
    lines = (line.strip() for line in joined.splitlines())
    pairs = (line.partition("=") for line in lines if "=" in line and not line.startswith(("#", ";")))
    return [(key.strip(), value.strip()) for key, _, value in pairs]


def _environment(settings: list[tuple[str, str]]) -> dict[str, str]:
    found: dict[str, str] = {}
    for key, value in settings:
        if key == "Environment":
            for word in _words(value):
                name, _, content = word.partition("=")
                found[name] = content
    return found


def _last(settings: list[tuple[str, str]], key: str) -> str:
    values = [value for k, value in settings if k == key and value]
    return values[-1] if values else ""


def flags(command: str) -> dict[str, str]:
    """``--name=value``, ``--name value`` and bare ``--name`` of a command line; a later one wins."""
    words = _words(command)
    found: dict[str, str] = {}
    for i, word in enumerate(words):
        if not word.startswith("--"):
            continue
        name, equals, value = word[2:].partition("=")
        following = words[i + 1] if i + 1 < len(words) else ""
        found[name] = value if equals else ("" if following.startswith("-") else following)
    return found


def _words(text: str) -> list[str]:
    try:
        return shlex.split(text)
    except ValueError:
        return text.split()
