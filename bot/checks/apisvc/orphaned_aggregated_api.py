"""APISVC-02: an APIService whose Service does not exist."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.apisvc.about import asked, backend_of, look, subject
from bot.model.apis import ApiBackends, ApiServices, is_available, service_path
from bot.model.evidence import Ask, Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.k8s import ApiService
from bot.model.proof import Proof
from bot.model.text import T

INSTALLING = 300.0


@check("APISVC-02")
def orphaned_aggregated_api(
    apis: ApiServices, ask: Ask, clock: Clock, backends: ApiBackends | None
) -> Iterator[Finding]:
    """An APIService is registered, but the Service that it names does not exist.

    Says:
        "every kubectl command complains about custom.metrics.k8s.io".
    Evidence:
        The APIService's condition (ServiceNotFound); a GET of the Service.
    Rule:
        The Service is absent. Confirmed when the condition and the GET agree; likely with the condition alone.
    Cause:
        A chart was uninstalled and its APIService was left behind.
    Fix:
        Install the adapter again, or save and delete the APIService.
    Verify:
        Discovery is complete.
    Must not fire:
        No APIService at all; an installation of less than 5 min ago.
    Reasons:
        - service-absent: the Service does not exist
    """
    for api in apis.aggregated:
        reason = api.available.reason if api.available else None
        made = api.metadata.creation_timestamp
        backend = backend_of(api, backends)
        absent = backend is not None and backend.service is None
        if is_available(api) or not asked(ask, api) or (made is not None and clock.age(made) <= INSTALLING):
            continue
        if reason == "ServiceNotFound" and (absent or backend is None):
            yield _finding(api, apis.proof, backend.proof if backend else None)


def _finding(api: ApiService, listed: Proof, gone: Proof | None) -> Finding:
    condition = api.available
    said = f"{condition.reason}: {condition.message}" if condition else ""
    name = shlex.quote(api.metadata.name)
    return Finding(
        code="APISVC-02",
        reason="service-absent",
        title=T(
            "API {api} is an orphan: its Service {service} does not exist",
            api=api.metadata.name,
            service=service_path(api),
        ),
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED if gone else Confidence.LIKELY,
        subject=subject(api),
        facts={"group": api.spec.group, "service": service_path(api)},
        onset=condition.last_transition_time if condition else None,
        proofs=(listed.quote(f"{api.metadata.name}: {said}"), *((gone,) if gone else ())),
        fixes=(
            Fix(
                what=T("Install what serves the API again; if nobody needs it, save and delete the APIService."),
                safety=Safety.REVERSIBLE,
                commands=(f"kubectl get apiservice {name} -o yaml > {name}.yaml", f"kubectl delete apiservice {name}"),
                verify=(look(api), "kubectl api-resources"),
                undo=(f"kubectl apply -f {name}.yaml",),
            ),
        ),
    )
