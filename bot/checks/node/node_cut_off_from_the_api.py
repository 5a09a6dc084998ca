"""NODE-02: the node lives, but does not reach the control plane."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.node.about import Around, kubelet_of
from bot.model.cluster import Heartbeats, Nodes
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import ApiPath, HostUnits, KubeletArguments, KubeletLog
from bot.model.lines import in_window
from bot.model.refs import node
from bot.model.text import T

_FAILED = re.compile(
    r"(?:Unable to update node status|Error updating node status, will retry|Failed to update lease"
    r"|[Ff]ailed to ensure lease exists).*(?:i/o timeout|no route to host|connection refused|context deadline exceeded"
    r"|TLS handshake timeout|Client\.Timeout exceeded|http2: client connection lost|network is unreachable|EOF)"
)

MINUTE = 60.0


@check("NODE-02")
def node_cut_off_from_the_api(
    *,
    units: HostUnits,
    path: ApiPath,
    beats: Heartbeats,
    clock: Clock,
    nodes: Nodes | None,
    log: KubeletLog | None,
    arguments: KubeletArguments | None,
) -> Iterator[Finding]:
    """The node is alive but cannot talk to the API server, which others can.

    Says:
        "The node is NotReady, but I can log in", "half of the nodes are NotReady".
    Evidence:
        The kubelet's unit, the node's heartbeat, connections from the node to every API server address, heartbeats
        of the other nodes, the kubelet's log.
    Rule:
        The kubelet runs for a minute or longer, its heartbeat is stale, no API server address answers from the
        node, and another node's heartbeat is fresh. Confirmed when the kubelet's log says so too.
    Cause:
        A route, security group, switch or load balancer between this node and the API server. It explains POD-10,
        METRICS-03, NET-09.
    Fix:
        Find the hop: the route on the node, then the security group or the load balancer's back ends.
    Verify:
        The heartbeat is renewed; the API server answers from the node.
    Must not fire:
        The API server is down for everybody (CTRL-01); the kubelet does not run (NODE-03); a proxy is set in the unit.
    Reasons:
        - partition: nothing of the control plane can be reached from here
    """
    kubelet = kubelet_of(units)
    beat = beats.last.get(units.node)
    if kubelet is None or not kubelet.running or beat is None or clock.age(beat) <= beats.stale_seconds or path.works:
        return
    started = kubelet.active_since
    others = [n for n, at in beats.last.items() if n != units.node and clock.age(at) <= beats.stale_seconds]
    if not others or (started is not None and clock.age(started) < MINUTE):
        return
    hits = [x.text for x in (in_window(log.lines, clock) if log else ()) if _FAILED.search(x.text)]
    proxied = bool(arguments and arguments.proxies)
    around = Around(node=units.node, clock=clock, nodes=nodes, beats=beats)
    yield Finding(
        code="NODE-02",
        reason="partition",
        title=T("{node} is alive but does not reach the API server", node=units.node),
        detail=T("From there these addresses do not answer: {addresses}", addresses=tuple(path.answers)),
        severity=around.severity(Severity.CRIT, beat),
        confidence=Confidence.POSSIBLE if proxied else Confidence.CONFIRMED if hits else Confidence.LIKELY,
        subject=node(units.node),
        facts={"node": units.node, "addresses": tuple(path.answers)},
        onset=beat,
        proofs=(path.proof, beats.proof, *((log.proof.quote(*hits[-3:]),) if log and hits else ()), units.proof),
        fixes=(_look(tuple(path.answers)),),
    )


def _look(addresses: tuple[str, ...]) -> Fix:
    hosts = [a.rpartition(":")[0].strip("[]") for a in addresses]
    return Fix(
        what=T("On the node: name the hop that fails; then look at its security group, route or load balancer."),
        safety=Safety.READ_ONLY,
        commands=tuple(f"ip -j route get {shlex.quote(h)}" for h in hosts),
        verify=tuple(f"curl -sk -m 3 {shlex.quote(f'https://{a}/livez')}" for a in addresses),
    )
