"""Reads what shows whether the control plane works: leader records, its pods, their events and logs."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

import msgspec

from bot.collect.logs import LOGS, Wanted, read_logs, wanted_of
from bot.collect.read import PAGE, decoder_of, listing, merged, one, together
from bot.collect.tables import chosen, fraction, glance
from bot.collector import collects
from bot.errors import Kind, SourceError
from bot.model.cluster import ControlPlaneLogs, Leader, Leaders, Log, SystemEvents, SystemPods
from bot.model.evidence import Clock, Evidence
from bot.model.k8s import Event, Lease, Pod
from bot.model.k8s_more import Endpoints
from bot.model.proof import Proof
from bot.source import Kube, Right

ELECTED = ("kube-controller-manager", "kube-scheduler", "cloud-controller-manager")
LOGGED = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd", "cloud-controller-manager")
ANNOTATION = "control-plane.alpha.kubernetes.io/leader"
GET_LEASE = Right(verb="get", resource="leases", group="coordination.k8s.io")
GET_ENDPOINTS = Right(verb="get", resource="endpoints")
LIST_PODS = Right(verb="list", resource="pods")
GET_PODS = Right(verb="get", resource="pods")
SELECTORS = ("tier=control-plane", "component", "k8s-app in (kube-dns,coredns,metrics-server,heapster)")
LIST_EVENTS = Right(verb="list", resource="events")


class _Record(msgspec.Struct, rename="camel"):
    """The JSON inside the annotation of the old form."""

    holder_identity: str = ""
    renew_time: datetime | None = None
    leader_transitions: int = 0


@collects(Leaders, rights=(GET_LEASE, GET_ENDPOINTS))
def leaders(kube: Kube) -> Iterator[Evidence]:
    """The Leases of kube-system by name, or the annotation on Endpoints that was used before 1.14-1.17."""
    read = together(lambda component: _by_lease(kube, component) or _by_annotation(kube, component), ELECTED)
    found = {leader.component: leader for leader in read if leader is not None}
    proofs = [leader.proof for leader in found.values()]
    yield Leaders(proof=merged(proofs, "GET the leader records of kube-system"), by_component=found)


def _by_lease(kube: Kube, component: str) -> Leader | None:
    path = f"/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/{component}"
    try:
        lease, proof = one(kube, path, Lease, GET_LEASE)
    except SourceError as error:
        if error.kind is not Kind.NOT_RECORDED:
            raise
        return None
    if lease is None:
        return None
    return Leader(
        component=component,
        holder=lease.spec.holder_identity or "",
        renewed=lease.spec.renew_time,
        transitions=lease.spec.lease_transitions or 0,
        proof=proof,
    )


def _by_annotation(kube: Kube, component: str) -> Leader | None:
    path = f"/api/v1/namespaces/kube-system/endpoints/{component}"
    found, proof = one(kube, path, Endpoints, GET_ENDPOINTS)
    text = (found.metadata.annotations or {}).get(ANNOTATION) if found else None
    if text is None:
        return None
    try:
        record = decoder_of(_Record).decode(text)
    except msgspec.MsgspecError:
        raise SourceError(Kind.MALFORMED, f"GET {path}", f"annotation {ANNOTATION}") from None
    return Leader(
        component=component,
        holder=record.holder_identity,
        renewed=record.renew_time,
        transitions=record.leader_transitions,
        proof=proof.quote(f"{ANNOTATION}: {text}"),
    )


@collects(SystemPods, rights=(LIST_PODS, GET_PODS), deadline=60.0)
def system_pods(kube: Kube) -> Iterator[Evidence]:
    """The pods of kube-system; of a large cluster without the ready pods of its DaemonSets, one a node and alike.

    Raises:
        SourceError: they could not be read.
    """
    path = "/api/v1/namespaces/kube-system/pods"
    seen = glance(kube, path, Pod, LIST_PODS)
    if seen.full is not None:
        yield SystemPods(proof=seen.proof, items=seen.full)
        return
    if seen.total <= PAGE:
        found = listing(kube, path, Pod, LIST_PODS)
        yield SystemPods(proof=found.proof, items=found.items)
        return
    queries = [{"labelSelector": selector} for selector in SELECTORS]
    listed = together(lambda query: listing(kube, path, Pod, LIST_PODS, query), queries)
    wrong = chosen(kube, seen, lambda row: row.get("Status") != "Running" or _unready(row), Pod, GET_PODS)
    pods = {p.path: p for p in (*wrong, *(p for items in listed for p in items.items))}
    proofs = [seen.proof, *(items.proof for items in listed)]
    yield SystemPods(proof=merged(proofs, f"GET {path} (table, then those that matter)"), items=tuple(pods.values()))


def _unready(row: dict[str, str]) -> bool:
    ready, total = fraction(row.get("Ready", ""))
    return ready < total


@collects(SystemEvents, rights=(LIST_EVENTS,))
def system_events(kube: Kube) -> Iterator[Evidence]:
    """The events of kube-system."""
    found = listing(kube, "/api/v1/namespaces/kube-system/events", Event, LIST_EVENTS)
    yield SystemEvents(proof=found.proof, items=found.items)


@collects(ControlPlaneLogs, rights=(LOGS,), deadline=40.0)
def control_plane_logs(kube: Kube, pods: SystemPods, clock: Clock) -> Iterator[Evidence]:
    """The logs of the control-plane pods; where there are none (managed, or run by systemd), it is missing."""
    wanted: dict[str, tuple[Wanted, ...]] = {}
    for component in LOGGED:
        own = tuple(w for pod in pods.component(component) for w in wanted_of(pod, component))
        if own:
            wanted[component] = own
    if not wanted:
        because = "no control-plane pods in kube-system: the control plane is managed, or run by systemd"
        raise SourceError(Kind.NOT_FOUND, "logs of the control plane", because)
    logs, unread = read_logs(kube, tuple(w for own in wanted.values() for w in own), clock)
    by_component = {name: tuple(g for g in logs if _origin(g) in _origins(own)) for name, own in wanted.items()}
    by_component = {name: own for name, own in by_component.items() if own}
    yield ControlPlaneLogs(proof=_proof(logs, clock), by_component=by_component, unread=dict(unread))


def _origins(wanted: tuple[Wanted, ...]) -> set[str]:
    return {f"{w.pod.path}/{w.container}" for w in wanted}


def _origin(log: Log) -> str:
    return log.origin


def _proof(logs: tuple[Log, ...], clock: Clock) -> Proof:
    first = logs[0].proof
    return Proof(source=first.source, what="logs of the control-plane pods in kube-system", at=clock.now)
