"""What is known about cluster DNS: its objects, its configuration, what it logged and what it answered.

Names: *DNS pod* is a CoreDNS or kube-dns pod; *upstream* is the resolver that answers what the cluster does not know.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import ClassVar

from bot.model.cluster import ServiceEndpoints
from bot.model.evidence import Evidence, NodeEvidence
from bot.model.k8s import Event, Pod, Service, Workload

DNS_PORT = 53
DEFAULT_DOMAIN = "cluster.local"
RESOLV_CONF = "/etc/resolv.conf"
LEGACY_CONTAINERS = frozenset({"kubedns", "dnsmasq", "sidecar"})
SERVICE_NAMES = ("kube-dns", "coredns", "rke2-coredns-rke2-coredns", "dns-default")
WORKLOAD_NAMES = ("coredns", "kube-dns", "rke2-coredns-rke2-coredns", "dns-default")
NODE_LOCAL = "169.254.20.10"
NEUTRAL_NAME = "example.com"


class Flavour(enum.StrEnum):
    """Which software answers."""

    COREDNS = "coredns"
    KUBE_DNS = "kube-dns"


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsService(Evidence):
    """The Service that pods are told to ask; ``service`` is None when the API says that there is none."""

    words: ClassVar[str] = "the DNS Service"

    service: Service | None
    namespace: str = "kube-system"

    @property
    def path(self) -> str:
        """``ns/name``; the name that it ought to have when there is none."""
        return self.service.metadata.path if self.service else f"{self.namespace}/{SERVICE_NAMES[0]}"

    @property
    def address(self) -> str:
        """Its cluster IP, empty when there is none."""
        found = self.service.spec.cluster_ip if self.service else None
        return found if found and found != "None" else ""

    def serves(self, protocol: str) -> bool:
        """Whether the port list has 53 with that protocol."""
        ports = self.service.spec.ports if self.service else None
        return any(p.port == DNS_PORT and p.protocol == protocol for p in ports or ())


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsEndpoints(Evidence):
    """The slices behind the DNS Service."""

    words: ClassVar[str] = "the endpoints of the DNS Service"

    endpoints: ServiceEndpoints

    @property
    def ready(self) -> int:
        """Ready endpoint addresses, each counted once however many slices name it."""
        return len(self.addresses)

    @property
    def addresses(self) -> frozenset[str]:
        """The ready addresses."""
        return frozenset(
            a for s in self.endpoints.slices for e in s.endpoints or () if e.ready for a in e.addresses or ()
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsPods(Evidence):
    """Every pod that serves cluster DNS."""

    words: ClassVar[str] = "the DNS pods"

    items: tuple[Pod, ...]
    namespace: str = "kube-system"

    @property
    def flavour(self) -> Flavour:
        """kube-dns when its three containers are there, else CoreDNS."""
        names = {c.name for p in self.items for c in p.spec.containers or ()}
        return Flavour.KUBE_DNS if names >= LEGACY_CONTAINERS else Flavour.COREDNS

    @property
    def live(self) -> tuple[Pod, ...]:
        """Those that are not ended leftovers and not being deleted."""
        return tuple(
            p
            for p in self.items
            if p.status.phase not in {"Succeeded", "Failed"} and p.metadata.deletion_timestamp is None
        )

    @property
    def nodes(self) -> tuple[str, ...]:
        """The nodes that they run on, in the order of the pods."""
        return tuple(dict.fromkeys(p.spec.node_name for p in self.live if p.spec.node_name))

    def get(self, path: str) -> Pod | None:
        """The pod ``ns/name``, or None."""
        return next((p for p in self.items if p.path == path), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsWorkload(Evidence):
    """The Deployment or DaemonSet of the DNS pods; None when the API shows none (an add-on the provider hides)."""

    words: ClassVar[str] = "the DNS Deployment"

    workload: Workload | None

    @property
    def path(self) -> str:
        """``ns/name``, empty when there is none."""
        return self.workload.metadata.path if self.workload else ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Forward:
    """Where questions of a zone are sent.

    Attributes:
        zone: ``.`` or a domain without the last dot.
        to: addresses without port and scheme, or ``/etc/resolv.conf``.
        policy: ``random`` (CoreDNS's default), ``sequential``, ``round_robin``.
    """

    zone: str
    to: tuple[str, ...]
    policy: str = "random"


@dataclass(frozen=True, slots=True, kw_only=True)
class Corefile(Evidence):
    """The configuration of cluster DNS: CoreDNS's Corefile, or the ConfigMap ``kube-dns`` in the same terms.

    Attributes:
        text: the Corefile as it is; empty for kube-dns.
        zones: the cluster's own zones (plugin ``kubernetes``), without the last dot.
        forwards: upstreams by zone.
        plugins: names of all plugins in use.
    """

    words: ClassVar[str] = "the Corefile"

    text: str
    zones: tuple[str, ...]
    forwards: tuple[Forward, ...]
    plugins: frozenset[str] = frozenset()

    @property
    def domain(self) -> str:
        """The cluster domain."""
        return next((z for z in self.zones if z and not z.endswith(".arpa")), DEFAULT_DOMAIN)

    @property
    def by_resolv_conf(self) -> bool:
        """Whether outside names go to the resolvers of the node's resolv.conf."""
        return any(RESOLV_CONF in f.to for f in self.forwards if f.zone == ".")

    def upstreams(self, name: str = ".") -> tuple[str, ...]:
        """The addresses that questions for ``name`` are forwarded to (the most specific zone wins)."""
        wanted = name.rstrip(".").lower()
        best: Forward | None = None
        for forward in self.forwards:
            covers = forward.zone in {".", wanted} or wanted.endswith(f".{forward.zone}")
            if covers and (best is None or len(forward.zone) > len(best.zone) or best.zone == "."):
                best = forward
        return tuple(a for a in best.to if a != RESOLV_CONF) if best else ()

    def is_internal(self, name: str) -> bool:
        """Whether the cluster itself is authoritative for the name."""
        wanted = name.rstrip(".").lower()
        zones = (*(z for z in self.zones if z), self.domain)
        return any(wanted == z or wanted.endswith(f".{z}") for z in zones) or wanted.endswith(".svc")


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeletDns(Evidence):
    """What kubelets tell pods to ask, by the cluster's shared kubelet configuration.

    Attributes:
        servers: ``clusterDNS``.
        domain: ``clusterDomain``.
    """

    words: ClassVar[str] = "the kubelet configuration of the cluster"

    servers: tuple[str, ...]
    domain: str


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeResolv(NodeEvidence):
    """``/etc/resolv.conf`` of a node: the upstreams of DNS pods there when the Corefile forwards to it."""

    words: ClassVar[str] = "/etc/resolv.conf"

    servers: tuple[str, ...]
    searches: tuple[str, ...] = ()

    @property
    def stub(self) -> str:
        """The loopback resolver that the file names, empty when none: a DNS pod that uses it asks itself."""
        return next((s for s in self.servers if s.startswith("127.") or s == "::1"), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsEvents(Evidence):
    """Events of the namespaces of DNS and of the client: about DNS pods, and what kubelets raise about resolv.conf."""

    words: ClassVar[str] = "the events of the DNS pods"

    items: tuple[Event, ...]

    def about(self, pod: str, *reasons: str) -> tuple[Event, ...]:
        """The events of one pod ``ns/name`` with one of the reasons."""
        return tuple(
            e
            for e in self.items
            if f"{e.involved_object.namespace}/{e.involved_object.name}" == pod and (not reasons or e.reason in reasons)
        )


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedService:
    """Where a Service lives."""

    namespace: str
    name: str


@dataclass(frozen=True, slots=True, kw_only=True)
class SameNamed(Evidence):
    """The Services of any namespace that are called like the first label of the name that was asked for."""

    words: ClassVar[str] = "the Services of that name"

    items: tuple[NamedService, ...]
