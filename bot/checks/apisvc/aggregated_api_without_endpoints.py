"""APISVC-01: the Service behind an aggregated API has no ready endpoint."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.apisvc.about import answers_503, asked, backend_of, is_settled, look, nodes_of, subject
from bot.model.apis import ApiBackends, ApiServices, Backend, GroupProbes, is_available, service_path
from bot.model.evidence import Ask, Clock
from bot.model.finding import Confidence, Finding, Fix, RuledOut, Safety, Severity
from bot.model.k8s import ApiService
from bot.model.proof import Proof
from bot.model.text import T

REASONS = {
    "MissingEndpoints": "missing-endpoints",
    "EndpointsNotFound": "endpoints-not-found",
    "ServicePortError": "port-mismatch",
    "ServiceAccessError": "access-error",
    "EndpointsAccessError": "access-error",
}
ELSEWHERE = frozenset({"ServiceNotFound", "FailedDiscoveryCheck"})


@check("APISVC-01")
def aggregated_api_without_endpoints(
    apis: ApiServices, ask: Ask, clock: Clock, backends: ApiBackends | None, probes: GroupProbes | None
) -> Iterator[Finding | RuledOut]:
    """An aggregated API is not available because nothing ready is behind its Service.

    Says:
        "kubectl top: the server is currently unable to handle the request", "error: Metrics API not available".
    Evidence:
        APIService condition Available and its reason; the Service, its EndpointSlices, its pods; a raw GET.
    Rule:
        Available is False or Unknown for more than 60 s with a reason about endpoints or the port, or the Service
        exists and has no ready endpoint. Confirmed when a raw GET answers 503 or the endpoints agree; else likely.
    Cause:
        The pod behind it is not ready or not scheduled, or the port name does not match.
    Fix:
        Repair the pod; correct the port.
    Verify:
        The condition becomes True with reason Passed.
    Must not fire:
        APIs served by the API server itself; a rolling update of less than 60 s; a Service that does not exist
        (APISVC-02); a backend that is ready but not reached (APISVC-03).
    Reasons:
        - missing-endpoints: no ready address with the port's name
        - endpoints-not-found: the Service has no endpoints object
        - port-mismatch: the Service does not listen on the APIService's port
        - access-error: the API server could not read the Service or its endpoints
    """
    for api in apis.aggregated:
        if not asked(ask, api):
            continue
        if is_available(api):
            yield RuledOut(
                code="APISVC-01",
                subject=subject(api),
                because=T("{api} is available", api=api.metadata.name),
                proofs=(apis.proof.quote(f"{api.metadata.name} Available=True {_reason(api)}"),),
            )
        elif is_settled(api, clock):
            yield from _judge(api, apis.proof, backend_of(api, backends), answers_503(api, probes))


def _reason(api: ApiService) -> str:
    return (api.available.reason if api.available else None) or ""


def _judge(api: ApiService, listed: Proof, backend: Backend | None, refused: Proof | None) -> Iterator[Finding]:
    word = REASONS.get(_reason(api))
    empty = backend is not None and backend.endpoints is not None and backend.endpoints.ready == 0
    if _reason(api) == "ServiceNotFound" or (word is None and not empty):
        return
    condition = api.available
    proofs = [listed.quote(f"{api.metadata.name} Available={condition.status if condition else '-'} {_said(api)}")]
    if backend is not None and backend.endpoints is not None:
        proofs.append(backend.endpoints.proof.quote(f"{backend.path}: {backend.endpoints.ready} ready endpoints"))
    agree = empty or refused is not None
    yield Finding(
        code="APISVC-01",
        reason=word or "missing-endpoints",
        title=T(
            "API {api} is not available: nothing ready behind Service {service}",
            api=api.metadata.name,
            service=service_path(api),
        ),
        detail=T("The API server says: {message}", message=_said(api)),
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED if agree and word else Confidence.LIKELY,
        subject=subject(api),
        facts={
            "group": api.spec.group,
            "service": service_path(api),
            "nodes": nodes_of(backend),
            "pods": tuple(p.path for p in backend.pods) if backend else (),
        },
        onset=condition.last_transition_time if condition else None,
        proofs=(*proofs, *((refused,) if refused else ())),
        fixes=(_fix(api),),
    )


def _said(api: ApiService) -> str:
    condition = api.available
    if condition is None:
        return "(no condition)"
    return ": ".join(part for part in (condition.reason, condition.message) if part)


def _fix(api: ApiService) -> Fix:
    service = api.spec.service
    namespace = shlex.quote(service.namespace if service else "kube-system")
    name = shlex.quote(service.name if service else "")
    return Fix(
        what=T("Look at what is behind the Service and repair its pod; restarting nothing else helps."),
        safety=Safety.READ_ONLY,
        commands=(
            f"kubectl -n {namespace} get service {name} -o wide",
            f"kubectl -n {namespace} get endpointslices -l kubernetes.io/service-name={name}",
        ),
        verify=(look(api),),
    )
