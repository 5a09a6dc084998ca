"""The facts that the rules about pods and volumes join by AND."""

from __future__ import annotations

from typing import Any

from bot.model.cluster import Heartbeats, Nodes
from bot.model.k8s import OwnerReference
from bot.model.workloads import PodEvents, PodRow, PodRows, SuspectPods, VolumeUses
from tests.unit.judgement import undo
from tests.unit.judgement.fact import Changes, Fact, Scene, each, put, swap, to


def mine(pod: Any, scene: Scene) -> bool:
    """Whether the finding is about this pod."""
    named = scene.finding.facts.get("pods") or scene.finding.facts.get("pod") or ()
    return pod.path in (named if isinstance(named, tuple) else (named,))


def fits(node: Any, scene: Scene) -> Any:
    """A node with every label that a waiting pod selects."""
    pods = scene.known.get(SuspectPods)
    wanted = {k: v for p in (pods.items if pods else ()) for k, v in (p.spec.node_selector or {}).items()}
    return put(node, "metadata.labels", {**(node.metadata.labels or {}), **wanted})


def of_daemon_set(pod: Any, _: Scene) -> Any:
    """A pod of a DaemonSet."""
    return put(pod, "metadata.owner_references", (OwnerReference(kind="DaemonSet", name="agent", controller=True),))


def unscheduled_silently(pod: Any, _: Scene) -> Any:
    """A pod about which the scheduler has said nothing."""
    return undo.condition(pod, "PodScheduled", status="False", message=None)


def silent_for(minutes: float) -> Any:
    """Every node that is silent has been so for this long only."""

    def change(beats: Any, scene: Scene) -> Any:
        short = scene.ago(minutes=minutes)
        return swap(beats, last={n: max(at, short) for n, at in beats.last.items()})

    return change


def lost_lately(node: Any, scene: Scene) -> Any:
    """A node that has not been Ready for two minutes."""
    ready = node.condition("Ready")
    if ready is None or ready.status == "True":
        return node
    return undo.condition(node, "Ready", last_transition_time=scene.ago(minutes=2))


def replaced(rows: Any, scene: Scene) -> Any:
    """The pod is listed, running on another node."""
    namespace, _, name = scene.fact("pod").partition("/")
    others = tuple(r for r in rows.rows if r.path != scene.fact("pod"))
    row = PodRow(
        namespace=namespace,
        name=name,
        ready=1,
        total=1,
        status="Running",
        restarts=0,
        restarted=None,
        age=60.0,
        node="node-1",
    )
    return swap(rows, rows=(*others, row))


def one_restart(status: Any, _: Scene) -> Any:
    """A container that was restarted once."""
    return swap(status, restart_count=1)


def statuses(change: Any) -> Any:
    """A change of every container status of the pods."""
    return each(
        "items", lambda p, s: put(p, "status.container_statuses", lambda old: tuple(change(x, s) for x in old or ()))
    )


def ended_well(status: Any, _: Scene) -> Any:
    """The run before ended without error."""
    if status.last_state.terminated is None:
        return status
    return put(status, "last_state.terminated.exit_code", 0)


def before_window(status: Any, scene: Scene) -> Any:
    """This run and the one before began yesterday."""
    then = scene.ago(days=1)
    if status.state.running:
        status = put(status, "state.running.started_at", then)
    if status.last_state.terminated:
        status = put(status, "last_state.terminated.started_at", then)
    return status


def uses(path: str, value: Any) -> Any:
    """Every claim with another value."""
    return lambda u, _: swap(u, by_claim={k: put(v, path, value) for k, v in u.by_claim.items()})


ALIVE: Changes = {Nodes: each("items", undo.ready), Heartbeats: undo.beating}

FACTS: dict[str, tuple[Fact, ...]] = {
    "POD-02": (
        Fact("a usable node has the label", {Nodes: each("items", fits)}),
        Fact("the pod has a node", {SuspectPods: each("items", lambda p, s: put(p, "spec.node_name", "node-1"))}),
        Fact("the pod belongs to a DaemonSet", {SuspectPods: each("items", of_daemon_set)}),
        Fact(
            "the scheduler has not said it",
            {SuspectPods: each("items", unscheduled_silently), PodEvents: to(items=())},
            left="likely",
        ),
    ),
    "POD-10": (
        Fact("the node is well", ALIVE),
        Fact(
            "its time to end is not over",
            {SuspectPods: each("items", lambda p, s: put(p, "metadata.deletion_timestamp", s.ago(seconds=10)))},
        ),
        Fact(
            "nobody deletes it", {SuspectPods: each("items", lambda p, s: put(p, "metadata.deletion_timestamp", None))}
        ),
        Fact("the node was heard of just now", {Heartbeats: undo.beating}, left="likely"),
    ),
    "POD-16": (
        Fact("the node is well", ALIVE),
        Fact("the node was lost two minutes ago", {Nodes: each("items", lost_lately), Heartbeats: silent_for(2)}),
        Fact(
            "a replacement runs",
            {PodRows: replaced, SuspectPods: each("items", lambda p, s: None if mine(p, s) else p)},
        ),
    ),
    "POD-18": (
        Fact("it was restarted once", {SuspectPods: statuses(one_restart)}),
        Fact("it was restarted yesterday", {SuspectPods: statuses(before_window)}),
        Fact(
            "it is being deleted",
            {SuspectPods: each("items", lambda p, s: put(p, "metadata.deletion_timestamp", s.clock.now))},
        ),
        Fact("the run before ended without error", {SuspectPods: statuses(ended_well)}, left="likely"),
    ),
    "STOR-01": (
        Fact("many may use the volume", {VolumeUses: uses("object.spec.access_modes", ("ReadWriteMany",))}),
        Fact(
            "the pods are half a minute old, nobody complains, and the node is well",
            {
                SuspectPods: each(
                    "items", lambda p, s: put(undo.aged(seconds=30)(p, s), "metadata.deletion_timestamp", None)
                ),
                PodEvents: to(items=()),
                **ALIVE,
            },
        ),
        Fact(
            "nobody else has it",
            {
                VolumeUses: uses("attachments", ()),
                SuspectPods: each(
                    "items", lambda p, s: p if p.ready is False and p.metadata.deletion_timestamp is None else None
                ),
            },
        ),
    ),
}
