"""NODE-25: the kubelet watches every ConfigMap and Secret of its pods, more than one connection carries."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterable, Iterator
from datetime import datetime

from bot.check import check
from bot.checks.node.about import Around
from bot.model.cluster import LogLine, MountEvents, Nodes, PodsOnNode, SystemPods
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import KubeletArguments, KubeletLog
from bot.model.host_resources import KubeletSettings
from bot.model.k8s import Container, Event, Pod
from bot.model.refs import node
from bot.model.text import T, Text

_LATE = re.compile(
    r"couldn't propagate object cache: timed out waiting for the condition"
    r"|failed to sync (?:configmap|secret) cache: timed out waiting for the condition"
)
STRATEGY = "configMapAndSecretChangeDetectionStrategy"
OLD = (12, 13)
CLIFF, MODERN, TIMEOUTS, SPAN = 200, 5000, 5, 600.0
STREAMS = 250  # what an API server of that time gave one connection; the cliff is for this many (catalogue NODE-25)
CONFIG = "/var/lib/kubelet/config.yaml"
_STREAMS = re.compile(r"^--http2-max-streams-per-connection=(\d+)$")
_POD = re.compile(r'pod="(?P<path>[^"/]+/[^"]+)"|pod "(?P<name>[^"]+)" \(UID: "?(?P<uid>[0-9a-f-]+)"?\)')


@check("NODE-25")
def too_many_object_watches(
    *,
    pods: PodsOnNode,
    nodes: Nodes,
    clock: Clock,
    settings: KubeletSettings | None,
    log: KubeletLog | None,
    events: MountEvents | None,
    arguments: KubeletArguments | None,
    system: SystemPods | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """The pods of a node refer to more ConfigMaps and Secrets than its kubelet can watch.

    Says:
        "Hundreds of jobs with a ConfigMap each: the cluster crawls, nodes are NotReady, nothing is scheduled".
    Evidence:
        The ConfigMaps and Secrets that the node's pods refer to, the kubelet's version, setting and log, the events
        about volumes that cannot be mounted, and how many streams the API server gives one connection
        (--http2-max-streams-per-connection).
    Rule:
        A kubelet 1.12 or 1.13 that watches, and at least 200 different objects, or four fifths of the streams that the
        API server is set to. With later kubelets at least 5,000, or five timeouts of the cache within ten minutes, of
        pods that are not being deleted; then only a warning.
    Cause:
        One watch is one stream, and the streams of one connection are used up (250 by default then). It explains
        NODE-06, the load on the API server, and pods whose objects are not mounted.
    Fix:
        Let the kubelet cache instead of watch, mark objects immutable, upgrade.
    Verify:
        No timeout for ten minutes.
    Must not fire:
        A kubelet that is set to Cache or Get; "object not registered" of pods that end, which is noise.
    Reasons:
        - streams: as many watches as one connection of this old kubelet carries
        - many-objects: thousands of different objects on one node
        - timeouts: the cache of objects is late again and again
    """
    limits = expect.thresholds.get("NODE-25", {}) if expect else {}
    here = nodes.get(pods.node)
    watching = settings is None or settings.values.get(STRATEGY, "Watch").strip("\"'") == "Watch"
    if here is None or not watching:
        return
    old = _minor(here.status.node_info.kubelet_version) in OLD
    staying = [p for p in pods.items if p.metadata.deletion_timestamp is None]
    active = [p for p in staying if p.status.phase not in {"Succeeded", "Failed"}]
    objects = {o for p in (pods.items if old else active) for o in referred(p)}
    late = _late(log, active, clock) if active else []
    told = _told(events, active, clock)
    cliff = limits.get("objects", _cliff(system))
    reason = _reason(len(objects), max(len(late), sum(t for _, t in told)), old=old, cliff=cliff)
    if not reason:
        return
    onset = _reached(pods.items, cliff) if reason == "streams" else late[0].at if late else _first(told)
    usual = Severity.HIGH if reason == "streams" else Severity.WARN
    yield Finding(
        code="NODE-25",
        reason=reason,
        title=_title(reason, pods.node, len(objects)),
        severity=Around(node=pods.node, clock=clock, nodes=nodes).severity(usual, onset),
        confidence=_confidence(reason, settings, bool(late or told)),
        subject=node(pods.node),
        facts={
            "node": pods.node,
            "objects": len(objects),
            "kubelet": here.status.node_info.kubelet_version,
            **({"late": max(len(late), sum(t for _, t in told)) >= TIMEOUTS} if log or events else {}),
        },
        onset=onset,
        proofs=(
            pods.proof.quote(*sorted(objects)[:4]),
            nodes.proof.quote(f"{pods.node}: kubeletVersion={here.status.node_info.kubelet_version}"),
            *((log.proof.quote(*(x.text for x in late[-2:])),) if log and late else ()),
            *((events.proof.quote(*(_line(e) for e, _ in told[-2:])),) if events and told else ()),
        ),
        fixes=(_fix(arguments),),
    )


def _cliff(system: SystemPods | None) -> float:
    """From how many objects on the streams run out: as many of 250 as the row says, or of what the API server gives."""
    servers = system.component("kube-apiserver") if system else ()
    words = [w for p in servers for c in p.spec.containers or () for w in (*(c.command or ()), *(c.args or ()))]
    set_to = [int(m[1]) for w in words if (m := _STREAMS.match(w))]
    return CLIFF * min(set_to) / STREAMS if set_to and min(set_to) > 0 else CLIFF


def _late(log: KubeletLog | None, active: list[Pod], clock: Clock) -> list[LogLine]:
    """Timeouts of the cache, without those of pods that end: a line that names no pod counts."""
    paths, uids = {p.path for p in active}, {p.metadata.uid for p in active}

    def counts(text: str) -> bool:
        named = _POD.search(text)
        return named is None or named["path"] in paths or named["uid"] in uids

    lines = [x for x in (log.lines if log else ()) if x.at and clock.age(x.at) <= SPAN]
    return [x for x in lines if _LATE.search(x.text) and counts(x.text)]


def _told(events: MountEvents | None, active: list[Pod], clock: Clock) -> list[tuple[Event, int]]:
    """Events of such timeouts and how often each was seen within the span: once, where the first is older."""
    paths = {p.path for p in active}
    fresh = [
        e
        for e in (events.items if events else ())
        if e.seen
        and clock.age(e.seen) <= SPAN
        and _LATE.search(e.message or "")
        and f"{e.involved_object.namespace}/{e.involved_object.name}" in paths
    ]
    began = [(e, e.first_timestamp or e.event_time or e.seen) for e in fresh]
    counted = [(e, e.times if at and clock.age(at) <= SPAN else 1) for e, at in began]
    return sorted(counted, key=lambda pair: pair[0].seen or clock.now)


def _first(told: list[tuple[Event, int]]) -> datetime | None:
    """When the first of them was seen first."""
    return min((at for e, _ in told if (at := e.first_timestamp or e.seen)), default=None)


def _line(event: Event) -> str:
    about = event.involved_object
    return f"{about.namespace}/{about.name}: {event.reason} x{event.times}: {event.message}"


def _reason(count: int, late: int, *, old: bool, cliff: float) -> str:
    if old and count >= cliff:
        return "streams"
    if not old and count >= MODERN:
        return "many-objects"
    return "timeouts" if not old and late >= TIMEOUTS else ""


def _reached(pods: Iterable[Pod], cliff: float) -> datetime | None:
    """When the number of objects reached the limit: as the pod was made that brought it there."""
    seen: set[str] = set()
    made = [(p.metadata.creation_timestamp, p) for p in pods]
    for at, pod in sorted(((at, p) for at, p in made if at), key=lambda pair: pair[0]):
        seen.update(referred(pod))
        if len(seen) >= cliff:
            return at
    return None


def _confidence(reason: str, settings: KubeletSettings | None, late: bool) -> Confidence:
    """An old kubelet whose setting could not be read, and that does not complain, may not watch at all."""
    if reason == "streams" and late:
        return Confidence.CONFIRMED if settings else Confidence.LIKELY
    return Confidence.LIKELY if settings or late else Confidence.POSSIBLE


def _minor(version: str) -> int:
    found = re.match(r"v1\.(\d+)", version)
    return int(found[1]) if found else 0


def referred(pod: Pod) -> Iterator[str]:
    """The ConfigMaps and Secrets that a pod refers to, as ``KIND ns/name``."""
    space = pod.metadata.namespace or ""
    maps, secrets = _of_volumes(pod)
    for container in (*(pod.spec.containers or ()), *(pod.spec.init_containers or ())):
        more_maps, more_secrets = _of_environment(container)
        maps += more_maps
        secrets += more_secrets
    secrets += [s.name for s in pod.spec.image_pull_secrets or ()]
    yield from _named("ConfigMap", space, maps)
    yield from _named("Secret", space, secrets)


def _of_volumes(pod: Pod) -> tuple[list[str], list[str]]:
    volumes = pod.spec.volumes or ()
    sources = [s for v in volumes if v.projected for s in v.projected.sources or ()]
    maps = [c.name for c in (*(v.config_map for v in volumes), *(s.config_map for s in sources)) if c]
    whole = [v.secret.secret_name for v in volumes if v.secret]
    return maps, whole + [s.secret.name for s in sources if s.secret]


def _of_environment(container: Container) -> tuple[list[str], list[str]]:
    single = [v.value_from for v in container.env or () if v.value_from]
    whole = container.env_from or ()
    maps = [r.name for r in (*(v.config_map_key_ref for v in single), *(s.config_map_ref for s in whole)) if r]
    return maps, [r.name for r in (*(v.secret_key_ref for v in single), *(s.secret_ref for s in whole)) if r]


def _named(kind: str, space: str, names: Iterable[str]) -> Iterator[str]:
    yield from (f"{kind} {space}/{name}" for name in names if name)


def _title(reason: str, name: str, count: int) -> Text:
    if reason == "timeouts":
        return T("the kubelet of {node} waits in vain for ConfigMaps and Secrets", node=name)
    if reason == "streams":
        return T(
            "the kubelet of {node} watches {count} ConfigMaps and Secrets, more than its connection carries",
            node=name,
            count=count,
        )
    return T("the kubelet of {node} watches {count} ConfigMaps and Secrets", node=name, count=count)


def _fix(arguments: KubeletArguments | None) -> Fix:
    path = shlex.quote((arguments.flags.get("config") if arguments else None) or CONFIG)
    return Fix(
        what=T("Set {setting} to Cache in the kubelet's configuration and restart the kubelet.", setting=STRATEGY),
        safety=Safety.DISRUPTIVE,
        commands=(
            f"sudo cp -p {path} {path}.bak",
            f"sudo sed -i '/^{STRATEGY}:/d; $a {STRATEGY}: Cache' {path}",
            "sudo systemctl restart kubelet",
        ),
        verify=(
            "sudo journalctl -u kubelet --since -10min --no-pager | grep -c 'timed out waiting for the condition'",
        ),
        undo=(f"sudo cp -p {path}.bak {path}", "sudo systemctl restart kubelet"),
    )
