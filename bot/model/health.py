"""Which nodes are heard of: readiness and heartbeats read together, because either alone can be frozen (CTRL-17)."""

from __future__ import annotations

from datetime import datetime

from bot.model.cluster import Heartbeats, Leader, Nodes
from bot.model.evidence import Clock
from bot.model.k8s import Node, Pod

LEADER_STALE = 45.0
OFTEN = 3
MIRROR = "kubernetes.io/config.mirror"
VIRTUAL = ("virtual-kubelet", "virtual-node")


def silence(node: str, heartbeats: Heartbeats | None, clock: Clock) -> float | None:
    """Seconds for which a node has not been heard of, when that is too long; None when it is heard of or unknown.

    Too long is what :attr:`Heartbeats.stale_seconds` says.
    """
    if heartbeats is None or node not in heartbeats.last:
        return None
    age = clock.age(heartbeats.last[node])
    return age if age > heartbeats.stale_seconds else None


def is_ready(node: Node) -> bool:
    """Whether the node's Ready condition is True."""
    ready = node.condition("Ready")
    return ready is not None and ready.status == "True"


def is_down(name: str, nodes: Nodes | None, heartbeats: Heartbeats | None, clock: Clock) -> bool | None:
    """Whether a node is gone: absent, not Ready, or silent; None when the nodes are unknown."""
    if nodes is None:
        return None
    node = nodes.get(name)
    return node is None or not is_ready(node) or silence(name, heartbeats, clock) is not None


def is_virtual(node: Node) -> bool:
    """Whether no machine is behind the node."""
    labels = node.metadata.labels or {}
    return any(word in VIRTUAL for word in labels.values())


def parked(node: Node) -> bool:
    """Cordoned and not Ready: switched off on purpose."""
    return node.spec.unschedulable and not is_ready(node)


def leader_age(leader: Leader, clock: Clock) -> float | None:
    """Seconds since a leader last renewed its record; None when the record has no time."""
    return clock.age(leader.renewed) if leader.renewed else None


def leaderless(leader: Leader, clock: Clock) -> bool:
    """Whether nobody leads: released, or not renewed for 45 s.

    A record that is 45 s old was 30 s old 15 s ago and has not been renewed since: that is what two readings 15 s apart
    would see (CTRL-05), without waiting.
    """
    age = leader_age(leader, clock)
    return not leader.holder or (age is not None and age > LEADER_STALE)


def running(pod: Pod) -> bool:
    """Whether every container runs now."""
    statuses = pod.status.container_statuses or ()
    return bool(statuses) and all(s.state.running for s in statuses)


def last_end(pod: Pod) -> datetime | None:
    """When a container of the pod last ended."""
    states = [
        t for s in pod.status.container_statuses or () for t in (s.last_state.terminated, s.state.terminated) if t
    ]
    return max((t.finished_at for t in states if t.finished_at), default=None)


def restarts_often(pod: Pod, clock: Clock) -> bool:
    """At least 3 restarts, the last of them inside the window, or waiting for the next."""
    at = last_end(pod)
    lately = at is not None and clock.age(at) <= clock.window_seconds
    return pod.restarts >= OFTEN and (lately or not running(pod))


def is_mirror(pod: Pod) -> bool:
    """Whether it is the image of a static pod: control plane, not workload."""
    return MIRROR in (pod.metadata.annotations or {})
