"""NODE-15: the kubelet refuses a host with cgroup v1."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.check import check
from bot.checks.node.about import Around, kubelet_of, last_start, matching, restart
from bot.model.cluster import Heartbeats, Nodes
from bot.model.evidence import Clock
from bot.model.finding import Finding, Safety, Severity
from bot.model.host import HostUnits, KubeletHealth, KubeletLog, NodeIdentity
from bot.model.refs import node
from bot.model.text import T

_REFUSED = re.compile(r"kubelet is configured to not run on a host using cgroup v1")


@check("NODE-15")
def refused_cgroup_v1(
    *,
    units: HostUnits,
    log: KubeletLog,
    clock: Clock,
    health: KubeletHealth | None,
    nodes: Nodes | None,
    beats: Heartbeats | None,
    identity: NodeIdentity | None,
) -> Iterator[Finding]:
    """The kubelet (1.35 or newer) does not start on a host that uses cgroup v1.

    Says:
        "The kubelet does not start after the upgrade to 1.35."
    Evidence:
        The last start attempt in the kubelet's log.
    Rule:
        The kubelet does not run and its last start attempt says so.
    Cause:
        failCgroupV1 is true by default since 1.35. It explains NODE-03.
    Fix:
        Boot the host with cgroup v2; until then set failCgroupV1 to false.
    Verify:
        The kubelet stays active.
    Must not fire:
        An older kubelet that runs on such a host.
    Reasons:
        - cgroup-v1: the host uses cgroup v1
    """
    kubelet = kubelet_of(units)
    hit = matching(last_start(log, kubelet), _REFUSED) if kubelet and kubelet.down else None
    if kubelet is None or hit is None:
        return
    around = Around(node=units.node, clock=clock, nodes=nodes, beats=beats, identity=identity, health=health)
    onset = around.down_since(kubelet, log)
    config = "/var/lib/kubelet/config.yaml"
    yield Finding(
        code="NODE-15",
        reason="cgroup-v1",
        title=T("the kubelet of {node} does not run on a host with cgroup v1", node=units.node),
        severity=around.severity(Severity.CRIT, onset),
        confidence=around.confidence(),
        subject=node(units.node),
        facts={"node": units.node, "component": "kubelet", "active": "false"},
        onset=onset,
        proofs=(log.proof.quote(hit[1].text), *around.proofs()),
        fixes=(
            restart(
                T("On the node: allow cgroup v1 until the host boots with cgroup v2."),
                f"sudo cp -p {config} {config}.bak",
                f"echo 'failCgroupV1: false' | sudo tee -a {config}",
                "sudo systemctl restart kubelet",
                safety=Safety.REVERSIBLE,
                undo=(f"sudo cp -p {config}.bak {config}",),
            ),
        ),
    )
