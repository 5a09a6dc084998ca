"""The control plane: static pods with their mirror pods, elected leaders, the kubernetes Service."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

from tools.bases.ids import Obj, ago, born, hexid, iso, micro, obj
from tools.bases.nodes import apiserver_lease, leader_lease
from tools.bases.pods import container, place, probe, spec
from tools.bases.spec import Host
from tools.bases.world import World

PORTS = {"kube-apiserver": 6443, "kube-controller-manager": 10257, "kube-scheduler": 10259, "etcd": 2381}
IMAGES = "registry.k8s.io"
PKI = "/etc/kubernetes/pki"


def image(world: World, component: str) -> str:
    """The image of a control-plane component."""
    if world.spec.legacy:
        tag = "3.1.10" if component == "etcd" else world.spec.version
        return f"gcr.io/google_containers/{component}-amd64:{tag}"
    return f"{IMAGES}/etcd:3.6.5-0" if component == "etcd" else f"{IMAGES}/{component}:{world.spec.version}"


def add_control_plane(world: World) -> None:
    """Add the pods of every control-plane host and who leads."""
    for host in world.spec.masters:
        for component in PORTS:
            _static_pod(world, host, component)
        if not world.spec.legacy:
            world.add(apiserver_lease(world, host))
    first = world.spec.masters[0].name
    if world.spec.legacy:
        world.add(_leader_endpoints("kube-controller-manager", first))
        world.add(_leader_endpoints("kube-scheduler", first))
    else:
        world.add(leader_lease("kube-controller-manager", first, 1.213))
        world.add(leader_lease("kube-scheduler", world.spec.masters[-1].name, 0.871))
    _kubernetes_service(world)


def flags(world: World, host: Host, component: str) -> list[str]:
    """The command line of a static pod, as kubeadm writes it."""
    service = f"{world.spec.service_cidr}"
    members = ",".join(f"{m.name}=https://{m.ip}:2380" for m in world.spec.masters)
    return {
        "kube-apiserver": [
            "kube-apiserver",
            f"--advertise-address={host.ip}",
            "--allow-privileged=true",
            "--authorization-mode=Node,RBAC",
            f"--client-ca-file={PKI}/ca.crt",
            "--enable-admission-plugins=NodeRestriction",
            "--enable-bootstrap-token-auth=true",
            f"--etcd-cafile={PKI}/etcd/ca.crt",
            f"--etcd-certfile={PKI}/apiserver-etcd-client.crt",
            f"--etcd-keyfile={PKI}/apiserver-etcd-client.key",
            "--etcd-servers=https://127.0.0.1:2379",
            f"--kubelet-client-certificate={PKI}/apiserver-kubelet-client.crt",
            f"--kubelet-client-key={PKI}/apiserver-kubelet-client.key",
            "--kubelet-preferred-address-types=InternalIP,ExternalIP,Hostname",
            f"--proxy-client-cert-file={PKI}/front-proxy-client.crt",
            f"--proxy-client-key-file={PKI}/front-proxy-client.key",
            "--requestheader-allowed-names=front-proxy-client",
            f"--requestheader-client-ca-file={PKI}/front-proxy-ca.crt",
            "--requestheader-extra-headers-prefix=X-Remote-Extra-",
            "--requestheader-group-headers=X-Remote-Group",
            "--requestheader-username-headers=X-Remote-User",
            "--secure-port=6443",
            "--service-account-issuer=https://kubernetes.default.svc.cluster.local",
            f"--service-account-key-file={PKI}/sa.pub",
            f"--service-account-signing-key-file={PKI}/sa.key",
            f"--service-cluster-ip-range={service}",
            f"--tls-cert-file={PKI}/apiserver.crt",
            f"--tls-private-key-file={PKI}/apiserver.key",
        ],
        "kube-controller-manager": [
            "kube-controller-manager",
            *([] if world.spec.cni == "ipamd" else ["--allocate-node-cidrs=true"]),
            "--authentication-kubeconfig=/etc/kubernetes/controller-manager.conf",
            "--authorization-kubeconfig=/etc/kubernetes/controller-manager.conf",
            "--bind-address=127.0.0.1",
            f"--client-ca-file={PKI}/ca.crt",
            f"--cluster-cidr={world.spec.pod_cidr}",
            f"--cluster-name={'kubernetes'}",
            f"--cluster-signing-cert-file={PKI}/ca.crt",
            f"--cluster-signing-key-file={PKI}/ca.key",
            "--controllers=*,bootstrapsigner,tokencleaner",
            "--kubeconfig=/etc/kubernetes/controller-manager.conf",
            "--leader-elect=true",
            f"--requestheader-client-ca-file={PKI}/front-proxy-ca.crt",
            f"--root-ca-file={PKI}/ca.crt",
            f"--service-account-private-key-file={PKI}/sa.key",
            f"--service-cluster-ip-range={service}",
            "--use-service-account-credentials=true",
        ],
        "kube-scheduler": [
            "kube-scheduler",
            "--authentication-kubeconfig=/etc/kubernetes/scheduler.conf",
            "--authorization-kubeconfig=/etc/kubernetes/scheduler.conf",
            "--bind-address=127.0.0.1",
            "--kubeconfig=/etc/kubernetes/scheduler.conf",
            "--leader-elect=true",
        ],
        "etcd": [
            "etcd",
            f"--advertise-client-urls=https://{host.ip}:2379",
            f"--cert-file={PKI}/etcd/server.crt",
            "--client-cert-auth=true",
            "--data-dir=/var/lib/etcd",
            f"--initial-advertise-peer-urls=https://{host.ip}:2380",
            f"--initial-cluster={members}",
            f"--key-file={PKI}/etcd/server.key",
            f"--listen-client-urls=https://127.0.0.1:2379,https://{host.ip}:2379",
            "--listen-metrics-urls=http://127.0.0.1:2381",
            f"--listen-peer-urls=https://{host.ip}:2380",
            f"--name={host.name}",
            f"--peer-cert-file={PKI}/etcd/peer.crt",
            "--peer-client-cert-auth=true",
            f"--peer-key-file={PKI}/etcd/peer.key",
            f"--peer-trusted-ca-file={PKI}/etcd/ca.crt",
            "--snapshot-count=10000",
            f"--trusted-ca-file={PKI}/etcd/ca.crt",
        ],
    }[component]


CPU = {"kube-apiserver": "250m", "kube-controller-manager": "200m", "kube-scheduler": "100m", "etcd": "100m"}


def _static_pod(world: World, host: Host, component: str) -> None:
    health = "/health" if component == "etcd" else "/livez" if component == "kube-apiserver" else "/healthz"
    scheme = "HTTP" if component == "etcd" else "HTTPS"
    where = host.ip if component == "kube-apiserver" else "127.0.0.1"
    check = probe(health, PORTS[component], scheme=scheme, delay=10, failures=8, timeout=15)
    check["httpGet"]["host"] = where
    volumes = [{"name": "k8s-certs", "hostPath": {"path": PKI, "type": "DirectoryOrCreate"}}]
    mounts = [{"name": "k8s-certs", "mountPath": PKI, "readOnly": True}]
    if component == "etcd":
        volumes.append({"name": "etcd-data", "hostPath": {"path": "/var/lib/etcd", "type": "DirectoryOrCreate"}})
        mounts.append({"name": "etcd-data", "mountPath": "/var/lib/etcd"})  # type: ignore[dict-item]
    template = spec(
        [
            container(
                component,
                image(world, component),
                command=flags(world, host, component),
                resources={"requests": {"cpu": CPU[component]}},
                mounts=mounts,
                livenessProbe=check,
            )
        ],
        host_network=True,
        priority="system-node-critical",
        volumes=volumes,
        tolerations=[{"operator": "Exists", "effect": "NoExecute"}],
        selector=None,
        fields={"priority": 2000001000, "preemptionPolicy": "PreemptLowerPriority", "enableServiceLinks": True},
    )
    digest = hexid(32, "manifest", component, host.name)
    pod = place(
        world,
        host,
        f"{component}-{host.name}",
        "kube-system",
        template,
        static=True,
        labels={"component": component, "tier": "control-plane"},
        owner=_node_owner(host),
        created=host.joined,
        annotations={
            "kubernetes.io/config.hash": digest,
            "kubernetes.io/config.mirror": digest,
            "kubernetes.io/config.seen": micro(host.joined).replace("Z", "000Z"),
            "kubernetes.io/config.source": "file",
        },
    )
    world.log(pod, component, _log(world, host, component))


def _node_owner(host: Host) -> Obj:
    from tools.bases.ids import uid  # noqa: PLC0415 - keeps the list above short

    return {
        "apiVersion": "v1",
        "kind": "Node",
        "name": host.name,
        "uid": uid("v1", "Node", None, host.name),
        "controller": True,
    }


def _log(world: World, host: Host, component: str) -> list[str]:
    """The last quiet lines of a component; times in the host's own clock (UTC)."""

    def klog(seconds: float, where: str, text: str) -> str:
        when = ago(seconds)
        return f"I{when:%m%d %H:%M:%S.%f}       1 {where}] {text}"

    if component == "etcd":
        return _etcd_log(host)
    if component == "kube-apiserver":
        return [
            klog(
                1742.11,
                "alloc.go:328",
                f'"allocated clusterIPs" service="shop/web" clusterIPs={{"IPv4":"{world.spec.service_ip(77)}"}}',
            ),
            klog(
                1203.4,
                "cidrallocator.go:277",
                f"updated ClusterIP allocator for Service CIDR {world.spec.service_cidr}",
            ),
            klog(
                603.5, "cidrallocator.go:277", f"updated ClusterIP allocator for Service CIDR {world.spec.service_cidr}"
            ),
            klog(
                3.6, "cidrallocator.go:277", f"updated ClusterIP allocator for Service CIDR {world.spec.service_cidr}"
            ),
        ]
    if component == "kube-controller-manager":
        return [
            klog(1681.2, "range_allocator.go:428", f'"Set node PodCIDR" node="{world.spec.hosts[-1].name}"'),
            klog(
                922.9, "garbagecollector.go:235", '"Proceeding to sync resources" logger="garbage-collector-controller"'
            ),
            klog(
                341.7, "job_controller.go:598", '"enqueueing job" logger="job-controller" key="default/none" delay="0s"'
            ),
        ][:2]
    return [
        klog(
            1710.3,
            "schedule_one.go:314",
            f'"Successfully bound pod to node" pod="default/example-app" node="{world.spec.workers[0].name}" evaluatedNodes={len(world.spec.hosts)} feasibleNodes={len(world.spec.workers)}',
        )
    ]


