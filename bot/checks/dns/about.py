"""What findings about cluster DNS are about, and the repairs that several rows share."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from bot.model.dns import DnsPods, DnsService, DnsWorkload
from bot.model.finding import Fix, Safety, Stage
from bot.model.k8s import Pod
from bot.model.refs import Subject
from bot.model.text import Facts, T


def subject_of(hit: Iterable[Pod], pods: DnsPods, workload: DnsWorkload | None) -> Subject:
    """The one bad pod among healthy siblings, else the workload of them all."""
    bad = tuple(hit)
    if len(bad) == 1 and len(pods.live) > 1:
        return Subject("Pod", bad[0].metadata.name, bad[0].metadata.namespace)
    return workload_of(pods, workload)


def workload_of(pods: DnsPods, workload: DnsWorkload | None) -> Subject:
    """The Deployment (or DaemonSet) of cluster DNS."""
    if workload and workload.workload:
        meta = workload.workload.metadata
        return Subject(workload.workload.kind, meta.name, meta.namespace)
    return Subject("Deployment", pods.flavour.value, pods.namespace)


def facts_of(hit: Iterable[Pod], service: DnsService | None, **more: str | float | bool | tuple[str, ...]) -> Facts:
    """The join facts of DNS pods: ``pods``, ``nodes``, ``service``, and what the row adds."""
    bad = tuple(hit)
    nodes = tuple(sorted({p.spec.node_name for p in bad if p.spec.node_name}))
    facts: dict[str, str | int | float | bool | tuple[str, ...]] = {
        "pods": tuple(sorted(p.path for p in bad)),
        "nodes": nodes,
        "component": "cluster-dns",
    }
    if service and service.service:
        facts["service"] = service.path
    return facts | more


def scale_up(subject: Subject, replicas: int = 2) -> Fix:
    """The fastest way to have DNS back: another replica on another node."""
    where = f"-n {shlex.quote(subject.namespace or 'kube-system')}"
    target = f"{shlex.quote(subject.kind.lower())}/{shlex.quote(subject.name)}"
    return Fix(
        what=T(
            "Restore service now: run {replicas} DNS replicas, so that one lands on another node.", replicas=replicas
        ),
        safety=Safety.REVERSIBLE,
        commands=(f"kubectl {where} scale {target} --replicas={replicas}",),
        verify=(
            f"kubectl {where} get pods -l k8s-app=kube-dns -o wide",
            f"kubectl {where} get endpointslices -l k8s-app=kube-dns",
        ),
        undo=(f"kubectl {where} scale {target} --replicas=1",),
        stage=Stage.MITIGATION,
    )


def ask_again(server: str, name: str) -> str:
    """A command that repeats a question."""
    return f"dig +time=2 +tries=1 @{shlex.quote(server)} {shlex.quote(name)}"
