"""Reads what ``dig``, ``nslookup`` and resolv.conf say.

A tool that did not ask (not installed, wrong argument) gives None: that is no answer and no silence. Captured::

    ;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 53023
    ;; ANSWER SECTION:
    example-api.com.    60  IN  A   203.0.113.7
    ;; Query time: 3 msec
    ;; SERVER: 10.16.16.16#53(10.16.16.16) (UDP)
"""

from __future__ import annotations

import re
from typing import Protocol

from bot.source import Answer, Output

STATUS = re.compile(r"status: ([A-Z]+)")
RECORD = re.compile(r"^(?P<owner>[^;\s]\S*)\s+\d+\s+(?:IN\s+)?(?P<type>[A-Z]+)\s+(?P<value>.+?)\s*$")
MSEC = re.compile(r"Query time: (\d+) msec")
SILENT = ("timed out", "no servers could be reached")
MISSING = (126, 127)
TIMED_OUT = 124  # of timeout(1): older tools say nothing until they give up


class Reader(Protocol):
    """A parser of what one tool printed for one question."""

    def __call__(self, output: Output, *, origin: str, server: str, name: str, kind: str) -> Answer | None:
        """The answer, or None when the tool did not ask."""
        ...


def dig(output: Output, *, origin: str, server: str, name: str, kind: str) -> Answer | None:
    """The answer that ``dig`` printed, or None when it did not ask."""
    text = output.text
    if output.denied or output.rc in MISSING or ("not found" in text and "status:" not in text):
        return None
    status = STATUS.search(text)
    if status:
        took = MSEC.search(text)
        return Answer(
            origin=origin,
            server=server,
            name=name,
            type=kind,
            rcode=status[1],
            addresses=_records(text, kind),
            ms=int(took[1]) if took else 0,
        )
    rcode = _silence(text) or ("timeout" if output.rc == TIMED_OUT else "")
    return Answer(origin=origin, server=server, name=name, type=kind, rcode=rcode) if rcode else None


def _records(text: str, kind: str) -> tuple[str, ...]:
    found = (RECORD.match(line) for line in text.splitlines())
    return tuple(m["value"].rstrip(".") if kind != "SRV" else m["value"] for m in found if m and m["type"] == kind)


def _silence(text: str) -> str:
    lower = text.lower()
    if "connection refused" in lower:
        return "refused"
    if "network unreachable" in lower or "network is unreachable" in lower or "host unreachable" in lower:
        return "unreachable"
    return "timeout" if any(word in lower for word in SILENT) else ""


def nslookup(output: Output, *, origin: str, server: str, name: str, kind: str) -> Answer | None:
    """The answer that ``nslookup`` (BIND's or busybox's) printed, or None when it did not ask."""
    text = output.text
    if output.denied or output.rc in MISSING:
        return None
    refusal = re.search(r"server can't find [^:]+(?::53)?: ([A-Z]+)", text)
    if refusal:
        return Answer(origin=origin, server=server, name=name, type=kind, rcode=refusal[1])
    silence = _silence(text) or ("timeout" if output.rc == TIMED_OUT else "")
    if silence:
        return Answer(origin=origin, server=server, name=name, type=kind, rcode=silence)
    body = text.partition("Name:")[2]
    if not body:
        return None
    found = re.findall(r"Address(?: \d+)?:\s*([0-9a-fA-F:.]+)", body)
    return Answer(origin=origin, server=server, name=name, type=kind, rcode="NOERROR", addresses=tuple(found))


def resolv_conf(text: str) -> tuple[tuple[str, ...], tuple[str, ...], int]:
    """Name servers, search list and ndots of a resolv.conf (man 5 resolv.conf: the last ``search`` wins)."""
    servers: list[str] = []
    searches: tuple[str, ...] = ()
    ndots = 1
    for line in text.splitlines():
        words = line.split("#", 1)[0].split(";", 1)[0].split()
        if len(words) > 1 and words[0] == "nameserver":
            servers.append(words[1].partition("%")[0])
        elif len(words) > 1 and words[0] in {"search", "domain"}:
            searches = tuple(w.rstrip(".").lower() for w in words[1:])
        elif words[:1] == ["options"]:
            ndots = next((int(w[6:]) for w in words if re.fullmatch(r"ndots:\d{1,2}", w)), ndots)
    return tuple(servers), searches, ndots
