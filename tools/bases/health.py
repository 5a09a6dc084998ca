"""What the API server says of itself: version, health, metrics."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

import json

from tools.bases.common import NAMESPACES
from tools.bases.ids import Obj, hexid
from tools.bases.rights import RIGHTS
from tools.bases.world import World

HOOKS = (
    "start-apiserver-admission-initializer",
    "generic-apiserver-start-informers",
    "priority-and-fairness-config-consumer",
    "priority-and-fairness-filter",
    "storage-object-count-tracker-hook",
    "start-apiextensions-informers",
    "start-apiextensions-controllers",
    "crd-informer-synced",
    "start-system-namespaces-controller",
    "start-cluster-authentication-info-controller",
    "start-kube-apiserver-identity-lease-controller",
    "start-kube-apiserver-identity-lease-garbage-collector",
    "start-legacy-token-tracking-controller",
    "start-service-ip-repair-controllers",
    "rbac/bootstrap-roles",
    "scheduling/bootstrap-system-priority-classes",
    "priority-and-fairness-config-producer",
    "bootstrap-controller",
    "start-kubernetes-service-cidr-controller",
    "aggregator-reload-proxy-client-cert",
    "start-kube-aggregator-informers",
    "apiservice-status-local-available-controller",
    "apiservice-status-remote-available-controller",
    "apiservice-registration-controller",
    "apiservice-discovery-controller",
    "kube-apiserver-autoregistration",
)


def health(kind: str) -> str:
    """``/readyz?verbose`` or ``/livez?verbose`` of a healthy API server."""
    first = ["ping", "log", "etcd", *(["etcd-readiness", "informer-sync"] if kind == "readyz" else [])]
    last = [
        "autoregister-completion",
        "poststarthook/apiservice-openapi-controller",
        "poststarthook/apiservice-openapiv3-controller",
    ]
    names = [*first, *(f"poststarthook/{h}" for h in HOOKS), *last, *(["shutdown"] if kind == "readyz" else [])]
    return "".join(f"[+]{n} ok\n" for n in names) + f"{kind} check passed\n"


def version(world: World) -> Obj:
    """The body of ``/version``."""
    major, minor = world.spec.version.lstrip("v").split(".")[:2]
    return {
        "major": major,
        "minor": minor,
        "gitVersion": world.spec.version,
        "gitCommit": hexid(40, world.spec.version),
        "gitTreeState": "clean",
        "buildDate": "2018-07-17T11:41:43Z" if world.spec.legacy else "2026-09-09T19:37:45Z",
        "goVersion": "go1.8.3" if world.spec.legacy else "go1.24.7",
        "compiler": "gc",
        "platform": "linux/amd64",
    }


def add_health(world: World) -> None:
    """Record /version, the health paths, metrics and the rights of the bot."""
    info = version(world)
    world.json("cluster-info/cluster_version.json", {"info": info, "string": world.spec.version})
    answers = [
        {"path": "/version", "status": 200, "content_type": "application/json", "body": json.dumps(info, indent=2)}
    ]
    for kind in ("readyz", "livez"):
        answers.append({"path": f"/{kind}", "status": 200, "content_type": "text/plain", "body": "ok"})
        answers.append({"path": f"/{kind}?verbose", "status": 200, "content_type": "text/plain", "body": health(kind)})
    answers.append({"path": "/healthz", "status": 200, "content_type": "text/plain", "body": "ok"})
    answers.append({"path": "/metrics", "status": 200, "content_type": "text/plain; version=0.0.4", "body": METRICS})
    world.json("kubewhy/api.json", answers)
    for ns in NAMESPACES:
        world.json(f"cluster-resources/auth-cani-list/{ns}.json", RIGHTS)


METRICS = """# HELP aggregator_unavailable_apiservice [ALPHA] Gauge of APIServices which are marked as unavailable broken down by APIService name.
# TYPE aggregator_unavailable_apiservice gauge
aggregator_unavailable_apiservice{name="v1."} 0
# HELP apiserver_current_inflight_requests [STABLE] Maximal number of currently used inflight request limit of this apiserver per request kind in last second.
# TYPE apiserver_current_inflight_requests gauge
apiserver_current_inflight_requests{request_kind="mutating"} 1
apiserver_current_inflight_requests{request_kind="readOnly"} 4
# HELP apiserver_flowcontrol_rejected_requests_total [BETA] Number of requests rejected by API Priority and Fairness subsystem
# TYPE apiserver_flowcontrol_rejected_requests_total counter
apiserver_flowcontrol_rejected_requests_total{flow_schema="service-accounts",priority_level="workload-low",reason="queue-full"} 0
"""
