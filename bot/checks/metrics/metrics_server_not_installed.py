"""METRICS-01: nothing serves the resource metrics API."""

from __future__ import annotations

from collections.abc import Iterator

from bot.check import check
from bot.model.apis import LEGACY, METRICS, ApiServices, GroupProbe, GroupProbes
from bot.model.evidence import Expectations
from bot.model.finding import Confidence, Finding, Fix, RuledOut, Safety, Severity
from bot.model.k8s_more import Hpa
from bot.model.metrics import MetricsServer
from bot.model.refs import Subject
from bot.model.text import T
from bot.model.workloads import Hpas

NAME = "v1beta1.metrics.k8s.io"
RESOURCE = frozenset({"Resource", "ContainerResource"})
NOT_FOUND = 404
MANIFEST = "https://github.com/kubernetes-sigs/metrics-server/releases/latest/download/components.yaml"


@check("METRICS-01")
def metrics_server_not_installed(
    apis: ApiServices,
    expect: Expectations,
    probes: GroupProbes | None,
    hpas: Hpas | None,
    server: MetricsServer | None,
) -> Iterator[Finding | RuledOut]:
    """The resource metrics API does not exist in this cluster.

    Says:
        "kubectl top: Metrics API not available", "the HPA shows <unknown>".
    Evidence:
        APIServices; a raw GET of metrics.k8s.io; the metrics-server Deployment; HPAs that need resource metrics.
    Rule:
        APIService v1beta1.metrics.k8s.io is absent. Confirmed when a raw GET answers 404; likely without it. High when
        an HPA scales on resource metrics or metrics are expected here, else information only.
    Cause:
        The add-on is not deployed.
    Fix:
        Install the metrics-server version that fits the cluster.
    Verify:
        ``kubectl top nodes`` answers.
    Must not fire:
        Another implementation serves metrics.k8s.io; a legacy group is registered (APISVC-05); absent on purpose.
    Reasons:
        - absent-but-used: something needs it
        - absent: nothing seen needs it
    """
    served = next((a for a in apis.items if a.spec.group == METRICS), None)
    if served is not None:
        yield RuledOut(
            code="METRICS-01",
            subject=Subject("APIService", served.metadata.name),
            because=T("{api} is registered", api=served.metadata.name),
            proofs=(apis.proof.quote(served.metadata.name),),
        )
        return
    if any(a.spec.group == LEGACY for a in apis.items) or expect.metrics is False:
        return
    probe = probes.by_group_version.get(f"{METRICS}/v1beta1") if probes else None
    yield _finding(
        apis, probe, _users(hpas), wanted=expect.metrics is True, deployed=bool(server and server.deployments)
    )


def _users(hpas: Hpas | None) -> tuple[Hpa, ...]:
    """The HPAs that scale on CPU or memory; autoscaling/v1 knows nothing else."""
    return tuple(
        h
        for h in (hpas.items if hpas else ())
        if h.spec.metrics is None or any(m.type in RESOURCE for m in h.spec.metrics)
    )


def _finding(
    apis: ApiServices, probe: GroupProbe | None, users: tuple[Hpa, ...], *, wanted: bool, deployed: bool
) -> Finding:
    absent = probe is not None and probe.status == NOT_FOUND
    used = bool(users) or wanted
    return Finding(
        code="METRICS-01",
        reason="absent-but-used" if used else "absent",
        title=T("metrics-server is not installed: {api} does not exist", api=NAME),
        detail=T("{count} HorizontalPodAutoscalers need it.", count=len(users)) if users else None,
        severity=Severity.HIGH if used else Severity.INFO,
        confidence=Confidence.CONFIRMED if absent else Confidence.LIKELY,
        subject=Subject("APIService", NAME),
        facts={"group": METRICS, "hpas": tuple(h.metadata.path for h in users), "deployed": deployed},
        proofs=(apis.proof.quote(f"{NAME}: there is none"), *((probe.proof,) if probe and absent else ())),
        fixes=(
            Fix(
                what=T("Install the metrics-server release that fits this Kubernetes version."),
                safety=Safety.REVERSIBLE,
                commands=(f"kubectl apply -f {MANIFEST}",),
                verify=("kubectl get apiservice v1beta1.metrics.k8s.io", "kubectl top nodes"),
                undo=(f"kubectl delete -f {MANIFEST}",),
            ),
        ),
    )
