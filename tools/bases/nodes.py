"""Node objects, their heartbeats and what the metrics API says of them."""

from __future__ import annotations

from datetime import timedelta

from tools.bases.ids import Obj, ago, clean, condition, hexid, iso, number, obj, uid
from tools.bases.leases import node_lease
from tools.bases.machine import DISK, boot_id, kernel, labels, machine_id, role, runtime
from tools.bases.pods import image_id
from tools.bases.spec import Host
from tools.bases.usage import add_usage
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


def add_nodes(world: World) -> None:
    """Add every Node with its Lease, CSINode and metrics."""
    for host in world.spec.hosts:
        node = world.add(_node(world, host))
        if not world.spec.legacy:
            world.add(node_lease(host, node))
        add_usage(world, host)


def _node(world: World, host: Host) -> Obj:
    spec = world.spec
    node = obj(
        "v1",
        "Node",
        host.name,
        created=host.joined,
        labels=labels(world, host),
        annotations=_annotations(world, host),
        spec=clean(
            podCIDR=None if host.nic else f"{host.pods}.0/24",
            podCIDRs=None if host.nic else [f"{host.pods}.0/24"],
            providerID=f"cloud://eu-central-1.i-{hexid(12, host.name)}" if host.nic else None,
            taints=[{"key": role(world), "effect": "NoSchedule"}] if host.control_plane else None,
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
