"""iproute2: links, addresses, rules and routes, as JSON or, where ``ip`` has no ``-j`` (CentOS 7), as text."""

from __future__ import annotations

import itertools
import re
from typing import Any

from bot.model.host_net import Link, Route, Rule
from bot.parse.common import UnparsableError, find_json

_HEAD = re.compile(r"^\d+: ([^:@\s]+)(?:@\S+)?: <([^>]*)> mtu (\d+)(?:.*? state (\S+))?")
_KINDS = frozenset(
    {"veth", "bridge", "vxlan", "ipip", "vlan", "dummy", "tun", "bond", "ipvlan", "macvlan", "wireguard"}
)
_RULE = re.compile(r"^(\d+):\s+from (\S+)(.*?) lookup (\S+)")
_NOWHERE = frozenset({"blackhole", "unreachable", "prohibit", "throw"})
_TYPES = frozenset({"unicast", "local", "broadcast", "multicast", "anycast"})
_DESTINATION = re.compile(r"default|[0-9a-fA-F:.]+(/\d+)?")
_BUSYBOX = "BusyBox v"
_NO_TABLE = re.compile(r"FIB table does not exist")


def links(text: str) -> dict[str, Link]:
    """``ip -j -d link show`` or ``ip -d link``: interfaces by name, without addresses.

    Raises:
        UnparsableError: neither form.
    """
    if is_json(text):
        return {i["ifname"]: _link(i) for i in _interfaces(text, "ip link")}
    return _links_of_text(text)


def is_json(text: str) -> bool:
    """Whether the output is JSON, as far as its shape says: the usage text of busybox has brackets, too."""
    return re.search(r"(?m)^\s*\[\s*(?:[\[{\]]|$)", text) is not None


def _interfaces(text: str, what: str) -> list[dict[str, Any]]:
    """The interfaces of a JSON answer; there is always one, so none is not an answer."""
    found = [i for i in find_json(text, what) if isinstance(i, dict) and "ifname" in i]
    if not found:
        raise UnparsableError(what, text)
    return found


def _link(item: dict[str, Any]) -> Link:
    info = item.get("linkinfo")
    return Link(
        name=str(item["ifname"]),
        up="UP" in (item.get("flags") or ()),
        operstate=str(item.get("operstate", "")),
        kind=str(info.get("info_kind", "")) if isinstance(info, dict) else "",
        mtu=int(item.get("mtu", 0)),
        mac=str(item.get("address", "")),
        names=tuple(str(n) for n in item.get("altnames") or ()),
    )


def _links_of_text(text: str) -> dict[str, Link]:
    found: dict[str, Link] = {}
    blocks = re.split(r"(?m)^(?=\d+: )", text)
    for block in blocks:
        head, _, rest = block.partition("\n")
        m = _HEAD.match(head)
        if not m:
            continue
        mac = re.search(r"link/\S+ ([0-9a-f:]+)", rest)
        kinds = [line.split()[0] for line in rest.splitlines() if line.split()[:1] and line.split()[0] in _KINDS]
        found[m[1]] = Link(
            name=m[1],
            up="UP" in m[2].split(","),
            operstate=m[4] or "",
            kind=kinds[0] if kinds else "",
            mtu=int(m[3]),
            mac=mac[1] if mac else "",
            names=tuple(re.findall(r"(?m)^\s+altname (\S+)", rest)),
        )
    if not found:
        raise UnparsableError("ip link", text)
    return found


def addresses(text: str) -> dict[str, tuple[str, ...]]:
    """``ip -j addr show`` or ``ip addr``: interface → addresses with prefix length.

    Raises:
        UnparsableError: neither form.
    """
    if is_json(text):
        return {
            i["ifname"]: tuple(f"{a['local']}/{a['prefixlen']}" for a in i.get("addr_info") or () if "local" in a)
            for i in _interfaces(text, "ip addr")
        }
    found: dict[str, tuple[str, ...]] = {}
    for block in re.split(r"(?m)^(?=\d+: )", text):
        if m := _HEAD.match(block.partition("\n")[0]):
            found[m[1]] = tuple(re.findall(r"(?m)^\s+inet6? ([0-9a-fA-F:.]+/\d+)", block))
    if not found:
        raise UnparsableError("ip addr", text)
    return found


