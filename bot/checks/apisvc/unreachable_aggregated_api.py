"""APISVC-03: the API server does not reach the backend of an aggregated API."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.apisvc.about import answers_503, asked, backend_of, is_settled, look, nodes_of, subject
from bot.model.apis import LEGACY, ApiBackends, ApiServices, Backend, GroupProbes, is_available, service_path
from bot.model.evidence import Ask, Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.k8s import ApiService
from bot.model.proof import Proof
from bot.model.text import T

ABSENT = re.compile(r"bad status from \S+: 404")
NO_TRUST = re.compile(r"x509:|bad status from \S+: 40[13]")
CLASSES = (
    ("refused", re.compile(r"connection refused")),
    ("no-route", re.compile(r"no route to host|network is unreachable")),
    ("timeout", re.compile(r"i/o timeout|context deadline exceeded|request canceled|timed out waiting for")),
    ("bad-status", re.compile(r"bad status from")),
)


@check("APISVC-03")
def unreachable_aggregated_api(
    apis: ApiServices, ask: Ask, clock: Clock, backends: ApiBackends | None, probes: GroupProbes | None
) -> Iterator[Finding]:
    """The pods behind an aggregated API are ready, and the API server gets no answer from them.

    Says:
        "metrics-server runs, and kubectl top still says that the Metrics API is not available".
    Evidence:
        The APIService's condition (FailedDiscoveryCheck) with its message; the ready endpoints; a raw GET of the group.
    Rule:
        FailedDiscoveryCheck for more than 60 s while endpoints are ready. Confirmed when a raw GET answers 503 too.
    Cause:
        The way from the control plane to the pod is broken: a firewall, a control-plane node without CNI or kube-proxy,
        a proxy setting; refused means that the pod does not listen there.
    Fix:
        Open the way from the control plane to the pod's port.
    Verify:
        The condition becomes True with reason Passed.
    Must not fire:
        Pods that are not ready (APISVC-01); certificate and permission errors (APISVC-04); a legacy group
        that the backend does not serve (APISVC-05).
    Reasons:
        - refused: the port is closed
        - no-route: no way there
        - timeout: no answer
        - bad-status: an answer with an error status
    """
    for api in apis.aggregated:
        condition = api.available
        if is_available(api) or not asked(ask, api) or not is_settled(api, clock) or condition is None:
            continue
        said = condition.message or ""
        backend = backend_of(api, backends)
        ready = backend.endpoints.ready if backend and backend.endpoints else None
        word = next((w for w, pattern in CLASSES if pattern.search(said)), "")
        absent = api.spec.group == LEGACY and ABSENT.search(
            said
        )  # reached, but it does not serve that group: APISVC-05
        if condition.reason == "FailedDiscoveryCheck" and ready and word and not NO_TRUST.search(said) and not absent:
            yield _finding(api, word, apis.proof, backend, answers_503(api, probes))


def _finding(api: ApiService, word: str, listed: Proof, backend: Backend | None, refused: Proof | None) -> Finding:
    condition = api.available
    said = (condition.message if condition else None) or ""
    pods = backend.pods if backend else ()
    target = pods[0].path if pods else service_path(api)
    where = shlex.quote(api.spec.service.namespace if api.spec.service else "kube-system")
    return Finding(
        code="APISVC-03",
        reason=word,
        title=T(
            "The API server gets no answer from {target}, which serves {api}", target=target, api=api.metadata.name
        ),
        detail=T("It says: {message}", message=said),
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED if refused else Confidence.LIKELY,
        subject=subject(api),
        facts={
            "group": api.spec.group,
            "service": service_path(api),
            "nodes": nodes_of(backend),
            "pods": tuple(p.path for p in pods),
        },
        onset=condition.last_transition_time if condition else None,
        proofs=(listed.quote(f"{api.metadata.name}: {said}"), *((refused,) if refused else ())),
        fixes=(
            Fix(
                what=T("Try the pod's port from a control-plane node; 401 or 403 means that the way is open."),
                safety=Safety.READ_ONLY,
                commands=tuple(
                    "curl -sk -m 3 -o /dev/null -w '%{http_code}' "
                    + shlex.quote(f"https://{p.status.pod_ip}:{_port(backend)}/")
                    for p in pods[:2]
                    if p.status.pod_ip
                )
                or (f"kubectl -n {where} get pods -o wide",),
                verify=(look(api),),
            ),
        ),
    )


def _port(backend: Backend | None) -> int:
    slices = backend.endpoints.slices if backend and backend.endpoints else ()
    return next((p.port for s in slices for p in s.ports or () if p.port), 443)
