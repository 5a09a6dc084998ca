"""The network of a host, as real systems print it: ``ip`` with JSON and without, sockets, filters, tries to reach."""

from __future__ import annotations

from datetime import UTC, datetime
from functools import partial

import pytest

from bot.model.host_net import Route, Rule
from bot.parse import certs, dns_answers, ip, net, reach, traffic
from bot.parse.common import TimeBase, UnparsableError
from tests.unit.parse.captured_samples import HEALTHY, SYSTEMD, output, text

MODERN = ("bookworm", "trixie", "bullseye")  # their ip knows -j
ASK = {"origin": "node1", "server": "10.77.0.1", "name": "api.example.com", "kind": "A"}
RULES = (
    Rule(priority=0, source="all", table="local"),
    Rule(priority=900, source="all", table="1002", interface="eth1"),
    Rule(priority=1000, source="10.78.11.128/25", table="1002"),
    Rule(priority=1100, source="all", table="1003", mark="0x100/0x300"),
    Rule(priority=32766, source="all", table="main"),
    Rule(priority=32767, source="all", table="default"),
)
DIRECT = partial(Route, scope="link", protocol="kernel")
MAIN = (
    Route(destination="default", gateway="10.77.0.1", device="eth0"),
    DIRECT(destination="10.77.0.0/24", device="eth0"),
    DIRECT(destination="10.78.11.0/24", device="eth1"),
    DIRECT(destination="10.244.11.0/24", device="cni0"),
    Route(destination="10.244.12.0/24", gateway="10.77.0.12", device="eth0"),
)  # a blackhole and an unreachable route beside these lead nowhere
SECOND = (Route(destination="default", gateway="10.78.11.1", device="eth1"),)


@pytest.mark.parametrize("system", SYSTEMD)
def test_interfaces(system: str) -> None:
    """Kind, MTU and state are the same by JSON and by text; only a modern ip tells a second name."""
    found = ip.links(text(system, "LINKS"))
    expected = {
        "lo": ("", 65536, True),
        "eth0": ("veth", 1500, True),
        "eth1": ("veth", 1500, True),
        "cni0": ("bridge", 1450, True),
        "flannel.1": ("vxlan", 1450, True),
    }
    assert expected == {name: (link.kind, link.mtu, link.up) for name, link in found.items()}
    assert (("enp0s5",) if system in MODERN else ()) == found["eth0"].names
    assert ("UP", 17) == (found["eth0"].operstate, len(found["eth0"].mac))


@pytest.mark.parametrize("system", [*SYSTEMD, "busybox"])
def test_addresses(system: str) -> None:
    """With their prefix lengths; the text of busybox stands behind its usage."""
    found = ip.addresses(text(system, "ADDR"))
    expected = {
        "lo": ["127.0.0.1/8", "::1/128"],
        "eth0": ["10.77.0.11/24", "fd77::11/64"],
        "eth1": ["10.78.11.2/24"],
        "cni0": ["10.244.11.1/24"],
        "flannel.1": ["10.244.11.0/32"],
    }
    assert expected == {name: [a for a in all_ if not a.startswith("fe80")] for name, all_ in found.items()}


@pytest.mark.parametrize("system", SYSTEMD)
def test_rules(system: str) -> None:
    """By source, interface and mark with its mask: the same by JSON and by text."""
    assert RULES == ip.rules(text(system, "RULES"))


def test_rules_without_their_interface_are_not_read() -> None:
    """The ip of busybox leaves it out: the rule for eth1 would look like one for everything."""
    assert "900:\tfrom all lookup 1002" in text("busybox", "RULES")
    with pytest.raises(UnparsableError):
        ip.rules(text("busybox", "RULES"))


@pytest.mark.parametrize("system", [*SYSTEMD, "busybox"])
def test_the_main_table(system: str) -> None:
    """The same routes by JSON and by text."""
    found = ip.routes(text(system, "RULES_MAIN"))
    assert [(r.destination, r.device, r.gateway) for r in MAIN] == [(r.destination, r.device, r.gateway) for r in found]


