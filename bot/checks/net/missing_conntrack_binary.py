"""NET-12: kube-proxy cannot delete stale connections because a program is missing."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.net.about import running_since
from bot.model.cluster import LogLine
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import HostUnits, KubeletLog, NodeIdentity
from bot.model.host_traffic import ServiceProxy, ServiceProxyLog
from bot.model.k8s import Pod
from bot.model.lines import current
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T

_MISSING = re.compile(
    r'error looking for path of conntrack: exec: \\?"conntrack\\?": executable file not found in \$PATH'
)
_KUBELET = re.compile(r"binary conntrack is not installed|\[ERROR FileExisting-conntrack\]")
INSTALL = {
    "dnf": ("rhel", "centos", "rocky", "almalinux", "fedora", "ol", "amzn"),
    "zypper": ("sles", "opensuse-leap"),
}


@check("NET-12")
def missing_conntrack_binary(
    *,
    proxy: ServiceProxy,
    clock: Clock,
    log: KubeletLog | None,
    identity: NodeIdentity | None,
    journal: ServiceProxyLog | None,
    units: HostUnits | None,
) -> Iterator[Finding]:
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
    for hits, proof, pod in _complaints(proxy, journal, units, clock):
        also = [x.text for x in (log.lines if log else ()) if _KUBELET.search(x.text)]
        yield Finding(
            code="NET-12",
            reason="no-binary",
            title=T("kube-proxy on {node} does not find the program conntrack", node=proxy.node),
            detail=T("UDP connections to pods that are gone are not removed: their packets are lost."),
            severity=Severity.HIGH,
            confidence=Confidence.CONFIRMED if also else Confidence.LIKELY,
            subject=node(proxy.node),
            facts={"node": proxy.node, "pod": pod.path if pod else "", "component": "kube-proxy"},
            onset=hits[0].at,
            proofs=(
                proof.quote(*(x.text for x in hits[-2:])),
                *((log.proof.quote(*also[-2:]),) if log and also else ()),
            ),
            fixes=_fixes(pod, identity.os_id if identity else ""),
        )
        return


def _complaints(
    proxy: ServiceProxy, journal: ServiceProxyLog | None, units: HostUnits | None, clock: Clock
) -> Iterator[tuple[tuple[LogLine, ...], Proof, Pod | None]]:
    """The lines that count (catalogue, Freshness), of kube-proxy's pods and of its unit."""
    for pod in proxy.pods:
        found = proxy.logs.get(pod.path)
        hits = current(found.lines if found else (), _MISSING, clock, running_since(pod))
        if found and hits:
            yield hits, found.proof, pod
    unit = units.get("kube-proxy") if units else None
    hits = current(journal.lines if journal else (), _MISSING, clock, unit.active_since if unit else None)
    if journal and hits:
        yield hits, journal.proof, None


def _fixes(pod: Pod | None, system: str) -> tuple[Fix, ...]:
    again, said = "sudo systemctl restart kube-proxy", "sudo journalctl -u kube-proxy --since -10min | grep conntrack"
    if pod:
        name, space = shlex.quote(pod.metadata.name), shlex.quote(pod.metadata.namespace or "kube-system")
        again = f"kubectl -n {space} delete pod {name}"
        said = f"kubectl -n {space} logs -l k8s-app=kube-proxy --since=10m | grep conntrack"
    tool = next((tool for tool, names in INSTALL.items() if system in names), "")
    command = f"sudo {tool} install -y conntrack-tools" if tool else "sudo apt-get install -y conntrack"
    install = Fix(
        what=T("On the node, or in kube-proxy's image: install conntrack-tools; then restart kube-proxy."),
        safety=Safety.REVERSIBLE,
        commands=(command, again),
        verify=(said,),
    )
    clear = Fix(
        what=T("On the node: remove the entries that are left; running DNS questions fail once."),
        safety=Safety.DISRUPTIVE,
        commands=("sudo conntrack -D -p udp --dport 53",),
    )
    return install, clear
