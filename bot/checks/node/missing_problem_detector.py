"""NODE-29: nothing turns what the kernel reports into conditions and events of the node."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.check import check
from bot.model.cluster import LogLine, Nodes
from bot.model.evidence import Clock, PerNode
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity, Stage
from bot.model.host import HostUnits, KernelLog
from bot.model.host_agents import DETECTOR, ProblemDetectors
from bot.model.k8s import Node
from bot.model.refs import cluster
from bot.model.text import T

# The kubelet's own, those of the cloud route controllers and CNIs, and rke2's: none of them says that an agent reports.
ORDINARY = re.compile(r"^(?:Ready|NetworkUnavailable|\w+Pressure|OutOfDisk|EtcdIsVoter|\w+OrPatchNeeded)$")
# Clouds whose nodes bring an agent of their own that does the same.
MANAGED = ("cloud.google.com/gke-nodepool", "kubernetes.azure.com/cluster", "alibabacloud.com/nodepool-id")
# What node-problem-detector's own rules would have reported (its config/kernel-monitor.json).
REPORTED = re.compile(
    r"task [\S ]+:\w+ blocked for more than \w+ seconds"
    r"|unregister_netdevice: waiting for \S+ to become free"
    r"|BUG: unable to handle|divide error: 0000"
    r"|EXT4-fs error|Buffer I/O error|Remounting filesystem read-only|XFS .*: Shutting down filesystem"
    r"|^Out of memory: Kill"
)
SHOWN = 3


@check("NODE-29")
def missing_problem_detector(
    *,
    nodes: Nodes,
    clock: Clock,
    detectors: ProblemDetectors,
    kernels: PerNode[KernelLog],
    units: PerNode[HostUnits],
) -> Iterator[Finding]:
    """No node-problem-detector, so what the kernel reports reaches nobody who looks at the API.

    Says:
        "the node was simply NotReady, nothing in the events said why".
    Evidence:
        DaemonSets; the condition types of every node; the unit node-problem-detector; the kernel's log.
    Rule:
        No DaemonSet is called or labelled node-problem-detector, no node has a condition that such an agent sets, and
        the kernel of a visited node has just reported what it would have shown. Without such a line it is posture, of
        no use to somebody in an incident, and is not said.
    Cause:
        It was never deployed: faults of kernel and disk show only as NotReady, or not at all.
    Fix:
        Deploy node-problem-detector's DaemonSet.
    Verify:
        Its conditions (KernelDeadlock, ReadonlyFilesystem) appear on the nodes.
    Must not fire:
        Managed clouds with agents of their own (GKE, AKS, ACK); a host where it runs as a unit; a cluster of one node.
    Reasons:
        - not-deployed: nothing in the cluster reports the faults of kernels and disks
    """
    if len(nodes.items) <= 1 or detectors.names or any(_has_agent(n) for n in nodes.items):
        return
    running = [u for host in units if (u := host.get(DETECTOR)) is not None and u.running]
    told = {k.node: lines for k in kernels if (lines := _reported(k, clock))}
    if running or not told:
        return
    names = tuple(told)
    shown = (k.proof.quote(*(x.text for x in told[k.node][-SHOWN:])) for k in kernels if k.node in told)
    yield Finding(
        code="NODE-29",
        reason="not-deployed",
        title=T("no node-problem-detector: what the kernel of {nodes} reports shows in no condition", nodes=names),
        severity=Severity.INFO,
        confidence=Confidence.CONFIRMED,
        subject=cluster(),
        facts={"nodes": names},
        proofs=(detectors.proof, *shown),
        fixes=(_deploy(),),
    )


def _has_agent(node: Node) -> bool:
    labels = node.metadata.labels or {}
    return any(c.status and not ORDINARY.search(c.type) for c in node.status.conditions or ()) or any(
        label in labels for label in MANAGED
    )


def _reported(kernel: KernelLog, clock: Clock) -> tuple[LogLine, ...]:
    """The lines in the window that node-problem-detector would have turned into a condition or an event."""
    fresh = (x for x in kernel.lines if x.at is None or clock.age(x.at) <= clock.window_seconds)
    return tuple(x for x in fresh if REPORTED.search(x.text))


def _deploy() -> Fix:
    folder = "node-problem-detector/deployment"
    files = " ".join(f"-f {folder}/{f}.yaml" for f in ("rbac", "node-problem-detector-config", "node-problem-detector"))
    return Fix(
        what=T("Deploy node-problem-detector: it turns what kernels report into conditions and events of the node."),
        safety=Safety.REVERSIBLE,
        commands=("git clone https://github.com/kubernetes/node-problem-detector", f"kubectl apply {files}"),
        verify=("kubectl describe nodes | grep -E 'KernelDeadlock|ReadonlyFilesystem'",),
        stage=Stage.POSTURE,
    )
