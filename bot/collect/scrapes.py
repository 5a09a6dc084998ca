r"""Parses the log of metrics-server: which kubelets it could not scrape, in the words of every version (METRICS-03).

Forms, oldest first (each is one line)::

    E1121 04:10:20.1 manager.go:102] Error in scraping containers from kubelet_summary:10.0.0.13:10255:
        Get http://10.0.0.13:10255/stats/summary/: dial tcp 10.0.0.13:10255: getsockopt: connection refused      (0.2)
    unable to fully scrape metrics from source kubelet_summary:node-3: unable to fetch metrics from Kubelet ...  (0.3)
    unable to fully scrape metrics from node node-3: unable to fetch metrics from node node-3: Get "https://...  (0.4)
    "Failed to scrape node" err="Get \"https://10.0.0.13:10250/metrics/resource\": dial tcp ..." node="node-3"  (0.5)
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping
from datetime import datetime, timedelta

from bot.model.cluster import LogLine
from bot.model.metrics import ScrapeFailure

_NEW = re.compile(
    r'"Failed to scrape node(?:, timeout to access kubelet)?".*?err="(?P<error>.*)" node="(?P<node>[^"\s]+)"'
)
_NODE = re.compile(r"unable to fully scrape metrics from node (?P<node>[^\s:]+): (?P<error>.*)")
_SOURCE = re.compile(r"unable to fully scrape metrics from source kubelet_summary:(?P<node>[^\s:]+): (?P<error>.*)")
_OLD = re.compile(r"Error in scraping containers from kubelet(?:_summary)?:(?P<node>[^\s:]+)(?::\d+)?: (?P<error>.*)")
FORMS = (_NEW, _NODE, _SOURCE, _OLD)
_NESTED = re.compile(r"unable to fully scrape metrics from (?:node|source)[^,\]]*")
REASONS = (
    ("refused", re.compile(r"connection refused")),
    ("no-route", re.compile(r"no route to host|network is unreachable")),
    ("unauthorized", re.compile(r"401 Unauthorized|403 Forbidden")),
    ("tls", re.compile(r"x509:|tls:")),
    ("name", re.compile(r"no such host")),
    ("timeout", re.compile(r"i/o timeout|context deadline exceeded|request canceled|timeout to access kubelet")),
)
KEPT = 3
WORKED = timedelta(minutes=2)


def reason_of(error: str) -> str:
    """The class of a scrape error; ``other`` when none is known."""
    return next((word for word, pattern in REASONS if pattern.search(error)), "other")


def failures(lines: Iterable[LogLine], names: Mapping[str, str]) -> tuple[ScrapeFailure, ...]:
    """Fold the lines about failed scrapes by node.

    Args:
        lines: log lines inside the window.
        names: node address → node name.
    """
    found: dict[str, list[tuple[LogLine, str]]] = {}
    ordered = tuple(lines)
    start = next((line.at for line in ordered if line.at), None)
    for line in ordered:
        for node, error in _failed(line.text):
            found.setdefault(names.get(node, node), []).append((line, error))
    return tuple(_fold(node, hits, start) for node, hits in found.items())


def _failed(text: str) -> list[tuple[str, str]]:
    if "unable to fully collect metrics" in text:  # 0.3 and 0.4 report several nodes in one line
        parts = [m[0] for m in _NESTED.finditer(text)]
        return [hit for part in parts for hit in _failed_one(part)]
    return _failed_one(text)


def _failed_one(text: str) -> list[tuple[str, str]]:
    for form in FORMS:
        hit = form.search(text)
        if hit:
            return [(hit["node"], hit["error"])]
    return []


def _fold(node: str, hits: list[tuple[LogLine, str]], start: datetime | None) -> ScrapeFailure:
    times = [line.at for line, _ in hits if line.at]
    first = min(times, default=None)
    seen_working = first is not None and start is not None and first - start >= WORKED
    newest = hits[-1][1]
    return ScrapeFailure(
        node=node,
        reason=reason_of(newest),
        error=newest,
        times=len(hits),
        first=first,
        began=first if seen_working else None,
        last=max(times, default=None),
        lines=tuple(line.text for line, _ in hits[-KEPT:]),
    )
