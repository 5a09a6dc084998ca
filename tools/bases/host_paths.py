"""Ports that listen on a node, and what the node can reach."""

from __future__ import annotations

import json

from tools.bases.host import Out, join
from tools.bases.host_links import pods_with_ip, veth
from tools.bases.host_runtime import sandbox_id
from tools.bases.ids import hexid, number
from tools.bases.network import nic
from tools.bases.pods import container_id
from tools.bases.spec import Host
from tools.bases.world import World


def ports(host: Host) -> dict[str, Out]:
    """PORTS and who owns the ones that matter."""
    table = ["0.0.0.0:22", "127.0.0.1:10248", "127.0.0.1:10249", "*:10250", "*:10256"]
    owned = [("*:10250", "kubelet", 1021 + 3 * host.number)]
    if host.control_plane:
        table += [
            "*:6443",
            "127.0.0.1:10257",
            "127.0.0.1:10259",
            "127.0.0.1:2379",
            f"{host.ip}:2379",
            f"{host.ip}:2380",
            "127.0.0.1:2381",
        ]
        owned += [
            ("*:6443", "kube-apiserver", 1610),
            ("127.0.0.1:10257", "kube-controller", 1644),
            ("127.0.0.1:10259", "kube-scheduler", 1652),
        ]
        owned += [
            (f"{host.ip}:2379", "etcd", 1588),
            ("127.0.0.1:2379", "etcd", 1588),
            (f"{host.ip}:2380", "etcd", 1588),
        ]
    lines = [f"tcp   LISTEN 0      4096   {local:>21} {_any(local)}:*" for local in sorted(table)]
    owners = [
        f'tcp   LISTEN 0      4096   {local:>21} {_any(local)}:* users:(("{name}",pid={process},fd=18))'
        for local, name, process in owned
    ]
    return {
        "PORTS": Out(join(["udp   UNCONN 0      0            127.0.0.53%lo:53         0.0.0.0:*", *lines])),
        "PORTS_OWN": Out(join(owners)),
    }


def _any(local: str) -> str:
    return "*" if local.startswith("*") else "0.0.0.0"  # noqa: S104 - as ss prints it


def api_paths(world: World, host: Host) -> list[tuple[str, Out]]:
    """APIPATH to every API server, to the configured endpoint, and to the ClusterIP."""
    endpoints = [f"{m.ip}:6443" for m in world.spec.masters] + [world.spec.endpoint, f"{world.spec.service_ip(1)}:443"]
    found = []
    for endpoint in dict.fromkeys(endpoints):
        address, _, port = endpoint.rpartition(":")
        out = Out(f"200 0.000{120 + number(600, host.name, endpoint)}\n")
        found.append(("APIPATH", out.of(host=address, port=port, endpoint=endpoint)))
    return found


def reach(world: World, host: Host) -> list[tuple[str, Out]]:
    """TCP and RPATH to what workloads talk to: the database, the resolvers, the other nodes, Services."""
    found: list[tuple[str, Out]] = []
    targets = [
        (address, 3306 if name.startswith("db.") else 443)
        for name, addresses in world.spec.answers.items()
        for address in addresses
    ]
    targets += [(u, 53) for u in world.spec.upstreams] + [(world.spec.service_ip(1), 443), (world.spec.dns_ip, 53)]
    targets += [(h.ip, port) for h in world.spec.hosts for port in (22, 10250)] + [
        (m.ip, 6443) for m in world.spec.masters
    ]
    found += [("TCP", Out("rc=0\n").of(host=address, port=str(port))) for address, port in targets]
    found += [("TCP", Out("rc=0\n").of(host=address, port=str(port))) for address, port in _pods_elsewhere(world, host)]
    for address in dict.fromkeys(a for a, _port in targets if a != host.ip):
        found.append(("RPATH", _route(world, host, address).of(dst=address)))
        for pod in pods_with_ip(world, host):
            found.append(
                (
                    "RPATH_FROM",
                    _route_from(world, host, pod["status"]["podIP"], address).of(
                        dst=address, podip=pod["status"]["podIP"], iface=_inner(world, pod)
                    ),
                )
            )
    return found


def _pods_elsewhere(world: World, host: Host) -> list[tuple[str, int]]:
    """Address and first TCP port of every pod of another node that says on which it listens."""
    found = []
    for pod in (p for other in world.spec.hosts if other.name != host.name for p in pods_with_ip(world, other)):
        ports = [
            p for c in pod["spec"]["containers"] for p in c.get("ports") or [] if p.get("protocol", "TCP") == "TCP"
        ]
        if ports and pod["status"].get("podIP"):
            found.append((pod["status"]["podIP"], ports[0]["containerPort"]))
    return found


def _inner(world: World, pod: dict[str, dict[str, str]]) -> str:
    if world.spec.cni == "flannel":
        return "cni0"
    return f"cali{hexid(11, 'veth', pod['metadata']['uid'])}" if world.spec.cni == "calico" else veth(pod)


def _route(world: World, host: Host, address: str) -> Out:
    near = address.rsplit(".", 1)[0] == host.ip.rsplit(".", 1)[0]
    route = {
        "dst": address,
        **({} if near else {"gateway": world.spec.gateway}),
        "dev": nic(world),
        "prefsrc": host.ip,
        "flags": [],
        "uid": 1000,
        "cache": [],
    }
    return Out(json.dumps([route], separators=(",", ":")) + "\n")


def _route_from(world: World, host: Host, source: str, address: str) -> Out:
    near = address.rsplit(".", 1)[0] == host.ip.rsplit(".", 1)[0]
    if host.nic:
        route = {
            "dst": address,
            "from": source,
            "gateway": host.gateway,
            "dev": "eth1",
            "table": "2",
            "flags": [],
            "cache": [],
        }
    else:
        route = {
            "dst": address,
            "from": source,
            **({} if near else {"gateway": world.spec.gateway}),
            "dev": nic(world),
            "flags": [],
            "cache": [],
        }
    return Out(json.dumps([route], separators=(",", ":")) + "\n")


def pod_files(world: World, host: Host) -> list[tuple[str, Out]]:
    """What can be read about a pod's container on its node: its process, and the resolv.conf that the kubelet wrote."""
    found = []
    for pod in pods_with_ip(world, host):
        meta = pod["metadata"]
        if meta["namespace"] == "kube-system" or world.spec.legacy:
            continue
        identity = container_id(pod, pod["spec"]["containers"][0]["name"])
        process = str(20000 + number(9000, meta["uid"]))
        path = f"/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/{sandbox_id(pod)}/resolv.conf"
        searches = f"search {meta['namespace']}.svc.cluster.local svc.cluster.local cluster.local"
        found += [
            ("PODPID", Out(f"{process}\n").of(container=identity)),
            ("PODRESOLV_PATH", Out(f"{path}\n").of(container=identity)),
            ("PODRESOLV", Out(f"{searches}\nnameserver {world.spec.dns_ip}\noptions ndots:5\n").of(resolvconf=path)),
        ]
    return found
