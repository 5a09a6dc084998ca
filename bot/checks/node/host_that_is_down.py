"""NODE-01: the host gives no sign of life."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.node.about import Around
from bot.model.cluster import Heartbeats, Nodes
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity, Stage
from bot.model.host_reach import NodeReach
from bot.model.k8s import Node
from bot.model.refs import node
from bot.model.text import T

LEAVING = ("ToBeDeletedByClusterAutoscaler", "karpenter.sh/disrupted", "karpenter.sh/disruption")
ENOUGH, FEW = 3, 2
ANSWERING = frozenset({"REACHABLE", "DELAY", "PROBE"})  # a stale entry is one that nobody has used since


@check("NODE-01")
def host_that_is_down(
    reach: NodeReach, beats: Heartbeats, clock: Clock, nodes: Nodes, expect: Expectations | None
) -> Iterator[Finding]:
    """The host of a node (virtual or physical machine) is down.

    Says:
        "The node is gone", "the server crashed", "pods on this node are dead".
    Evidence:
        The node's heartbeat; TCP 22 and 10250 from the bot and from two other nodes; the neighbour entry.
    Rule:
        No heartbeat for more than 60 s, and neither port gives a sign of life (refused is one) from the bot and
        from two other nodes; on one subnet the neighbour entry has failed. Always likely: only the cloud knows
        whether it is off. Possible where only one other node could be asked.
    Cause:
        Powered off, crashed, or the hypervisor hangs. It explains POD-10, POD-16, STOR-01, METRICS-03, DNS-07, CTRL-01.
    Fix:
        Start or repair the machine. If it stays off and holds volumes: make sure that it is off, then taint it.
    Verify:
        The node is Ready and heard of within 20 s.
    Must not fire:
        Nodes that are being scaled down, planned maintenance, virtual nodes; when only the bot's own path is blocked.
    Reasons:
        - no-sign-of-life: nobody reaches it
    """
    limit = (expect.thresholds.get("NODE-01", {}) if expect else {}).get("seconds", beats.stale_seconds)
    here, beat = nodes.get(reach.node), beats.last.get(reach.node)
    if here is None or beat is None or clock.age(beat) <= limit or _leaves(here):
        return
    around = Around(node=reach.node, clock=clock, nodes=nodes, beats=beats)
    dead = reach.dead_from()
    alive = reach.neighbour in ANSWERING
    if len(dead) < FEW or len(dead) <= len(reach.peers) or "bot" not in dead or alive or around.planned:
        return
    yield Finding(
        code="NODE-01",
        reason="no-sign-of-life",
        title=T("the host of {node} gives no sign of life", node=reach.node),
        detail=T(
            "Ports 22 and 10250 of {address} do not answer when tried from: {places}",
            address=reach.address,
            places=dead,
        ),
        severity=Severity.CRIT,
        confidence=Confidence.LIKELY if len(dead) >= ENOUGH else Confidence.POSSIBLE,
        subject=node(reach.node),
        facts={"node": reach.node, "address": reach.address},
        onset=beat,
        proofs=(reach.proof, *around.proofs()),
        fixes=_fixes(shlex.quote(reach.node)),
    )


def _leaves(here: Node) -> bool:
    labels = here.metadata.labels or {}
    return labels.get("type") == "virtual-kubelet" or any(t.key in LEAVING for t in here.spec.taints or ())


def _fixes(name: str) -> tuple[Fix, ...]:
    start = Fix(
        what=T("Start or repair the machine in the cloud's console or at its power switch."),
        safety=Safety.REVERSIBLE,
        verify=(
            f"kubectl get node {name}",
            f"kubectl -n kube-node-lease get lease {name} -o jsonpath='{{.spec.renewTime}}'",
        ),
    )
    taint = "node.kubernetes.io/out-of-service=nodeshutdown:NoExecute"
    free = Fix(
        what=T("Only when the machine is certainly off and stays so for 10 minutes: release its pods and volumes."),
        safety=Safety.DISRUPTIVE,
        commands=(f"kubectl taint node {name} {taint}",),
        verify=(
            f"kubectl get volumeattachments | grep {name}",
            f"kubectl get pods -A --field-selector spec.nodeName={name}",
        ),
        undo=(f"kubectl taint node {name} {taint}-",),
        stage=Stage.CONSUMERS,
    )
    return start, free
