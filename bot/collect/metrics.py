"""Reads what serves the resource metrics API: its Deployment, pods, logs, and the samples it has."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.collect.endpoints import LIST_PODS
from bot.collect.logs import LOGS, read_logs, wanted_of
from bot.collect.read import Items, listing, merged
from bot.collect.scrapes import failures
from bot.collector import collects
from bot.errors import Kind, SourceError
from bot.model.apis import LEGACY, METRICS, ApiBackends, ApiServices, service_path
from bot.model.cluster import Nodes
from bot.model.evidence import Clock, Evidence
from bot.model.k8s import ApiService, Pod, Workload
from bot.model.k8s_more import NodeMetric
from bot.model.lines import in_window
from bot.model.metrics import MetricsServer, NodeMetrics, Scrapes
from bot.model.proof import Proof, Source
from bot.source import Kube, Right

LIST_DEPLOYMENTS = Right(verb="list", resource="deployments", group="apps")
LIST_NODE_METRICS = Right(verb="list", resource="nodes", group=METRICS)
KNOWN = ("metrics-server", "heapster")
DEFAULT_RESOLUTION = 60
_RESOLUTION = re.compile(r"--metric-resolution=(?:(\d+)m)?(?:(\d+)s)?")


@collects(MetricsServer, rights=(LIST_DEPLOYMENTS, LIST_PODS))
def metrics_server(kube: Kube, apis: ApiServices | None, backends: ApiBackends | None) -> Iterator[Evidence]:
    """The Deployments and pods behind the metrics API; without an APIService, those that go by the usual names."""
    api = _metrics_api(apis)
    backend = backends.of(api) if backends and api else None
    namespace = api.spec.service.namespace if api and api.spec.service else "kube-system"
    deployments = _deployments(kube, namespace)
    listed = None if backend and backend.pods else _pods(kube, namespace)
    pods = backend.pods if backend and backend.pods else (listed.items if listed else ())
    own = tuple(d for d in deployments.items if _is_known(d) or _makes(d, pods))
    proofs = [deployments.proof, listed.proof if listed else backend.proof if backend else deployments.proof]
    yield MetricsServer(
        proof=merged(proofs, f"Deployments and pods of the metrics API in {namespace}"),
        service=service_path(api) if api else "",
        deployments=own,
        pods=pods,
        resolution=_resolution(pods),
        legacy=api is not None and api.spec.group == LEGACY,
    )


def _metrics_api(apis: ApiServices | None) -> ApiService | None:
    found = apis.aggregated if apis else ()
    for group in (METRICS, LEGACY):
        for api in found:
            if api.spec.group == group:
                return api
    return None


def _deployments(kube: Kube, namespace: str) -> Items[Workload]:
    try:
        return listing(kube, f"/apis/apps/v1/namespaces/{namespace}/deployments", Workload, LIST_DEPLOYMENTS)
    except SourceError as error:
        if error.kind is not Kind.NOT_FOUND:
            raise
    return listing(kube, f"/apis/extensions/v1beta1/namespaces/{namespace}/deployments", Workload, LIST_DEPLOYMENTS)


def _pods(kube: Kube, namespace: str) -> Items[Pod]:
    found = listing(kube, f"/api/v1/namespaces/{namespace}/pods", Pod, LIST_PODS)
    own = tuple(p for p in found.items if p.metadata.name.startswith(KNOWN) or p.metadata.label("k8s-app") in KNOWN)
    return Items(own, found.proof)


def _is_known(deployment: Workload) -> bool:
    return deployment.metadata.name.startswith(KNOWN)


def _makes(deployment: Workload, pods: tuple[Pod, ...]) -> bool:
    labels = (deployment.spec.selector or {}).get("matchLabels")
    if not isinstance(labels, dict) or not labels:
        return False
    return any(all(p.metadata.label(str(k)) == v for k, v in labels.items()) for p in pods)


def _resolution(pods: tuple[Pod, ...]) -> int:
    for pod in pods:
        for container in pod.spec.containers or ():
            for argument in (*(container.command or ()), *(container.args or ())):
                hit = _RESOLUTION.search(argument)
                if hit and (hit[1] or hit[2]):
                    return int(hit[1] or 0) * 60 + int(hit[2] or 0)
    return DEFAULT_RESOLUTION


@collects(Scrapes, rights=(LOGS,), deadline=40.0)
def scrapes(kube: Kube, server: MetricsServer, nodes: Nodes | None, clock: Clock) -> Iterator[Evidence]:
    """The logs of metrics-server, and the failed scrapes in them; a log behind a dead kubelet is named as unread."""
    if not server.pods:
        raise SourceError(Kind.NOT_FOUND, "logs of metrics-server", "it has no pods")
    wanted = tuple(w for pod in server.pods for w in wanted_of(pod, "metrics-server"))
    logs, unread = read_logs(kube, wanted, clock, some=False)
    names = {a.address: n.name for n in (nodes.items if nodes else ()) for a in n.status.addresses or ()}
    current = tuple(log for log in logs if not log.previous)
    lines = [line for log in current for line in in_window(log.lines, clock)]
    yield Scrapes(
        proof=Proof(source=Source.LOG, what=", ".join(log.proof.what for log in current) or "logs", at=clock.now),
        failures=failures(sorted(lines, key=lambda line: line.at or clock.now), names),
        logs=logs,
        unread=dict(unread),
    )


@collects(NodeMetrics, rights=(LIST_NODE_METRICS,))
def node_metrics(kube: Kube) -> Iterator[Evidence]:
    """The newest sample of every node; an API that does not answer leaves it missing."""
    found = listing(kube, f"/apis/{METRICS}/v1beta1/nodes", NodeMetric, LIST_NODE_METRICS)
    body = "\n".join(f"{m.metadata.name} {m.timestamp}" for m in found.items)
    yield NodeMetrics(
        proof=Proof(source=Source.METRIC, what=found.proof.what, at=found.proof.at, body=body),
        sampled={m.metadata.name: m.timestamp for m in found.items},
    )
