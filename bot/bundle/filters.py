"""The few text filters that stand behind a pipe in node commands: a full recording answers for the cut one."""

from __future__ import annotations

import re
from collections.abc import Callable

from bot.bundle.words import words

_POSIX_CLASSES = {"[:space:]": r"\s", "[:digit:]": "0-9", "[:alpha:]": "A-Za-z", "[:alnum:]": "A-Za-z0-9"}


def apply(command: str, text: str) -> tuple[int, str] | None:
    """Exit status and output of ``command`` with ``text`` on its standard input; None when it is no known filter."""
    program, *arguments = words(command) or ("",)
    known = _FILTERS.get(program)
    try:
        return known(arguments, text) if known else None
    except (ValueError, IndexError, re.error):
        return None


def _count(arguments: list[str], default: int = 10) -> int:
    """The number of lines of ``-20``, ``-n 20``, ``-n20``."""
    joined = " ".join(arguments)
    match = re.fullmatch(r"-(?:n\s*)?(\d+)", joined)
    if match is None and joined:
        raise ValueError(joined)
    return int(match[1]) if match else default


def _head(arguments: list[str], text: str) -> tuple[int, str]:
    if arguments[:1] == ["-c"]:
        return 0, text.encode()[: int(arguments[1])].decode("utf-8", "ignore")
    return 0, "".join(text.splitlines(keepends=True)[: _count(arguments)])


def _tail(arguments: list[str], text: str) -> tuple[int, str]:
    count = _count(arguments)
    return 0, "".join(text.splitlines(keepends=True)[-count:]) if count else ""


def _wc(arguments: list[str], text: str) -> tuple[int, str]:
    if arguments != ["-l"]:
        raise ValueError(arguments)
    return 0, f"{text.count(chr(10))}\n"


def _grep(arguments: list[str], text: str) -> tuple[int, str]:
    flags = "".join(a[1:] for a in arguments[:-1])
    if not arguments or set(flags) - set("Ecvi") or any(not a.startswith("-") for a in arguments[:-1]):
        raise ValueError(arguments)
    pattern = arguments[-1]
    for name, meaning in _POSIX_CLASSES.items():
        pattern = pattern.replace(name, meaning)
    if "E" not in flags and re.search(r"[+?|(){}]", pattern):
        raise ValueError(pattern)  # basic regular expressions mean other things by these
    wanted = re.compile(pattern, re.IGNORECASE if "i" in flags else 0)
    lines = [line for line in text.splitlines() if bool(wanted.search(line)) != ("v" in flags)]
    shown = f"{len(lines)}\n" if "c" in flags else "".join(f"{line}\n" for line in lines)
    return int(not lines), shown


def _sort(arguments: list[str], text: str) -> tuple[int, str]:
    if arguments not in ([], ["-nr"], ["-rn"], ["-n"], ["-r"]):
        raise ValueError(arguments)
    flags = "".join(arguments)
    lines = sorted(text.splitlines())
    if "n" in flags:
        lines.sort(key=_number)
    return 0, "".join(f"{line}\n" for line in (reversed(lines) if "r" in flags else lines))


def _number(line: str) -> float:
    match = re.match(r"\s*(-?\d+(?:\.\d+)?)", line)
    return float(match[1]) if match else 0.0


def _cut(arguments: list[str], text: str) -> tuple[int, str]:
    match = re.fullmatch(r"-d\s*(\S) -f\s*(\d+)", " ".join(arguments))
    if match is None:
        raise ValueError(arguments)
    at = int(match[2]) - 1
    rows = [line.split(match[1]) for line in text.splitlines()]
    return 0, "".join(f"{row[at] if at < len(row) else ''}\n" for row in rows)


def _cat(arguments: list[str], text: str) -> tuple[int, str]:
    if arguments:
        raise ValueError(arguments)
    return 0, text


_FILTERS: dict[str, Callable[[list[str], str], tuple[int, str]]] = {
    "head": _head,
    "tail": _tail,
    "wc": _wc,
    "grep": _grep,
    "sort": _sort,
    "cut": _cut,
    "cat": _cat,
}
