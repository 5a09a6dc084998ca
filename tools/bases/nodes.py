"""Node objects, their heartbeats and what the metrics API says of them."""

from __future__ import annotations

from datetime import timedelta

from tools.bases.ids import Obj, ago, born, clean, condition, hexid, iso, micro, number, obj, owner_of, suffix, uid
from tools.bases.pods import image_id
from tools.bases.spec import Host
from tools.bases.world import World

MESSAGES = {
    "MemoryPressure": ("KubeletHasSufficientMemory", "kubelet has sufficient memory available"),
    "DiskPressure": ("KubeletHasNoDiskPressure", "kubelet has no disk pressure"),
    "PIDPressure": ("KubeletHasSufficientPID", "kubelet has sufficient PID available"),
}


NETWORK = {
    "flannel": ("FlannelIsUp", "Flannel is running on this node"),
    "calico": ("CalicoIsUp", "Calico is running on this node"),
    "ipamd": ("RouteCreated", "RouteController created a route"),
}


DISK = 103865303040  # bytes, as df and the Node object both say


def add_nodes(world: World) -> None:
    """Add every Node with its Lease, CSINode and metrics."""
    for host in world.spec.hosts:
        node = world.add(_node(world, host))
        if not world.spec.legacy:
            world.add(_lease(host, node))
        _metrics(world, host)


def boot_id(host: Host) -> str:
    """The kernel's boot id, as in ``/proc/sys/kernel/random/boot_id``."""
    return uid("boot", host.name, host.ip)


def machine_id(host: Host) -> str:
    """``/etc/machine-id``."""
    return hexid(32, "machine", host.name, host.ip)


def kernel(world: World) -> str:
    """``uname -r``."""
    return "3.10.0-1160.119.1.el7.x86_64" if world.spec.legacy else "5.15.0-161-generic"


def runtime(world: World) -> str:
    """The container runtime as nodeInfo names it."""
    return "docker://1.13.1" if world.spec.legacy else "containerd://1.7.28"


def _node(world: World, host: Host) -> Obj:
    spec = world.spec
    node = obj(
        "v1",
        "Node",
        host.name,
        created=host.joined,
        labels=_labels(world, host),
        annotations=_annotations(world, host),
        spec=clean(
            podCIDR=None if host.nic else f"{host.pods}.0/24",
            podCIDRs=None if host.nic else [f"{host.pods}.0/24"],
            providerID=f"cloud://eu-central-1.i-{hexid(12, host.name)}" if host.nic else None,
            taints=[{"key": _role(world), "effect": "NoSchedule"}] if host.control_plane else None,
        ),
    )
    node["status"] = clean(
        capacity=_capacity(host, whole=True),
        allocatable=_capacity(host, whole=False),
        conditions=_conditions(world, host),
        addresses=[{"type": "InternalIP", "address": host.ip}, {"type": "Hostname", "address": host.name}],
        daemonEndpoints={"kubeletEndpoint": {"Port": 10250}},
        nodeInfo={
            "machineID": machine_id(host),
            "systemUUID": uid("system", host.name, host.ip),
            "bootID": boot_id(host),
            "kernelVersion": kernel(world),
            "osImage": "CentOS Linux 7 (Core)" if spec.legacy else "Ubuntu 22.04.5 LTS",
            "containerRuntimeVersion": runtime(world),
            "kubeletVersion": spec.version,
            "kubeProxyVersion": spec.version if spec.legacy else "",
            "operatingSystem": "linux",
            "architecture": "amd64",
        },
        volumesInUse=_in_use(world, host),
        volumesAttached=[{"name": name, "devicePath": ""} for name in _in_use(world, host)],
        images=[
            {"names": [image_id(i), i], "sizeBytes": 20_000_000 + number(90_000_000, i)}
            for i in sorted({c["image"] for p in world.pods_on(host) for c in p["spec"]["containers"]})
        ],
    )
    return node


def _in_use(world: World, host: Host) -> list[str]:
    volumes = {v["metadata"]["name"]: v["spec"]["csi"] for v in world.all("PersistentVolume")}
    return [
        f"kubernetes.io/csi/{volumes[name]['driver']}^{volumes[name]['volumeHandle']}"
        for a in world.all("VolumeAttachment")
        if a["spec"]["nodeName"] == host.name and (name := a["spec"]["source"]["persistentVolumeName"]) in volumes
    ]


def _role(world: World) -> str:
    return "node-role.kubernetes.io/master" if world.spec.legacy else "node-role.kubernetes.io/control-plane"


def _labels(world: World, host: Host) -> dict[str, str]:
    labels = {
        "beta.kubernetes.io/arch": "amd64",
        "beta.kubernetes.io/os": "linux",
        "kubernetes.io/arch": "amd64",
        "kubernetes.io/hostname": host.name,
        "kubernetes.io/os": "linux",
    }
    if host.zone:
        labels["topology.kubernetes.io/region"] = host.zone[:-1]
        labels["topology.kubernetes.io/zone"] = host.zone
    if host.control_plane:
        labels[_role(world)] = ""
        if not world.spec.legacy:
            labels["node.kubernetes.io/exclude-from-external-load-balancers"] = ""
    return labels


