"""The cluster DNS."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

from tools.bases.common import MASTER_OK, NS, hosts
from tools.bases.ids import born
from tools.bases.pods import container, probe, spec
from tools.bases.services import budget, service
from tools.bases.workloads import deployment
from tools.bases.world import World


def corefile(world: World) -> str:
    """The Corefile that kubeadm installs; a cloud names its resolvers."""
    upstream = " ".join(world.spec.upstreams) if world.spec.cni == "ipamd" else "/etc/resolv.conf"
    return f""".:53 {{
    errors
    health {{
       lameduck 5s
    }}
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {{
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }}
    prometheus :9153
    forward . {upstream} {{
       max_concurrent 1000
    }}
    cache 30 {{
       disable success cluster.local
       disable denial cluster.local
    }}
    loop
    reload
    loadbalance
}}
"""


DNS_PORTS = [("dns", 53, 53, "UDP"), ("dns-tcp", 53, 53, "TCP"), ("metrics", 9153, 9153, "TCP")]


def add_coredns(world: World) -> None:
    """Add CoreDNS: Deployment, Service kube-dns, disruption budget."""
    spread = {
        "podAntiAffinity": {
            "preferredDuringSchedulingIgnoredDuringExecution": [
                {
                    "weight": 100,
                    "podAffinityTerm": {
                        "labelSelector": {
                            "matchExpressions": [{"key": "k8s-app", "operator": "In", "values": ["kube-dns"]}]
                        },
                        "topologyKey": "kubernetes.io/hostname",
                    },
                }
            ]
        }
    }
    template = spec(
        [
            container(
                "coredns",
                "registry.k8s.io/coredns/coredns:v1.12.1",
                args=["-conf", "/etc/coredns/Corefile"],
                ports={"dns": 53, "dns-tcp": 53, "metrics": 9153},
                udp=("dns",),
                resources={"requests": {"cpu": "100m", "memory": "70Mi"}, "limits": {"memory": "170Mi"}},
                mounts=[{"name": "config-volume", "mountPath": "/etc/coredns", "readOnly": True}],
                livenessProbe=probe("/health", 8080, delay=60, failures=5, timeout=5),
                readinessProbe=probe("/ready", 8181),
                securityContext={
                    "allowPrivilegeEscalation": False,
                    "capabilities": {"add": ["NET_BIND_SERVICE"], "drop": ["ALL"]},
                    "readOnlyRootFilesystem": True,
                },
            )
        ],
        sa="coredns",
        priority="system-cluster-critical",
        dns_policy="Default",
        volumes=[
            {
                "name": "config-volume",
                "configMap": {
                    "name": "coredns",
                    "items": [{"key": "Corefile", "path": "Corefile"}],
                    "defaultMode": 420,
                },
            }
        ],
        tolerations=MASTER_OK,
        fields={"affinity": spread},
    )
    labels = {"k8s-app": "kube-dns"}
    pods = deployment(world, NS, "coredns", labels, template, hosts(world, world.spec.dns_on), born(45))
    for pod in pods:
        world.log(
            pod,
            "coredns",
            [
                ".:53",
                "[INFO] plugin/reload: Running configuration SHA512 = 591cf328cccc12bc490481273e738df59329c62c0b729d94e8b61db9961c2fa5f046dd37f1cf888b953814040d180f52594972691cd6ff41be96639138a43908",
                "CoreDNS-1.12.1",
                "linux/amd64, go1.24.1, 707c7c1",
            ],
        )
    service(
        world,
        NS,
        "kube-dns",
        world.spec.dns_ip,
        DNS_PORTS,
        pods,
        born(45),
        selector=labels,
        labels={"k8s-app": "kube-dns", "kubernetes.io/cluster-service": "true", "kubernetes.io/name": "CoreDNS"},
        annotations={"prometheus.io/port": "9153", "prometheus.io/scrape": "true"},
    )
    budget(world, NS, "coredns", labels, len(pods), born(50))
