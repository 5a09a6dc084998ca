"""The ``nodes`` part of an overlay: what a node's commands say in this scenario, and whether it answers at all."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Mapping
from fnmatch import fnmatchcase
from typing import Any

from bot.bundle import units
from bot.bundle.draft import Draft
from bot.bundle.lines import KEYED, journal_lines, text_lines
from bot.bundle.merge import PatchError, merge
from bot.bundle.times import Clock

NODES = "kubewhy/nodes"
_KEY = re.compile(r"[A-Z][A-Z0-9_]*(:.*)?")
# unit → key of its journal; text journals are of the kernel and the network units
_JSON_JOURNALS = {"kubelet": "KLOG", "containerd": "RTLOG", "crio": "RTLOG", "docker": "RTLOG"} | dict.fromkeys(
    ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "kube-proxy"), "CPLOG_UNITS"
)
_TEXT_JOURNALS = {"kernel": "KERN", "systemd-networkd": "NETLOG", "NetworkManager": "NETLOG"}
STATES: Mapping[str, Mapping[str, str]] = {
    "active": {"ActiveState": "active", "SubState": "running", "Result": "success"},
    "inactive": {"ActiveState": "inactive", "SubState": "dead", "Result": "success", "MainPID": "0"},
    "failed": {
        "ActiveState": "failed",
        "SubState": "failed",
        "Result": "exit-code",
        "MainPID": "0",
        "ExecMainCode": "1",
        "ExecMainStatus": "1",
    },
    "restarting": {
        "ActiveState": "activating",
        "SubState": "auto-restart",
        "Result": "exit-code",
        "MainPID": "0",
        "ExecMainCode": "1",
        "ExecMainStatus": "1",
    },
    "not-found": {
        "LoadState": "not-found",
        "ActiveState": "inactive",
        "SubState": "dead",
        "UnitFileState": "",
        "FragmentPath": "",
        "MainPID": "0",
    },
    "masked": {"LoadState": "masked", "UnitFileState": "masked", "ActiveState": "inactive", "SubState": "dead"},
}
_NEW_UNIT = {"LoadState": "loaded", "UnitFileState": "enabled", **STATES["active"], "NRestarts": "0"}


class NodePatches:
    """Applies the ``nodes`` part of an overlay to a draft."""

    def __init__(self, draft: Draft, clock: Clock) -> None:
        self._draft = draft
        self._clock = clock
        self._parts: dict[str, Callable[[str, Any], None]] = {
            "unreachable": self._unreachable,
            "units": self._units,
            "journal": self._journal,
            "commands": self._commands,
        }

    def patch(self, selector: str, change: Any) -> None:
        """``node-3: {…}``; the name may hold ``*``, and every recorded node that matches is changed."""
        if not isinstance(change, dict) or set(change) - set(self._parts):
            raise PatchError(f"a node has {', '.join(self._parts)}")
        for node in self._matching(selector):
            for part, value in change.items():
                try:
                    self._parts[part](node, value)
                except PatchError as error:
                    raise PatchError(f"{part}: {error}") from None

    def _matching(self, selector: str) -> list[str]:
        there = sorted({n[len(NODES) + 1 :].partition("/")[0] for n in self._draft.names(f"{NODES}/")})
        if "*" not in selector:
            return [selector]
        found = [n for n in there if fnmatchcase(n, selector)]
        if not found:
            raise PatchError(f"no recorded node is called so; there are: {', '.join(there) or 'none'}")
        return found

    def _path(self, node: str) -> str:
        return f"{NODES}/{node}/commands.json"

    def _unreachable(self, node: str, why: Any) -> None:
        path = f"{NODES}/{node}/unreachable"
        if why in (None, False):
            self._draft.forget([path])
            return
        self._draft.forget([self._path(node)])
        self._draft.write(path, f"{'timed out' if why is True else why}\n")

    def _entries(self, node: str) -> list[Any]:
        self._draft.forget([n for n in [f"{NODES}/{node}/unreachable"] if self._draft.has(n)])
        return self._draft.json(self._path(node), [])  # type: ignore[no-any-return]

    def _entry(self, node: str, name: str) -> dict[str, Any]:
        """The recorded command of that key (or command line), made when there is none."""
        entries = self._entries(node)
        field = "key" if _KEY.fullmatch(name) else "command"
        for entry in entries:
            if isinstance(entry, dict) and entry.get(field) == name:
                return entry
        command = name if field == "command" else KEYED.get(name, "")
        entries.append({"command": command, "exit": 0, "stdout": "", "stderr": "", "duration_ms": 0})
        if field == "key":
            entries[-1]["key"] = name
        return entries[-1]  # type: ignore[no-any-return]

    def _units(self, node: str, changes: Any) -> None:
        if not isinstance(changes, dict):
            raise PatchError("units is a map of unit to properties")
        entry = self._entry(node, "UNITS")
        known = units.parse_show(str(entry.get("stdout", "")))
        for name, change in changes.items():
            full = units.service(str(name))
            if change is None:
                known.pop(full, None)
            else:
                known[full] = known.get(full, {"Id": full, **_NEW_UNIT}) | self._properties(str(name), change)
        entry["stdout"] = units.write_show(list(known.values()))

    def _properties(self, name: str, change: Any) -> dict[str, str]:
        given = {"is": change} if isinstance(change, str) else dict(change) if isinstance(change, dict) else {}
        state = given.pop("is", None)
        if not (given or state) or (state is not None and state not in STATES):
            raise PatchError(f"{name}: a unit is one of {', '.join(STATES)}, or a map of properties")
        properties = dict(STATES[state]) if state else {}
        return properties | {str(k): self._clock.write(_plain(v), "systemd") for k, v in given.items()}

    def _journal(self, node: str, changes: Any) -> None:
        if not isinstance(changes, dict):
            raise PatchError("journal is a map of unit to lines")
        for unit, value in changes.items():
            only = isinstance(value, dict) and set(value) == {"only"}
            lines = value["only"] if only else value
            if unit in _JSON_JOURNALS:
                self._merge_journal(
                    node, _JSON_JOURNALS[unit], journal_lines(lines, self._clock), _json_time, only=only
                )
            elif unit in _TEXT_JOURNALS:
                said = text_lines(lines, self._clock, node=node, unit=unit)
                self._merge_journal(node, _TEXT_JOURNALS[unit], said, lambda line: line[:19], only=only)
            else:
                raise PatchError(f"{unit}: journals are kept of {', '.join((*_JSON_JOURNALS, *_TEXT_JOURNALS))}")

    def _merge_journal(self, node: str, key: str, lines: list[str], when: Callable[[str], str], *, only: bool) -> None:
        entry = self._entry(node, key)
        there = [] if only else [line for line in str(entry.get("stdout", "")).splitlines() if line]
        there = [line for line in there if not line.startswith("-- ")]
        merged = sorted([*lines, *there], key=when, reverse=True)
        entry.update({"stdout": "".join(f"{line}\n" for line in merged), "exit": 0, "stderr": ""})

    def _commands(self, node: str, changes: Any) -> None:
        if not isinstance(changes, dict):
            raise PatchError("commands is a map of key (or command line) to output")
        for name, change in changes.items():
            if change is None:
                field = "key" if _KEY.fullmatch(str(name)) else "command"
                entries = self._entries(node)
                entries[:] = [e for e in entries if not (isinstance(e, dict) and e.get(field) == name)]
            elif isinstance(change, dict):
                self._change(self._entry(node, str(name)), str(name), change)
            else:
                entry = self._entry(node, str(name))
                entry.update({"stdout": self._clock.write(_plain(change)), "stderr": "", "exit": 0})

    def _change(self, entry: dict[str, Any], name: str, change: dict[Any, Any]) -> None:
        known = {"exit", "stdout", "stderr", "duration_ms", "command", "replace", "lines", "append", "json"}
        if set(change) - known:
            raise PatchError(f"{name}: an output has {', '.join(sorted(known))}")
        for field in ("stdout", "stderr", "command"):
            if field in change:
                entry[field] = self._clock.write(_plain(change[field]))
        for field in ("exit", "duration_ms"):
            if field in change:
                entry[field] = int(change[field])
        self._edit(entry, name, change)
        if "append" in change:
            entry["stdout"] = entry.get("stdout", "") + self._clock.write(_plain(change["append"]))
        if "json" in change:
            entry["stdout"] = self._json(entry.get("stdout", ""), name, change["json"])

    def _edit(self, entry: dict[str, Any], name: str, change: dict[Any, Any]) -> None:
        """Change parts of the recorded output; what shall be changed must be there."""
        for old, new in (change.get("replace") or {}).items():
            if str(old) not in entry.get("stdout", ""):
                raise PatchError(f"{name}: replace: {str(old)[:80]!r} is not in the recorded output")
            entry["stdout"] = entry["stdout"].replace(str(old), self._clock.write(_plain(new)))
        for pattern, new in (change.get("lines") or {}).items():
            entry["stdout"] = self._lines(entry.get("stdout", ""), name, str(pattern), new)

    def _lines(self, text: str, name: str, pattern: str, new: Any) -> str:
        """Put ``new`` in place of every line in which the pattern occurs; None takes the line away."""
        try:
            wanted = re.compile(pattern)
        except re.error as error:
            raise PatchError(f"{name}: lines: {pattern!r}: {error}") from None
        lines = text.splitlines()
        if not any(wanted.search(line) for line in lines):
            raise PatchError(f"{name}: lines: no recorded line matches {pattern!r}")
        put = None if new is None else self._clock.write(_plain(new)).rstrip("\n")
        changed = (put if wanted.search(line) else line for line in lines)
        return "".join(f"{line}\n" for line in changed if line is not None)

    def _json(self, text: str, name: str, change: Any) -> str:
        try:
            old = json.loads(text) if text.strip() else None
        except ValueError:
            raise PatchError(f"{name}: json: the recorded output is no JSON") from None
        return json.dumps(merge(old, self._clock.resolve(change), name)) + "\n"


def _plain(value: Any) -> str:
    """A scalar as a command prints it."""
    return ("yes" if value else "no") if isinstance(value, bool) else str(value)


def _json_time(line: str) -> str:
    try:
        return str(json.loads(line).get("__REALTIME_TIMESTAMP", ""))
    except (ValueError, AttributeError):
        return ""
