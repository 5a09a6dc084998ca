"""NET-02: the policy-routing table of the pods' interface is empty or missing."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from datetime import datetime

from bot.check import check
from bot.checks.net.about import DeadTable, broken_tables, default_gateway, expected_device, peers_agree, since_boot
from bot.model.cluster import PodsOnNode
from bot.model.evidence import Clock, PerNode
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity, Stage
from bot.model.host import HostUnits, Links, NodeIdentity, PolicyRouting
from bot.model.host_agents import is_agent
from bot.model.host_traffic import CrossNode
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T

MOST_SHOWN = 3


@check("NET-02")
def pod_routing_table_without_default(
    *,
    routing: PolicyRouting,
    pods: PodsOnNode,
    peers: PerNode[PolicyRouting],
    links: Links | None,
    ways: CrossNode | None,
    clock: Clock,
    identity: NodeIdentity | None,
    units: HostUnits | None,
) -> Iterator[Finding]:
    """The routing table that the pods' rules lead to has no default route, or the rules are gone.

    Says:
        "Pods on this node can ping the database but not connect."
    Evidence:
        ip rule, and ip route show table for every table that a rule names; the same on nodes that work.
    Rule:
        The rule of a running pod leads to a table without default route, and no other table takes the packets before;
        or a pod of a second interface has no rule at all, so that it leaves by the main route, while other pods of
        that interface, or those of other nodes, have rule and table. Confirmed when other nodes show how it should be;
        only possible for a table that may never have been meant as the pods' way out.
    Cause:
        NET-05 flushed it, NET-04 did not write or restore it, NET-01 took the device away, or somebody flushed it by
        hand. It explains NET-03, APP-02, DNS-03, DNS-04.
    Fix:
        Restart the CNI agent of this node, so that it builds the table again; until then add the default route by hand.
    Verify:
        The table shows a default route by the pods' gateway; connections work.
    Must not fire:
        CNIs without policy routing; tables are taken from the rules, never assumed; pods on the host's network; a table
        that lacks its default route on every node alike, because packets go on to the next rule.
    Reasons:
        - table-empty: the table has no route at all
        - no-default-route: the table has routes, but no default
        - rules-missing: no rule leads the pods to any table, unlike other pods
    """
    dead = broken_tables(routing, pods, links, peers, ways)
    if not dead:
        return
    first = next((t for t in dead if t.sure), dead[0])
    device = expected_device(routing.node, peers, links, first.pods)
    present = links is None or links.get(device) is not None
    yield _finding(
        routing=routing,
        pods=pods,
        first=first,
        dead=dead,
        good=peers_agree(peers, routing.node),
        device=device,
        by_hand=device if present else "",
        gateway=default_gateway(
            first.pods[0].status.pod_ip or "", peers_agree(peers, routing.node), (links,) if links else ()
        ),
        onset=since_boot(identity, clock, units),
    )


def _finding(
    *,
    routing: PolicyRouting,
    pods: PodsOnNode,
    first: DeadTable,
    dead: tuple[DeadTable, ...],
    good: tuple[PolicyRouting, ...],
    device: str,
    by_hand: str,
    gateway: str,
    onset: datetime | None,
) -> Finding:
    reason = "rules-missing" if not first.name else "table-empty" if first.empty else "no-default-route"
    hit = tuple(dict.fromkeys(p.path for t in dead for p in t.pods))
    title = (
        T("no rule leads the pods of {node} to their routing table", node=routing.node)
        if reason == "rules-missing"
        else T("routing table {table} of {node} has no default route", table=first.name, node=routing.node)
    )
    return Finding(
        code="NET-02",
        reason=reason,
        title=title,
        detail=T("Packets of {pods} do not leave by the interface that they belong to.", pods=hit[:MOST_SHOWN]),
        severity=Severity.CRIT,
        confidence=Confidence.POSSIBLE if not first.sure else Confidence.CONFIRMED if good else Confidence.LIKELY,
        subject=node(routing.node),
        facts={
            "node": routing.node,
            "table": tuple(t.name for t in dead if t.name),
            "pods": hit,
            "addresses": tuple(p.status.pod_ip or "" for t in dead for p in t.pods),
            "interface": device,
        },
        onset=onset,
        proofs=(
            routing.proof.quote(*_shown(routing, first)),
            *(_good(peer) for peer in good[:1]),
        ),
        fixes=tuple(_fixes(pods, first, by_hand, gateway)),
    )


def _shown(routing: PolicyRouting, table: DeadTable) -> Iterator[str]:
    for pod in table.pods[:MOST_SHOWN]:
        leads = f"lookup {table.name}" if table.name else "no rule"
        yield f"from {pod.status.pod_ip}: {leads}"
    if table.name:
        routes = routing.tables.get(table.name, ())
        yield f"table {table.name}: {'empty' if not routes else ', '.join(r.destination for r in routes)}"


def _good(peer: PolicyRouting) -> Proof:
    defaults = [(t, r) for t in peer.tables if (r := peer.default(t))]
    return peer.proof.quote(*(f"{peer.node}: table {t}: default via {r.gateway} dev {r.device}" for t, r in defaults))


def _fixes(pods: PodsOnNode, table: DeadTable, device: str, gateway: str) -> Iterator[Fix]:
    agent = next((p for p in pods.items if is_agent(p)), None)
    check_it = f"ip route show table {shlex.quote(table.name)}" if table.name else "ip rule show"
    if agent:
        where = f"-n {shlex.quote(agent.metadata.namespace or 'kube-system')}"
        yield Fix(
            what=T(
                "Restart the CNI agent of the node: it builds rules and tables again. Running pods keep their network."
            ),
            safety=Safety.DISRUPTIVE,
            commands=(f"kubectl {where} delete pod {shlex.quote(agent.metadata.name)}",),
            verify=(check_it,),
        )
    if device and table.name and not gateway:
        yield _unknown_gateway(table, device, check_it)
    elif device and table.name:
        route = f"default via {shlex.quote(gateway)} dev {shlex.quote(device)} table {shlex.quote(table.name)}"
        yield Fix(
            what=T(
                "On the node, until the agent has repaired it: make sure of the gateway, then add the default route."
            ),
            safety=Safety.REVERSIBLE,
            commands=(f"ping -c2 -W1 -I {shlex.quote(device)} {shlex.quote(gateway)}", f"sudo ip route add {route}"),
            verify=(check_it,),
            undo=(f"sudo ip route del {route}",),
            stage=Stage.MITIGATION,
        )


def _unknown_gateway(table: DeadTable, device: str, check_it: str) -> Fix:
    """The route by hand where no other node shows the gateway: a wrong one would cut the pods off for good."""
    route = f'default via "$GATEWAY" dev {shlex.quote(device)} table {shlex.quote(table.name)}'
    return Fix(
        what=T(
            "On the node, until the agent has repaired it: find the gateway of the subnet of {address} (the cloud's "
            "subnet, or table {table} of a healthy node in it), set GATEWAY to it, then add the default route.",
            address=table.pods[0].status.pod_ip or "",
            table=table.name,
        ),
        safety=Safety.REVERSIBLE,
        commands=(
            f"ip -4 address show dev {shlex.quote(device)}",
            f'ping -c2 -W1 -I {shlex.quote(device)} "$GATEWAY"',
            f"sudo ip route add {route}",
        ),
        verify=(check_it,),
        undo=(f"sudo ip route del {route}",),
        stage=Stage.MITIGATION,
    )
