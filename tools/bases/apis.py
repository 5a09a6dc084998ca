"""APIServices: the local ones, and metrics-server behind its own."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

from tools.bases.common import NS, hosts
from tools.bases.ids import Obj, born, condition, obj
from tools.bases.pods import container, probe, spec
from tools.bases.services import budget, service
from tools.bases.workloads import deployment
from tools.bases.world import World

# group version → where its group stands among the others (kube-aggregator, apiserver_service_registration)
LOCAL_GROUPS = {
    "v1.": 18000,
    "v1.admissionregistration.k8s.io": 16700,
    "v1.apiextensions.k8s.io": 16700,
    "v1.apps": 17800,
    "v1.authentication.k8s.io": 17700,
    "v1.authorization.k8s.io": 17600,
    "v1.autoscaling": 17500,
    "v2.autoscaling": 17500,
    "v1.batch": 17400,
    "v1.certificates.k8s.io": 17300,
    "v1.coordination.k8s.io": 16500,
    "v1.discovery.k8s.io": 16200,
    "v1.events.k8s.io": 17750,
    "v1.flowcontrol.apiserver.k8s.io": 16100,
    "v1.networking.k8s.io": 17200,
    "v1.node.k8s.io": 16300,
    "v1.policy": 17100,
    "v1.rbac.authorization.k8s.io": 17000,
    "v1.scheduling.k8s.io": 16600,
    "v1.storage.k8s.io": 16800,
}


def api_service(name: str, backend: tuple[str, str] | None = None, *, insecure: bool = False) -> Obj:
    """An APIService: local, or served by ``backend`` (namespace, name)."""
    version, _, group = name.partition(".")
    body: Obj = {
        "group": group,
        "version": version,
        "groupPriorityMinimum": LOCAL_GROUPS.get(name, 100),
        "versionPriority": 30 if version == "v2" else 15,
    }
    if not group:
        body.pop("group")
        body["versionPriority"] = 1
    message, reason = "Local APIServices are always available", "Local"
    if backend:
        body |= {
            "service": {"namespace": backend[0], "name": backend[1], "port": 443},
            "groupPriorityMinimum": 100,
            "versionPriority": 100,
        }
        if insecure:
            body["insecureSkipTLSVerify"] = True
        message, reason = "all checks passed", "Passed"
    labels = {"k8s-app": backend[1]} if backend else {"kube-aggregator.kubernetes.io/automanaged": "onstart"}
    since = born(310) if backend else born(9)
    return obj(
        "apiregistration.k8s.io/v1",
        "APIService",
        name,
        created=since,
        labels=labels,
        spec=body,
        status={"conditions": [condition("Available", "True", since, reason, message)]},
    )


def add_metrics_server(world: World) -> None:
    """Add metrics-server: Deployment, Service, APIService."""
    template = spec(
        [
            container(
                "metrics-server",
                "registry.k8s.io/metrics-server/metrics-server:v0.8.0",
                args=[
                    "--cert-dir=/tmp",
                    "--secure-port=10250",
                    "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
                    "--kubelet-use-node-status-port",
                    "--metric-resolution=15s",
                ],
                ports={"https": 10250},
                resources={"requests": {"cpu": "100m", "memory": "200Mi"}},
                livenessProbe=probe("/livez", "https", scheme="HTTPS"),
                readinessProbe=probe("/readyz", "https", scheme="HTTPS", delay=20),
                mounts=[{"name": "tmp-dir", "mountPath": "/tmp"}],  # noqa: S108 - in the container
            )
        ],
        sa="metrics-server",
        priority="system-cluster-critical",
        volumes=[{"name": "tmp-dir", "emptyDir": {}}],
    )
    labels = {"k8s-app": "metrics-server"}
    pods = deployment(world, NS, "metrics-server", labels, template, hosts(world, world.spec.metrics_on), born(300))
    for pod in pods:
        world.log(
            pod,
            "metrics-server",
            [
                "I1102 02:05:06.118240       1 serving.go:380] Generated self-signed cert (/tmp/apiserver.crt, /tmp/apiserver.key)",
                "I1102 02:05:06.702311       1 handler.go:288] Adding GroupVersion metrics.k8s.io v1beta1 to ResourceManager",
                "I1102 02:05:06.811902       1 secure_serving.go:211] Serving securely on [::]:10250",
            ],
        )
    service(
        world,
        NS,
        "metrics-server",
        world.spec.service_ip(113),
        [("https", 443, 10250, "TCP")],
        pods,
        born(300),
        selector=labels,
        labels=labels,
        target={"https": "https"},
    )
    world.add(api_service("v1beta1.metrics.k8s.io", (NS, "metrics-server"), insecure=True))
    if len(pods) > 1:
        budget(world, NS, "metrics-server", labels, len(pods), born(300))
