"""NET-12: kube-proxy cannot delete stale connections because a program is missing."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import datetime

from bot.check import check
from bot.model.cluster import LogLine
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import KubeletLog
from bot.model.host_traffic import ServiceProxy
from bot.model.k8s import Pod
from bot.model.refs import node
from bot.model.text import T

_MISSING = re.compile(
    r'error looking for path of conntrack: exec: \\?"conntrack\\?": executable file not found in \$PATH'
)
_KUBELET = re.compile(r"binary conntrack is not installed|\[ERROR FileExisting-conntrack\]")
LATEST, OFTEN = 600.0, 3


@check("NET-12")
def missing_conntrack_binary(proxy: ServiceProxy, clock: Clock, log: KubeletLog | None) -> Iterator[Finding]:
    """kube-proxy looks for the program conntrack and does not find it, so stale UDP entries survive.

    Says:
        "Service DNS fails intermittently after endpoints changed."
    Evidence:
        kube-proxy's log on the node; what the kubelet says about the same program.
    Rule:
        kube-proxy has said in the window, and since its start, that it did not find the program: such a version needs
        it. Confirmed when the kubelet misses it, too.
    Cause:
        conntrack-tools is missing on the host or in the image. Entries to pods that are gone survive: DNS-14, APP-01.
    Fix:
        Install conntrack-tools and restart kube-proxy.
    Verify:
        The line does not come back.
    Must not fire:
        Recent versions, which ask the kernel themselves (netlink), as long as they report no error.
    Reasons:
        - no-binary: the program is not in the path
    """
    for pod in proxy.pods:
        found = proxy.logs.get(pod.path)
        hits = _current(pod, found.lines if found else (), clock)
        if not found or not hits:
            continue
        also = [x.text for x in (log.lines if log else ()) if _KUBELET.search(x.text)]
        yield Finding(
            code="NET-12",
            reason="no-binary",
            title=T("kube-proxy on {node} does not find the program conntrack", node=proxy.node),
            detail=T("UDP connections to pods that are gone are not removed: their packets are lost."),
            severity=Severity.HIGH,
            confidence=Confidence.CONFIRMED if also else Confidence.LIKELY,
            subject=node(proxy.node),
            facts={"node": proxy.node, "pod": pod.path, "component": "kube-proxy"},
            onset=hits[0].at,
            proofs=(
                found.proof.quote(*(x.text for x in hits[-2:])),
                *((log.proof.quote(*also[-2:]),) if log and also else ()),
            ),
            fixes=_fixes(pod),
        )
        return


def _current(pod: Pod, lines: tuple[LogLine, ...], clock: Clock) -> list[LogLine]:
    """The lines that count (catalogue, Freshness): of this start, in the window, and either new or frequent."""
    began = _started(pod)
    hits = [
        x
        for x in lines
        if _MISSING.search(x.text)
        and (x.at is None or (clock.age(x.at) <= clock.window_seconds and (began is None or x.at >= began)))
    ]
    newest = hits[-1].at if hits else None
    return hits if len(hits) >= OFTEN or (newest is not None and clock.age(newest) <= LATEST) else []


def _started(pod: Pod) -> datetime | None:
    starts = [c.state.running.started_at for c in pod.status.container_statuses or () if c.state.running]
    return max((s for s in starts if s), default=None)


def _fixes(pod: Pod) -> tuple[Fix, ...]:
    name, space = shlex.quote(pod.metadata.name), shlex.quote(pod.metadata.namespace or "kube-system")
    install = Fix(
        what=T("On the node, or in kube-proxy's image: install conntrack-tools; then restart kube-proxy."),
        safety=Safety.REVERSIBLE,
        commands=("sudo apt-get install -y conntrack", f"kubectl -n {space} delete pod {name}"),
        verify=(f"kubectl -n {space} logs -l k8s-app=kube-proxy --since=10m | grep conntrack",),
    )
    clear = Fix(
        what=T("On the node: remove the entries that are left; running DNS questions fail once."),
        safety=Safety.DISRUPTIVE,
        commands=("sudo conntrack -D -p udp --dport 53",),
    )
    return install, clear
