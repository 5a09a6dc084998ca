"""What every cluster runs in kube-system: proxy, network, DNS, metrics, storage driver."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

from tools.bases.ids import Obj, ago, born, condition, obj
from tools.bases.pods import container, probe, spec
from tools.bases.spec import Host
from tools.bases.workloads import budget, daemonset, deployment, service
from tools.bases.world import World

NS = "kube-system"
MASTER_OK = [
    {"key": "CriticalAddonsOnly", "operator": "Exists"},
    {"key": "node-role.kubernetes.io/control-plane", "effect": "NoSchedule"},
]
LOCAL_GROUPS = (
    "v1.",
    "v1.admissionregistration.k8s.io",
    "v1.apiextensions.k8s.io",
    "v1.apps",
    "v1.authentication.k8s.io",
    "v1.authorization.k8s.io",
    "v1.autoscaling",
    "v2.autoscaling",
    "v1.batch",
    "v1.certificates.k8s.io",
    "v1.coordination.k8s.io",
    "v1.discovery.k8s.io",
    "v1.events.k8s.io",
    "v1.flowcontrol.apiserver.k8s.io",
    "v1.networking.k8s.io",
    "v1.node.k8s.io",
    "v1.policy",
    "v1.rbac.authorization.k8s.io",
    "v1.scheduling.k8s.io",
    "v1.storage.k8s.io",
)


def add_addons(world: World) -> None:
    """Add everything."""
    _kube_proxy(world)
    {"flannel": _flannel, "calico": _calico, "ipamd": _ipamd}[world.spec.cni](world)
    if not world.spec.legacy:
        _coredns(world)
        _metrics_server(world)
    _csi(world)
    for name in LOCAL_GROUPS:
        world.add(api_service(name))


def klog(seconds: float, where: str, text: str, level: str = "I") -> str:
    """A klog line ``seconds`` before the recording."""
    when = ago(seconds)
    return f"{level}{when:%m%d %H:%M:%S.%f}       1 {where}] {text}"


def hosts(world: World, names: tuple[str, ...]) -> list[Host]:
    """The hosts of these names, in order."""
    return [world.spec.host(n) for n in names]


def api_service(name: str, backend: tuple[str, str] | None = None, *, insecure: bool = False) -> Obj:
    """An APIService: local, or served by ``backend`` (namespace, name)."""
    version, _, group = name.partition(".")
    body: Obj = {
        "group": group,
        "version": version,
        "groupPriorityMinimum": 17800 if not group else 17000,
        "versionPriority": 15,
    }
    if not group:
        body.pop("group")
        body |= {"groupPriorityMinimum": 18000, "versionPriority": 1}
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


def _kube_proxy(world: World) -> None:
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
    more = {"readinessProbe": ready} if ready else {}
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


def _flannel(world: World) -> None:
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


def _calico(world: World) -> None:
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


def _ipamd(world: World) -> None:
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


def _coredns(world: World) -> None:
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


def _metrics_server(world: World) -> None:
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


def _csi(world: World) -> None:
    driver = world.spec.csi
    short = driver.split(".", maxsplit=1)[0] if driver.startswith("disk") else driver.split(".")[1]
    world.add(
        obj(
            "storage.k8s.io/v1",
            "CSIDriver",
            driver,
            created=born(400),
            spec={
                "attachRequired": True,
                "podInfoOnMount": False,
                "storageCapacity": False,
                "fsGroupPolicy": "ReadWriteOnceWithFSType",
                "requiresRepublish": False,
                "seLinuxMount": False,
                "volumeLifecycleModes": ["Persistent"],
            },
        )
    )
    node = spec(
        [
            container(
                "driver-registrar", "registry.k8s.io/sig-storage/csi-node-driver-registrar:v2.14.0", resources={}
            ),
            container(
                "csi-driver", f"registry.example.com/storage/{short}-csi:v3.5.0", securityContext={"privileged": True}
            ),
        ],
        sa="csi-node",
        host_network=True,
        priority="system-node-critical",
        volumes=[
            {
                "name": "plugin-dir",
                "hostPath": {"path": f"/var/lib/kubelet/plugins/{driver}", "type": "DirectoryOrCreate"},
            }
        ],
    )
    daemonset(world, NS, f"{short}-csi-node", {"app": f"{short}-csi-node"}, node, list(world.spec.hosts), born(400))
    sidecars = {"csi-attacher": "v4.9.0", "csi-provisioner": "v5.3.0", "csi-resizer": "v1.14.0"}
    controller = spec(
        [
            *(container(n, f"registry.k8s.io/sig-storage/{n}:{v}", resources={}) for n, v in sidecars.items()),
            container("csi-driver", f"registry.example.com/storage/{short}-csi:v3.5.0"),
        ],
        sa="csi-controller",
        priority="system-cluster-critical",
    )
    workers = list(world.spec.workers)
    deployment(
        world, NS, f"{short}-csi-controller", {"app": f"{short}-csi-controller"}, controller, [workers[-1]], born(400)
    )