def _etcd_log(host: Host) -> list[str]:
    def line(seconds: float, caller: str, text: str, **more: object) -> str:
        extra = "".join(
            f',"{k.replace("_", "-")}":{f"{chr(34)}{v}{chr(34)}" if isinstance(v, str) else v}' for k, v in more.items()
        )
        return f'{{"level":"info","ts":"{micro(ago(seconds))}","caller":"{caller}","msg":"{text}"{extra}}}'

    return [
        line(1500.2, "mvcc/index.go:194", "compact tree index", revision=2761201),
        line(
            1500.1,
            "mvcc/kvstore_compaction.go:72",
            "finished scheduled compaction",
            compact_revision=2761201,
            took="41.2ms",
            current_db_size_bytes=38211584,
        ),
        line(1200.3, "mvcc/index.go:194", "compact tree index", revision=2761980),
        line(
            1200.2,
            "mvcc/kvstore_compaction.go:72",
            "finished scheduled compaction",
            compact_revision=2761980,
            took="38.8ms",
            current_db_size_bytes=38211584,
        ),
        line(
            300.2,
            "mvcc/kvstore_compaction.go:72",
            "finished scheduled compaction",
            compact_revision=2763544,
            took=f"{35 + host.number}.1ms",
            current_db_size_bytes=38211584,
        ),
    ]


