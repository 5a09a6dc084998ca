"""What metrics-server's log says about kubelets, in the words of each version."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.collect.scrapes import failures, reason_of
from bot.model.cluster import LogLine

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
NAMES = {"10.77.0.12": "node2"}

CAPTURED = {
    "0.9": (
        'E1121 11:20:19.299750       1 scraper.go:149] "Failed to scrape node" err="Get "https://10.77.0.12:10250'
        '/metrics/resource": dial tcp 10.77.0.12:10250: connect: connection refused" node="node2"'
    ),
    "0.6": (
        'E1121 scraper.go:140] "Failed to scrape node, timeout to access kubelet" err="Get '
        '"https://10.77.0.12:10250/metrics/resource": context deadline exceeded" node="node2" timeout="10s"'
    ),
    "0.4": (
        "E1121 server.go:132] unable to fully scrape metrics from node node2: unable to fetch metrics from node node2: "
        'Get "https://10.77.0.12:10250/stats/summary?only_cpu_and_memory=true": dial tcp 10.77.0.12:10250: connect: '
        "connection refused"
    ),
    "0.3": (
        "E1121 manager.go:111] unable to fully collect metrics: unable to fully scrape metrics from source "
        "kubelet_summary:node2: unable to fetch metrics from Kubelet node2 (10.77.0.12): Get "
        "https://10.77.0.12:10250/stats/summary/: dial tcp 10.77.0.12:10250: connect: connection refused"
    ),
    "0.2": (
        "E1121 manager.go:102] Error in scraping containers from kubelet_summary:10.77.0.12:10255: Get "
        "http://10.77.0.12:10255/stats/summary/: dial tcp 10.77.0.12:10255: getsockopt: connection refused"
    ),
}


@pytest.mark.parametrize("version", CAPTURED)
def test_every_version_names_the_node(version: str) -> None:
    """An address is turned into the node's name."""
    found = failures([LogLine(text=CAPTURED[version], at=NOW)], NAMES)

    assert ["node2"] == [f.node for f in found]
    assert ("timeout" if version == "0.6" else "refused") == found[0].reason


def test_lines_about_something_else_are_no_failures() -> None:
    """A readiness probe that has nothing to serve says nothing about a node."""
    line = 'I1121 server.go:192] "Failed probe" probe="metric-storage-ready" err="no metrics to serve"'

    assert () == failures([LogLine(text=line, at=NOW)], NAMES)


def test_lines_are_folded_by_node_and_tell_when_it_began() -> None:
    """``began`` is known only when the log shows two minutes without the failure before it."""
    quiet = LogLine(text="I1121 serving", at=NOW - timedelta(minutes=9))
    hits = [LogLine(text=CAPTURED["0.9"], at=NOW - timedelta(minutes=n)) for n in (5, 3, 1)]

    told = failures([quiet, *hits], NAMES)[0]
    cut = failures(hits, NAMES)[0]

    assert (3, hits[0].at, hits[-1].at, hits[0].at) == (told.times, told.first, told.last, told.began)
    assert None is cut.began


@pytest.mark.parametrize(
    ("error", "expected"),
    [
        ('request failed, status: "403 Forbidden"', "unauthorized"),
        ("x509: cannot validate certificate for 10.0.0.1 because it doesn't contain any IP SANs", "tls"),
        ("dial tcp: lookup node2 on 10.96.0.10:53: no such host", "name"),
        ("dial tcp 10.0.0.1:10250: connect: no route to host", "no-route"),
        ("http2: client connection lost", "other"),
    ],
)
def test_the_class_of_an_error(error: str, expected: str) -> None:
    """The class decides which row explains it."""
    assert expected == reason_of(error)
