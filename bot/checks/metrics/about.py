"""What findings about the resource metrics API have in common."""

from __future__ import annotations

import re
import shlex

from bot.model.apis import LEGACY, METRICS, ApiServices, is_available
from bot.model.evidence import Clock
from bot.model.finding import Fix, Safety, Stage
from bot.model.health import is_virtual, parked
from bot.model.k8s import ApiService, Node, Pod
from bot.model.metrics import MetricsServer, NodeMetrics, ScrapeFailure
from bot.model.refs import Subject
from bot.model.text import T


def metrics_api(apis: ApiServices | None) -> ApiService | None:
    """The APIService of ``metrics.k8s.io``, else that of the legacy group, else None."""
    for group in (METRICS, LEGACY):
        for api in apis.aggregated if apis else ():
            if api.spec.group == group:
                return api
    return None


YOUNG = 120.0
REFUSED = re.compile(r"request failed, status: \\?\"?(401 Unauthorized|403 Forbidden)")


def is_scraped(node: Node, clock: Clock) -> bool:
    """Whether metrics-server should get samples of the node: not new, not taken out of service, not virtual."""
    made = node.metadata.creation_timestamp
    return (made is None or clock.age(made) > YOUNG) and not parked(node) and not is_virtual(node)


def scraped_since(failure: ScrapeFailure, metrics: NodeMetrics | None) -> bool:
    """Whether a sample is newer than the newest failure: what failed then works now."""
    at = metrics.sampled.get(failure.node) if metrics is not None else None
    return at is not None and failure.last is not None and at > failure.last


def is_broken(apis: ApiServices | None) -> bool:
    """Whether the metrics API is registered and not available."""
    api = metrics_api(apis)
    return api is not None and not is_available(api)


def subject(server: MetricsServer) -> Subject:
    """The Deployment, or the pod where nothing made it."""
    if server.deployments:
        meta = server.deployments[0].metadata
        return Subject("Deployment", meta.name, meta.namespace)
    pod: Pod = server.pods[0]
    return Subject("Pod", pod.metadata.name, pod.metadata.namespace)


def restart(server: MetricsServer) -> Fix:
    """Start metrics-server anew."""
    what = subject(server)
    where = f"kubectl -n {shlex.quote(what.namespace or 'kube-system')}"
    name = shlex.quote(what.name)
    deployed = what.kind == "Deployment"
    command = f"{where} rollout restart deployment/{name}" if deployed else f"{where} delete pod {name}"
    return Fix(
        what=T("Restart metrics-server, then wait 2 to 5 minutes for the API server and its clients to notice."),
        safety=Safety.DISRUPTIVE,
        commands=(command,),
        verify=("kubectl get apiservices | grep metrics", "kubectl top nodes"),
        stage=Stage.CONSUMERS,
    )
