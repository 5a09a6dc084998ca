"""APISVC-05: the metrics group of before 2018 is still registered or asked for."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.apisvc.about import answers_503, subject
from bot.model.apis import LEGACY, ApiServices, GroupProbes, is_available, service_path
from bot.model.cluster import ControlPlaneLogs, LogLine
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.k8s import ApiService
from bot.model.lines import is_current, matching
from bot.model.proof import Proof
from bot.model.refs import Subject
from bot.model.text import T

LEGACY_LINE = re.compile(r"(?<![\w.])metrics/v(?:1|l)alpha(?:1|l)|v1alpha1\.metrics(?![\w.-])")
READERS = ("kube-controller-manager", "kube-apiserver")


@check("APISVC-05")
def legacy_metrics_group_in_use(
    apis: ApiServices, clock: Clock, logs: ControlPlaneLogs | None, probes: GroupProbes | None
) -> Iterator[Finding]:
    """The legacy API group ``metrics/v1alpha1`` is registered, or components ask for it.

    Says:
        "the controller-manager complains about metrics/v1alpha1", "kubectl top does not work on the old cluster".
    Evidence:
        APIService ``v1alpha1.metrics``; current lines of the API server and the controller-manager that name the group.
    Rule:
        A metrics group without ``.k8s.io`` is seen. Confirmed when both the registration and a log or raw GET show it
        failing; likely with one source. A warning only while the API is available.
    Cause:
        The metrics add-on does not match the version of the cluster.
    Fix:
        Replace it by the metrics-server that matches; delete the old APIService.
    Verify:
        Only ``v1beta1.metrics.k8s.io`` is registered.
    Must not fire:
        The name only in old log lines, outside the window.
    Reasons:
        - registered: the APIService exists
        - requested: only log lines name it
    """
    old = next((a for a in apis.items if a.spec.group == LEGACY), None)
    found = _lines(logs, clock)
    if old is not None:
        yield _finding(old, apis.proof, found, answers_503(old, probes))
    elif found:
        yield _requested(found)


def _lines(logs: ControlPlaneLogs | None, clock: Clock) -> tuple[tuple[LogLine, Proof], ...]:
    kept: list[tuple[LogLine, Proof]] = []
    for component in READERS:
        for log in logs.by_component.get(component, ()) if logs else ():
            hits = matching(log, LEGACY_LINE, clock)
            if is_current(hits, clock):
                kept.append((hits[-1], log.proof.quote(hits[-1].text)))
    return tuple(kept)


def _finding(
    api: ApiService, listed: Proof, lines: tuple[tuple[LogLine, Proof], ...], refused: Proof | None
) -> Finding:
    broken = not is_available(api)
    condition = api.available
    words = " ".join(w for w in (condition.reason, condition.message) if w) if condition else "no condition"
    proofs = (listed.quote(f"{api.metadata.name}: {words}"), *(proof for _, proof in lines[:2]))
    return Finding(
        code="APISVC-05",
        reason="registered",
        title=T("The legacy metrics API {api} is still registered", api=api.metadata.name),
        detail=T("Clients of this cluster's age ask for it; where it fails, discovery fails for everybody."),
        severity=Severity.HIGH if broken else Severity.WARN,
        confidence=Confidence.CONFIRMED if lines or (broken and refused) else Confidence.LIKELY,
        subject=subject(api),
        facts={"group": LEGACY, "service": service_path(api)},
        onset=condition.last_transition_time if condition and broken else None,
        proofs=(*proofs, *((refused,) if refused else ())),
        fixes=(_fix(api.metadata.name),),
    )


def _requested(lines: tuple[tuple[LogLine, Proof], ...]) -> Finding:
    return Finding(
        code="APISVC-05",
        reason="requested",
        title=T("Control-plane components ask for the legacy metrics API {group}", group="metrics/v1alpha1"),
        severity=Severity.HIGH,
        confidence=Confidence.LIKELY,
        subject=Subject("APIGroup", LEGACY),
        facts={"group": LEGACY},
        proofs=tuple(proof for _, proof in lines[:3]),
        fixes=(_fix("v1alpha1.metrics"),),
    )


def _fix(name: str) -> Fix:
    quoted = shlex.quote(name)
    return Fix(
        what=T("Save and delete the old APIService once a metrics-server that matches the cluster is installed."),
        safety=Safety.REVERSIBLE,
        commands=(
            f"kubectl get apiservice {quoted} -o yaml > {quoted}.yaml",
            f"kubectl delete apiservice {quoted}",
        ),
        verify=("kubectl get apiservices | grep metrics",),
        undo=(f"kubectl apply -f {quoted}.yaml",),
    )
