"""The recorded answers of DNS servers (``kubewhy/dns.json``): as the bot's own resolver, and as ``dig`` on a node."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from fnmatch import fnmatchcase
from typing import Any

from bot.bundle.recording import Bundle
from bot.errors import BundleError, Kind, SourceError
from bot.source import Answer

FILE = "kubewhy/dns.json"
BOT = "bot"
_SILENT = {"timeout": "timed out", "refused": "connection refused", "unreachable": "network unreachable"}


class RecordedNames:
    """Answers questions as they were answered when the cluster was recorded."""

    def __init__(self, bundle: Bundle) -> None:
        self._answers = {_key(a, tcp=tcp): a for a, tcp in _read(bundle)}
        self._patterns = [(key, answer) for key, answer in self._answers.items() if "*" in key[2]]

    def ask(self, server: str, name: str, kind: str = "A", *, tcp: bool = False, timeout: float = 2.0) -> Answer:  # noqa: ARG002 - a recording does not wait
        """See :class:`bot.source.Resolver`."""
        found = self.find(BOT, server, name, kind, tcp=tcp)
        if found is None:
            raise SourceError(
                Kind.NOT_RECORDED, f"DNS {name} {kind} @{server}", "the bundle holds no such question of the bot"
            )
        return found

    def find(self, origin: str, server: str, name: str, kind: str = "A", *, tcp: bool = False) -> Answer | None:
        """The answer that ``bot``, ``node/NAME`` or ``pod/NS/NAME`` got, or None when it was not recorded.

        A question over TCP is answered by what was recorded over TCP, else by an answer over UDP that is no silence:
        silence over UDP says nothing about TCP.
        """
        over_udp = self._get(origin, server, name, kind, tcp=False)
        if not tcp:
            return over_udp
        return self._get(origin, server, name, kind, tcp=True) or (over_udp if over_udp and over_udp.answered else None)

    def _get(self, origin: str, server: str, name: str, kind: str, *, tcp: bool) -> Answer | None:
        """The answer to that question, else to a pattern: ``*.svc.cluster.local`` stands for random names."""
        asked = _plain(name)
        found = self._answers.get((origin, server, asked, kind.upper(), tcp))
        if found is not None:
            return found
        for key, answer in self._patterns:
            if (key[0], key[1], key[3], key[4]) == (origin, server, kind.upper(), tcp) and fnmatchcase(asked, key[2]):
                return replace(answer, name=name)
        return None

    def all(self, origin: str = BOT) -> tuple[Answer, ...]:
        """Every recorded answer that ``origin`` got over UDP."""
        return tuple(a for (whose, _, _, _, tcp), a in self._answers.items() if whose == origin and not tcp)


def dig_text(answer: Answer) -> str:
    """What ``dig +noall +comments +answer +stats`` prints for an answer."""
    if not answer.answered:
        trouble = _SILENT.get(answer.rcode, answer.rcode)
        said = f";; communications error to {answer.server}#53: {trouble}\n" if answer.rcode != "unreachable" else ""
        return f"{said};; no servers could be reached\n"
    owner = f"{_plain(answer.name)}."
    records = "".join(f"{owner}\t30\tIN\t{answer.type}\t{address}\n" for address in answer.addresses)
    body = f"\n;; ANSWER SECTION:\n{records}" if records else ""
    return (
        f";; Got answer:\n;; ->>HEADER<<- opcode: QUERY, status: {answer.rcode}, id: 4711\n"
        f";; flags: qr rd ra; QUERY: 1, ANSWER: {len(answer.addresses)}, AUTHORITY: 0, ADDITIONAL: 0\n{body}\n"
        f";; Query time: {answer.ms} msec\n;; SERVER: {answer.server}#53({answer.server}) (UDP)\n"
    )


def _read(bundle: Bundle) -> Iterable[tuple[Answer, bool]]:
    data = bundle.json(FILE)
    for i, entry in enumerate(_list(data, bundle)):
        try:
            yield _answer(entry), bool(entry.get("tcp", False))
        except (KeyError, TypeError, ValueError, AttributeError) as error:
            raise BundleError(f"{bundle.name}: {FILE}: entry {i}: {type(error).__name__} {error}") from None


def _list(data: Any, bundle: Bundle) -> list[Any]:
    if data is None:
        return []
    if not isinstance(data, list):
        raise BundleError(f"{bundle.name}: {FILE} is no list")
    return data


def _answer(entry: Mapping[str, Any]) -> Answer:
    rcode = str(entry["rcode"])
    return Answer(
        origin=str(entry.get("from", BOT)),
        server=str(entry["server"]),
        name=str(entry["name"]),
        type=str(entry.get("type", "A")).upper(),
        rcode=rcode.lower() if rcode.lower() in _SILENT else rcode.upper(),
        addresses=tuple(str(a) for a in entry.get("answers") or ()),
        ms=int(entry.get("ms") or 0),
    )


def _key(answer: Answer, *, tcp: bool) -> tuple[str, str, str, str, bool]:
    return answer.origin, answer.server, _plain(answer.name), answer.type, tcp


def _plain(name: str) -> str:
    return name.rstrip(".").lower()