def _annotations(world: World, host: Host) -> dict[str, str]:
    common = {"node.alpha.kubernetes.io/ttl": "0", "volumes.kubernetes.io/controller-managed-attach-detach": "true"}
    if world.spec.cni == "flannel":
        mac = ":".join(hexid(10, "vtep", host.name)[i : i + 2] for i in range(0, 10, 2))
        common |= {
            "flannel.alpha.coreos.com/backend-data": f'{{"VNI":1,"VtepMAC":"0a:{mac}"}}',
            "flannel.alpha.coreos.com/backend-type": "vxlan",
            "flannel.alpha.coreos.com/kube-subnet-manager": "true",
            "flannel.alpha.coreos.com/public-ip": host.ip,
        }
    if world.spec.cni == "calico":
        common |= {
            "projectcalico.org/IPv4Address": f"{host.ip}/24",
            "projectcalico.org/IPv4VXLANTunnelAddr": f"{host.pods}.0",
        }
    return common


def _capacity(host: Host, *, whole: bool) -> dict[str, str]:
    return {
        "cpu": str(host.cpu) if whole else f"{host.cpu * 1000 - 200}m",
        "ephemeral-storage": f"{DISK // 1024}Ki" if whole else str(DISK * 9 // 10),
        "hugepages-1Gi": "0",
        "hugepages-2Mi": "0",
        "memory": f"{host.memory}Ki" if whole else f"{host.memory - 1024 * 612}Ki",
        "pods": "110",
    }


def _conditions(world: World, host: Host) -> list[Obj]:
    beat = ago(40 + 31 * host.number)
    found = []
    if host.nic == "" or world.spec.cni == "ipamd":
        reason, message = NETWORK[world.spec.cni]
        up = host.joined + timedelta(seconds=31)
        found.append({**condition("NetworkUnavailable", "False", up, reason, message), "lastHeartbeatTime": iso(up)})
    for kind, (reason, message) in MESSAGES.items():
        found.append(
            {**condition(kind, "False", host.joined, reason, message), "lastHeartbeatTime": iso(beat)},
        )
    ready = condition(
        "Ready", "True", host.joined + timedelta(seconds=33), "KubeletReady", "kubelet is posting ready status"
    )
    return [*found, {**ready, "lastHeartbeatTime": iso(beat)}]


def _lease(host: Host, node: Obj) -> Obj:
    owner = owner_of(node)
    return obj(
        "coordination.k8s.io/v1",
        "Lease",
        host.name,
        "kube-node-lease",
        created=host.joined,
        owner={k: v for k, v in owner.items() if k not in ("controller", "blockOwnerDeletion")},
        spec={
            "holderIdentity": host.name,
            "leaseDurationSeconds": 40,
            "renewTime": micro(ago(0.7 + 1.37 * host.number)),
        },
    )


def leader_lease(name: str, holder: str, seconds: float) -> Obj:
    """The Lease of an elected leader, renewed ``seconds`` ago."""
    return obj(
        "coordination.k8s.io/v1",
        "Lease",
        name,
        "kube-system",
        created=born(30),
        spec={
            "acquireTime": micro(born(31.482211)),
            "holderIdentity": f"{holder}_{uid('leader', name, holder)}",
            "leaseDurationSeconds": 15,
            "leaseTransitions": 0,
            "renewTime": micro(ago(seconds)),
        },
    )


def apiserver_lease(world: World, host: Host) -> Obj:
    """The identity Lease of one API server."""
    digest = suffix(26, "apiserver", host.name)
    return obj(
        "coordination.k8s.io/v1",
        "Lease",
        f"apiserver-{digest}",
        "kube-system",
        created=host.joined,
        labels={
            "apiserver.kubernetes.io/identity": "kube-apiserver",
            "kubernetes.io/hostname": host.name,
        },
        spec={
            "holderIdentity": f"apiserver-{digest}_{uid('apiserver', world.spec.name, host.name)}",
            "leaseDurationSeconds": 3600,
            "renewTime": micro(ago(4.2 + host.number)),
        },
    )


def _metrics(world: World, host: Host) -> None:
    if world.spec.legacy:
        return
    sample = ago(11 + host.number)
    world.add(
        {
            "apiVersion": "metrics.k8s.io/v1beta1",
            "kind": "NodeMetrics",
            "metadata": {"name": host.name, "creationTimestamp": iso(ago(0)), "labels": _labels(world, host)},
            "timestamp": iso(sample),
            "window": "20.04s",
            "usage": {
                "cpu": f"{180_000_000 + number(240_000_000, host.name)}n",
                "memory": f"{2_100_000 + number(900_000, host.name)}Ki",
            },
        }
    )
    for pod in world.pods_on(host):
        world.add(_pod_metrics(pod, iso(sample)))


def _pod_metrics(pod: Obj, sample: str) -> Obj:
    meta = pod["metadata"]
    return {
        "apiVersion": "metrics.k8s.io/v1beta1",
        "kind": "PodMetrics",
        "metadata": {
            "name": meta["name"],
            "namespace": meta["namespace"],
            "creationTimestamp": iso(ago(0)),
            "labels": meta.get("labels", {}),
        },
        "timestamp": sample,
        "window": "17.3s",
        "containers": [
            {
                "name": c["name"],
                "usage": {
                    "cpu": f"{2_000_000 + number(30_000_000, meta['name'], c['name'])}n",
                    "memory": f"{18_000 + number(120_000, meta['name'], c['name'])}Ki",
                },
            }
            for c in pod["spec"]["containers"]
        ],
    }
