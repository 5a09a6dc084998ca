"""What a node says about its network: interfaces, routes, filters, and who manages them."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from ipaddress import ip_address, ip_interface, ip_network
from typing import ClassVar

from bot.model.cluster import LogLine
from bot.model.evidence import NodeEvidence

AUTOMATIC = frozenset({"local", "main", "default", "unspec", "0", "253", "254", "255"})
AGGREGATES = frozenset({"bond", "team", "vlan"})


@dataclass(frozen=True, slots=True, kw_only=True)
class Link:
    """One network interface.

    Attributes:
        kind: ``veth``, ``bridge``, ``vxlan`` …; empty for a plain device.
        addresses: with prefix length: ``10.0.0.7/24``.
        names: the name and its alternatives.
    """

    name: str
    up: bool
    operstate: str = ""
    kind: str = ""
    mtu: int = 0
    mac: str = ""
    addresses: tuple[str, ...] = ()
    names: tuple[str, ...] = ()

    def holds(self, address: str) -> bool:
        """Whether ``address`` lies in the subnet of one of the interface's addresses."""
        ip = ip_address(address)
        return any(ip in ip_interface(a).network for a in self.addresses if ip_interface(a).version == ip.version)

    @property
    def has_subnet(self) -> bool:
        """Whether an address of it has neighbours: not the single addresses of tunnels and of pods' gateways."""
        return any(ip_interface(a).network.num_addresses > 1 for a in self.addresses if not a.startswith("fe80:"))

    @property
    def physical(self) -> bool:
        """Whether it is a NIC of the machine rather than something made for pods.

        A machine that is a container itself has veth devices for NICs: they carry a subnet, the pods' ends do not.
        """
        if self.name == "lo":
            return False
        return not self.kind or self.kind in AGGREGATES or (self.kind == "veth" and self.has_subnet)


@dataclass(frozen=True, slots=True, kw_only=True)
class Links(NodeEvidence):
    """Every interface of the node (sections LINKS, ADDR)."""

    words: ClassVar[str] = "network interfaces"

    items: tuple[Link, ...]

    def get(self, name: str) -> Link | None:
        """The interface of that name or alternative name."""
        return next((link for link in self.items if name in (link.name, *link.names)), None)

    def holding(self, address: str) -> Link | None:
        """The NIC in whose subnet ``address`` lies."""
        return next((link for link in self.items if link.physical and link.holds(address)), None)

    def homes(self, address: str) -> bool:
        """Whether some interface, a CNI's bridge too, has the subnet of ``address``."""
        return any(link.has_subnet and link.holds(address) for link in self.items if link.name != "lo")


@dataclass(frozen=True, slots=True, kw_only=True)
class Rule:
    """One policy rule; ``source`` is ``all`` or an address or prefix, ``destination`` empty for everything."""

    priority: int
    source: str
    table: str
    interface: str = ""
    mark: str = ""
    destination: str = ""

    @property
    def plain(self) -> bool:
        """Whether nothing but the source decides: neither destination, mark nor interface."""
        return not (self.destination or self.mark or self.interface)

    @property
    def single(self) -> bool:
        """Whether it is about one address, as a CNI makes it for a pod, and not about a prefix."""
        try:
            return ip_network(self.source, strict=False).num_addresses == 1
        except ValueError:
            return False

    def covers(self, address: str) -> bool:
        """Whether the rule names ``address`` by its source (a rule for everybody does not)."""
        if self.source in {"all", "default", "0.0.0.0/0", ""}:
            return False
        return ip_address(address) in ip_network(self.source, strict=False)


@dataclass(frozen=True, slots=True, kw_only=True)
class Route:
    """One route; ``destination`` is ``default`` or a prefix."""

    destination: str
    device: str = ""
    gateway: str = ""
    scope: str = ""
    protocol: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class RoutingRules(NodeEvidence):
    """The policy rules and the main table (sections RULES, RULES_MAIN)."""

    words: ClassVar[str] = "routing rules"

    rules: tuple[Rule, ...]
    main: tuple[Route, ...]
    as_json: bool = True

    @property
    def tables(self) -> tuple[str, ...]:
        """The tables, beyond the kernel's own, that rules refer to."""
        return tuple(dict.fromkeys(r.table for r in self.rules if r.table not in AUTOMATIC))

    def way_to(self, address: str) -> Route | None:
        """The route of the main table by which packets to ``address`` leave: the one with the longest prefix."""
        ip = ip_address(address)
        fitting: list[tuple[int, Route]] = []
        for route in self.main:
            if route.destination in {"default", "0.0.0.0/0", "::/0"}:
                fitting.append((-1, route))
                continue
            try:
                network = ip_network(route.destination, strict=False)
            except ValueError:
                continue
            if network.version == ip.version and ip in network:
                fitting.append((network.prefixlen, route))
        return max(fitting, key=lambda found: found[0])[1] if fitting else None