@pytest.mark.parametrize("system", SYSTEMD)
def test_direct_routes_are_the_kernels(system: str) -> None:
    """Scope and protocol, where iproute tells them."""
    assert MAIN[1:4] == ip.routes(text(system, "RULES_MAIN"))[1:4]


@pytest.mark.parametrize("system", MODERN)
def test_a_table_and_one_that_does_not_exist(system: str) -> None:
    """Of the table that is not there, three versions print three things."""
    assert (SECOND, ()) == (ip.routes(text(system, "RULES_T")), ip.routes(text(system, "RULES_T-gone")))


@pytest.mark.parametrize("system", [*SYSTEMD, "busybox"])
def test_a_table_as_text(system: str) -> None:
    """What is asked where ip has no JSON."""
    assert (SECOND, ()) == (ip.routes(text(system, "RULES_TEXT")), ip.routes(text(system, "RULES_TEXT-gone")))


@pytest.mark.parametrize("name", ["RULES_T", "RULES_T-gone"])
@pytest.mark.parametrize("system", ["xenial", "busybox"])
def test_a_complaint_about_an_option_is_no_empty_table(system: str, name: str) -> None:
    """An ip without ``-j`` says so, which is not "no routes"."""
    with pytest.raises(UnparsableError):
        ip.routes(text(system, name))


@pytest.mark.parametrize("system", MODERN)
def test_sockets(system: str) -> None:
    """Any address is ``*``, ``0.0.0.0`` or ``::``, as ss has it."""
    found = {(s.protocol, s.address, s.port) for s in net.listeners(text(system, "PORTS"))}
    assert {("tcp", "0.0.0.0", 22), ("tcp", "::", 22), ("udp", "0.0.0.0", 8472), ("tcp", "127.0.0.1", 10249)} <= found
    assert (system in HEALTHY) == (("tcp", "*", 10250) in found)


@pytest.mark.parametrize("system", MODERN)
def test_the_processes_of_sockets(system: str) -> None:
    """Only of the ports asked for; none is an answer where the kubelet does not run."""
    found = [(s.port, s.process) for s in net.owners(text(system, "PORTS_OWN"))]
    assert ([(10250, "kubelet")] if system in HEALTHY else []) == found


@pytest.mark.parametrize("system", [*SYSTEMD, "busybox"])
def test_network_cards(system: str) -> None:
    """A card whose interface is in another network namespace has none here."""
    (found,) = net.cards(text(system, "PCI"))
    assert ("0x1af4", "0x1041", "virtio-pci", ()) == (found.vendor, found.device, found.driver, found.interfaces)


@pytest.mark.parametrize("system", SYSTEMD)
def test_tracked_connections(system: str) -> None:
    """Count and maximum; counters that conntrack 1.4.3 to 1.4.8 name alike."""
    said = text(system, "CTCOUNT").split()
    assert (int(said[0]), 262144) == traffic.conntrack_count(text(system, "CTCOUNT"))
    assert {"insert_failed": 0, "drop": 0, "early_drop": 0} == traffic.conntrack_stat(text(system, "CTSTAT"))


@pytest.mark.parametrize("system", SYSTEMD)
def test_filters(system: str) -> None:
    """The policy, an administrator's rule behind those of kube-proxy, and what met the policy."""
    policy, rules = net.forward(text(system, "IPT"))
    assert ("DROP", True) == (policy, any("198.51.100.0/24" in rule for rule in rules))
    assert (0 if system == "xenial" else 4) == sum("KUBE-" in rule for rule in rules)
    assert ((0,), (0,)) == tuple(net.policy_packets(text(system, name)) for name in ("IPT_COUNT", "IPT_AGAIN"))
    assert 4 == traffic.service_rules(text(system, "IPT_SVC"))


@pytest.mark.parametrize("system", SYSTEMD)
def test_tables_of_nftables(system: str) -> None:
    """Iptables' own tables are none of kube-proxy's; an old nft lists none at all."""
    assert not traffic.nft_tables(text(system, "NFT"))


