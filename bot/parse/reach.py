"""What a try to reach something came to: a connection by bash, curl's status, a neighbour, kube-proxy's own ports.

A node that has no bash or no curl did not try: that is no answer, and never "not reachable".
"""

from __future__ import annotations

import re

from bot.parse.common import UnparsableError

_STATUS = re.compile(r"rc=(\d{1,3})\s*\Z")
_HTTP = re.compile(r"(?m)^(\d{3}) [\d.]+$")
_OK, _FAILED = "0", "1"
_TIMED_OUT = frozenset({"124", "143"})  # of timeout(1): coreutils, busybox
_MODES = frozenset({"iptables", "ipvs", "nftables", "userspace", "kernelspace"})
_STATES = frozenset({"REACHABLE", "STALE", "DELAY", "PROBE", "FAILED", "INCOMPLETE", "PERMANENT", "NOARP", "NONE"})


def connected(text: str) -> str:
    """``timeout 3 bash -c '</dev/tcp/…'; echo rc=$?``: ``ok``, ``refused``, ``timeout`` or ``unreachable``.

    Raises:
        UnparsableError: it was not tried.
    """
    found = _STATUS.search(text)
    status = found[1] if found else ""
    if status == _OK:
        return "ok"
    if status in _TIMED_OUT:
        return "timeout"
    if status != _FAILED:
        raise UnparsableError("try to connect", text)
    return "refused" if "refused" in text else "unreachable"


def http_status(text: str) -> int:
    """What a connection by bash, and then curl's ``%{http_code} %{time_connect}`` say; 0 when nothing answered.

    Raises:
        UnparsableError: something else was printed.
    """
    found = _HTTP.findall(text)
    if not found and text.strip() and "/dev/tcp/" not in text:
        raise UnparsableError("HTTP status", text)
    return int(found[-1]) if found else 0


def neighbour(text: str) -> str:
    """``ip neigh show ADDRESS``: the state of its entry; empty when the kernel has none.

    Raises:
        UnparsableError: something else was printed.
    """
    words = text.split()
    if words and words[-1] not in _STATES:
        raise UnparsableError("ip neigh", text)
    return words[-1] if words else ""


def proxy_mode(text: str) -> str:
    """``/proxyMode`` of kube-proxy; empty when nothing listens there.

    Raises:
        UnparsableError: something else answered, or there is no curl.
    """
    mode = text.strip()
    if mode and mode not in _MODES:
        raise UnparsableError("mode of kube-proxy", text)
    return mode


def proxy_health(text: str) -> int | None:
    """The HTTP status of ``/healthz`` of kube-proxy, behind its body; 0 when nothing listens, None when not asked."""
    found = re.search(r"(?:^|[ \n}])(\d{3})\s*\Z", text)
    return int(found[1]) if found else None
