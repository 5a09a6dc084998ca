"""systemd units as recorded in any of its outputs, shown in the one that is asked for.

A node's UNITS section is ``systemctl show`` of many units; other tools record ``systemctl status UNIT`` or
``systemctl show UNIT``. Either answers the other, with the properties it has and no others.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

Unit: TypeAlias = "dict[str, str]"

_SUFFIX = re.compile(r"\.(service|socket|timer|mount|slice|scope|target)$")
_LOADED = re.compile(r"^\s*Loaded: (?P<state>\S+)(?: \((?P<path>/[^;)]+)(?:; (?P<file>[a-z-]+))?)?", re.MULTILINE)
_ACTIVE = re.compile(
    r"^\s*Active: (?P<active>\S+)(?: \((?!Result)(?P<sub>[^)]+)\))?(?: \(Result: (?P<result>[^)]+)\))?"
    r"(?: since (?P<since>[^;]+);)?",
    re.MULTILINE,
)
_MAIN = re.compile(r"^\s*Main PID: (?P<pid>\d+)", re.MULTILINE)
_EXIT = re.compile(
    r"^\s*(?:Main PID: \d+|Process: .*) \(code=(?P<code>\w+), (?:status|signal)=(?P<status>\d+)", re.MULTILINE
)
_EXIT_CODES = {"exited": "1", "killed": "2", "dumped": "3"}
NOT_FOUND = 4
INACTIVE = 3


def service(name: str) -> str:
    """The full name of a unit: ``kubelet`` → ``kubelet.service``."""
    return name if _SUFFIX.search(name) else f"{name}.service"


def parse_show(text: str) -> dict[str, Unit]:
    """The blocks of ``systemctl show``, by the unit's full name."""
    found: dict[str, Unit] = {}
    for block in re.split(r"\n\s*\n", text):
        pairs = (line.partition("=") for line in block.splitlines() if "=" in line)
        unit = {key: value for key, _, value in pairs}
        if "Id" in unit:
            found[unit["Id"]] = unit
    return found


def write_show(units: Sequence[Unit]) -> str:
    """As ``systemctl show`` prints them: one block a unit, an empty line between."""
    return "\n".join("".join(f"{key}={value}\n" for key, value in unit.items()) for unit in units)


def parse_status(name: str, text: str) -> Unit | None:
    """What ``systemctl status NAME`` tells of a unit's properties; None for other text."""
    if re.search(r"^Unit \S+ could not be found", text, re.MULTILINE):
        return {"Id": service(name), "LoadState": "not-found", "ActiveState": "inactive", "SubState": "dead"}
    loaded, active = _LOADED.search(text), _ACTIVE.search(text)
    if loaded is None or active is None:
        return None
    main, gone = _MAIN.search(text), _EXIT.search(text)
    running = active["active"] in {"active", "reloading", "activating"} and main is not None and gone is None
    since = (active["since"] or "").strip()
    known = {
        "MainPID": main["pid"] if main and running else "0",
        "Result": active["result"] or ("success" if active["active"] != "failed" else ""),
        "ExecMainCode": _EXIT_CODES.get(gone["code"], "") if gone else "",
        "ExecMainStatus": gone["status"] if gone else "",
        "Id": service(name),
        "LoadState": loaded["state"],
        "ActiveState": active["active"],
        "SubState": active["sub"] or active["active"],
        "FragmentPath": loaded["path"] or "",
        "UnitFileState": loaded["file"] or "",
        "ActiveEnterTimestamp": since if active["active"] == "active" else "",
        "InactiveEnterTimestamp": since if active["active"] in {"inactive", "failed"} else "",
    }
    return {key: value for key, value in known.items() if value or key == "FragmentPath"}


def write_status(unit: Mapping[str, str]) -> str:
    """As ``systemctl status`` begins; the journal's lines follow in the real one."""
    name = unit["Id"]
    if unit.get("LoadState") == "not-found":
        return f"Unit {name} could not be found.\n"
    state, sub = unit.get("ActiveState", "unknown"), unit.get("SubState", "unknown")
    result = unit.get("Result", "success")
    why = f" (Result: {result})" if state == "failed" or (result not in {"", "success"}) else ""
    since = unit.get("ActiveEnterTimestamp") if state == "active" else unit.get("InactiveEnterTimestamp")
    lines = [
        f"{'●' if state == 'active' else '×' if state == 'failed' else '○'} {name}",
        f"     Loaded: {_some(unit, 'LoadState')} ({_some(unit, 'FragmentPath')}; {_some(unit, 'UnitFileState')})",
        f"     Active: {state}{'' if sub == state else f' ({sub})'}{why}{f' since {since};' if since else ''}",
    ]
    if unit.get("MainPID", "0") != "0":
        lines.append(f"   Main PID: {unit['MainPID']}")
    elif unit.get("ExecMainStatus", "0") != "0":
        code = {v: k for k, v in _EXIT_CODES.items()}.get(unit.get("ExecMainCode", "1"), "exited")
        lines.append(f"    Process: (code={code}, status={unit['ExecMainStatus']})")
    return "\n".join(lines) + "\n"


def status_code(unit: Mapping[str, str]) -> int:
    """The exit status of ``systemctl status`` and ``is-active``."""
    if unit.get("LoadState") == "not-found":
        return NOT_FOUND
    return 0 if unit.get("ActiveState") in {"active", "reloading"} else INACTIVE


def _some(unit: Mapping[str, str], key: str) -> str:
    return unit.get(key, "")
