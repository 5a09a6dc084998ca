"""Finds name-resolution errors in the logs of applications, whatever they are written in (catalogue APP-01).

Two kinds: ``not-found`` (the name does not exist, or no server could be asked) and ``no-answer`` (a server was asked
and was silent or failed).
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.model.cluster import LogLine
from bot.model.dns_logs import Unresolved

LINE_CHARS = 2000  # an application may print anything: what a longer line says further right is not looked for
_HOST = r"(?P<name>[A-Za-z0-9_](?:[A-Za-z0-9_.-]{0,251}[A-Za-z0-9_])?)\.?"
_PATTERNS: tuple[tuple[str, re.Pattern[str]], ...] = (
    # Go: dial tcp: lookup example-api.com on 192.168.0.10:53: no such host
    ("not-found", re.compile(rf"lookup {_HOST}(?: on \S+)?: no such host")),
    ("no-answer", re.compile(rf"lookup {_HOST}(?: on \S+)?: .*(?:i/o timeout|server misbehaving|Temporary failure)")),
    # Node.js: getaddrinfo EAI_AGAIN example-api.com
    ("no-answer", re.compile(rf"getaddrinfo EAI_AGAIN {_HOST}")),
    ("not-found", re.compile(rf"getaddrinfo ENOTFOUND {_HOST}")),
    # Java: java.net.UnknownHostException: example-api.com: Temporary failure in name resolution
    ("no-answer", re.compile(rf"UnknownHostException: {_HOST}: Temporary failure in name resolution")),
    ("not-found", re.compile(rf"UnknownHostException: {_HOST}")),
    # curl, wget, ping, psql
    ("not-found", re.compile(rf"[Cc]ould not resolve host:? {_HOST}")),
    ("no-answer", re.compile(r"gaierror: \[Errno -3\] Temporary failure in name resolution")),
    ("not-found", re.compile(r"gaierror: \[Errno -2\] Name or service not known")),
    ("no-answer", re.compile(rf"{_HOST}[\"')]*: (?:\[Errno -3\] )?Temporary failure in name resolution")),
    ("not-found", re.compile(rf"{_HOST}[\"')]*: (?:\[Errno -2\] )?Name or service not known")),
    # Python and others, without the name on the line
    ("no-answer", re.compile(r"Temporary failure in name resolution|EAI_AGAIN")),
    ("not-found", re.compile(r"Name or service not known|nodename nor servname provided")),
)
_HINT = re.compile(r"host='(?P<name>[A-Za-z0-9_.-]{1,253})'|https?://(?P<url>[A-Za-z0-9_.-]{1,253})")


def read(lines: Iterable[LogLine]) -> tuple[Unresolved, ...]:
    """The name-resolution errors of a log, in their order."""
    found: list[Unresolved] = []
    for line in lines:
        text = line.text[:LINE_CHARS]
        for kind, pattern in _PATTERNS:
            match = pattern.search(text)
            if match:
                found.append(Unresolved(name=_name(match, text), kind=kind, line=line.text, at=line.at))
                break
    return tuple(found)


def _name(match: re.Match[str], text: str) -> str:
    named = match.groupdict().get("name") or ""
    if named and not named.isdigit() and named not in {"Errno", "error"}:
        return named.lower()
    hint = _HINT.search(text)
    return (hint["name"] or hint["url"] or "").lower() if hint else ""