@pytest.mark.parametrize("system", [*SYSTEMD, "busybox"])
def test_a_kernel_without_ipvs_has_no_list(system: str) -> None:
    """Ipvsadm's complaint, or that it is not there, is not "no services"."""
    with pytest.raises(UnparsableError):
        traffic.ipvs_services(text(system, "IPVS"))


@pytest.mark.parametrize("system", [*SYSTEMD, "busybox"])
def test_drops_of_the_reverse_path_filter(system: str) -> None:
    """Two readings, by nstat or from the kernel's table."""
    assert (0, 0) == traffic.reverse_path(text(system, "RPFILTER"))


@pytest.mark.parametrize("system", SYSTEMD)
def test_interfaces_of_networkd(system: str) -> None:
    """Systemd 229 has another word for what it leaves alone."""
    setup, settings = net.managed(text(system, "NETCONF"))
    word = "n/a" if system == "xenial" else "unmanaged"
    assert (dict.fromkeys(("lo", "eth0", "eth1", "cni0", "flannel.1"), word), {}) == (setup, settings)


@pytest.mark.parametrize("system", ["bookworm", "trixie", "bullseye"])
def test_runs_of_the_package_manager(system: str) -> None:
    """Time and command line of each."""
    runs = net.package_runs(text(system, "PKGLOG"), TimeBase(0.0, "UTC"))
    assert {"apt-get install -y --no-install-recommends"} == {" ".join(line.split()[:4]) for _, line in runs}
    assert {datetime(2026, 11, 21, tzinfo=UTC).date()} == {at.date() for at, _ in runs}


@pytest.mark.parametrize("system", MODERN)
def test_ways(system: str) -> None:
    """Where the kernel would send a packet; a blackhole is told in its words."""
    assert ("eth0", "", "") == traffic.way(text(system, "RPATH"))
    assert ("eth0", "", "") == traffic.way(text(system, "RPATH_FROM"))
    assert ("", "", "Invalid argument") == traffic.way(text(system, "RPATH-blackhole"))


@pytest.mark.parametrize("system", ["xenial", "busybox"])
def test_ways_without_json_are_not_read(system: str) -> None:
    """The complaint is no way, and no missing one."""
    with pytest.raises(UnparsableError):
        traffic.way(text(system, "RPATH"))


@pytest.mark.parametrize("system", [*SYSTEMD, "busybox"])
def test_neighbours(system: str) -> None:
    """The last word of the entry; no entry is the empty word."""
    assert ("FAILED", "") == tuple(reach.neighbour(text(system, f"NEIGH-{name}")) for name in ("failed", "none"))


@pytest.mark.parametrize("system", SYSTEMD)
def test_a_neighbour_that_answers(system: str) -> None:
    """The machine's gateway."""
    assert "REACHABLE" == reach.neighbour(text(system, "NEIGH"))


@pytest.mark.parametrize("system", SYSTEMD)
def test_tries_to_connect(system: str) -> None:
    """Four ends, told apart by the status and by bash's words."""
    names = ("TCP", "TCP-refused", "TCP-silent", "TCP-unreachable")
    assert ["ok", "refused", "timeout", "unreachable"] == [reach.connected(text(system, name)) for name in names]


@pytest.mark.parametrize("name", ["TCP", "TCP-refused", "TCP-silent", "TCP-unreachable"])
def test_a_host_without_bash_did_not_try(name: str) -> None:
    """Not "unreachable"."""
    with pytest.raises(UnparsableError):
        reach.connected(text("busybox", name))


@pytest.mark.parametrize("system", SYSTEMD)
def test_the_way_to_the_api_server(system: str) -> None:
    """The HTTP status; 0 when refused or silent."""
    names = ("APIPATH", "APIPATH-refused", "APIPATH-silent")
    assert [200, 0, 0] == [reach.http_status(text(system, name)) for name in names]


@pytest.mark.parametrize("system", SYSTEMD)
def test_kube_proxy(system: str) -> None:
    """Its mode; 503 where the node is not in service."""
    assert "iptables" == reach.proxy_mode(text(system, "KPMODE"))
    assert reach.proxy_health(text(system, "KPHEALTH")) in {200, 503}


