"""Reads Services and what is behind them, from slices or, where the API has none, from Endpoints."""

from __future__ import annotations

from bot.collect.read import Items, listing, one
from bot.errors import Kind, SourceError
from bot.model.cluster import ServiceEndpoints
from bot.model.k8s import EndpointSlice, Pod, Service
from bot.model.k8s_more import Endpoints
from bot.model.proof import Proof, Source
from bot.source import Kube, Right

GET_SERVICE = Right(verb="get", resource="services")
LIST_SLICES = Right(verb="list", resource="endpointslices", group="discovery.k8s.io")
GET_ENDPOINTS = Right(verb="get", resource="endpoints")
LIST_PODS = Right(verb="list", resource="pods")
LABEL = "kubernetes.io/service-name"


def service_of(kube: Kube, namespace: str, name: str) -> tuple[Service | None, Proof]:
    """A Service, or None when there is none."""
    return one(kube, f"/api/v1/namespaces/{namespace}/services/{name}", Service, GET_SERVICE)


def endpoints_of(kube: Kube, namespace: str, name: str) -> ServiceEndpoints:
    """The slices of a Service; its Endpoints object before 1.21.

    Raises:
        SourceError: neither could be read.
    """
    path = f"/apis/discovery.k8s.io/v1/namespaces/{namespace}/endpointslices"
    try:
        found = listing(kube, path, EndpointSlice, LIST_SLICES, {"labelSelector": f"{LABEL}={name}"})
    except SourceError as error:
        if error.kind not in {Kind.NOT_FOUND, Kind.NOT_RECORDED}:
            raise
    else:
        own = tuple(s for s in found.items if s.metadata.label(LABEL) == name)
        return ServiceEndpoints(service=f"{namespace}/{name}", slices=own, proof=found.proof)
    old, proof = one(kube, f"/api/v1/namespaces/{namespace}/endpoints/{name}", Endpoints, GET_ENDPOINTS)
    slices = old.as_slices() if old else ()
    return ServiceEndpoints(service=f"{namespace}/{name}", slices=slices, proof=proof)


def pods_matching(kube: Kube, namespace: str, selector: dict[str, str] | None) -> Items[Pod]:
    """The pods that a Service's selector matches; none for a Service without selector."""
    if not selector:
        return Items((), Proof(source=Source.API, what=f"the Service in {namespace} has no selector"))
    query = {"labelSelector": ",".join(f"{k}={v}" for k, v in sorted(selector.items()))}
    found = listing(kube, f"/api/v1/namespaces/{namespace}/pods", Pod, LIST_PODS, query)
    own = tuple(p for p in found.items if all(p.metadata.label(k) == v for k, v in selector.items()))
    return Items(own, found.proof)
