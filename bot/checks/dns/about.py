"""What findings about cluster DNS are about, and the repairs that several rows share."""

from __future__ import annotations

import shlex
from collections.abc import Iterable

from bot.model.dns import DnsPods, DnsService, DnsWorkload
from bot.model.finding import Fix, Safety, Stage
from bot.model.k8s import Pod
from bot.model.proof import Proof
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


def scale_up(pods: DnsPods, workload: DnsWorkload | None, hit: Iterable[Pod]) -> tuple[Fix, ...]:
    """The fastest way to have DNS back, where it can help: the trouble is on one node at most, and there are others."""
    if len({p.spec.node_name for p in hit}) > 1:
        return ()
    subject = workload_of(pods, workload)
    if subject.kind != "Deployment":
        return ()  # a DaemonSet has a pod on every node already
    now = workload.workload.spec.replicas if workload and workload.workload else None
    now = len(pods.live) if now is None else now
    replicas = max(2, now + 1)
    where = f"-n {shlex.quote(subject.namespace or 'kube-system')}"
    scale = f"kubectl {where} scale deployment/{shlex.quote(subject.name)} --replicas="
    return (
        Fix(
            what=T(
                "Restore service now: run {replicas} DNS replicas, so that one lands on another node.",
                replicas=replicas,
            ),
            safety=Safety.REVERSIBLE,
            commands=(f"{scale}{replicas}",),
            verify=(
                f"kubectl {where} get pods -l k8s-app=kube-dns -o wide",
                f"kubectl {where} get endpointslices -l k8s-app=kube-dns",
            ),
            undo=(f"{scale}{now}",) if now else (),
            stage=Stage.MITIGATION,
        ),
    )


def shown(pods: DnsPods, hit: Iterable[Pod]) -> Proof:
    """The list of pods as proof, narrowed to one line for each of these."""
    return pods.proof.quote(*(_line(p) for p in hit))


def _line(pod: Pod) -> str:
    statuses = pod.status.container_statuses or ()
    ended = [c.last_state.terminated for c in statuses if c.last_state.terminated]
    last = f", last end {ended[0].finished_at} exit {ended[0].exit_code}" if ended else ""
    ready = sum(c.ready for c in statuses)
    return f"{pod.path} on {pod.spec.node_name}: {ready}/{len(statuses)} ready, {pod.restarts} restarts{last}"


def ask_again(server: str, name: str) -> str:
    """A command that repeats a question."""
    return f"dig +time=2 +tries=1 @{shlex.quote(server)} {shlex.quote(name)}"
