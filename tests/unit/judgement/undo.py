"""Changes that several rows share: how a well kubelet, pod, node or log looks."""

from __future__ import annotations

import re
from typing import Any

from bot.model.cluster import LogLine
from bot.model.host import Probe, Unit
from bot.model.k8s import Condition, ContainerState, ContainerStatus, StateRunning, Taint
from tests.unit.judgement.fact import Change, Scene, each, put, swap


def with_unit(name: str, **members: Any) -> Change:
    """A systemd unit as given; one that is not there is made. A callable member is given the scene."""

    def change(units: Any, scene: Scene) -> Any:
        old = units.by_name.get(name) or Unit(name=name, load="loaded", file_state="enabled")
        new = swap(old, **{k: v(scene) if callable(v) else v for k, v in members.items()})
        return swap(units, by_name={**units.by_name, name: new})

    return change


def kubelet_runs(minutes: float = 60) -> Change:
    """The kubelet is active and was started so long ago."""
    return with_unit(
        "kubelet",
        active="active",
        sub="running",
        result="success",
        flickering=False,
        restarts=0,
        started=lambda s: s.ago(minutes=minutes),
        active_since=lambda s: s.ago(minutes=minutes),
    )


K3S = with_unit("k3s-agent", active="active", sub="running")


def well_ports(health: Any, _: Scene) -> Any:
    """The kubelet's ports answer."""
    return swap(health, healthz=Probe.OK, serving=Probe.OK)


def condition(thing: Any, kind: str, **members: Any) -> Any:
    """An object with another condition of this type."""
    old = [c for c in thing.status.conditions or () if c.type != kind]
    mine = next((c for c in thing.status.conditions or () if c.type == kind), Condition(type=kind))
    return put(thing, "status.conditions", (*old, swap(mine, **members)))


def of_node(change: Change) -> Change:
    """A change of the node objects that the finding is about."""

    def one(node: Any, scene: Scene) -> Any:
        mine = scene.finding.nodes | ({scene.key} if scene.key else set())
        return change(node, scene) if node.name in mine else node

    return each("items", one)


def ready(node: Any, scene: Scene) -> Any:
    """A node that is Ready, for a day."""
    return condition(node, "Ready", status="True", reason="KubeletReady", last_transition_time=scene.ago(days=1))


def not_ready(node: Any, scene: Scene) -> Any:
    """A node that is not Ready."""
    return condition(node, "Ready", status="Unknown", last_transition_time=scene.ago(minutes=30))


def cordoned(node: Any, _: Scene) -> Any:
    """A node that takes nothing new."""
    return put(node, "spec", lambda spec: swap(spec, unschedulable=True))


def tainted(key: str, effect: str) -> Change:
    """One more taint."""
    return lambda node, _: put(node, "spec.taints", (*(node.spec.taints or ()), Taint(key=key, effect=effect)))


def beating(beats: Any, scene: Scene) -> Any:
    """Every node was heard of five seconds ago."""
    return swap(beats, last=dict.fromkeys(beats.last, scene.ago(seconds=5)))


def well(pod: Any, scene: Scene) -> Any:
    """A pod that has been running and ready for a day, never restarted."""
    began = scene.ago(days=1)
    names = [c.name for c in pod.spec.containers or ()] or [c.name for c in pod.status.container_statuses or ()]
    running = ContainerState(running=StateRunning(started_at=began))
    statuses = tuple(ContainerStatus(name=n, ready=True, state=running) for n in names)
    pod = put(put(pod, "status.container_statuses", statuses), "status.phase", "Running")
    pod = put(pod, "metadata.deletion_timestamp", None)
    return condition(pod, "Ready", status="True", last_transition_time=began)


def aged(**span: float) -> Change:
    """An object that was created so long ago."""
    return lambda thing, scene: put(thing, "metadata.creation_timestamp", scene.ago(**span))


def not_saying(pattern: str) -> Change:
    """A log (or logs, by path) without the lines that match."""
    found = re.compile(pattern)

    def silent(log: Any, _: Scene) -> Any:
        return put(log, "lines", lambda lines: tuple(x for x in lines if not found.search(x.text)))

    return silent


def older(pattern: str, **span: float) -> Change:
    """A log whose lines that match are all of so long ago."""
    found = re.compile(pattern)

    def back(line: LogLine, scene: Scene) -> LogLine:
        return swap(line, at=scene.ago(**span)) if found.search(line.text) else line

    return each("lines", back)


def in_logs(change: Change) -> Change:
    """A change of every control-plane log."""

    def all_of(logs: Any, scene: Scene) -> Any:
        by = {name: tuple(change(log, scene) for log in group) for name, group in logs.by_component.items()}
        return swap(logs, by_component=by)

    return all_of


def available(api: Any, scene: Scene) -> Any:
    """An APIService that is available."""
    if api.spec.service is None:
        return api
    return condition(api, "Available", status="True", reason="Passed", last_transition_time=scene.ago(hours=2))


def lately(api: Any, scene: Scene) -> Any:
    """An APIService whose condition changed ten seconds ago."""
    return condition(api, "Available", last_transition_time=scene.ago(seconds=10))


def answering(probes: Any, _: Scene) -> Any:
    """Every raw GET of a group answers 200."""
    return swap(probes, by_group_version={k: swap(p, status=200) for k, p in probes.by_group_version.items()})
