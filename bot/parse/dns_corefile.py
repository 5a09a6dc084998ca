"""Reads as much of a Corefile as a diagnosis needs: the cluster's zones, where others are forwarded, which plugins run.

The grammar is Caddy's (https://coredns.io/manual/configuration/)::

    .:53 {
        errors
        kubernetes cluster.local in-addr.arpa ip6.arpa {
            pods insecure
        }
        forward . /etc/resolv.conf {
            max_concurrent 1000
        }
    }
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import dataclass

from bot.model.dns import DEFAULT_DOMAIN, RESOLV_CONF, Forward

TOKEN = re.compile(r'"((?:[^"\\]|\\.)*)"|(#[^\n]*)|(\n)|([^\s"]+)')
SCHEME = re.compile(r"^(?:dns|tls|https|grpc)://")
NOT_ZONES = {"import"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Directive:
    """One plugin line: its words and the lines of its block."""

    words: tuple[str, ...]
    body: tuple[tuple[str, ...], ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerBlock:
    """One server block: its zones (without port and last dot, ``.`` for the root) and its plugins."""

    zones: tuple[str, ...]
    directives: tuple[Directive, ...]


def _lines(text: str) -> Iterator[list[str]]:
    """The words of each line, comments gone; ``{`` ends a line, ``}`` stands alone."""
    line: list[str] = []
    for quoted, comment, newline, word in TOKEN.findall(text):
        if comment:
            continue
        if newline or word == "}":
            if line:
                yield line
            line = []
            if word == "}":
                yield ["}"]
        elif word == "{":
            yield [*line, "{"]
            line = []
        else:
            line.append(word or quoted)
    if line:
        yield line


def read(text: str) -> tuple[ServerBlock, ...]:
    """The server blocks of a Corefile; an open block ends with the text, snippets and imports are skipped."""
    blocks: list[ServerBlock] = []
    keys: list[str] = []
    directives: list[Directive] = []
    plugin: list[str] = []
    body: list[tuple[str, ...]] = []
    depth = 0
    for line in _lines(text):
        if line == ["}"]:
            if depth == 2:  # noqa: PLR2004 - a plugin's block inside a server block
                directives.append(Directive(words=tuple(plugin), body=tuple(body)))
                body = []
            elif depth == 1:
                blocks.append(ServerBlock(zones=tuple(_zone(k) for k in keys), directives=tuple(directives)))
                keys, directives = [], []
            depth = max(0, depth - 1)
        elif line[-1] == "{":
            keys, plugin = (keys + line[:-1], plugin) if depth == 0 else (keys, line[:-1] if depth == 1 else plugin)
            depth += 1
        elif depth == 0:
            keys += [] if line[0] in NOT_ZONES else line
        elif depth == 1:
            directives.append(Directive(words=tuple(line)))
        else:
            body.append(tuple(line))
    if keys and depth:
        blocks.append(ServerBlock(zones=tuple(_zone(k) for k in keys), directives=tuple(directives)))
    return tuple(b for b in blocks if not any(z.startswith("(") for z in b.zones))


def _zone(key: str) -> str:
    bare = SCHEME.sub("", key.rstrip(","))
    bare = re.sub(r":\d+$", "", bare)
    return bare.rstrip(".").lower() or "."


def host_of(upstream: str) -> str:
    """An upstream without scheme, port and server name: ``tls://9.9.9.9:853`` → ``9.9.9.9``; a path stays."""
    bare = SCHEME.sub("", upstream).partition("%")[0]
    if bare.startswith("/"):
        return bare
    bracketed = re.fullmatch(r"\[([0-9a-fA-F:.]+)\](?::\d+)?", bare)
    if bracketed:
        return bracketed[1]
    return bare.rsplit(":", 1)[0] if bare.count(":") == 1 else bare


def forwards(blocks: tuple[ServerBlock, ...]) -> tuple[Forward, ...]:
    """Where each zone is forwarded (``forward``; ``proxy`` before CoreDNS 1.5)."""
    found: list[Forward] = []
    for block in blocks:
        for item in block.directives:
            if item.words[0] in {"forward", "proxy"} and len(item.words) >= 3:  # noqa: PLR2004 - plugin, zone, upstream
                own = item.words[1].rstrip(".").lower()
                policy = next((line[1] for line in item.body if line[0] == "policy" and len(line) > 1), "random")
                to = tuple(host_of(u) for u in item.words[2:])
                found += [
                    Forward(zone=own or zone, to=to, policy=policy) for zone in (block.zones if not own else (own,))
                ]
    return tuple(found)


def zones(blocks: tuple[ServerBlock, ...]) -> tuple[str, ...]:
    """The zones of the ``kubernetes`` plugin; without arguments they are those of its block."""
    found: list[str] = []
    for block in blocks:
        for item in block.directives:
            if item.words[0] == "kubernetes":
                found += [z.rstrip(".").lower() for z in item.words[1:]] or [z for z in block.zones if z != "."]
    return tuple(dict.fromkeys(found))


def plugins(blocks: tuple[ServerBlock, ...]) -> frozenset[str]:
    """The names of all plugins in use."""
    return frozenset(item.words[0] for block in blocks for item in block.directives)


def kube_dns_forwards(data: dict[str, str]) -> tuple[Forward, ...]:
    """The ConfigMap ``kube-dns`` in the same terms: ``upstreamNameservers`` and ``stubDomains``, both JSON.

    Raises:
        ValueError: a value is no JSON of that form.
    """
    to = json.loads(data.get("upstreamNameservers") or "[]")
    stubs = json.loads(data.get("stubDomains") or "{}")
    if not isinstance(to, list) or not isinstance(stubs, dict):
        raise ValueError("upstreamNameservers must be a list and stubDomains an object")  # noqa: TRY004 - one error
    found = [Forward(zone=".", to=tuple(host_of(str(u)) for u in to) or (RESOLV_CONF,), policy="sequential")]
    for zone, servers in stubs.items():
        found.append(Forward(zone=zone.rstrip(".").lower(), to=tuple(host_of(str(u)) for u in servers)))
    return tuple(found)


def kube_dns_domain(arguments: tuple[str, ...]) -> str:
    """The cluster domain among kubedns's arguments (``--domain=cluster.local.``)."""
    for argument in arguments:
        if argument.startswith("--domain="):
            return argument.removeprefix("--domain=").rstrip(".").lower()
    return DEFAULT_DOMAIN
