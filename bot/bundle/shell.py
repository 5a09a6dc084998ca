"""The recorded nodes (``kubewhy/nodes/<node>/``) as the diagnosis' shell.

What was not recorded is absent from the answer, never an empty output, and a node that could not be reached then cannot
be reached now.
"""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from functools import cache

from bot import framing
from bot.bundle.entries import Entry, entries_of
from bot.bundle.lookup import NodeCommands
from bot.bundle.names import RecordedNames, dig_text
from bot.bundle.recording import NODES, Bundle
from bot.errors import Kind, SourceError
from bot.source import Output, Section

_WHY: tuple[tuple[str, Kind], ...] = (
    (
        r"host key.*(changed|differ|mismatch)|(changed|different).*host key|identification has changed",
        Kind.HOST_KEY_CHANGED,
    ),
    (r"host key|known_hosts", Kind.HOST_KEY_UNKNOWN),
    (r"auth|permission denied|publickey", Kind.AUTHENTICATION),
    (r"refused", Kind.REFUSED),
    (r"time[d ]*\s*-?out", Kind.TIMED_OUT),
    (r"reset|closed by|banner|broken pipe", Kind.RESET),
    (r"", Kind.UNREACHABLE),
)


def why_unreachable(text: str) -> Kind:
    """The class of the words in which SSH to a node failed: ``connection refused`` → REFUSED."""
    return next(kind for pattern, kind in _WHY if re.search(pattern, text, re.IGNORECASE))


class RecordedShell:
    """Answers sections from the recorded commands of the nodes."""

    def __init__(self, bundle: Bundle, names: RecordedNames) -> None:
        self._bundle = bundle
        self._names = names
        self.node = cache(self._node)

    def run(self, node: str, sections: Sequence[Section], *, deadline: float = 25.0) -> Mapping[str, Output]:  # noqa: ARG002 - a recording does not wait
        """See :class:`bot.source.Shell`."""
        reason = self.unreachable(node)
        if reason is not None:
            raise SourceError(why_unreachable(reason), f"SSH to {node}", reason)
        commands = self.node(node)
        if commands is None:
            raise SourceError(Kind.NOT_RECORDED, f"SSH to {node}", "the bundle holds no commands of this node")
        found = ((section, commands.section(section)) for section in sections)
        return {s.key: shown(entry, root=s.root) for s, entry in found if entry is not None}

    def unreachable(self, node: str) -> str | None:
        """Why SSH to a node failed when the cluster was recorded; None when it did not, or was not tried."""
        text = self._bundle.text(f"{NODES}{node}/unreachable")
        return None if text is None else " ".join(text.split())[:200] or "unreachable"

    def _node(self, node: str) -> NodeCommands | None:
        path = f"{NODES}{node}/commands.json"
        if self._bundle.read(path) is None:
            return None
        return NodeCommands(node, entries_of(self._bundle, path), lambda said: self._dig(node, said))

    def _dig(self, node: str, said: tuple[str, ...]) -> Entry | None:
        """``dig`` on a node from what dns.json says that the node was answered."""
        if said[0] != "dig":
            return None
        server = next((w[1:] for w in said if w.startswith("@")), "")
        rest = [w for w in said[1:] if not w.startswith(("@", "+", "-"))]
        if not server or not rest:
            return None
        kind = rest[1] if len(rest) > 1 else "A"
        answer = self._names.find(f"node/{node}", server, rest[0], kind, tcp="+tcp" in said)
        return None if answer is None else Entry(exit=0 if answer.answered else 9, stdout=dig_text(answer))


def shown(entry: Entry, *, root: bool) -> Output:
    """An entry as the output of a section."""
    return framing.output(entry.text.encode(), entry.exit, root=root, took=entry.duration_ms)
