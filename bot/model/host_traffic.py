"""What a node says about its traffic: tracked connections, Service rules, drops, ways to other nodes."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from bot.model.cluster import Log, LogLine
from bot.model.evidence import NodeEvidence
from bot.model.host_net import Links
from bot.model.host_system import Sysctls
from bot.model.k8s import Pod

PROXY_LABELS = (("k8s-app", "kube-proxy"), ("component", "kube-proxy"))


@dataclass(frozen=True, slots=True, kw_only=True)
class Conntrack(NodeEvidence):
    """The kernel's table of connections (sections CTCOUNT, CTSTAT).

    Attributes:
        count: connections that are tracked now.
        maximum: how many may be.
        failed: since the boot, by name (``insert_failed drop early_drop``); None when they may not be read.
    """

    words: ClassVar[str] = "connection tracking"

    count: int
    maximum: int
    failed: Mapping[str, int] | None = None

    @property
    def percent(self) -> float:
        """How full the table is."""
        return 100.0 * self.count / self.maximum if self.maximum else 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceRules(NodeEvidence):
    """Whether Services are programmed on the node (sections IPT_SVC, NFT, IPVS); None where it cannot be told.

    Attributes:
        iptables: how many rules of the nat table name ``KUBE-SVC``.
        nftables: whether the table ``kube-proxy`` is there.
        ipvs: how many virtual servers there are.
    """

    words: ClassVar[str] = "rules of Services"

    iptables: int | None
    nftables: bool | None
    ipvs: int | None

    def programmed(self, mode: str) -> bool | None:
        """Whether Services are there, seen with the eyes of kube-proxy's mode; None when that cannot be told."""
        ways = {"iptables": self.iptables, "nftables": self.nftables, "ipvs": self.ipvs}
        if any(ways.values()):
            return True
        asked = (ways[mode],) if mode in ways else tuple(ways.values())
        return None if None in asked else False


@dataclass(frozen=True, slots=True, kw_only=True)
class ReversePath(NodeEvidence):
    """Packets that rp_filter has dropped (section RPFILTER): two readings three seconds apart.

    Attributes:
        readings: none where no interface filters strictly, so that nothing was asked.
    """

    words: ClassVar[str] = "reverse-path drops"

    readings: tuple[int, ...]

    @property
    def grown(self) -> int:
        """How many packets were dropped between the readings."""
        return self.readings[-1] - self.readings[0] if self.readings else 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Leg:
    """One connection attempt from the node: ``pod`` is empty when the other node itself was asked.

    Attributes:
        result: ``ok``, ``refused``, ``timeout`` or ``unreachable``.
        said: the shell's words, when it failed.
    """

    peer: str
    address: str
    port: int
    result: str
    pod: str = ""
    said: str = ""

    @property
    def passed(self) -> bool:
        """Whether packets go there and back; a refusal came from the other side."""
        return self.result in {"ok", "refused"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Way:
    """Where the node's kernel would send packets to another node's pods, or its own pods' packets to that node.

    Attributes:
        source: the pod of this node whose packets are meant; empty for the node's own to a pod of the other one.
        refused: the kernel's words when it has no way.
        gateway: the next hop; empty for a neighbour.
        neighbour: state of the next hop's entry, empty when it has none; None when nobody asked.
        forwarded: whether the tunnel knows the other node's address (its forwarding database); None when not asked.
    """

    peer: str
    address: str
    source: str = ""
    device: str = ""
    gateway: str = ""
    refused: str = ""
    neighbour: str | None = None
    forwarded: bool | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class CrossNode(NodeEvidence):
    """Whether the node reaches other nodes and the pods on them (sections TCP, RPATH, RPATH_FROM, NEIGH, FDB)."""

    words: ClassVar[str] = "ways to pods of other nodes"

    legs: tuple[Leg, ...]
    ways: tuple[Way, ...] = ()

    def of(self, peer: str) -> tuple[Leg, ...]:
        """The legs to one node and its pods."""
        return tuple(leg for leg in self.legs if leg.peer == peer)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceProxy(NodeEvidence):
    """kube-proxy on this node, as pods.

    Attributes:
        pods: usually one; none where it is a unit, or where something replaces it.
        logs: newest lines of each, by ``ns/pod``; a pod whose log may not be read is absent.
    """

    words: ClassVar[str] = "kube-proxy"

    pods: tuple[Pod, ...]
    logs: Mapping[str, Log]


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceProxyLog(NodeEvidence):
    """The journal of kube-proxy where it runs as a unit (section CPLOG_UNITS); empty where it does not."""

    words: ClassVar[str] = "kube-proxy's journal"

    lines: tuple[LogLine, ...]


def is_proxy(pod: Pod) -> bool:
    """Whether the pod is kube-proxy, by its label."""
    return any(pod.metadata.label(key) == value for key, value in PROXY_LABELS)


def strict_interfaces(sysctls: Sysctls, links: Links) -> tuple[str, ...]:
    """Interfaces that drop what would not be answered the same way; none on a machine with one network card.

    The kernel takes the higher of ``all`` and the interface's own value; 1 is strict, 2 is loose.
    """
    cards = [link for link in links.items if link.physical and link.addresses]
    if len(cards) < 2:  # noqa: PLR2004 - asymmetry needs two ways
        return ()

    def value(name: str) -> int:
        text = sysctls.values.get(f"net.ipv4.conf.{name}.rp_filter", "0")
        return int(text) if text.isdigit() else 0

    return tuple(link.name for link in links.items if link.name != "lo" and max(value("all"), value(link.name)) == 1)
