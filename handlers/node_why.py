"""/node-why: why a node is not ready, refuses pods, or has the wrong network."""

from __future__ import annotations

from bot.model.cluster import Heartbeats, Nodes
from bot.model.command import Argument, Command, Option, Question
from bot.model.evidence import Ask, Clock, PerNode
from bot.model.health import is_ready, is_virtual, parked, silence
from bot.model.host import NodeReached
from bot.model.k8s import Node
from bot.model.text import T, Text

NETWORK = ("NET-01", "NET-02", "NET-04", "NET-05", "NET-06", "NET-07", "NET-09", "NET-11", "NET-12", "NET-13", "NET-17")
MOST_PEERS = 2
POOLS = (
    "eks.amazonaws.com/nodegroup",
    "cloud.google.com/gke-nodepool",
    "kubernetes.azure.com/agentpool",
    "alibabacloud.com/nodepool-id",
    "node.kubernetes.io/instance-type",
)


def look_into(ask: Ask, nodes: Nodes | None) -> tuple[str, ...]:
    """The node that was asked about; for its network also two healthy nodes of its pool, and the named peer."""
    named = [ask.options[key] for key in ("peer",) if ask.options.get(key)]
    if not ask.switch("net") or nodes is None:
        return (ask.target, *named)
    here = nodes.get(ask.target)
    others = [n.name for n in nodes.items if here and n.name not in {here.name, *named} and _comparable(here, n)]
    return (ask.target, *named, *others[: MOST_PEERS - len(named)])


def about(question: Question) -> frozenset[str]:
    """The node that was asked about, and the peer that was named; others are visited only to compare."""
    return frozenset({question.target, question.options.get("peer", "")} - {""})


def unexplained(ask: Ask, nodes: Nodes, clock: Clock, beats: Heartbeats | None) -> Text | None:
    """What the API says is wrong with the node: not Ready, or not heard of; such a node is never called fine."""
    node = nodes.get(ask.target)
    if node is None or parked(node) or is_virtual(node):
        return None
    if beats is not None and silence(node.name, beats, clock) is not None:
        return T("{node} has not been heard of since {time}.", node=node.name, time=beats.last[node.name])
    return None if is_ready(node) else T("{node} is not Ready.", node=node.name)


def targets(nodes: Nodes, reached: PerNode[NodeReached]) -> tuple[str, ...]:
    """The names of the cluster's nodes, and of hosts that let the bot in without being one (NODE-33)."""
    return tuple(dict.fromkeys([*(n.name for n in nodes.items), *reached.by_node]))


def _comparable(here: Node, other: Node) -> bool:
    """Whether the other node is a healthy one of the same kind."""
    ready = other.condition("Ready")
    alike = all(
        left == right for key in POOLS if (left := here.metadata.label(key)) and (right := other.metadata.label(key))
    )
    alike = alike and here.status.node_info.operating_system == other.status.node_info.operating_system
    well = ready is not None and ready.status == "True" and not is_virtual(other)
    return alike and well and here.control_plane == other.control_plane


COMMAND = Command(
    name="node-why",
    symptom=T("A node is NotReady, takes no pods, is unhealthy, or its network is wrong."),
    headlines=("NODE-03", "NODE-0[1269]", "NODE-1[01]", "NET-02", "NODE-*"),
    target=Argument.NODE,
    target_name="NODE",
    target_required=True,
    options=(
        Option(
            name="net",
            type=Argument.SWITCH,
            help=T("also judge interfaces, routes and filters; two nodes more are read"),
        ),
        Option(name="peer", type=Argument.NODE, help=T("compare with this node")),
        Option(name="logs", type=Argument.NUMBER, help=T("how many lines of the kubelet's log are read (400)")),
    ),
    owns=("NODE-*", "HYG-03", *NETWORK, "NET-16"),
    runs=("CTRL-09", "CTRL-12", "POD-10"),
    switched={"net": NETWORK},
    examples=("/node-why node-3", "/node-why node-a net peer=node-d"),
    targets=targets,
    about=about,
    unexplained=unexplained,
    look_into=look_into,
)
