"""NODE-26: the kubelet itself uses gigabytes of memory."""

from __future__ import annotations

import re
from collections.abc import Iterator
from statistics import median

from bot.check import check
from bot.checks.node.about import restart
from bot.model.cluster import Nodes, PodsOnNode
from bot.model.evidence import Expectations, PerNode
from bot.model.finding import Confidence, Finding, Severity
from bot.model.host import KubeletArguments, KubeletProcess
from bot.model.refs import node
from bot.model.text import T, Text

GIB = 1024**3
LARGE, TIMES, CROWDED, ALIKE = 1.5, 3.0, 200, 2.0
_AFFECTED = re.compile(r"^v1\.1[23]\.")
_HYPERKUBE = re.compile(r"(?m)^ExecStart=.*hyperkube")


@check("NODE-26")
def leaking_kubelet(
    *,
    process: KubeletProcess,
    every: PerNode[KubeletProcess],
    pods: PodsOnNode,
    others: PerNode[PodsOnNode],
    nodes: Nodes | None,
    arguments: KubeletArguments | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """The kubelet of a node uses far more memory than it needs.

    Says:
        "The kubelet uses more than 2 GB and grows".
    Evidence:
        The resident memory of its process, that of the kubelets of other nodes that were looked into, the number of
        pods, its version, its unit.
    Rule:
        More than 1.5 GiB of resident memory, and three times the median of nodes with about as many pods; or the
        version that is known to leak, 1.12 or 1.13 run through hyperkube. Without one of these it stays possible.
    Cause:
        Old: metrics of every watch are never freed. Otherwise another leak, or leaked cgroups (NODE-24). It explains
        NODE-21 and NODE-06.
    Fix:
        Upgrade; until then restart the kubelet.
    Verify:
        VmRSS stays flat for a day.
    Must not fire:
        More than 200 pods on the node; the page cache, which systemd counts and this rule does not.
    Reasons:
        - known-leak: a version that is known to leak, run through hyperkube
        - larger-than-peers: three times as much as on nodes with about as many pods
        - large: large, but there is nothing to compare it with
    """
    limits = expect.thresholds.get("NODE-26", {}) if expect else {}
    if process.rss_bytes <= limits.get("gib", LARGE) * GIB or len(pods.items) > CROWDED:
        return
    here = nodes.get(process.node) if nodes else None
    version = here.status.node_info.kubelet_version if here else ""
    known = _AFFECTED.match(version) and arguments is not None and _HYPERKUBE.search(arguments.unit)
    peers = _peers(process.node, every, pods, others)
    usual = median(p.rss_bytes for p in peers) if peers else None
    larger = usual is not None and process.rss_bytes > limits.get("times", TIMES) * usual
    if usual is not None and not larger and not known:
        return
    reason = "known-leak" if known else "larger-than-peers" if larger else "large"
    confirmed = bool(known) and larger
    yield Finding(
        code="NODE-26",
        reason=reason,
        title=_title(reason, process, version),
        severity=Severity.HIGH,
        confidence=Confidence.POSSIBLE
        if reason == "large"
        else Confidence.CONFIRMED
        if confirmed
        else Confidence.LIKELY,
        subject=node(process.node),
        facts={"node": process.node, "rss_mib": process.rss_bytes // 1024**2, "kubelet": version},
        proofs=(
            process.proof,
            *(p.proof for p in peers[:2]),
            *((arguments.proof,) if arguments and known else ()),
        ),
        fixes=(
            restart(
                T("Upgrade the kubelet; until then restart it, which frees the memory. Containers keep running."),
                "sudo systemctl restart kubelet",
            ),
        ),
    )


def _peers(
    name: str, every: PerNode[KubeletProcess], pods: PodsOnNode, others: PerNode[PodsOnNode]
) -> tuple[KubeletProcess, ...]:
    """The kubelets of nodes with about as many pods: at most twice, at least half."""
    counts = {key: len(found.items) for key, found in others.by_node.items()}
    mine = max(1, len(pods.items))
    alike = {key for key, count in counts.items() if mine / ALIKE <= max(1, count) <= mine * ALIKE}
    return tuple(p for p in every.others(name) if p.node in alike and p.rss_bytes > 0)


def _title(reason: str, process: KubeletProcess, version: str) -> Text:
    mib = process.rss_bytes // 1024**2
    if reason == "known-leak":
        return T(
            "the kubelet of {node} uses {mib} MiB; {version} run through hyperkube is known to leak",
            node=process.node,
            mib=mib,
            version=version,
        )
    return T("the kubelet of {node} uses {mib} MiB of memory", node=process.node, mib=mib)
