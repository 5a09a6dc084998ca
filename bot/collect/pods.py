"""Reads pods as a large cluster allows: rows of all, full objects and events only of those that look wrong."""

from __future__ import annotations

from collections.abc import Iterator

from bot.collect.read import Items, listing, merged, together
from bot.collect.tables import Glance, ago, attempt, chosen, fraction, glance, seconds, sorted_out
from bot.collector import collects
from bot.model.apis import Namespaces
from bot.model.evidence import Ask, Clock, Evidence
from bot.model.k8s import Event, Pod
from bot.model.workloads import PodEvents, PodRow, PodRows, SuspectPods
from bot.source import Kube, Right

LIST_PODS = Right(verb="list", resource="pods")
GET_PODS = Right(verb="get", resource="pods")
LIST_EVENTS = Right(verb="list", resource="events")
FEW = 5
QUIET = frozenset({"Running", "Completed", "Succeeded"})
# What a question is about, where that is less than the whole cluster; the namespace of its client comes with it.
ABOUT = {"dns-check": frozenset({"kube-system", "openshift-dns"})}
ABOUT_NODES = frozenset({"node-why"})
OF_ONE_NODE = "node-why"
ELSEWHERE = "the question is not about all pods of this namespace"


@collects(PodRows, SuspectPods, rights=(LIST_PODS, GET_PODS), deadline=60.0)
def pods(kube: Kube, namespaces: Namespaces, clock: Clock, ask: Ask | None = None) -> Iterator[Evidence]:
    """Every pod as a row, and in full those whose row is wrong; for DNS or a node only what the question is about."""
    if ask is not None and ask.command in ABOUT_NODES:
        named = [name for name in (ask.target, ask.options.get("peer", "")) if name]
        seen = together(lambda node: _on_node(kube, node), named)
        names: tuple[str, ...] = ()
        unread: dict[str, str] = {}
    else:
        names = tuple(name for name in namespaces.names if concerns(ask, name))
        seen, unread = _in_namespaces(kube, names)
    unread |= {name: ELSEWHERE for name in namespaces.names if name not in names}
    rows = tuple(row for g in seen for row in _rows(g, clock))
    yield PodRows(
        proof=merged([g.proof for g in seen], "GET /api/v1/namespaces/*/pods (tables)"), rows=rows, unread=unread
    )
    wrong = {row.path for row in rows if looks_wrong(row, clock.window_seconds)}
    full = [p for found in together(lambda g: _full(kube, g, wrong), seen) for p in found]
    proof = merged([g.proof for g in seen if g.full is not None], "the pods that look wrong, in full")
    yield SuspectPods(proof=proof, items=tuple(full))


def _in_namespaces(kube: Kube, names: tuple[str, ...]) -> tuple[list[Glance[Pod]], dict[str, str]]:
    tried = together(lambda ns: attempt(lambda: glance(kube, f"/api/v1/namespaces/{ns}/pods", Pod, LIST_PODS)), names)
    return sorted_out(list(zip(names, tried, strict=True)))


def _on_node(kube: Kube, node: str) -> Glance[Pod]:
    """The pods of one node, which are few; the API server keeps an index for this field selector."""
    path = "/api/v1/pods"
    found = listing(kube, path, Pod, LIST_PODS, {"fieldSelector": f"spec.nodeName={node}"})
    return Glance(path=path, namespace="", rows=(), full=found.items, proof=found.proof)


def _of_node(kube: Kube, node: str, clock: Clock) -> Iterator[Evidence]:
    """The pods bound to one node, asked for by field selector."""
    found = listing(kube, "/api/v1/pods", Pod, LIST_PODS, {"fieldSelector": f"spec.nodeName={node}"})
    mine = tuple(p for p in found.items if p.spec.node_name == node)
    rows = tuple(row_of(p, clock) for p in mine)
    yield PodRows(proof=found.proof, rows=rows, unread={})
    wrong = {row.path for row in rows if looks_wrong(row, clock.window_seconds)}
    yield SuspectPods(proof=found.proof, items=tuple(p for p in mine if p.path in wrong))


def concerns(ask: Ask | None, namespace: str) -> bool:
    """Whether a question concerns a namespace; one that is about the whole cluster concerns all."""
    if ask is None or ask.command not in ABOUT:
        return True
    client = ask.options.get("from", "").partition("/")
    named = {client[0] if client[1] else "", ask.options.get("ns", "")}
    return namespace in ABOUT[ask.command] | named


