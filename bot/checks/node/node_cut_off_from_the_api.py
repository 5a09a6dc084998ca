"""NODE-02: the node lives, but does not reach the control plane."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from datetime import datetime
from ipaddress import ip_address, ip_network

from bot.check import check
from bot.checks.node.about import Around, kubelet_of
from bot.model.cluster import Heartbeats, LogLine, Nodes
from bot.model.evidence import Clock, PerNode
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import ApiPath, HostUnits, KubeletArguments, KubeletLog
from bot.model.k8s import Node
from bot.model.lines import current
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T, Text

_FAILED = re.compile(
    r"(?:Unable to update node status|Error updating node status, will retry|Failed to update lease"
    r"|[Ff]ailed to ensure lease exists).*(?:i/o timeout|no route to host|connection refused|context deadline exceeded"
    r"|TLS handshake timeout|Client\.Timeout exceeded|http2: client connection lost|network is unreachable|EOF)"
)

_SERVER = re.compile(r"https://(\[[0-9a-fA-F:.]+\]|[A-Za-z0-9.-]+)(:\d+)?/")
MINUTE = 60.0
ZONES = ("topology.kubernetes.io/zone", "failure-domain.beta.kubernetes.io/zone")
SUBNET = {4: 24, 6: 64}


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
    all_units: PerNode[HostUnits],
    all_paths: PerNode[ApiPath],
) -> Iterator[Finding]:
    """The node is alive but cannot talk to the API server, which others can.

    Says:
        "The node is NotReady, but I can log in", "half of the nodes are NotReady".
    Evidence:
        The kubelet's unit, the node's heartbeat, connections from the node to every API server address, heartbeats
        of the other nodes, the kubelet's log.
    Rule:
        The kubelet runs for a minute or longer, its heartbeat is stale, no API server address answers from the
        node, and another node's heartbeat is fresh. Confirmed when the kubelet's log says so now, too. Nodes of one
        zone or subnet with the same result are one partition, reported once. Possible when the addresses answer, but
        the log names another one (a load balancer) that does not.
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
        - another-address: the address that the kubelet uses cannot be reached, the API servers themselves can
    """
    beat = beats.last.get(units.node)
    if beat is None or not _lives_unheard(units, beats, clock):
        return
    if all(clock.age(at) > beats.stale_seconds for at in beats.last.values()):
        return
    kubelet = kubelet_of(units)
    hits = current(log.lines, _FAILED, clock, kubelet.active_since if kubelet else None) if log else ()
    around = Around(node=units.node, clock=clock, nodes=nodes, beats=beats)
    quotes = (log.proof.quote(*(x.text for x in hits[-3:])),) if log and hits else ()
    if path.works:
        if used := _elsewhere(hits, path):
            yield _another_address(around, beat, used, (*quotes, path.proof, *around.proofs()))
        return
    near = [n for n in all_paths.by_node if n == units.node or _same_place(nodes, units.node, n)]
    cut = tuple(sorted(n for n in near if _is_cut(all_units.get(n), all_paths.get(n), beats, clock))) or (units.node,)
    if units.node != cut[0]:
        return  # the first of them speaks for all
    proxied = bool(arguments and arguments.proxies)
    others = (all_paths.get(n) for n in cut[1:])
    yield Finding(
        code="NODE-02",
        reason="partition",
        title=_title(cut),
        detail=_detail(tuple(path.answers), _silent_too(nodes, beats, clock, cut)),
        severity=around.severity(Severity.CRIT, beat),
        confidence=Confidence.POSSIBLE if proxied else Confidence.CONFIRMED if hits else Confidence.LIKELY,
        subject=node(units.node),
        facts={"node": units.node, "nodes": cut, "addresses": tuple(path.answers)},
        onset=min(beats.last[n] for n in cut),
        proofs=(_unanswered(path), *around.proofs(), *quotes, *(_unanswered(p) for p in others if p)),
        fixes=(_look(tuple(path.answers)),),
    )


def _lives_unheard(units: HostUnits | None, beats: Heartbeats, clock: Clock) -> bool:
    """Whether a node's kubelet has run for a minute, and is not heard of."""
    kubelet = kubelet_of(units) if units else None
    if units is None or kubelet is None or not kubelet.running:
        return False
    beat, started = beats.last.get(units.node), kubelet.active_since
    lives = started is None or clock.age(started) >= MINUTE
    return lives and beat is not None and clock.age(beat) > beats.stale_seconds


