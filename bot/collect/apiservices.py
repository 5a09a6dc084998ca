"""Reads the aggregated APIs: APIServices, what is behind those that fail, raw answers, and discovery."""

from __future__ import annotations

from collections.abc import Iterator

from bot.collect.endpoints import (
    GET_ENDPOINTS,
    GET_SERVICE,
    LIST_PODS,
    LIST_SLICES,
    endpoints_of,
    pods_matching,
    service_of,
)
from bot.collect.read import ask, decode, listing, merged, proof_of, together
from bot.collector import collects
from bot.errors import Kind, SourceError
from bot.model.apis import (
    LEGACY,
    METRICS,
    ApiBackends,
    ApiServices,
    Backend,
    Discovery,
    GroupProbe,
    GroupProbes,
    Namespaces,
    group_version,
    is_available,
)
from bot.model.evidence import Evidence
from bot.model.k8s import ApiService, NamespaceObject
from bot.model.k8s_more import DiscoveryDocument
from bot.source import Kube, Right

LIST_APISERVICES = Right(verb="list", resource="apiservices", group="apiregistration.k8s.io")
LIST_NAMESPACES = Right(verb="list", resource="namespaces")
APIS = Right(verb="get", path="/apis*")
AGGREGATED = ",".join(
    [f"application/json;g=apidiscovery.k8s.io;v={v};as=APIGroupDiscoveryList" for v in ("v2", "v2beta1")]
    + ["application/json"]
)


@collects(ApiServices, rights=(LIST_APISERVICES,))
def api_services(kube: Kube) -> Iterator[Evidence]:
    """Every APIService; ``v1beta1`` of the group is asked where ``v1`` does not exist (before 1.10)."""
    try:
        found = listing(kube, "/apis/apiregistration.k8s.io/v1/apiservices", ApiService, LIST_APISERVICES)
    except SourceError as error:
        if error.kind is not Kind.NOT_FOUND:
            raise
        found = listing(kube, "/apis/apiregistration.k8s.io/v1beta1/apiservices", ApiService, LIST_APISERVICES)
    yield ApiServices(proof=found.proof, items=found.items)


@collects(ApiBackends, rights=(GET_SERVICE, LIST_SLICES, GET_ENDPOINTS, LIST_PODS))
def api_backends(kube: Kube, apis: ApiServices) -> Iterator[Evidence]:
    """The Service, endpoints and pods behind each APIService that matters; few, so one by one."""
    refs = {(a.spec.service.namespace, a.spec.service.name) for a in suspects(apis) if a.spec.service}
    found = together(lambda ref: _backend(kube, *ref), sorted(refs))
    proof = merged([b.proof for b in found], "the Services behind the APIServices")
    yield ApiBackends(proof=proof, by_service={b.path: b for b in found})


def suspects(apis: ApiServices) -> tuple[ApiService, ...]:
    """The aggregated APIs that are not Available, and those of metrics whatever they say."""
    return tuple(a for a in apis.aggregated if not is_available(a) or a.spec.group in {METRICS, LEGACY})


def _backend(kube: Kube, namespace: str, name: str) -> Backend:
    service, proof = service_of(kube, namespace, name)
    if service is None:
        return Backend(path=f"{namespace}/{name}", service=None, endpoints=None, pods=(), proof=proof)
    endpoints = endpoints_of(kube, namespace, name)
    pods = pods_matching(kube, namespace, service.spec.selector)
    return Backend(
        path=f"{namespace}/{name}", service=service, endpoints=endpoints, pods=pods.items, proof=endpoints.proof
    )


@collects(GroupProbes, rights=(APIS,))
def group_probes(kube: Kube, apis: ApiServices | None) -> Iterator[Evidence]:
    """A raw GET of the metrics API, and of every aggregated API that is not Available: 404 and 503 tell apart."""
    wanted = {f"{METRICS}/v1beta1"} | ({group_version(a) for a in suspects(apis)} if apis else set())
    found = [p for p in together(lambda gv: _probe(kube, gv), sorted(wanted)) if p is not None]
    if not found:
        raise SourceError(Kind.NOT_RECORDED, f"GET /apis/{min(wanted)}", "not recorded")
    proof = merged([p.proof for p in found], "raw GETs of aggregated APIs")
    yield GroupProbes(proof=proof, by_group_version={p.group_version: p for p in found})


def _probe(kube: Kube, gv: str) -> GroupProbe | None:
    try:
        response = kube.raw(f"/apis/{gv}")
    except SourceError as error:
        if error.kind is not Kind.NOT_RECORDED:
            raise
        return None
    text = response.body[:200].decode("utf-8", "replace").strip() if not response.ok else ""
    proof = proof_of(f"/apis/{gv}", response, f"HTTP {response.status} {text}".strip())
    return GroupProbe(group_version=gv, status=response.status, text=text, proof=proof)


@collects(Discovery, rights=(APIS,))
def discovery(kube: Kube) -> Iterator[Evidence]:
    """``/apis`` in the aggregated form, which marks stale groups, or in the old form, which does not."""
    response = ask(kube, "/apis", None, APIS, accept=AGGREGATED)
    document = decode(response.body, DiscoveryDocument, "GET /apis")
    if document.items is None and document.groups is None:
        raise SourceError(Kind.MALFORMED, "GET /apis", "no discovery document")
    groups = document.items if document.items is not None else document.groups or ()
    pairs = [(f"{g.metadata.name or g.name}/{v.version}", v.freshness) for g in groups for v in g.versions or ()]
    stale = tuple(gv for gv, freshness in pairs if freshness == "Stale")
    body = "\n".join(f"{gv} freshness: {freshness}" for gv, freshness in pairs)
    proof = proof_of("/apis", response, body)
    yield Discovery(
        proof=proof.quote(*(f"{gv} freshness: Stale" for gv in stale)) if stale else proof,
        group_versions=tuple(gv for gv, _ in pairs),
        stale=stale,
        aggregated=document.items is not None,
    )


@collects(Namespaces, rights=(LIST_NAMESPACES,))
def namespaces(kube: Kube) -> Iterator[Evidence]:
    """Every namespace."""
    found = listing(kube, "/api/v1/namespaces", NamespaceObject, LIST_NAMESPACES)
    yield Namespaces(proof=found.proof, items=found.items)