@pytest.mark.parametrize("system", SYSTEMD)
def test_dig(system: str) -> None:
    """Answers, none, and silence, by dig 9.10 to 9.20; older ones call a refusal silence."""
    both = dns_answers.dig(output(system, "DIG"), **ASK)
    tcp = dns_answers.dig(output(system, "DIG_TCP"), **ASK)
    assert both is not None
    assert tcp is not None
    expected = ("NOERROR", {"203.0.113.7", "203.0.113.8"})
    assert expected == (both.rcode, set(both.addresses)) == (tcp.rcode, set(tcp.addresses))
    service = dns_answers.dig(output(system, "DIG-srv"), **{**ASK, "kind": "SRV"})
    assert service is not None
    assert ("0 0 443 api.example.com.",) == service.addresses
    codes = [dns_answers.dig(output(system, f"DIG-{name}"), **ASK) for name in ("nxdomain", "closed", "silent")]
    refused = "refused" if system in {"bookworm", "trixie"} else "timeout"
    assert ["NXDOMAIN", refused, "timeout"] == [a.rcode if a else None for a in codes]


@pytest.mark.parametrize("system", [*SYSTEMD, "busybox"])
def test_nslookup(system: str) -> None:
    """BIND's and busybox's; one that says nothing until its time is up timed out."""
    both = dns_answers.nslookup(output(system, "NSLOOKUP"), **ASK)
    assert both is not None
    assert ("NOERROR", {"203.0.113.7", "203.0.113.8"}) == (both.rcode, set(both.addresses))
    codes = [dns_answers.nslookup(output(system, f"NSLOOKUP-{name}"), **ASK) for name in ("nxdomain", "silent")]
    assert ["NXDOMAIN", "timeout"] == [a.rcode if a else None for a in codes]


@pytest.mark.parametrize("name", ["DIG", "DIG-nxdomain", "DIG-closed", "DIG-silent", "DIG_TCP"])
def test_without_dig_nothing_was_asked(name: str) -> None:
    """Neither an answer nor silence."""
    assert None is dns_answers.dig(output("busybox", name), **ASK)


@pytest.mark.parametrize("system", [*SYSTEMD, "busybox"])
def test_resolv_conf(system: str) -> None:
    """Of the node."""
    assert (("10.77.0.1",), ("example.com", "corp.example.com"), 2) == dns_answers.resolv_conf(text(system, "RESOLV"))


@pytest.mark.parametrize("system", HEALTHY)
def test_resolv_conf_of_a_pod(system: str) -> None:
    """As the runtime wrote it for a pod in the host's network."""
    found = dns_answers.resolv_conf(text(system, "PODRESOLV"))
    assert (("10.77.0.1",), ("example.com", "corp.example.com"), 2) == found
    assert text(system, "PODRESOLV_PATH").strip().endswith("/resolv.conf")


@pytest.mark.parametrize("system", SYSTEMD)
def test_certificates(system: str) -> None:
    """Dates by openssl 1.0 to 3.5, whose forms of the name differ; a file that is missing, and one that is no such."""
    found = certs.certificate("/ca.crt", text(system, "CERTS"))
    assert found is not None
    assert found.not_before is not None
    assert ("ca", 3650) == (found.subject.rpartition("=")[2].strip(), (found.not_after - found.not_before).days)
    assert None is certs.certificate("/gone.crt", text(system, "CERTS-gone"))
    with pytest.raises(UnparsableError):
        certs.certificate("/etc/hostname", text(system, "CERTS-other"))


@pytest.mark.parametrize("system", SYSTEMD)
def test_the_certificate_in_a_kubeconfig(system: str) -> None:
    """Where it holds one itself, and where it only names a file."""
    held = certs.certificate("/admin.conf", text(system, "CERTS_DATA"))
    assert held is not None
    assert "admin" == held.subject.rpartition("=")[2].strip()
    assert "client-certificate: /var/lib/kubelet/pki/kubelet-client-current.pem" in text(system, "CERTS_PATH")
    with pytest.raises(UnparsableError):
        certs.certificate("/scheduler.conf", text(system, "CERTS_DATA-none"))
