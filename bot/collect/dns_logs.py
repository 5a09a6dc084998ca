"""Reads the logs that speak about DNS: of the DNS pods, of the client pod, of add-ons that crash-loop."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime

from bot.collect.logs import LOGS, Wanted, read_logs, wanted_of
from bot.collect.read import listing, one
from bot.collector import collects
from bot.errors import Kind, SourceError
from bot.model.cluster import Log, SystemPods
from bot.model.dns import DnsPods
from bot.model.dns_logs import AddOn, ClientLogs, ClientPod, CrashingAddOns, DnsLog, DnsLogs
from bot.model.evidence import Ask, Clock, Evidence, Gap
from bot.model.k8s import ContainerStatus, Pod
from bot.parse import dns_errors, dns_logs
from bot.source import Kube, Right

GET_POD = Right(verb="get", resource="pods")
LIST_PODS = Right(verb="list", resource="pods")
DASHBOARD = "kubernetes-dashboard"
DNS_CONTAINERS = ("coredns", "kubedns", "dnsmasq", "sidecar", "dns")
MANY = 8
MIRROR = "kubernetes.io/config.mirror"


def status_of(pod: Pod, container: str) -> ContainerStatus | None:
    """The status of one container, None before it was created."""
    return next((c for c in pod.status.container_statuses or () if c.name == container), None)


def has_run(pod: Pod, container: str) -> bool:
    """Whether the container was ever started: one that never was has no log, and that is no gap."""
    status = status_of(pod, container)
    if status is None:
        return False
    states = (status.state.running, status.state.terminated, status.last_state.terminated)
    return status.restart_count > 0 or any(state is not None for state in states)


def running_since(pod: Pod, container: str) -> datetime | None:
    """When the running container was started; None when it is not running."""
    status = status_of(pod, container)
    return status.state.running.started_at if status and status.state.running else None


@collects(DnsLogs, rights=(LOGS,), deadline=40.0)
def logs_of_dns(kube: Kube, clock: Clock, pods: DnsPods) -> Iterator[Evidence | Gap]:
    """The logs of every container of the DNS pods that ever ran (at most 8 pods, those that restarted most first).

    A log that could not be read may hold what the others do not tell: unless they tell something, that is a gap.
    """
    chosen = sorted(pods.live, key=lambda p: (p.ready, -p.restarts))[:MANY]
    wanted = tuple(w for pod in chosen for name in DNS_CONTAINERS if has_run(pod, name) for w in wanted_of(pod, name))
    logs, unread = read_logs(kube, wanted, clock) if wanted else ((), {})
    by_path = {p.path: p for p in chosen}
    items = tuple(_dns_log(by_path[log.origin.rpartition("/")[0]], log) for log in logs)
    if unread and not any(item.said for item in items):
        yield Gap(type=DnsLogs, because="; ".join(unread.values()))
        return
    yield DnsLogs(proof=items[0].proof if items else pods.proof, items=items, unread=unread)


def _dns_log(pod: Pod, log: Log) -> DnsLog:
    container = log.origin.rpartition("/")[2]
    return DnsLog(
        pod=pod.path,
        node=pod.spec.node_name or "",
        container=container,
        log=log,
        said=dns_logs.read(log.lines),
        running_since=None if log.previous else running_since(pod, container),
    )


@collects(ClientPod, ClientLogs, rights=(GET_POD, LOGS))
def client_pod(kube: Kube, clock: Clock, ask: Ask) -> Iterator[Evidence | Gap]:
    """The pod named by ``from=ns/pod`` and the name-resolution errors in its logs."""
    namespace, _, name = ask.options.get("from", "").rpartition("/")
    if not namespace:
        for kind in (ClientPod, ClientLogs):
            yield Gap(type=kind, because="no client pod was named", hint="add from=NAMESPACE/POD")
        return
    pod, proof = one(kube, f"/api/v1/namespaces/{namespace}/pods/{name}", Pod, GET_POD)
    if pod is None:
        raise SourceError(Kind.NOT_FOUND, f"pod {namespace}/{name}", "there is none")
    yield ClientPod(proof=proof, pod=pod)
    wanted = tuple(Wanted(pod=pod, container=c.name) for c in pod.spec.containers or () if has_run(pod, c.name))
    logs, unread = read_logs(kube, wanted, clock) if wanted else ((), {})
    errors = tuple(e for log in logs for e in dns_errors.read(log.lines))
    if unread and not errors:
        yield Gap(type=ClientLogs, because="; ".join(unread.values()))
        return
    yield ClientLogs(proof=logs[0].proof if logs else proof, logs=logs, errors=errors)


@collects(CrashingAddOns, rights=(LIST_PODS, LOGS))
def crashing_add_ons(kube: Kube, clock: Clock, system: SystemPods) -> Iterator[Evidence]:
    """Crash-looping pods of kube-system and kubernetes-dashboard that are neither DNS nor control plane."""
    crashing = [p for p in (*system.items, *_dashboard(kube)) if _crash_loops(p) and not _own_business(p)][:MANY]
    wanted = tuple(
        w for p in crashing for c in p.spec.containers or () if has_run(p, c.name) for w in wanted_of(p, c.name)
    )
    logs, _ = read_logs(kube, wanted, clock) if wanted else ((), {})
    items = [
        AddOn(pod=pod, log=log, errors=dns_errors.read(log.lines))
        for pod in crashing
        for log in logs
        if log.origin.rpartition("/")[0] == pod.path
    ]
    yield CrashingAddOns(proof=items[0].log.proof if items else system.proof, items=tuple(items))


def _dashboard(kube: Kube) -> tuple[Pod, ...]:
    try:
        return listing(kube, f"/api/v1/namespaces/{DASHBOARD}/pods", Pod, LIST_PODS).items
    except SourceError as error:
        if error.kind in {Kind.NOT_RECORDED, Kind.NOT_FOUND}:
            return ()  # most clusters have no such namespace
        raise


def _crash_loops(pod: Pod) -> bool:
    return any(
        c.state.waiting is not None and c.state.waiting.reason == "CrashLoopBackOff"
        for c in pod.status.container_statuses or ()
    )


def _own_business(pod: Pod) -> bool:
    return pod.metadata.label("k8s-app") == "kube-dns" or MIRROR in (pod.metadata.annotations or {})
