"""What is known about the resource metrics API: the server's pods, what it could not scrape, what it serves."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from bot.model.cluster import Log
from bot.model.evidence import Evidence
from bot.model.k8s import Pod, Workload


@dataclass(frozen=True, slots=True, kw_only=True)
class MetricsServer(Evidence):
    """The Deployment and the pods that serve the metrics API.

    Attributes:
        service: ``ns/name`` of the Service that the APIService names, empty when there is no APIService.
        deployments: Deployments whose name or pods say metrics-server (or Heapster, where the group is the legacy one).
        resolution: seconds between two scrapes.
        legacy: whether it serves the legacy group ``metrics`` only.
    """

    words: ClassVar[str] = "the pods of metrics-server"

    service: str
    deployments: tuple[Workload, ...]
    pods: tuple[Pod, ...]
    resolution: int
    legacy: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ScrapeFailure:
    """A kubelet that metrics-server could not scrape, folded from the log lines that say so.

    Attributes:
        node: the node's name, or the address when no node has it.
        reason: ``refused``, ``timeout``, ``no-route``, ``unauthorized``, ``tls``, ``name``, ``other``.
        error: the newest error text.
        first: the oldest such line that was read; last: the newest.
        began: the first failure, when the log reaches back to a time without it; else None.
        lines: the newest lines, oldest first.
    """

    node: str
    reason: str
    error: str
    times: int
    first: datetime | None
    last: datetime | None
    began: datetime | None
    lines: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Scrapes(Evidence):
    """The logs of metrics-server and the failed scrapes in them that are inside the window.

    Attributes:
        logs: current logs, one per pod whose log could be read.
        unread: ``ns/pod`` → why its log could not be read; without any log in ``logs`` nothing is known about scrapes.
    """

    words: ClassVar[str] = "the logs of metrics-server"

    failures: tuple[ScrapeFailure, ...]
    logs: tuple[Log, ...]
    unread: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeMetrics(Evidence):
    """``GET /apis/metrics.k8s.io/v1beta1/nodes``, when it answered: node → time of its newest sample."""

    words: ClassVar[str] = "the nodes' metrics"

    sampled: Mapping[str, datetime | None]