def _full(kube: Kube, seen: Glance[Pod], wrong: set[str]) -> tuple[Pod, ...]:
    if seen.full is not None:
        return tuple(p for p in seen.full if p.path in wrong)
    return chosen(kube, seen, lambda r: f"{seen.namespace}/{r.get('Name')}" in wrong, Pod, GET_PODS)


def looks_wrong(row: PodRow, window: float) -> bool:
    """Whether a pod needs a closer look: not running, not ready, restarted lately, or made within the window."""
    if row.status in {"Completed", "Succeeded"}:
        return False
    if row.status not in QUIET or row.ready < row.total:
        return True
    restarted = row.restarts > 0 and (row.restarted is None or row.restarted <= window)
    return restarted or (row.age is not None and row.age <= window)


def _rows(seen: Glance[Pod], clock: Clock) -> Iterator[PodRow]:
    if seen.full is not None:
        yield from (row_of(pod, clock) for pod in seen.full)
        return
    for cells in seen.rows:
        ready, total = fraction(cells.get("Ready", ""))
        restarts = cells.get("Restarts", "0").split(" ")[0]
        node = cells.get("Node", "")
        yield PodRow(
            namespace=seen.namespace,
            name=cells.get("Name", ""),
            ready=ready,
            total=total,
            status=cells.get("Status", ""),
            restarts=int(restarts) if restarts.isdigit() else 0,
            restarted=ago(cells.get("Restarts", "")),
            age=seconds(cells.get("Age", "")),
            node="" if node.startswith("<") else node,
        )


def row_of(pod: Pod, clock: Clock) -> PodRow:
    """The row of a pod that was read in full; the status word as kubectl makes it, for what decides here."""
    statuses = pod.status.container_statuses or ()
    stopped = [s.last_state.terminated.finished_at for s in statuses if s.last_state.terminated]
    last = max((t for t in stopped if t), default=None)
    created = pod.metadata.creation_timestamp
    return PodRow(
        namespace=pod.metadata.namespace or "",
        name=pod.metadata.name,
        ready=sum(s.ready for s in statuses),
        total=len(pod.spec.containers or statuses),
        status=_status(pod),
        restarts=pod.restarts,
        restarted=clock.age(last) if last else None,
        age=clock.age(created) if created else None,
        node=pod.spec.node_name or "",
    )


def _status(pod: Pod) -> str:
    if pod.metadata.deletion_timestamp is not None:
        return "Unknown" if pod.status.reason == "NodeLost" else "Terminating"
    for status in pod.status.container_statuses or ():
        if status.state.waiting and status.state.waiting.reason:
            return status.state.waiting.reason
        if status.state.terminated and status.state.terminated.reason:
            return status.state.terminated.reason
    if pod.status.phase == "Succeeded":
        return "Completed"
    return pod.status.reason or pod.status.phase


@collects(PodEvents, rights=(LIST_EVENTS,))
def pod_events(kube: Kube, pods: SuspectPods) -> Iterator[Evidence]:
    """Events about the pods that look wrong: by name when a namespace has few of them, else of the namespace."""
    by_namespace: dict[str, list[str]] = {}
    for pod in pods.items:
        by_namespace.setdefault(pod.metadata.namespace or "", []).append(pod.metadata.name)
    asked = [(ns, name) for ns, names in by_namespace.items() for name in (names if len(names) <= FEW else [""])]
    found: list[Items[Event]] = together(lambda at: _events(kube, *at), asked)
    paths = {pod.path for pod in pods.items}
    events = tuple(
        e
        for items in found
        for e in items.items
        if e.involved_object.kind == "Pod" and f"{e.involved_object.namespace}/{e.involved_object.name}" in paths
    )
    yield PodEvents(proof=merged([i.proof for i in found], "the events of the pods that look wrong"), items=events)


def _events(kube: Kube, namespace: str, name: str) -> Items[Event]:
    query = {
        "fieldSelector": f"involvedObject.kind=Pod,involvedObject.name={name}" if name else "involvedObject.kind=Pod"
    }
    return listing(kube, f"/api/v1/namespaces/{namespace}/events", Event, LIST_EVENTS, query)