def _leader_endpoints(name: str, holder: str) -> Obj:
    """Before Leases, the leader was an annotation on an Endpoints object without endpoints."""
    record = (
        f'{{"holderIdentity":"{holder}","leaseDurationSeconds":15,"acquireTime":"{iso(born(31))}",'
        f'"renewTime":"{iso(ago(1))}","leaderTransitions":0}}'
    )
    return obj(
        "v1",
        "Endpoints",
        name,
        "kube-system",
        created=born(30),
        annotations={"control-plane.alpha.kubernetes.io/leader": record},
    )


def _kubernetes_service(world: World) -> None:
    labels = {"component": "apiserver", "provider": "kubernetes"}
    ip = world.spec.service_ip(1)
    world.add(
        obj(
            "v1",
            "Service",
            "kubernetes",
            "default",
            created=born(8),
            labels=labels,
            spec={
                "ports": [{"name": "https", "protocol": "TCP", "port": 443, "targetPort": 6443}],
                "clusterIP": ip,
                "clusterIPs": [ip],
                "type": "ClusterIP",
                "sessionAffinity": "None",
                "ipFamilies": ["IPv4"],
                "ipFamilyPolicy": "SingleStack",
                "internalTrafficPolicy": "Cluster",
            },
            status={"loadBalancer": {}},
        )
    )
    ports = [{"name": "https", "port": 6443, "protocol": "TCP"}]
    mirrored = {"endpointslice.kubernetes.io/skip-mirror": "true"}
    addresses = [{"ip": m.ip} for m in world.spec.masters]
    world.add(
        obj(
            "v1",
            "Endpoints",
            "kubernetes",
            "default",
            created=born(8),
            labels=mirrored,
            subsets=[{"addresses": addresses, "ports": ports}],
        )
    )
    world.add(
        obj(
            "discovery.k8s.io/v1",
            "EndpointSlice",
            "kubernetes",
            "default",
            created=born(8),
            generation=len(addresses),
            labels={"kubernetes.io/service-name": "kubernetes"},
            addressType="IPv4",
            endpoints=[{"addresses": [m.ip], "conditions": {"ready": True}} for m in world.spec.masters],
            ports=ports,
        )
    )
