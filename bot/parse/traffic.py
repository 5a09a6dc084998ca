"""Counters of the node's traffic: connection tracking, Service rules, reverse-path drops."""

from __future__ import annotations

import re

from bot.parse.common import UnparsableError, find_json

_PAIR = re.compile(r"\b(insert_failed|drop|early_drop)=(\d+)")
_NSTAT = re.compile(r"(?m)^TcpExtIPReversePathFilter\s+(\d+)")
_FIELD = "IPReversePathFilter"
_NO_WAY = re.compile(r"RTNETLINK answers: (.+)")
_OTHER_TABLES = "iptables-legacy tables present"


def conntrack_count(text: str) -> tuple[int, int]:
    """``nf_conntrack_count`` and ``nf_conntrack_max``, a number a line.

    Raises:
        UnparsableError: not two numbers: the kernel does not track connections, or the files are not there.
    """
    numbers = [line.strip() for line in text.splitlines() if line.strip()]
    if len(numbers) != 2 or not all(n.isdigit() for n in numbers):  # noqa: PLR2004 - count and maximum
        raise UnparsableError("number of tracked connections", text)
    return int(numbers[0]), int(numbers[1])


def conntrack_stat(text: str) -> dict[str, int]:
    """``conntrack -S``: the sums over all CPUs of what failed.

    Raises:
        UnparsableError: no counter.
    """
    found: dict[str, int] = {}
    for name, value in _PAIR.findall(text):
        found[name] = found.get(name, 0) + int(value)
    if not found:
        raise UnparsableError("conntrack -S", text)
    return found


def service_rules(text: str) -> int:
    """``grep -c``: one number; iptables may warn before it.

    Raises:
        UnparsableError: iptables complained, or counted none in one of two sets of tables: the 0 then says nothing.
    """
    lines = [line.strip() for line in text.splitlines() if line.strip() and not line.startswith("#")]
    if len(lines) != 1 or not lines[0].isdigit() or (lines[0] == "0" and _OTHER_TABLES in text):
        raise UnparsableError("count of rules", text)
    return int(lines[0])


def nft_tables(text: str) -> bool:
    """``nft list tables``: whether kube-proxy's own table is among them.

    Raises:
        UnparsableError: something else was printed.
    """
    lines = [line for line in text.splitlines() if line.strip()]
    if lines and not any(line.startswith("table ") for line in lines):
        raise UnparsableError("list of nftables tables", text)
    return any(re.match(r"table (?:ip|ip6|inet) kube-proxy\b", line) for line in lines)


def ipvs_services(text: str) -> int:
    """``ipvsadm -Ln``: how many virtual servers there are.

    Raises:
        UnparsableError: no header: ipvsadm is not there, or the kernel has no ipvs.
    """
    if "IP Virtual Server version" not in text and not re.search(r"(?m)^(?:TCP|UDP|SCTP)\s", text):
        raise UnparsableError("list of virtual servers", text)
    return len(re.findall(r"(?m)^(?:TCP|UDP|SCTP)\s", text))


def way(text: str) -> tuple[str, str, str]:
    """``ip -j route get``: device and gateway, or the kernel's words when it has no way.

    Raises:
        UnparsableError: something else was printed, such as the complaint of an ``ip`` without ``-j``.
    """
    refused = _NO_WAY.search(text)
    if refused:
        return "", "", refused[1].strip()
    found = [item for item in find_json(text, "ip route get") if isinstance(item, dict)]
    if not found:
        raise UnparsableError("ip route get", text)
    return str(found[0].get("dev", "")), str(found[0].get("gateway", "")), ""


def reverse_path(text: str) -> tuple[int, ...]:
    """Readings of ``TcpExtIPReversePathFilter``: by nstat, or from the two ``TcpExt:`` lines of /proc/net/netstat.

    Raises:
        UnparsableError: no reading.
    """
    found = [int(n) for n in _NSTAT.findall(text)]
    rows = [line.split()[1:] for line in text.splitlines() if line.startswith("TcpExt:")]
    for names, values in zip(rows[::2], rows[1::2], strict=False):
        if _FIELD in names and len(values) == len(names):
            found.append(int(values[names.index(_FIELD)]))
    if not found:
        raise UnparsableError("count of reverse-path drops", text)
    return tuple(found)
