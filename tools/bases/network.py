"""The network add-ons: kube-proxy and one of three CNIs."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

from typing import Any

from tools.bases.common import MASTER_OK, NS, klog
from tools.bases.ids import Obj, ago, born
from tools.bases.pods import container, probe, spec
from tools.bases.workloads import daemonset, deployment
from tools.bases.world import World


def add_kube_proxy(world: World) -> None:
    """Add kube-proxy."""
    image = (
        f"gcr.io/google_containers/kube-proxy-amd64:{world.spec.version}"
        if world.spec.legacy
        else f"registry.k8s.io/kube-proxy:{world.spec.version}"
    )
    template = spec(
        [
            container(
                "kube-proxy",
                image,
                command=[
                    "/usr/local/bin/kube-proxy",
                    "--config=/var/lib/kube-proxy/config.conf",
                    "--hostname-override=$(NODE_NAME)",
                ],
                env=[
                    {"name": "NODE_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "spec.nodeName"}}}
                ],
                mounts=[{"name": "kube-proxy", "mountPath": "/var/lib/kube-proxy"}],
                resources={},
                securityContext={"privileged": True},
            )
        ],
        sa="kube-proxy",
        host_network=True,
        priority="system-node-critical",
        volumes=[{"name": "kube-proxy", "configMap": {"name": "kube-proxy", "defaultMode": 420}}],
    )
    for pod in daemonset(
        world, NS, "kube-proxy", {"k8s-app": "kube-proxy"}, template, list(world.spec.hosts), born(40)
    ):
        world.log(
            pod,
            "kube-proxy",
            [
                f'I1102 02:0{pod["status"]["startTime"][15]}:31.482113       1 server_linux.go:53] "Using iptables proxy"',
                f'I1102 02:0{pod["status"]["startTime"][15]}:31.611020       1 shared_informer.go:356] "Caches are synced" controller="service config"',
            ],
        )


def _agent(
    name: str, image: str, *, env: list[Obj] | None = None, ready: Obj | None = None, args: list[str] | None = None
) -> Obj:
    more: dict[str, Any] = {"readinessProbe": ready} if ready else {}
    return container(
        name,
        image,
        args=args,
        env=[
            {"name": "NODE_NAME", "valueFrom": {"fieldRef": {"apiVersion": "v1", "fieldPath": "spec.nodeName"}}},
            *(env or []),
        ],
        resources={"requests": {"cpu": "100m", "memory": "50Mi"}},
        mounts=[
            {"name": "cni", "mountPath": "/etc/cni/net.d"},
            {"name": "xtables-lock", "mountPath": "/run/xtables.lock"},
        ],
        securityContext={"privileged": True},
        **more,
    )


VOLUMES = [
    {"name": "cni", "hostPath": {"path": "/etc/cni/net.d", "type": ""}},
    {"name": "cni-bin", "hostPath": {"path": "/opt/cni/bin", "type": ""}},
    {"name": "xtables-lock", "hostPath": {"path": "/run/xtables.lock", "type": "FileOrCreate"}},
]


def add_flannel(world: World) -> None:
    """Add flannel."""
    image = "quay.io/coreos/flannel:v0.9.0-amd64" if world.spec.legacy else "ghcr.io/flannel-io/flannel:v0.27.4"
    install = container(
        "install-cni",
        image,
        command=["cp"],
        args=["-f", "/etc/kube-flannel/cni-conf.json", "/etc/cni/net.d/10-flannel.conflist"],
        resources={},
        mounts=[{"name": "cni", "mountPath": "/etc/cni/net.d"}],
    )
    template = spec(
        [_agent("kube-flannel", image, args=["--ip-masq", "--kube-subnet-mgr"])],
        sa="flannel",
        host_network=True,
        priority="system-node-critical",
        volumes=[*VOLUMES, {"name": "flannel-cfg", "configMap": {"name": "kube-flannel-cfg", "defaultMode": 420}}],
        init=[install],
    )
    labels = {"app": "flannel", "tier": "node", "k8s-app": "flannel"}
    for pod in daemonset(world, NS, "kube-flannel-ds", labels, template, list(world.spec.hosts), born(75)):
        host = world.spec.host(pod["spec"]["nodeName"])
        world.log(
            pod,
            "kube-flannel",
            [
                f"I1102 02:04:11.{100000 + host.number}       1 main.go:231] Created subnet manager: Kubernetes Subnet Manager - {host.name}",
                f"I1102 02:04:12.{200000 + host.number}       1 main.go:503] Using interface with name {nic(world)} and address {host.ip}",
                f"I1102 02:04:12.{500000 + host.number}       1 main.go:421] Wrote subnet file to /run/flannel/subnet.env",
                f"I1102 02:04:12.{500100 + host.number}       1 main.go:425] Running backend.",
            ],
        )


def nic(world: World) -> str:
    """The name of the hosts' first NIC."""
    return {"calico": "ens192", "ipamd": "eth0"}.get(world.spec.cni, "eth0" if world.spec.legacy else "ens192")