def _is_cut(units: HostUnits | None, path: ApiPath | None, beats: Heartbeats, clock: Clock) -> bool:
    """Whether a node lives, is not heard of, and reaches no API server."""
    return path is not None and not path.works and _lives_unheard(units, beats, clock)


def _elsewhere(hits: tuple[LogLine, ...], path: ApiPath) -> str:
    """The address that the kubelet fails to reach, when it is none of those that were tried; else empty."""
    used = [f"{found[1]}{found[2] or ':443'}" for x in hits if (found := _SERVER.search(x.text))]
    return used[-1] if used and not set(used) & set(path.answers) else ""


def _another_address(around: Around, beat: datetime, used: str, proofs: tuple[Proof, ...]) -> Finding:
    host = used.rpartition(":")[0].strip("[]")
    return Finding(
        code="NODE-02",
        reason="another-address",
        title=T("the kubelet of {node} does not reach the API server at {address}", node=around.node, address=used),
        detail=T("The API servers themselves answer from there: look at what stands between, such as a load balancer."),
        severity=around.severity(Severity.CRIT, beat),
        confidence=Confidence.POSSIBLE,
        subject=node(around.node),
        facts={"node": around.node, "addresses": (used,), "load_balancer": host},
        onset=beat,
        proofs=proofs,
        fixes=(_look((used,)),),
    )


def _same_place(nodes: Nodes | None, one: str, two: str) -> bool:
    """Whether two nodes share a zone or a subnet."""
    left, right = (nodes.get(name) if nodes else None for name in (one, two))
    if left is None or right is None:
        return False
    return any((p := place(left)) and p == place(right) for place in (_zone, _subnet))


def _zone(item: Node) -> str:
    return next((z for label in ZONES if (z := item.metadata.label(label))), "")


def _subnet(item: Node) -> str:
    try:
        address = ip_address(item.address() or "")
    except ValueError:
        return ""
    return str(ip_network(f"{address}/{SUBNET[address.version]}", strict=False))


def _silent_too(nodes: Nodes | None, beats: Heartbeats, clock: Clock, cut: tuple[str, ...]) -> tuple[str, ...]:
    """Other nodes of the same zone or subnet that are not heard of, and were not looked into."""
    silent = (n for n, at in beats.last.items() if n not in cut and clock.age(at) > beats.stale_seconds)
    return tuple(sorted(n for n in silent if _same_place(nodes, cut[0], n)))


def _unanswered(path: ApiPath) -> Proof:
    return path.proof.quote(*(f"{path.node}: {address}: no answer" for address in path.answers))


def _title(cut: tuple[str, ...]) -> Text:
    if len(cut) == 1:
        return T("{node} is alive but does not reach the API server", node=cut[0])
    return T("{nodes} are alive but do not reach the API server", nodes=cut)


def _detail(addresses: tuple[str, ...], silent: tuple[str, ...]) -> Text:
    if silent:
        return T(
            "From there these addresses do not answer: {addresses}. Nodes near it not heard of either: {nodes}",
            addresses=addresses,
            nodes=silent,
        )
    return T("From there these addresses do not answer: {addresses}", addresses=addresses)


def _look(addresses: tuple[str, ...]) -> Fix:
    hosts = [a.rpartition(":")[0].strip("[]") for a in addresses]
    return Fix(
        what=T("On the node: name the hop that fails; then look at its security group, route or load balancer."),
        safety=Safety.READ_ONLY,
        commands=tuple(f"ip -j route get {shlex.quote(h)}" for h in hosts),
        verify=tuple(f"curl -sk -m 3 {shlex.quote(f'https://{a}/livez')}" for a in addresses),
    )
