"""NET-07: the kernel of the node does not forward packets."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.net.about import bypasses_iptables, families, routed_pods, since_boot
from bot.model.cluster import PodsOnNode
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import Links, NodeIdentity, PolicyRouting, RoutingRules, Sysctls
from bot.model.refs import node
from bot.model.text import T

_INTERFACE = re.compile(r"net\.ipv4\.conf\.(.+)\.forwarding")
_POD_SIDE = re.compile(r"^(?:cni\d|cbr\d|kube-bridge|cali|veth|eni|lxc|cilium_|flannel|vxlan|tunl|gke)")
GLOBAL = "net.ipv4.ip_forward"
FILE = "/etc/sysctl.d/99-kubernetes-forwarding.conf"
GLOBAL6 = "net.ipv6.conf.all.forwarding"


@check("NET-07")
def ip_forwarding_off(
    *,
    sysctls: Sysctls,
    links: Links | None,
    routes: RoutingRules | None,
    tables: PolicyRouting | None,
    pods: PodsOnNode | None,
    clock: Clock,
    identity: NodeIdentity | None,
) -> Iterator[Finding]:
    """IP forwarding is off, for the node or for an interface that pods use.

    Says:
        "Pods on this node reach nothing outside."
    Evidence:
        net.ipv4.ip_forward, net.ipv4.conf.IFACE.forwarding, net.ipv6.conf.all.forwarding, sysctl.d files, interfaces,
        the main default route, the tables that rules about pods name, the addresses of the node's pods.
    Rule:
        ip_forward is 0, or forwarding is 0 on an interface on the way of the pods (theirs, or one that their packets
        leave by); for pods with IPv6 addresses, that
        of IPv6 is 0.
    Cause:
        A sysctl was reset: reboot, hardening, restart of Docker or NetworkManager. It explains DNS-03, NET-09, APP-02.
    Fix:
        Switch it on, and write it down for the next boot.
    Verify:
        A pod reaches another node.
    Must not fire:
        IPv6 settings on an IPv4 cluster, IPv4 settings on an IPv6 one; with an eBPF CNI that forwards by itself, or on
        a node without pods that have addresses, it is only possible.
    Reasons:
        - ip-forward-off: the node forwards nothing
        - interface-forwarding-off: one interface on the pods' way does not forward
    """
    used = families(pods)
    ipv4 = _off(sysctls, links, _ways_out(routes, tables, pods)) if 4 in used or not used else ()  # noqa: PLR2004
    off = (*ipv4, *(_off6(sysctls) if 6 in used else ()))  # noqa: PLR2004
    if not off:
        return
    setting = off[0]
    unsure = bypasses_iptables(pods) or not used
    later = (sysctls.files or {}).get(setting, ())
    yield Finding(
        code="NET-07",
        reason="ip-forward-off" if setting in {GLOBAL, GLOBAL6} else "interface-forwarding-off",
        title=T("{node} does not forward IPv6 packets: {setting} is 0", node=sysctls.node, setting=setting)
        if setting == GLOBAL6
        else T("{node} does not forward packets: {setting} is 0", node=sysctls.node, setting=setting),
        detail=T("Files say {values} for the next boot.", values=later) if later else None,
        severity=Severity.HIGH,
        confidence=Confidence.POSSIBLE if unsure else Confidence.LIKELY,
        subject=node(sysctls.node),
        facts={"node": sysctls.node, "setting": off},
        onset=since_boot(identity, clock),
        proofs=(sysctls.proof.quote(*(f"{name} = 0" for name in off)),),
        fixes=(_fix(off),),
    )


def _off(sysctls: Sysctls, links: Links | None, default: frozenset[str]) -> tuple[str, ...]:
    """The settings that are 0 and matter: the global one alone when it is off, else those of interfaces."""
    if sysctls.values.get(GLOBAL) == "0":
        return (GLOBAL,)
    there = {link.name for link in links.items if link.up} if links else set()
    zero = [
        (m[1], name) for name, value in sysctls.values.items() if value == "0" and (m := _INTERFACE.fullmatch(name))
    ]
    return tuple(name for iface, name in zero if iface in there and (iface in default or _POD_SIDE.match(iface)))


def _ways_out(routes: RoutingRules | None, tables: PolicyRouting | None, pods: PodsOnNode | None) -> frozenset[str]:
    """The interfaces that pods' packets leave by: of the main default route and of the tables of their rules."""
    main = {r.device for r in routes.main if r.destination == "default"} if routes else set()
    addresses = [p.status.pod_ip or "" for p in (routed_pods(pods) if pods else ())]
    named = {r.table for r in (tables.rules if tables else ()) for a in addresses if r.plain and r.covers(a)}
    return frozenset(main | {r.device for t in named if tables and (r := tables.default(t))})


def _off6(sysctls: Sysctls) -> tuple[str, ...]:
    return (GLOBAL6,) if sysctls.values.get(GLOBAL6) == "0" else ()


def _fix(settings: tuple[str, ...]) -> Fix:
    values = " ".join(shlex.quote(f"{name}=1") for name in settings)
    return Fix(
        what=T("On the node: switch forwarding on now and at every boot."),
        safety=Safety.REVERSIBLE,
        commands=(f"sudo sysctl -w {values}", f"printf '%s\\n' {values} | sudo tee {FILE}"),
        verify=(f"sysctl {' '.join(shlex.quote(name) for name in settings)}",),
        undo=(f"sudo sysctl -w {' '.join(shlex.quote(f'{name}=0') for name in settings)}", f"sudo rm {FILE}"),
    )
