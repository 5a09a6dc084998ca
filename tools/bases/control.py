"""The control plane: static pods with their mirror pods, elected leaders, the kubernetes Service."""

from __future__ import annotations

from tools.bases.control_logs import quiet_log
from tools.bases.flags import PKI, flags, image
from tools.bases.ids import Obj, ago, born, hexid, iso, micro, obj
from tools.bases.leases import apiserver_lease, leader_lease
from tools.bases.pods import container, place, probe, spec
from tools.bases.spec import Host
from tools.bases.world import World

PORTS = {"kube-apiserver": 6443, "kube-controller-manager": 10257, "kube-scheduler": 10259, "etcd": 2381}


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
        mounts.append({"name": "etcd-data", "mountPath": "/var/lib/etcd"})
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
    world.log(pod, component, quiet_log(world, host, component))


def _node_owner(host: Host) -> Obj:
    from tools.bases.ids import uid  # noqa: PLC0415 - keeps the list above short

    return {
        "apiVersion": "v1",
        "kind": "Node",
        "name": host.name,
        "uid": uid("v1", "Node", None, host.name),
        "controller": True,
    }


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
