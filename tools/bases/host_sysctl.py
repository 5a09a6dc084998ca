"""Kernel settings of a node, running and on disk."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

from tools.bases.host import Out, join
from tools.bases.spec import Host
from tools.bases.world import World

IP_FORWARD = "net.ipv4.ip_forward = 1"


def running(world: World, host: Host) -> Out:
    """SYSCTL."""
    from tools.bases.host_links import links  # noqa: PLC0415 - the two modules describe one host

    names = ["all", "default", *(link["ifname"] for link in links(world, host))]
    lines = [
        IP_FORWARD,
        "net.ipv4.conf.all.forwarding = 1",
        "net.ipv6.conf.all.forwarding = 0",
        "net.bridge.bridge-nf-call-iptables = 1",
    ]
    lines += ["net.netfilter.nf_conntrack_max = 262144", "fs.inotify.max_user_watches = 524288", "vm.swappiness = 60"]
    for name in sorted(n for n in names if "." not in n):
        lines += [f"net.ipv4.conf.{name}.forwarding = 1", f"net.ipv4.conf.{name}.rp_filter = {_rp_filter(world, name)}"]
    return Out(join(lines) + "Filename\t\t\t\tType\t\tSize\t\tUsed\t\tPriority\n")


def _rp_filter(world: World, name: str) -> int:
    if name == "lo":
        return 0
    return 1 if world.spec.legacy else 2


def on_disk(world: World) -> Out:
    """SYSCTLDIFF."""
    k8s = "net.bridge.bridge-nf-call-iptables = 1\nnet.bridge.bridge-nf-call-ip6tables = 1\nnet.ipv4.ip_forward = 1\n"
    watches = "fs.inotify.max_user_watches = 524288\nfs.inotify.max_user_instances = 8192\n"
    if world.spec.legacy:
        return Out(f"{k8s}{watches}net.ipv4.conf.default.rp_filter = 1\nnet.ipv4.conf.all.rp_filter = 1\n")
    commented = "#net.ipv4.conf.default.rp_filter=1\n#net.ipv4.conf.all.rp_filter=1\n#net.ipv4.ip_forward=1\n#net.ipv6.conf.all.forwarding=1\n"
    security = "net.ipv4.conf.default.rp_filter=2\nnet.ipv4.conf.all.rp_filter=2\n"
    return Out(
        f"{commented}{security}{k8s}{watches}net.ipv4.conf.default.rp_filter = 2\nnet.ipv4.conf.*.rp_filter = 2\n-net.ipv4.conf.all.rp_filter\n"
    )
