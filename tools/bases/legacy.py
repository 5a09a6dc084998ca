"""What a 1.8 cluster runs instead: kube-dns with its three containers, and metrics under the group that was named ``metrics``."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

from tools.bases.apis import api_service
from tools.bases.common import hosts, klog
from tools.bases.dns import DNS_PORTS
from tools.bases.ids import born
from tools.bases.pods import container, probe, spec
from tools.bases.services import service
from tools.bases.workloads import deployment
from tools.bases.world import World

NS = "kube-system"


KUBE_DNS = "gcr.io/google_containers/k8s-dns"


TAG = "1.14.5"


def add_legacy(world: World) -> None:
    """Add both."""
    _kube_dns(world)
    _metrics(world)


def _kube_dns(world: World) -> None:
    health = {
        "initialDelaySeconds": 60,
        "timeoutSeconds": 5,
        "successThreshold": 1,
        "failureThreshold": 5,
        "periodSeconds": 10,
    }
    check = {"httpGet": {"path": "/healthcheck/kubedns", "port": 10054, "scheme": "HTTP"}, **health}
    config = [{"name": "kube-dns-config", "mountPath": "/kube-dns-config"}]
    template = spec(
        [
            container(
                "kubedns",
                f"{KUBE_DNS}-kube-dns-amd64:{TAG}",
                args=["--domain=cluster.local.", "--dns-port=10053", "--config-dir=/kube-dns-config", "--v=2"],
                ports={"dns-local": 10053, "dns-tcp-local": 10053, "metrics": 10055},
                udp=("dns-local",),
                resources={"requests": {"cpu": "100m", "memory": "70Mi"}, "limits": {"memory": "170Mi"}},
                livenessProbe=check,
                readinessProbe=probe("/readiness", 8081, delay=3, timeout=5),
                mounts=config,
            ),
            container(
                "dnsmasq",
                f"{KUBE_DNS}-dnsmasq-nanny-amd64:{TAG}",
                args=[
                    "-v=2",
                    "-logtostderr",
                    "-configDir=/etc/k8s/dns/dnsmasq-nanny",
                    "-restartDnsmasq=true",
                    "--",
                    "-k",
                    "--cache-size=1000",
                    "--log-facility=-",
                    "--server=/cluster.local/127.0.0.1#10053",
                ],
                ports={"dns": 53, "dns-tcp": 53},
                udp=("dns",),
                resources={"requests": {"cpu": "150m", "memory": "20Mi"}},
                livenessProbe={**check, "httpGet": {**check["httpGet"], "path": "/healthcheck/dnsmasq"}},  # type: ignore[dict-item]
                mounts=config,
            ),
            container(
                "sidecar",
                f"{KUBE_DNS}-sidecar-amd64:{TAG}",
                args=[
                    "--v=2",
                    "--logtostderr",
                    "--probe=kubedns,127.0.0.1:10053,kubernetes.default.svc.cluster.local,5,A",
                    "--probe=dnsmasq,127.0.0.1:53,kubernetes.default.svc.cluster.local,5,A",
                ],
                ports={"metrics": 10054},
                resources={"requests": {"cpu": "10m", "memory": "20Mi"}},
                livenessProbe={**check, "httpGet": {**check["httpGet"], "path": "/metrics"}},  # type: ignore[dict-item]
            ),
        ],
        sa="kube-dns",
        dns_policy="Default",
        volumes=[{"name": "kube-dns-config", "configMap": {"name": "kube-dns", "defaultMode": 420, "optional": True}}],
        tolerations=[
            {"key": "CriticalAddonsOnly", "operator": "Exists"},
            {"key": "node-role.kubernetes.io/master", "effect": "NoSchedule"},
        ],
    )
    labels = {"k8s-app": "kube-dns"}
    pods = deployment(world, NS, "kube-dns", labels, template, hosts(world, world.spec.dns_on), born(45))
    for pod in pods:
        world.log(
            pod,
            "kubedns",
            [
                klog(1621041.5, "dns.go:48", "version: 1.14.5"),
                klog(
                    1621041.4,
                    "server.go:70",
                    "Using configuration read from directory: /kube-dns-config with period 10s",
                ),
                klog(1621040.9, "dns.go:174", "Initialized services and endpoints from apiserver"),
                klog(1621040.8, "server.go:126", "Setting up Healthz Handler (/readiness)"),
            ],
        )
        world.log(
            pod,
            "dnsmasq",
            [
                klog(
                    1621039.2, "nanny.go:111", "dnsmasq[14]: started, version 2.78-security-prerelease cachesize 1000"
                ),
                klog(
                    1621039.1, "nanny.go:111", "dnsmasq[14]: using nameserver 127.0.0.1#10053 for domain cluster.local"
                ),
            ],
        )
        world.log(
            pod,
            "sidecar",
            [
                klog(
                    1621038.0,
                    "server.go:45",
                    "Starting server (options {DnsMasqPort:53 DnsMasqAddr:127.0.0.1 DnsMasqPollIntervalMs:5000})",
                )
            ],
        )
    service(
        world,
        NS,
        "kube-dns",
        world.spec.dns_ip,
        DNS_PORTS[:2],
        pods,
        born(45),
        selector=labels,
        labels={"k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "KubeDNS"},
    )


def _metrics(world: World) -> None:
    """Metrics-server 0.2 registered under the group ``metrics``, version v1alpha1, without ``.k8s.io``."""
    template = spec(
        [
            container(
                "metrics-server",
                "gcr.io/google_containers/metrics-server-amd64:v0.2.1",
                command=["/metrics-server", "--source=kubernetes.summary_api:''"],
                ports={"https": 443},
                readinessProbe=probe("/healthz", "https", scheme="HTTPS", delay=20),
            )
        ],
        sa="metrics-server",
    )
    labels = {"k8s-app": "metrics-server"}
    pods = deployment(world, NS, "metrics-server", labels, template, hosts(world, world.spec.metrics_on), born(300))
    for pod in pods:
        world.log(
            pod,
            "metrics-server",
            [
                klog(1620901.2, "heapster.go:71", "/metrics-server --source=kubernetes.summary_api:''"),
                klog(1620900.1, "serve.go:85", "Serving securely on 0.0.0.0:443"),
            ],
        )
    service(
        world,
        NS,
        "metrics-server",
        world.spec.service_ip(113),
        [("https", 443, 443, "TCP")],
        pods,
        born(300),
        selector=labels,
        labels=labels,
        target={"https": "https"},
    )
    world.add(api_service("v1alpha1.metrics", (NS, "metrics-server"), insecure=True))
