"""Packet filters and kube-proxy of a node."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

from tools.bases.host import Out, join
from tools.bases.ids import iso
from tools.bases.spec import RECORDED
from tools.bases.world import World


def proxy_health() -> Out:
    """kube-proxy's health port."""
    updated = RECORDED.strftime("%Y-%m-%dT03:52:41.118204Z")
    return Out(
        f'{{"lastUpdated":"{iso(RECORDED)[:-1]}.021Z","currentTime":"{iso(RECORDED)[:-1]}.020Z","nodeEligible":true,"healthy":true,"status":{{"IPv4":{{"lastUpdated":"{updated}","healthy":true}}}}}} 200'
    )


CHAINS = (
    (
        "KUBE-PROXY-FIREWALL",
        "ctstate NEW /* kubernetes load balancer firewall */",
        '-m conntrack --ctstate NEW -m comment --comment "kubernetes load balancer firewall"',
    ),
    ("KUBE-FORWARD", "/* kubernetes forwarding rules */", '-m comment --comment "kubernetes forwarding rules"'),
    (
        "KUBE-SERVICES",
        "ctstate NEW /* kubernetes service portals */",
        '-m conntrack --ctstate NEW -m comment --comment "kubernetes service portals"',
    ),
    (
        "KUBE-EXTERNAL-SERVICES",
        "ctstate NEW /* kubernetes externally-visible service portals */",
        '-m conntrack --ctstate NEW -m comment --comment "kubernetes externally-visible service portals"',
    ),
)


def filter_sections(world: World) -> dict[str, Out]:
    """The sections about packet filters, by key."""
    extra = {
        "flannel": ("FLANNEL-FWD", "/* flanneld forward */", '-m comment --comment "flanneld forward"'),
        "calico": ("cali-FORWARD", "/* cali:wUHhoiAYhphO9Mso */", '-m comment --comment "cali:wUHhoiAYhphO9Mso"'),
    }
    chains = [*CHAINS, *([extra[world.spec.cni]] if world.spec.cni in extra else [])]
    spec = "-P FORWARD ACCEPT\n" + join(f"-A FORWARD {match} -j {chain}" for chain, _shown, match in chains)
    head = "Chain FORWARD (policy ACCEPT 0 packets, 0 bytes)\n    pkts      bytes target     prot opt in     out     source               destination         \n"
    counts = head + join(
        f"{48210 + 911 * i:>8} {9120331 + 40127 * i:>9} {chain} 0    --  *      *       0.0.0.0/0            0.0.0.0/0            {shown}"
        for i, (chain, shown, _match) in enumerate(chains)
    )
    services = len([s for s in world.all("Service") if s["spec"]["clusterIP"] != "None"])
    missing = "command not found"
    return {
        "IPT": Out(spec),
        "IPT_COUNT": Out(counts),
        "IPT_AGAIN": Out(counts),
        "IPT_SVC": Out(f"{services * 4 + 9}\n"),
        "NFT": Out(
            "table ip mangle\ntable ip nat\ntable ip filter\ntable ip6 mangle\ntable ip6 nat\ntable ip6 filter\n"
        )
        if not world.spec.legacy
        else Out(stderr=f"sudo: nft: {missing}\n", exit=1),
        "IPVS": Out(stderr=f"sudo: ipvsadm: {missing}\n"),
    }
