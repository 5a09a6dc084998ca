"""Reads what the API server says about itself and about the nodes."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import datetime

import msgspec

from bot.collect.read import NOT_FOUND, decode, explained, listing, one, proof_of
from bot.collector import collects
from bot.errors import Kind, SourceError
from bot.model.cluster import (
    ApiHealth,
    Heartbeats,
    KubernetesEndpoints,
    MountEvents,
    NodeEvents,
    Nodes,
    PodsOnNode,
    ServerVersion,
)
from bot.model.evidence import Evidence
from bot.model.k8s import EndpointSlice, Event, Lease, Node, Pod
from bot.model.k8s_more import Endpoints
from bot.model.proof import Proof
from bot.model.refs import NodeName
from bot.redact import redact
from bot.source import Kube, Right

LIST_NODES = Right(verb="list", resource="nodes")
LIST_LEASES = Right(verb="list", resource="leases", group="coordination.k8s.io")
GET_SLICES = Right(verb="get", resource="endpointslices", group="discovery.k8s.io")
GET_ENDPOINTS = Right(verb="get", resource="endpoints")
LIST_PODS = Right(verb="list", resource="pods")
LIST_EVENTS = Right(verb="list", resource="events")
READYZ = Right(verb="get", path="/readyz*")
HEALTHZ = Right(verb="get", path="/healthz*")
VERSION = Right(verb="get", path="/version")
_FAILED = re.compile(r"^\[-\](\S+)", re.MULTILINE)
_DIGITS = re.compile(r"\d+")


class _Version(msgspec.Struct, rename="camel"):
    git_version: str = ""
    minor: str = "0"


@collects(ServerVersion, rights=(VERSION,))
def server_version(kube: Kube) -> Iterator[Evidence]:
    """``GET /version``; a vendor's minor such as ``27+`` counts as 27."""
    response = kube.get("/version")
    found = decode(response.body, _Version, "GET /version")
    minor = _DIGITS.search(found.minor)
    yield ServerVersion(
        proof=proof_of("/version", response, response.body.decode("utf-8", "replace")),
        git_version=found.git_version,
        minor=int(minor[0]) if minor else 0,
    )


@collects(ApiHealth, rights=(READYZ, HEALTHZ))
def api_health(kube: Kube) -> Iterator[Evidence]:
    """``/readyz?verbose``; before 1.16 there is only ``/healthz``. A 500 is the answer "not ready", 403 is none."""
    for path in ("/readyz", "/healthz"):
        response = kube.raw(path, {"verbose": ""})
        if response.status != NOT_FOUND:
            break
    text = response.body.decode("utf-8", "replace")
    if response.status in {401, 403}:
        kind = Kind.FORBIDDEN if response.status == 403 else Kind.UNAUTHORIZED  # noqa: PLR2004 - HTTP
        raise explained(SourceError(kind, f"GET {path}", redact(text[:200])[0], status=response.status), READYZ)
    failed = tuple(_FAILED.findall(text))
    if not response.ok and not failed and response.status != 500:  # noqa: PLR2004 - HTTP
        raise SourceError(Kind.MALFORMED, f"GET {path}", f"HTTP {response.status}", status=response.status)
    yield ApiHealth(proof=proof_of(f"{path}?verbose", response, text), ready=response.ok, failed=failed)


@collects(Nodes, rights=(LIST_NODES,))
def nodes(kube: Kube) -> Iterator[Evidence]:
    """Every node object."""
    found = listing(kube, "/api/v1/nodes", Node, LIST_NODES)
    yield Nodes(proof=found.proof, items=found.items)