def add_calico(world: World) -> None:
    """Add Calico with VXLAN."""
    health: Obj = {
        "exec": {"command": ["/bin/calico-node", "-felix-ready", "-bird-ready"]},
        "periodSeconds": 10,
        "timeoutSeconds": 10,
        "successThreshold": 1,
        "failureThreshold": 3,
    }
    env = [
        {"name": "CALICO_NETWORKING_BACKEND", "value": "vxlan"},
        {"name": "CALICO_IPV4POOL_CIDR", "value": world.spec.pod_cidr},
        {"name": "CALICO_IPV4POOL_IPIP", "value": "Never"},
        {"name": "CALICO_IPV4POOL_VXLAN", "value": "Always"},
        {"name": "FELIX_VXLANMTU", "value": "0"},
        {"name": "IP_AUTODETECTION_METHOD", "value": "kubernetes-internal-ip"},
    ]
    health["exec"]["command"].pop()
    template = spec(
        [_agent("calico-node", "quay.io/calico/node:v3.30.4", env=env, ready=health)],
        sa="calico-node",
        host_network=True,
        priority="system-node-critical",
        volumes=VOLUMES,
    )
    for pod in daemonset(
        world, NS, "calico-node", {"k8s-app": "calico-node"}, template, list(world.spec.hosts), born(75)
    ):
        when = ago(61)
        world.log(
            pod,
            "calico-node",
            [
                f"{when:%Y-%m-%d %H:%M:%S}.312 [INFO][67] felix/summary.go 100: Summarising 9 dataplane reconciliation loops over 1m2.9s: avg=4ms longest=11ms (resync-routes-v4)"
            ],
        )
    labels = {"k8s-app": "calico-kube-controllers"}
    controllers = spec(
        [container("calico-kube-controllers", "quay.io/calico/kube-controllers:v3.30.4", resources={})],
        sa="calico-kube-controllers",
        priority="system-cluster-critical",
        tolerations=MASTER_OK,
    )
    deployment(world, NS, "calico-kube-controllers", labels, controllers, [world.spec.workers[0]], born(76))


def add_ipamd(world: World) -> None:
    """Add the agent that gives pods addresses on the second NIC."""
    template = spec(
        [
            _agent(
                "cni-ipamd",
                "registry.example.com/network/cni-ipamd:v2.8.3",
                ready=probe("/healthz", 51678),
                args=["--pod-nic=eth1", "--route-table=2", "--reconcile-interval=60s"],
            )
        ],
        sa="cni-ipamd",
        host_network=True,
        priority="system-node-critical",
        volumes=VOLUMES,
    )
    for pod in daemonset(world, NS, "cni-ipamd", {"k8s-app": "cni-ipamd"}, template, list(world.spec.hosts), born(75)):
        host = world.spec.host(pod["spec"]["nodeName"])
        world.log(
            pod,
            "cni-ipamd",
            [
                klog(
                    122,
                    "reconcile.go:88",
                    f'"Reconciled" nic="eth1" table=2 gateway="{host.gateway}" rules={len(world.pods_on(host))}',
                ),
                klog(62, "reconcile.go:88", f'"Reconciled" nic="eth1" table=2 gateway="{host.gateway}"'),
                klog(2, "reconcile.go:88", f'"Reconciled" nic="eth1" table=2 gateway="{host.gateway}"'),
            ][1:],
        )
