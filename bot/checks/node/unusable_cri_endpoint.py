"""NODE-12: the kubelet and the runtime do not speak the same language, or do not meet."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.check import check
from bot.checks.node.about import Around, kubelet_of, last_start, matching, restart
from bot.model.cluster import Heartbeats, Nodes
from bot.model.evidence import Clock
from bot.model.finding import Finding, Safety, Severity
from bot.model.host import ContainerRuntime, HostUnits, KubeletHealth, KubeletLog, NodeIdentity
from bot.model.refs import node
from bot.model.text import T

_ENDPOINT = re.compile(
    r'validate CRI v1 (?:runtime|image) API for endpoint \\?"(?P<endpoint>[^"\\]+)\\?"'
    r".*(?P<why>Unimplemented|no such file|connection refused|DeadlineExceeded)"
)
RUNTIMES = {"containerd": "containerd.sock", "crio": "crio.sock", "docker": "docker", "cri-docker": "cri-dockerd.sock"}


@check("NODE-12")
def unusable_cri_endpoint(
    *,
    units: HostUnits,
    log: KubeletLog,
    clock: Clock,
    runtime: ContainerRuntime | None,
    health: KubeletHealth | None,
    nodes: Nodes | None,
    beats: Heartbeats | None,
    identity: NodeIdentity | None,
) -> Iterator[Finding]:
    """The kubelet's runtime endpoint is wrong, or the runtime does not offer what this kubelet needs.

    Says:
        "The kubelet does not start after the upgrade: validate CRI v1 runtime API".
    Evidence:
        The last start attempt in the kubelet's log, the runtime's units and sockets.
    Rule:
        The kubelet does not run, its last start failed at the CRI endpoint, and the runtime that the endpoint
        belongs to is not simply down (NODE-10).
    Cause:
        A packaged containerd with CRI switched off; dockershim is gone; the runtime is too old. It explains NODE-03.
    Fix:
        Switch CRI on in the runtime's configuration, correct the endpoint, or upgrade the runtime.
    Verify:
        The kubelet stays active, the node is Ready.
    Must not fire:
        A stopped runtime, which prints the same; cri-dockerd that is there and answers.
    Reasons:
        - cri-not-offered: the runtime answers, but not with this API
        - wrong-endpoint: nothing listens at the endpoint, although the runtime runs
    """
    kubelet = kubelet_of(units)
    if kubelet is None or not kubelet.down:
        return
    hit = matching(last_start(log, kubelet), _ENDPOINT)
    if hit is None:
        return
    match, line = hit
    endpoint = match["endpoint"]
    owner = next((n for n, socket in RUNTIMES.items() if socket in endpoint), "")
    unit = units.get(owner) if owner else None
    others = [n for n in RUNTIMES if (u := units.get(n)) and u.running]
    if (unit is not None and not unit.running) or not others:
        return
    around = Around(node=units.node, clock=clock, nodes=nodes, beats=beats, identity=identity, health=health)
    offered = match["why"] == "Unimplemented"
    onset = around.down_since(kubelet, log)
    yield Finding(
        code="NODE-12",
        reason="cri-not-offered" if offered else "wrong-endpoint",
        title=T("the runtime of {node} does not offer the CRI that its kubelet needs", node=units.node)
        if offered
        else T(
            "the kubelet of {node} looks for its runtime at {endpoint}, where nothing is",
            node=units.node,
            endpoint=endpoint,
        ),
        severity=around.severity(Severity.CRIT, onset),
        confidence=around.confidence(),
        subject=node(units.node),
        facts={"node": units.node, "endpoint": endpoint, "component": "kubelet", "active": "false"},
        onset=onset,
        proofs=(log.proof.quote(line.text), *((runtime.proof,) if runtime else ()), *around.proofs()),
        fixes=(
            restart(
                T("On the node: correct the runtime's configuration or the kubelet's endpoint, then start both."),
                "sudo grep -n disabled_plugins /etc/containerd/config.toml",
                "sudo grep -rn container-runtime-endpoint /var/lib/kubelet /etc/default/kubelet",
                "sudo systemctl restart containerd",
                "sudo systemctl restart kubelet",
                safety=Safety.DISRUPTIVE,
            ),
        ),
    )
