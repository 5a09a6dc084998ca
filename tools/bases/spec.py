"""What distinguishes one base cluster from another; everything else is derived from these few lines."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta

RECORDED = datetime(2026, 11, 21, 4, 0, 0, tzinfo=UTC)


BORN = datetime(2026, 11, 2, 2, 0, 0, tzinfo=UTC)


"""When ``kubeadm init`` ran; the machines were booted shortly before and never since."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Host:
    """One machine.

    Attributes:
        number: distinguishes the host's addresses and ids; unique in the cluster.
        pods: prefix of its pod addresses, three octets: ``10.244.1``.
        nic: the pod NIC of a cloud CNI: its own address on ``eth1``; empty elsewhere.
    """

    name: str
    number: int
    ip: str
    pods: str
    control_plane: bool = False
    nic: str = ""
    zone: str = ""
    cpu: int = 4
    memory: int = 16384256

    @property
    def boot(self) -> datetime:
        """When the machine was started, UTC."""
        return BORN - timedelta(minutes=22, seconds=-7 * self.number)

    @property
    def joined(self) -> datetime:
        """When its Node object was created, UTC."""
        return BORN + timedelta(seconds=20 if self.number == 1 else 60 + 47 * self.number)

    @property
    def gateway(self) -> str:
        """The gateway of the pod subnet (cloud CNI) or of the bridge on the host."""
        return f"{self.pods}.1"


@dataclass(frozen=True, slots=True, kw_only=True)
class Cluster:
    """One base.

    Attributes:
        cni: ``flannel``, ``calico`` or ``ipamd`` (pod addresses on a second NIC with policy routing).
        endpoint: what kubeconfigs name, ``host:port``.
        dns_on: the hosts of the DNS replicas.
        answers: external names that the upstream resolvers know.
    """

    name: str
    version: str
    cni: str
    endpoint: str
    hosts: tuple[Host, ...]
    service_cidr: str
    pod_cidr: str
    upstreams: tuple[str, ...]
    dns_on: tuple[str, ...]
    metrics_on: tuple[str, ...]
    legacy: bool = False
    csi: str = "csi.vsphere.vmware.com"
    gateway: str = "10.0.0.1"
    answers: dict[str, tuple[str, ...]] = field(
        default_factory=lambda: {
            "example-api.com": ("203.0.113.20",),
            "db.example.com": ("10.20.30.40",),
            "oss.example.com": ("10.219.226.17",),
            "registry.example.com": ("203.0.113.30",),
            "example.com": ("203.0.113.10",),
        }
    )

    def host(self, name: str) -> Host:
        """The host of that name."""
        return next(h for h in self.hosts if h.name == name)

    @property
    def masters(self) -> tuple[Host, ...]:
        """The control-plane hosts."""
        return tuple(h for h in self.hosts if h.control_plane)

    @property
    def workers(self) -> tuple[Host, ...]:
        """All others."""
        return tuple(h for h in self.hosts if not h.control_plane)

    @property
    def dns_ip(self) -> str:
        """ClusterIP of kube-dns: the tenth address."""
        return self.service_ip(10)

    def service_ip(self, number: int) -> str:
        """The n-th address of the Service network."""
        return f"{self.service_cidr.rsplit('.', 1)[0]}.{number}"