def rules(text: str) -> tuple[Rule, ...]:
    """``ip -j rule show`` or ``ip rule show``; there are always rules, so none is not an answer.

    Those that look up no table (``unreachable``, ``goto``) and those for what is *not* from somewhere are left out.

    Raises:
        UnparsableError: no rule, or rules of busybox, whose ``ip`` leaves out the interface that a rule is for.
    """
    if _BUSYBOX in text:
        raise UnparsableError("ip rule", text)
    if is_json(text):
        items = [i for i in find_json(text, "ip rule") if isinstance(i, dict)]
        found = [_rule(i) for i in items if "priority" in i and "table" in i and "not" not in i]
    else:
        found = [_rule_of_text(m) for line in text.splitlines() if (m := _RULE.match(line.strip()))]
    if not found:
        raise UnparsableError("ip rule", text)
    return tuple(found)


def _rule(item: dict[str, Any]) -> Rule:
    source = str(item.get("src", "all"))
    length = item.get("srclen")
    to, to_length = str(item.get("dst", "")), item.get("dstlen")
    return Rule(
        priority=int(item.get("priority", 0)),
        source=f"{source}/{length}" if length is not None and source != "all" else source,
        table=str(item.get("table", "")),
        interface=str(next((item[key] for key in ("iif", "iifname", "oif", "oifname") if item.get(key)), "")),
        mark="/".join(str(item[key]) for key in ("fwmark", "fwmask") if key in item),
        destination="" if to == "all" else f"{to}/{to_length}" if to and to_length is not None else to,
    )


def _rule_of_text(m: re.Match[str]) -> Rule:
    interface = re.search(r"\b[io]if (\S+)", m[3])
    mark = re.search(r"\bfwmark (\S+)", m[3])
    to = re.search(r"\bto (\S+)", m[3])
    return Rule(
        priority=int(m[1]),
        source=m[2],
        table=m[4],
        interface=interface[1] if interface else "",
        mark=mark[1] if mark else "",
        destination=to[1] if to and to[1] != "all" else "",
    )


def routes(text: str) -> tuple[Route, ...]:
    """``ip -j route show table T`` or its text; an empty table and one that does not exist are the same: no route.

    A route that leads nowhere (blackhole, unreachable, prohibit, throw) is none.

    Raises:
        UnparsableError: something else was printed.
    """
    if _NO_TABLE.search(text) or not text.strip():
        return ()
    if is_json(text):
        items = find_json(text, "ip route")
        read = [i for i in items if isinstance(i, dict) and "dst" in i]
        if items and not read:
            raise UnparsableError("ip route", text)
        return tuple(_route(i) for i in read if i.get("type") not in _NOWHERE)
    lines = [line.split() for line in text.splitlines() if line.strip()]
    lines = [words[1:] if words[0] in _TYPES else words for words in lines]
    nowhere = [words for words in lines if words[0] in _NOWHERE]
    found = [_route_of_text(words) for words in lines if words and _DESTINATION.fullmatch(words[0])]
    if not found and not nowhere:
        raise UnparsableError("ip route", text)
    return tuple(found)


def _route(item: dict[str, Any]) -> Route:
    return Route(
        destination=str(item.get("dst", "")),
        device=str(item.get("dev", "")),
        gateway=str(item.get("gateway", "")),
        scope=str(item.get("scope", "")),
        protocol=str(item.get("protocol", "")),
    )


def _route_of_text(words: list[str]) -> Route:
    pairs = dict(itertools.pairwise(words))
    return Route(
        destination=words[0],
        device=pairs.get("dev", ""),
        gateway=pairs.get("via", ""),
        scope=pairs.get("scope", ""),
        protocol=pairs.get("proto", ""),
    )