@dataclass(frozen=True, slots=True, kw_only=True)
class PolicyRouting(NodeEvidence):
    """The tables that rules refer to (section RULES_T); a table that does not exist is an empty one."""

    words: ClassVar[str] = "policy-routing tables"

    rules: tuple[Rule, ...]
    tables: Mapping[str, tuple[Route, ...]]
    main: tuple[Route, ...] = ()

    def default(self, table: str) -> Route | None:
        """The default route of a table, or None."""
        return next((r for r in self.tables.get(table, ()) if r.destination in {"default", "0.0.0.0/0"}), None)

    def named_devices(self) -> frozenset[str]:
        """Interfaces that rules and tables name."""
        routes = [r for table in self.tables.values() for r in table]
        return frozenset(n for n in [*(r.interface for r in self.rules), *(r.device for r in routes)] if n)


@dataclass(frozen=True, slots=True, kw_only=True)
class PciNic:
    """One network card on the PCI bus; ``interfaces`` is empty when no driver made one of it."""

    slot: str
    vendor: str
    device: str
    driver: str
    interfaces: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class PciNics(NodeEvidence):
    """The network cards on the PCI bus (section PCI)."""

    words: ClassVar[str] = "network cards"

    items: tuple[PciNic, ...]

    @property
    def unbound(self) -> tuple[PciNic, ...]:
        """Cards without an interface."""
        return tuple(nic for nic in self.items if not nic.interfaces)


@dataclass(frozen=True, slots=True, kw_only=True)
class CniFiles(NodeEvidence):
    """The CNI's configuration and programs (section CNI).

    Attributes:
        configurations: file name → text (first 2,000 characters); empty when the directory is.
        others: other names in the directory, such as ``*.cni_bak``.
        plugins: names in /opt/cni/bin; None when there is no such directory.
    """

    words: ClassVar[str] = "CNI files"

    configurations: Mapping[str, str]
    others: tuple[str, ...]
    plugins: tuple[str, ...] | None


@dataclass(frozen=True, slots=True, kw_only=True)
class AddressLeases(NodeEvidence):
    """The addresses that the CNI's host-local plugin has given away (section CNI_LEASES).

    Attributes:
        files: path → address; each is one address in use, or one that was never given back.
        whole: whether all of them were seen.
    """

    words: ClassVar[str] = "addresses that the CNI has given away"

    files: Mapping[str, str]
    whole: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class Listener:
    """A listening socket; ``process`` is empty when unknown."""

    protocol: str
    address: str
    port: int
    process: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ListeningPorts(NodeEvidence):
    """Listening sockets (sections PORTS, PORTS_OWN)."""

    words: ClassVar[str] = "listening ports"

    items: tuple[Listener, ...]

    def on(self, port: int, protocol: str = "tcp") -> tuple[Listener, ...]:
        """The listeners on one port."""
        return tuple(item for item in self.items if item.port == port and item.protocol == protocol)


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkManager(NodeEvidence):
    """What manages the node's interfaces and how (sections NETCONF, NETLOG, PKGLOG).

    Attributes:
        setup: interface → SETUP column of networkctl.
        settings: ``ManageForeign…`` keys that are set → value, lower case.
        log: networkd's and NetworkManager's lines of the last day; None when they may not be read.
        upgrades: start times of package runs with their command line.
    """

    words: ClassVar[str] = "network manager"

    setup: Mapping[str, str]
    settings: Mapping[str, str]
    log: tuple[LogLine, ...] | None = None
    upgrades: tuple[tuple[datetime, str], ...] = ()

    @property
    def keeps_foreign(self) -> bool:
        """Whether it was told to leave foreign routes and rules alone."""
        keys = ("manageforeignroutes", "manageforeignroutingpolicyrules")
        return all(self.settings.get(k) in {"no", "false", "0", "off"} for k in keys)


@dataclass(frozen=True, slots=True, kw_only=True)
class Iptables(NodeEvidence):
    """The FORWARD chain (section IPT).

    Attributes:
        policy: ``ACCEPT`` or ``DROP``.
        rules: rule specifications in order, without ``-A FORWARD``.
        dropped: packets that the policy has met, at two readings five seconds apart; None when not counted.
    """

    words: ClassVar[str] = "iptables FORWARD chain"

    policy: str
    rules: tuple[str, ...]
    dropped: tuple[int, int] | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ProxyMode(NodeEvidence):
    """kube-proxy on this node (section KPMODE).

    Attributes:
        mode: empty when it does not say.
        healthz: HTTP status; 0 when nothing answers, None when nobody asked.
    """

    words: ClassVar[str] = "kube-proxy's mode"

    mode: str
    healthz: int | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiPath(NodeEvidence):
    """Whether the node reaches each API server address (section APIPATH): ``host:port`` → HTTP status, 0 when not."""

    words: ClassVar[str] = "path to the API server"

    answers: Mapping[str, int]

    @property
    def works(self) -> bool:
        """Whether at least one address answered."""
        return any(self.answers.values())
