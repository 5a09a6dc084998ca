"""Finds what answers a command among the recorded commands of one node.

In order: the same program and arguments; a pipe or list put together from recorded commands; the same fact as another
tool recorded it (``systemctl``, ``journalctl``, ``nc``, ``dig``). None means *not recorded*.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import replace

from bot.bundle import filters, journal, units
from bot.bundle.compound import joined, split, unlimited
from bot.bundle.entries import Entry
from bot.bundle.loops import unrolled
from bot.bundle.probes import from_nc
from bot.bundle.words import split_list, split_pipe, words
from bot.source import Section

Look = Callable[[tuple[str, ...]], "Entry | None"]
_FREE = re.compile(r"[-@]?\d+(s|min|h)?")
_DEV_TCP = re.compile(r"<\s*/dev/tcp/(?P<host>[^/\s]+)/(?P<port>\d+)$")
_TCP_TROUBLE = {
    "refused": (1, "Connection refused"),
    "unreachable": (1, "No route to host"),
    "timeout": (124, ""),
}
_MAX_DEPTH = 12


class NodeCommands:
    """The recorded commands of one node, ready to be asked.

    Attributes:
        node: its name.
    """

    def __init__(self, node: str, entries: Iterable[Entry], more: Look) -> None:
        """``more`` answers the words of a command from elsewhere in the bundle, such as dns.json."""
        self.node = node
        self._entries = tuple(entries)
        self._more = more
        self._by_key: dict[str, list[Entry]] = {}
        self._by_words: dict[tuple[str, ...], Entry] = {}
        for entry in self._entries:
            if entry.key:
                self._by_key.setdefault(entry.key, []).append(entry)
            for said in (_shape(entry.command), _shape(unlimited(entry.command))):
                if said:
                    self._by_words.setdefault(said, entry)
        self._parts = tuple(split(entry) for entry in self._entries)  # an answer can have megabytes: once
        for entry, parts in zip(self._entries, self._parts, strict=True):
            for part in (*parts, *unrolled(entry)):
                self._by_words.setdefault(_shape(part.command), part)
        self._units = self._known_units()

    def section(self, section: Section) -> Entry | None:
        """What answers a section: by its key, then by its command.

        Where the key was recorded for more than the section asks (several entries, or one compound command), the
        section's own command comes first, then the first one of the compound: a key is called after it.
        """
        keyed = [entry for entry in self._by_key.get(section.key, ()) if _is_about(entry, section)]
        parts = self._split(keyed[0]) if len(keyed) == 1 else ()
        if len(keyed) == 1 and not parts:
            return keyed[0]
        found = self.line(section.command)
        if found is None and parts:
            first = _shape(split_list(keyed[0].command)[0][1])
            # The others were told apart, so this one printed nothing; of curl that means that nobody answered.
            silent = Entry(exit=keyed[0].exit) if first[:1] == ("curl",) else None
            return next((part for part in parts if _shape(part.command) == first), silent)
        return found or joined(keyed)

    def _split(self, entry: Entry) -> tuple[Entry, ...]:
        return next(parts for known, parts in zip(self._entries, self._parts, strict=True) if known is entry)

    def keyed(self, key: str, arguments: tuple[str, ...] = ()) -> Entry | None:
        """What answers the root-owned collector, asked for a key of its table."""
        return joined(self._by_key.get(":".join((key, *arguments))) or self._by_key.get(key) or [])

    def line(self, command: str, depth: int = 0) -> Entry | None:
        """What answers a command line of any form."""
        if depth > _MAX_DEPTH:
            return None
        found = self._by_words.get(_shape(command))
        if found is not None:
            return replace(found, stderr="") if "2>/dev/null" in command else found
        pieces = split_list(command)
        if len(pieces) != 1:
            return self._list(pieces, depth + 1)
        first, *rest = split_pipe(pieces[0][1])
        if rest:
            return self._pipe(first, rest, depth + 1)
        return self._single(first, depth + 1)

    def _list(self, pieces: list[tuple[str, str]], depth: int) -> Entry | None:
        """Put a list together as the shell would: a piece that was not recorded says nothing.

        What is read again after a while was not recorded by reading it once.
        """
        if any(words(piece)[:1] == ("sleep",) for _, piece in pieces):
            return None
        out, status, recorded, took = "", None, False, 0
        last = 0
        for operator, piece in pieces:
            if (operator == "&&" and status != 0) or (operator == "||" and status == 0):
                continue
            said = None if operator == "||" and status is None else _builtin(piece, status)
            entry = None if said is not None else self.line(piece, depth)
            if said is None and entry is None:
                status = None
                continue
            recorded = recorded or entry is not None
            out += said if said is not None else entry.text if entry else ""
            status = entry.exit if entry else 0
            took += entry.duration_ms if entry else 0
            last = status
        return Entry(exit=last, stdout=out, duration_ms=took) if recorded else None

    def _pipe(self, first: str, rest: list[str], depth: int) -> Entry | None:
        entry = self.line(first, depth)
        if entry is None:
            return None
        text, status = entry.text if "2>&1" in first else entry.stdout, entry.exit
        for command in rest:
            result = filters.apply(command, text)
            if result is None:
                return None
            status, text = result
        errors = "" if "2>&1" in first else entry.stderr
        return Entry(exit=status, stdout=text, stderr=errors, duration_ms=entry.duration_ms)

    def _single(self, command: str, depth: int) -> Entry | None:
        said = words(command)
        if not said:
            return None
        program = said[0]
        if program in {"sh", "bash"} and said[1:2] == ("-c",) and len(said) > 2:  # noqa: PLR2004 - sh -c TEXT
            target = _DEV_TCP.search(said[2])
            return self._tcp(target["host"], int(target["port"])) if target else self.line(said[2], depth)
        if program == "systemctl":
            return self._systemctl(said[1:])
        if program == "journalctl":
            asked = journal.question(command)
            return journal.find(asked, self._entries, self.node) if asked else None
        if program in {"nc", "ncat"}:
            return self._nc(command)
        return self._more(said)

    def _tcp(self, host: str, port: int) -> Entry | None:
        """A connection attempt by the shell, from ``nc -zv`` of the same target, or from the TCP section."""
        for entry in self._entries:
            reach = from_nc("", entry.command, entry.exit, entry.text)
            if reach and (reach.host, reach.port) == (host, port):
                status, words_ = _TCP_TROUBLE.get(reach.result, (0, ""))
                trouble = f"bash: connect: {words_}\nbash: line 1: /dev/tcp/{host}/{port}: {words_}\n" if words_ else ""
                return Entry(exit=status, stderr=trouble, duration_ms=entry.duration_ms)
        return None

    def _nc(self, command: str) -> Entry | None:
        """``nc -zv`` from the TCP section of the same target."""
        target = from_nc("", command, 0, "")
        recorded = joined(self._by_key.get(f"TCP:{target.host}:{target.port}", [])) if target else None
        if target is None or recorded is None:
            return None
        where = f"{target.host} {target.port}"
        if "rc=0" in recorded.stdout:
            return Entry(stderr=f"Connection to {where} port [tcp/*] succeeded!\n")
        why = "Connection refused" if "refused" in recorded.text else "Connection timed out"
        return Entry(exit=1, stderr=f"nc: connect to {where} (tcp) failed: {why}\n")

    def _known_units(self) -> dict[str, units.Unit]:
        known: dict[str, units.Unit] = {}
        for entry in reversed(self._entries):
            said = words(entry.command)
            if entry.key == "UNITS" or said[:2] == ("systemctl", "show"):
                known |= units.parse_show(entry.stdout)
        for entry in self._entries:
            said = words(entry.command)
            names = [w for w in said[2:] if not w.startswith("-")]
            if said[:2] == ("systemctl", "status") and len(names) == 1:
                unit = units.parse_status(names[0], entry.text)
                if unit is not None:
                    known.setdefault(unit["Id"], unit)
        return known

    def _systemctl(self, said: tuple[str, ...]) -> Entry | None:
        verb, names, properties, value_only = _systemctl_words(said)
        found = [self._units[units.service(n)] for n in names if units.service(n) in self._units]
        if not found:
            return None
        if verb == "show":
            shown = [{k: v for k, v in u.items() if not properties or k in properties} for u in found]
            text = "".join(f"{v}\n" for u in shown for v in u.values()) if value_only else units.write_show(shown)
            return Entry(stdout=text)
        status = max(units.status_code(u) for u in found)
        if verb == "status":
            return Entry(exit=status, stdout="\n".join(units.write_status(u) for u in found))
        if verb == "is-active":
            return Entry(exit=status, stdout="".join(f"{u.get('ActiveState', 'unknown')}\n" for u in found))
        return None


def _systemctl_words(said: tuple[str, ...]) -> tuple[str, list[str], set[str], bool]:
    """Verb, unit names, properties asked for, and whether only the values are wanted."""
    names: list[str] = []
    properties: set[str] = set()
    value_only = False
    waiting = iter(said)
    for word in waiting:
        if word in {"-p", "--property"}:
            properties |= set(next(waiting, "").split(","))
        elif word.startswith("--property="):
            properties |= set(word.partition("=")[2].split(","))
        elif word == "--value":
            value_only = True
        elif not word.startswith("-"):
            names.append(word)
    return (names[0] if names else ""), names[1:], properties, value_only


def _shape(command: str) -> tuple[str, ...]:
    """The words of a command, without options that never change what it says."""
    said = words(command)
    if said[:2] in {("crictl", "--timeout"), ("iptables", "-w")}:
        return (said[0], *said[3:])
    return said


def _is_about(entry: Entry, section: Section) -> bool:
    """Whether an entry with a section's key was made with the same values, where the key does not name them.

    Numbers and times (how many lines, since when) do not matter; a file or a component does.
    """
    if ":" in section.key or not entry.command:
        return True
    telling = [a for a in section.arguments if not _FREE.fullmatch(a) and " " not in a]
    return all(a in entry.command for a in telling)


def _builtin(piece: str, status: int | None) -> str | None:
    """What ``echo`` and the like print between commands; None for anything else."""
    said = words(piece)
    if said[:1] == ("echo",) and not any("$" in w and w.replace("$?", "") != w and status is None for w in said):
        text = " ".join(said[1:]).replace("$?", str(status))
        return None if "$" in text or "`" in text else f"{text}\n"
    return "" if said[:1] in {("true",), (":",)} else None
