"""HPA-01: an HPA cannot scale because the resource metrics API is missing or down."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.check import check
from bot.model.apis import METRICS, GroupProbes
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.k8s import Condition
from bot.model.k8s_more import Hpa
from bot.model.proof import Proof
from bot.model.refs import Subject, cluster
from bot.model.text import T
from bot.model.workloads import Hpas

YOUNG = 120.0
SYNC = 30.0
EACH = 5
REASONS = frozenset({"FailedGetResourceMetric", "FailedGetContainerResourceMetric"})
CLASSES = (
    ("api-missing", re.compile(r"the server could not find the requested resource \(get pods\.metrics\.k8s\.io\)")),
    ("api-down", re.compile(r"the server is currently unable to handle the request \(get pods\.metrics\.k8s\.io\)")),
    ("api-missing", re.compile(r"the server could not find the requested resource \(get services http:heapster:\)")),
    ("api-down", re.compile(r"the server is currently unable to handle the request")),
)


@check("HPA-01")
def hpa_without_resource_metrics(hpas: Hpas, clock: Clock, probes: GroupProbes | None) -> Iterator[Finding]:
    """HorizontalPodAutoscalers do not scale, because nobody serves resource metrics.

    Says:
        "HPA TARGETS shows <unknown>".
    Evidence:
        The HPA's condition ScalingActive with reason and message; a raw GET of metrics.k8s.io.
    Rule:
        ScalingActive is False for FailedGetResourceMetric or FailedGetContainerResourceMetric, and the message says
        that the API is missing or cannot handle the request. Confirmed when a raw GET answers 404 or 503 too.
    Cause:
        METRICS-01, APISVC-01 or APISVC-03.
    Fix:
        Repair the metrics API.
    Verify:
        ScalingActive is True with reason ValidMetricFound.
    Must not fire:
        A change of less than 30 s ago; HPAs younger than 2 min; other messages (missing requests, no samples).
    Reasons:
        - api-missing: 404, nothing serves the API
        - api-down: 503, the API does not answer
    """
    found: dict[str, list[tuple[Hpa, Condition]]] = {}
    for hpa in hpas.items:
        active = hpa.condition("ScalingActive")
        word = _word(hpa, active, clock)
        if active is not None and word:
            found.setdefault(word, []).append((hpa, active))
    status = _status(probes)
    for word, hits in found.items():
        groups = [[hit] for hit in hits] if len(hits) <= EACH else [hits]
        for group in groups:
            yield _finding(word, group, hpas.proof, status)


def _word(hpa: Hpa, active: Condition | None, clock: Clock) -> str:
    made = hpa.metadata.creation_timestamp
    if active is None or active.status != "False" or active.reason not in REASONS:
        return ""
    if made is not None and clock.age(made) <= YOUNG:
        return ""
    since = active.last_transition_time
    if since is not None and clock.age(since) <= SYNC:
        return ""
    return next((word for word, pattern in CLASSES if pattern.search(active.message or "")), "")


def _status(probes: GroupProbes | None) -> Proof | None:
    probe = probes.by_group_version.get(f"{METRICS}/v1beta1") if probes else None
    return probe.proof if probe and probe.status in {404, 503} else None


def _finding(word: str, hits: list[tuple[Hpa, Condition]], listed: Proof, status: Proof | None) -> Finding:
    first, active = hits[0]
    paths = tuple(h.metadata.path for h, _ in hits)
    since = [c.last_transition_time for _, c in hits if c.last_transition_time]
    alone = len(hits) == 1
    meta = first.metadata
    return Finding(
        code="HPA-01",
        reason=word,
        title=T("{hpas} cannot scale: the metrics API does not answer", hpas=paths[:5])
        if word == "api-down"
        else T("{hpas} cannot scale: there is no metrics API", hpas=paths[:5]),
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED if status else Confidence.LIKELY,
        subject=Subject("HorizontalPodAutoscaler", meta.name, meta.namespace) if alone else cluster(),
        facts={"group": METRICS, "hpas": paths},
        onset=min(since, default=None),
        proofs=(listed.quote(f"{meta.path}: {active.reason} {active.message or ''}"), *((status,) if status else ())),
        fixes=(
            Fix(
                what=T("Repair the metrics API; the HPA needs nothing itself."),
                safety=Safety.READ_ONLY,
                commands=("kubewhy metrics-api",),
                verify=(f"kubectl -n {shlex.quote(meta.namespace or 'default')} get hpa {shlex.quote(meta.name)}",),
            ),
        ),
    )
