"""What of a control plane is on a host, and whether the host is meant to have it (CTRL-09)."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.model.cluster import KubernetesEndpoints, Leaders, PodsOnNode
from bot.model.host import HostUnits, ListeningPorts, NodeIdentity, StaticManifests, Unit
from bot.model.k8s import Node, Pod

COMPONENTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")
PROCESSES = {"kube-apiserver": "kube-apiserver", "kube-controller": "kube-controller-manager"} | {
    name: name for name in ("kube-controller-manager", "kube-scheduler", "etcd")
}  # the kernel cuts a name at 15 characters
MIRROR = "kubernetes.io/config.mirror"
PORTS = {6443: "kube-apiserver", 8080: "kube-apiserver", 10257: "kube-controller-manager", 10259: "kube-scheduler"}
OLD_PORTS = {10252: "kube-controller-manager", 10251: "kube-scheduler", 2379: "etcd", 2380: "etcd"}
ROLES = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """What of a control plane is on the host.

    Attributes:
        units: those that run or would start at boot.
        running: components that run, as units or as processes that listen.
        manifests: components that the kubelet starts from a file.
        heard: the open ports that a second source shows, one line each.
        leases: components whose leader Lease this host holds.
        serving: whether pods are sent to this host as an API server.
    """

    units: tuple[Unit, ...]
    running: tuple[str, ...]
    manifests: tuple[str, ...]
    heard: tuple[str, ...]
    leases: tuple[str, ...]
    serving: bool

    @property
    def names(self) -> tuple[str, ...]:
        """What runs; when nothing does, what would."""
        return self.running or tuple(dict.fromkeys((*(u.name for u in self.units), *self.manifests)))


def has_role(found: Node) -> bool:
    """Whether label or taint calls the node control plane."""
    return found.control_plane or any(t.key in ROLES for t in found.spec.taints or ())


def find_stray(
    here: Node,
    units: HostUnits,
    *,
    ports: ListeningPorts | None,
    manifests: StaticManifests | None,
    pods: PodsOnNode | None,
    endpoints: KubernetesEndpoints | None,
    leaders: Leaders | None,
    identity: NodeIdentity | None,
) -> Stray:
    """What of a control plane is on a host, whether or not it belongs there."""
    found = tuple(u for name in COMPONENTS if (u := units.get(name)) and (u.running or u.starts_at_boot))
    own = _listeners(ports, tuple(u.name for u in found if u.running), pods)
    running = tuple(n for n in COMPONENTS if n in own or any(u.name == n and u.running for u in found))
    addresses = {a.address for a in here.status.addresses or ()}
    held = leaders.by_component.items() if leaders and running else ()
    hosts = {here.name, identity.hostname if identity else here.name}
    return Stray(
        units=found,
        running=running,
        manifests=manifests.control_plane if manifests else (),
        heard=tuple(line for lines in own.values() for line in lines),
        leases=tuple(name for name, leader in held if leader.host in hosts),
        serving=bool(running) and endpoints is not None and bool(addresses & set(endpoints.addresses)),
    )


def _listeners(
    ports: ListeningPorts | None, units: tuple[str, ...], pods: PodsOnNode | None
) -> dict[str, tuple[str, ...]]:
    """Component → its open ports: by the process that owns them, or by the port where its unit runs.

    A control plane of another cluster may run here as ordinary pods: what a pod on the host's network has is its own.
    """
    guests = {c.name for p in _ordinary(pods) for c in p.spec.containers or ()}
    found: dict[str, tuple[str, ...]] = {}
    for port, usual in (PORTS | OLD_PORTS).items():
        for item in ports.on(port) if ports else ():
            name = PROCESSES.get(item.process, "" if item.process else usual)
            if name in units or (item.process and name and name not in guests):
                line = f"{item.protocol} {item.address}:{port} {item.process or name}"
                found[name] = (*found.get(name, ()), line)
    return found


def _ordinary(pods: PodsOnNode | None) -> Iterator[Pod]:
    for pod in pods.items if pods else ():
        if pod.spec.host_network and MIRROR not in (pod.metadata.annotations or {}):
            yield pod


def is_member(here: Node, stray: Stray, pods: PodsOnNode | None, endpoints: KubernetesEndpoints | None) -> bool:
    """Whether the host is this cluster's API server from a static pod: a control-plane host that lost its label."""
    mirrored = any(
        MIRROR in (p.metadata.annotations or {}) and p.metadata.label("component") == "kube-apiserver"
        for p in (pods.items if pods else ())
    )
    serves = endpoints is None or bool({a.address for a in here.status.addresses or ()} & set(endpoints.addresses))
    return serves and mirrored and not any(u.running for u in stray.units)


def stands_apart(here: Node, stray: Stray, endpoints: KubernetesEndpoints | None) -> bool:
    """Where nothing names the control plane: whether pods are sent to other hosts than this one as API servers.

    An etcd may stand on hosts of its own.
    """
    if endpoints is None or not endpoints.addresses or stray.names == ("etcd",):
        return False
    return not {a.address for a in here.status.addresses or ()} & set(endpoints.addresses)
