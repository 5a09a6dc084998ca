"""Reading a Corefile: zones, upstreams, plugins, and what is no Corefile at all."""

from __future__ import annotations

import pytest

from bot.model.dns import Corefile, Forward
from bot.model.proof import Proof, Source
from bot.parse import dns_corefile

KUBEADM = """.:53 {
    errors
    health {
       lameduck 5s
    }
    ready
    kubernetes cluster.local in-addr.arpa ip6.arpa {
       pods insecure
       fallthrough in-addr.arpa ip6.arpa
       ttl 30
    }
    prometheus :9153
    forward . 10.16.16.16 172.16.16.16:5353 {
       max_concurrent 1000
       policy sequential
    }
    cache 30 # seconds
    loop
    reload
}
corp.example:53 {
    forward . tls://10.9.9.9:853
}
"""


def evidence(text: str) -> Corefile:
    """The evidence that a Corefile gives."""
    blocks = dns_corefile.read(text)
    return Corefile(
        proof=Proof(source=Source.API, what="test"),
        text=text,
        zones=dns_corefile.zones(blocks),
        forwards=dns_corefile.forwards(blocks),
        plugins=dns_corefile.plugins(blocks),
    )


def test_kubeadm_corefile() -> None:
    """Zones come from the kubernetes plugin; each block forwards its own zone."""
    read = evidence(KUBEADM)

    assert read.zones == ("cluster.local", "in-addr.arpa", "ip6.arpa")
    assert (
        Forward(zone=".", to=("10.16.16.16", "172.16.16.16"), policy="sequential"),
        Forward(zone="corp.example", to=("10.9.9.9",)),
    ) == read.forwards


def test_directive_in_a_block_with_its_own_zone_keeps_that_zone() -> None:
    """``forward .`` inside ``corp.example`` sends only that zone, and the more specific zone wins."""
    read = evidence(KUBEADM)

    assert read.upstreams("git.corp.example.") == ("10.9.9.9",)
    assert read.upstreams("example-api.com") == ("10.16.16.16", "172.16.16.16")


def test_old_proxy_plugin_and_resolv_conf() -> None:
    """``proxy`` of CoreDNS before 1.5 is a forward; a file is no address."""
    read = evidence(".:53 {\n  kubernetes k8s.example. 10.0.0.0/8\n  proxy . /etc/resolv.conf\n}")

    assert read.by_resolv_conf
    assert read.upstreams("example.com") == ()
    assert read.domain == "k8s.example"
    assert {"kubernetes", "proxy"} == read.plugins


def test_kubernetes_without_zones_takes_those_of_its_block() -> None:
    """The plugin without arguments serves the zones of the server block."""
    assert evidence("cluster.test:53 {\n kubernetes\n}").zones == ("cluster.test",)


def test_snippets_and_imports_are_no_servers() -> None:
    """A snippet ``(common)`` and an import line are left out."""
    read = dns_corefile.read("(common) {\n errors\n}\nimport custom/*.server\n.:53 {\n import common\n}")

    assert [b.zones for b in read] == [(".",)]


@pytest.mark.parametrize("text", ["", "{{{{", "}}}}", "a: b: c", "\x00\n{"])
def test_text_that_is_no_corefile_gives_nothing(text: str) -> None:
    """Garbage is no zone and no upstream."""
    read = evidence(text)

    assert (read.zones, read.forwards) == ((), ())


@pytest.mark.parametrize(
    ("upstream", "host"),
    [
        ("10.0.0.2", "10.0.0.2"),
        ("10.0.0.2:53", "10.0.0.2"),
        ("[fd00::2]:53", "fd00::2"),
        ("fd00::2", "fd00::2"),
        ("tls://9.9.9.9:853", "9.9.9.9"),
        ("tls://9.9.9.9%dns.quad9.net", "9.9.9.9"),
        ("/run/systemd/resolve/resolv.conf", "/run/systemd/resolve/resolv.conf"),
    ],
)
def test_host_of_an_upstream(upstream: str, host: str) -> None:
    """Scheme, port and server name go, the address stays."""
    assert host == dns_corefile.host_of(upstream)


def test_names_of_the_cluster() -> None:
    """Zones of the kubernetes plugin, the domain and bare ``.svc`` names are inside; others are not."""
    read = evidence(KUBEADM)

    assert [
        read.is_internal("web.shop.svc.cluster.local."),
        read.is_internal("web.shop.svc"),
        read.is_internal("example-api.com"),
    ] == [True, True, False]


def test_kube_dns_config_map() -> None:
    """``upstreamNameservers`` and ``stubDomains`` are forwards; without them the node's resolv.conf is."""
    data = {"upstreamNameservers": '["10.1.1.1:53"]', "stubDomains": '{"acme.local": ["10.2.2.2"]}'}

    assert (
        Forward(zone=".", to=("10.1.1.1",), policy="sequential"),
        Forward(zone="acme.local", to=("10.2.2.2",)),
    ) == dns_corefile.kube_dns_forwards(data)
    assert dns_corefile.kube_dns_forwards({})[0].to == ("/etc/resolv.conf",)


def test_kube_dns_config_map_that_is_broken() -> None:
    """Values that are no JSON of that form are an error, not an empty fact."""
    with pytest.raises(ValueError, match=r"\w"):
        dns_corefile.kube_dns_forwards({"stubDomains": "[]"})