@collects(Heartbeats, rights=(LIST_LEASES,))
def heartbeats(kube: Kube, nodes: Nodes) -> Iterator[Evidence]:
    """The node Leases, or ``lastHeartbeatTime`` of Ready where the API has none (before 1.14)."""
    try:
        leases = listing(kube, "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases", Lease, LIST_LEASES)
    except SourceError as error:
        if error.kind is not Kind.NOT_FOUND:
            raise
    else:
        renewed = {lease.metadata.name: lease.spec.renew_time for lease in leases.items}
        if renewed:
            yield Heartbeats(
                proof=leases.proof, last={name: at for name, at in renewed.items() if at is not None}, by_lease=True
            )
            return
    yield Heartbeats(proof=nodes.proof, last=_ready_heartbeats(nodes), by_lease=False)


def _ready_heartbeats(nodes: Nodes) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for node in nodes.items:
        ready = node.condition("Ready")
        if ready is not None and ready.last_heartbeat_time is not None:
            found[node.name] = ready.last_heartbeat_time
    return found


@collects(KubernetesEndpoints, rights=(GET_SLICES, GET_ENDPOINTS))
def kubernetes_endpoints(kube: Kube) -> Iterator[Evidence]:
    """The slice ``default/kubernetes``, or the Endpoints object where the API has no slices."""
    slices, proof = _kubernetes_slice(kube)
    if slices is None or proof is None:
        old, proof = one(kube, "/api/v1/namespaces/default/endpoints/kubernetes", Endpoints, GET_ENDPOINTS)
        if old is None:
            raise SourceError(Kind.NOT_FOUND, "GET /api/v1/namespaces/default/endpoints/kubernetes", "there is none")
        slices = old.as_slices()
    addresses = tuple(a for s in slices for e in s.endpoints or () for a in e.addresses or ())
    port = next((p.port for s in slices for p in s.ports or () if p.port), 443)
    yield KubernetesEndpoints(proof=proof, addresses=addresses, port=port)


def _kubernetes_slice(kube: Kube) -> tuple[tuple[EndpointSlice, ...] | None, Proof | None]:
    path = "/apis/discovery.k8s.io/v1/namespaces/default/endpointslices/kubernetes"
    try:
        found, proof = one(kube, path, EndpointSlice, GET_SLICES)
    except SourceError as error:
        if error.kind is not Kind.NOT_RECORDED:
            raise
        return None, None
    return ((found,) if found else None), proof


@collects(PodsOnNode, rights=(LIST_PODS,))
def pods_on_node(kube: Kube, node: NodeName) -> Iterator[Evidence]:
    """The pods bound to one node, asked for by field selector: never the pods of the whole cluster."""
    found = listing(kube, "/api/v1/pods", Pod, LIST_PODS, {"fieldSelector": f"spec.nodeName={node}"})
    yield PodsOnNode(proof=found.proof, node=node, items=tuple(p for p in found.items if p.spec.node_name == node))


@collects(NodeEvents, rights=(LIST_EVENTS,))
def node_events(kube: Kube, node: NodeName) -> Iterator[Evidence]:
    """The events about one node object."""
    query = {"fieldSelector": f"involvedObject.kind=Node,involvedObject.name={node}"}
    found = listing(kube, "/api/v1/events", Event, LIST_EVENTS, query)
    about = tuple(e for e in found.items if e.involved_object.kind == "Node" and e.involved_object.name == node)
    yield NodeEvents(proof=found.proof, node=node, items=about)


@collects(MountEvents, rights=(LIST_EVENTS,))
def mount_events(kube: Kube, node: NodeName, pods: PodsOnNode) -> Iterator[Evidence]:
    """What the kubelet says of volumes that it cannot mount, for the pods of one node."""
    query = {"fieldSelector": "involvedObject.kind=Pod,reason=FailedMount"}
    found = listing(kube, "/api/v1/events", Event, LIST_EVENTS, query)
    here = {p.path for p in pods.items}
    about = tuple(
        e
        for e in found.items
        if e.involved_object.kind == "Pod"
        and e.reason == "FailedMount"
        and f"{e.involved_object.namespace}/{e.involved_object.name}" in here
    )
    yield MountEvents(proof=found.proof, node=node, items=about)
