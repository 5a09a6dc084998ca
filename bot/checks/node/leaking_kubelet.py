"""NODE-26: the kubelet itself uses gigabytes of memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime, timedelta
from statistics import median

from bot.check import check
from bot.checks.node.about import restart
from bot.model.cluster import Nodes, PodsOnNode
from bot.model.evidence import Clock, Expectations, PerNode
from bot.model.finding import Confidence, Finding, Severity
from bot.model.host import HostUnits, KubeletArguments, KubeletProcess
from bot.model.host_resources import KubeletPast, KubeletSeries, PastSize
from bot.model.refs import node
from bot.model.text import T, Text

GIB, MIB = 1024**3, 1024**2
LARGE, TIMES, CROWDED, ALIKE = 1.5, 3.0, 200, 2.0
GROWTH, APART = 50.0, timedelta(hours=1)  # MiB an hour, and how far two readings must be apart
SERIES = 10_000
_AFFECTED = re.compile(r"^v1\.1[23]\.")
_HYPERKUBE = re.compile(r"(?m)^ExecStart=.*hyperkube")


@check("NODE-26")
def leaking_kubelet(
    *,
    process: KubeletProcess,
    clock: Clock,
    every: PerNode[KubeletProcess],
    pods: PodsOnNode,
    others: PerNode[PodsOnNode],
    nodes: Nodes | None,
    units: HostUnits | None,
    arguments: KubeletArguments | None,
    series: KubeletSeries | None,
    past: KubeletPast | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """The kubelet of a node uses far more memory than it needs, or more with every hour.

    Says:
        "The kubelet uses more than 2 GB and grows".
    Evidence:
        The resident memory of its process, now and in earlier runs, that of the kubelets of other nodes that were
        looked into, the number of pods, its version, its unit, the series of its metrics.
    Rule:
        More than 1.5 GiB of resident memory, and three times the median of nodes with about as many pods; or growth of
        more than 50 MiB an hour since an earlier run; or the version that is known to leak, 1.12 or 1.13 run through
        hyperkube, with more than 10,000 series of its reflectors. Large alone, or that version alone, is only possible.
    Cause:
        Old: metrics of every watch are never freed. Otherwise another leak, or leaked cgroups (NODE-24). It explains
        NODE-21 and NODE-06.
    Fix:
        Upgrade; until then restart the kubelet.
    Verify:
        VmRSS stays flat for a day.
    Must not fire:
        More than 200 pods on the node, unless others with as many need a third; the page cache, which systemd counts
        and this rule does not; a kubelet that was restarted since the earlier run.
    Reasons:
        - known-leak: a version that is known to leak, run through hyperkube
        - larger-than-peers: three times as much as on nodes with about as many pods
        - growing: it grows from run to run
        - large: large, but there is nothing to compare it with
    """
    limits = expect.thresholds.get("NODE-26", {}) if expect else {}
    large = process.rss_bytes > limits.get("gib", LARGE) * GIB
    here = nodes.get(process.node) if nodes else None
    version = here.status.node_info.kubelet_version if here else ""
    affected = (
        _AFFECTED.match(version) is not None and arguments is not None and bool(_HYPERKUBE.search(arguments.unit))
    )
    leaks = affected and series is not None and _reflectors(series) > SERIES
    peers = _peers(process.node, every, pods, others)
    usual = median(p.rss_bytes for p in peers) if peers else None
    larger = large and usual is not None and process.rss_bytes > limits.get("times", TIMES) * usual
    growth = _growth(process, past, units, clock)
    grows = growth is not None and growth > limits.get("mib_per_hour", GROWTH)
    alone = large and (usual is None or affected) and len(pods.items) <= CROWDED
    if not (leaks or larger or grows or alone):
        return
    reason = "known-leak" if affected else "larger-than-peers" if larger else "growing" if grows else "large"
    strong = sum((leaks, larger, grows))
    yield Finding(
        code="NODE-26",
        reason=reason,
        title=_title(reason, process, version),
        detail=_detail(growth if grows else None, usual if larger else None),
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED
        if leaks or strong > 1
        else Confidence.LIKELY
        if strong
        else Confidence.POSSIBLE,
        subject=node(process.node),
        facts={"node": process.node, "rss_mib": process.rss_bytes // MIB, "kubelet": version},
        proofs=(
            process.proof.quote(f"{process.node}: VmRSS {process.rss_bytes // MIB} MiB, {len(pods.items)} pods"),
            *(p.proof.quote(f"{p.node}: VmRSS {p.rss_bytes // MIB} MiB") for p in peers[:2]),
            *((past.proof,) if past and grows else ()),
            *((series.proof,) if series and leaks else ()),
            *((arguments.proof,) if arguments and affected else ()),
        ),
        fixes=(
            restart(
                T("Upgrade the kubelet; until then restart it, which frees the memory. Containers keep running."),
                "sudo systemctl restart kubelet",
            ),
        ),
    )


def _detail(growth: float | None, usual: float | None) -> Text | None:
    """How fast it grows, or how much others need."""
    if growth is not None:
        return T("It grows by {mib} MiB an hour.", mib=round(growth))
    if usual is not None:
        return T("On nodes with about as many pods it uses {mib} MiB.", mib=round(usual / MIB))
    return None


def _reflectors(series: KubeletSeries) -> int:
    """How many series the reflectors of this kubelet have."""
    return sum(count for name, count in series.by_name.items() if name.startswith("reflector_"))


def _growth(process: KubeletProcess, past: KubeletPast | None, units: HostUnits | None, clock: Clock) -> float | None:
    """MiB an hour since the oldest reading of this process; None without one that is an hour old."""
    kubelet = units.kubelet if units else None
    began: datetime | None = kubelet.started or kubelet.active_since if kubelet else None
    if past is None or began is None:
        return None
    known: list[PastSize] = [p for p in past.items if p.at - began >= APART <= clock.now - p.at]
    if not known:
        return None
    hours = (clock.now - known[0].at).total_seconds() / 3600
    return (process.rss_bytes - known[0].size) / MIB / hours


def _peers(
    name: str, every: PerNode[KubeletProcess], pods: PodsOnNode, others: PerNode[PodsOnNode]
) -> tuple[KubeletProcess, ...]:
    """The kubelets of nodes with about as many pods: at most twice, at least half."""
    counts = {key: len(found.items) for key, found in others.by_node.items()}
    mine = max(1, len(pods.items))
    alike = {key for key, count in counts.items() if mine / ALIKE <= max(1, count) <= mine * ALIKE}
    return tuple(p for p in every.others(name) if p.node in alike and p.rss_bytes > 0)


def _title(reason: str, process: KubeletProcess, version: str) -> Text:
    mib = process.rss_bytes // MIB
    if reason == "known-leak":
        return T(
            "the kubelet of {node} uses {mib} MiB; {version} run through hyperkube is known to leak",
            node=process.node,
            mib=mib,
            version=version,
        )
    if reason == "growing":
        return T("the kubelet of {node} grows: it uses {mib} MiB of memory", node=process.node, mib=mib)
    return T("the kubelet of {node} uses {mib} MiB of memory", node=process.node, mib=mib)
