"""NET-11: the kernel has no room for another connection."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

from bot.check import check
from bot.checks.net.about import bypasses_iptables
from bot.model.cluster import PodsOnNode
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import KernelLog
from bot.model.host_traffic import Conntrack, is_proxy
from bot.model.lines import current
from bot.model.refs import node
from bot.model.text import T, Text

# Newer kernels name the network namespace, unless it is the machine's own: then it is one of a pod, or the node is a
# container itself. Seen on 6.18: "nf_conntrack: nf_conntrack: table full in netns 4026532247, dropping packet".
_FULL = re.compile(r"nf_conntrack: (?:nf_conntrack: )?table full(?: in netns \d+)?, dropping packet")
_ELSEWHERE = re.compile(r"table full in netns ")


@check("NET-11")
def full_conntrack_table(
    *,
    table: Conntrack,
    clock: Clock,
    kernel: KernelLog | None,
    pods: PodsOnNode | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """The table of tracked connections is full, so packets of new connections are dropped.

    Says:
        "Connections time out at random on one node", "nf_conntrack: table full".
    Evidence:
        nf_conntrack_count and nf_conntrack_max; the kernel's log; insert_failed, drop and early_drop of conntrack -S.
    Rule:
        The table is 90 % full, or the kernel has said lately that it is full. Confirmed by both. A line about another
        network namespace counts only while this table is full and has dropped packets, too.
    Cause:
        A flood of connections, or a small maximum. It explains APP-02, APP-03, DNS-14.
    Fix:
        Raise the maximum; give kube-proxy a larger conntrack.maxPerCore.
    Verify:
        The table is less than 70 % full.
    Must not fire:
        CNIs that track connections in eBPF, without kube-proxy: theirs is another table, this one counts only when
        the kernel says that it drops packets.
    Reasons:
        - table-full: the kernel drops packets
        - nearly-full: the table is almost full, nothing was dropped yet
    """
    limit = (expect.thresholds.get("NET-11", {}) if expect else {}).get("percent", 90)
    crowded = table.percent >= limit
    dropped = bool((table.failed or {}).get("drop"))
    lines = [
        x
        for x in current(kernel.lines if kernel else (), _FULL, clock)
        if (crowded and dropped) or not _ELSEWHERE.search(x.text)
    ]
    if not lines and (not crowded or _tracked_elsewhere(pods)):
        return
    said = [f"{name}={number}" for name, number in (table.failed or {}).items() if number]
    counted = f"nf_conntrack_count={table.count} nf_conntrack_max={table.maximum}"
    yield Finding(
        code="NET-11",
        reason="table-full" if lines else "nearly-full",
        title=_title(table, crowded=crowded, last=max((x.at for x in lines if x.at), default=None), full=bool(lines)),
        severity=Severity.HIGH,
        confidence=_confidence(crowded=crowded, told=bool(lines), used=pods is not None),
        subject=node(table.node),
        facts={
            "node": table.node,
            "count": table.count,
            "maximum": table.maximum,
            "insert_failed": "true" if (table.failed or {}).get("insert_failed") else "false",
        },
        onset=next((x.at for x in lines if x.at), None),
        proofs=(
            table.proof.quote(counted, *said),
            *((kernel.proof.quote(*(x.text for x in lines[-2:])),) if kernel and lines else ()),
        ),
        fixes=(_raise(table.maximum),),
    )


def _confidence(*, crowded: bool, told: bool, used: bool) -> Confidence:
    """The count alone says nothing where nobody knows whether Services go through this table."""
    if crowded and told:
        return Confidence.CONFIRMED
    return Confidence.LIKELY if told or used else Confidence.POSSIBLE


def _tracked_elsewhere(pods: PodsOnNode | None) -> bool:
    """Whether pods and Services do without this table: an eBPF CNI, and no kube-proxy beside it."""
    return bypasses_iptables(pods) and not any(is_proxy(p) for p in (pods.items if pods else ()))


def _title(table: Conntrack, *, crowded: bool, full: bool, last: datetime | None) -> Text:
    if not full:
        return T("the conntrack table of {node} is {percent} % full", node=table.node, percent=int(table.percent))
    if crowded or last is None:
        return T("{node} has no room for new connections: the conntrack table is full", node=table.node)
    return T("{node} has dropped new connections: the conntrack table was full at {time}", node=table.node, time=last)


def _raise(maximum: int) -> Fix:
    name = "net.netfilter.nf_conntrack_max"
    return Fix(
        what=T(
            "On the node: double the maximum until its next boot; set conntrack.maxPerCore of kube-proxy to keep it."
        ),
        safety=Safety.REVERSIBLE,
        commands=(f"sudo sysctl -w {name}={maximum * 2}", "kubectl -n kube-system edit configmap kube-proxy"),
        verify=(f"sysctl net.netfilter.nf_conntrack_count {name}",),
        undo=(f"sudo sysctl -w {name}={maximum}",),
    )
