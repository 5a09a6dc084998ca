"""NET-06: the node's firewall drops what it should forward."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network

from bot.check import check
from bot.model.cluster import Nodes
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import HostUnits, Iptables
from bot.model.refs import node
from bot.model.text import T

ACCEPTING = ("FLANNEL-FWD", "cali-FORWARD", "CNI-FORWARD", "CILIUM_FORWARD", "KUBE-ROUTER-FORWARD", "WEAVE-NPC")
SETTERS = ("docker", "ufw", "firewalld")
_NETWORK = re.compile(r"(?:^|\s)-[sd] (\S+)")
_BRIDGE = re.compile(r"(?:^|\s)-[io] (?:cni0|cbr0|kube-bridge|cilium_\S+|cali\+|veth\+|flannel\S*)")


@check("NET-06")
def forward_policy_drop(chain: Iptables, nodes: Nodes | None, units: HostUnits | None) -> Iterator[Finding]:
    """The iptables policy of FORWARD drops pod traffic.

    Says:
        "Pods reach only their own node", "kube-dns cannot forward".
    Evidence:
        iptables -S FORWARD: policy and accept rules; the packets that met the policy, read twice; Docker, ufw,
        firewalld.
    Rule:
        The policy is DROP, the number of dropped packets grows, and no accept rule covers the pods. DROP with covering
        rules is info; DROP without a growing counter is only possible.
    Cause:
        Docker since 1.13 sets DROP; ufw or firewalld was switched on. It explains DNS-03, DNS-04, NET-09, APP-02.
    Fix:
        Set the policy to ACCEPT on every node, and make whoever set it keep it.
    Verify:
        The counter stands still.
    Must not fire:
        eBPF CNIs that pass iptables by; hardened hosts whose explicit rules accept the pods.
    Reasons:
        - dropping: packets are being dropped
        - no-accept-rule: the policy drops, whether packets met it is not known or none did
        - covered: the policy drops, but rules accept the pods
    """
    if chain.policy != "DROP":
        return
    here = nodes.get(chain.node) if nodes else None
    covered = _covering(chain.rules, here.spec.pod_cidr if here else None)
    grown = chain.dropped[1] - chain.dropped[0] if chain.dropped else 0
    reason = "covered" if covered else "dropping" if grown > 0 else "no-accept-rule"
    setters = tuple(n for n in SETTERS if units and (u := units.get(n)) and u.running)
    counted = f"policy DROP met {chain.dropped[0]}, then {chain.dropped[1]} packets" if chain.dropped else ""
    yield Finding(
        code="NET-06",
        reason=reason,
        title=T("{node} drops packets that it should forward to or from pods", node=chain.node)
        if reason == "dropping"
        else T("the iptables FORWARD policy of {node} is DROP", node=chain.node),
        detail=T("Rules accept the pods' traffic: {rules}", rules=covered) if covered else None,
        severity=Severity.INFO if covered else Severity.HIGH,
        confidence=Confidence.LIKELY if reason == "dropping" else Confidence.POSSIBLE,
        subject=node(chain.node),
        facts={"node": chain.node, "dropped": grown, "set_by": setters},
        proofs=(chain.proof.quote("-P FORWARD DROP", counted, *(f"-A FORWARD {r}" for r in chain.rules[:4])),),
        fixes=() if covered else tuple(_fixes(setters)),
    )


def _covering(rules: tuple[str, ...], cidr: str | None) -> tuple[str, ...]:
    """The rules that accept what goes to and from this node's pods."""
    return tuple(r for r in rules if _jumps(r, ACCEPTING) or (_jumps(r, ("ACCEPT",)) and _meets(r, cidr)))


def _jumps(rule: str, targets: tuple[str, ...]) -> bool:
    found = re.search(r"-j (\S+)", rule)
    return found is not None and found[1] in targets


def _meets(rule: str, cidr: str | None) -> bool:
    """Whether the rule speaks of the pods: their bridge, or a network that holds their addresses."""
    if _BRIDGE.search(rule):
        return True
    if "state" in rule or "mark" in rule:
        return False
    ours = _network(cidr or "")
    theirs = [n for text in _NETWORK.findall(rule) if (n := _network(text))]
    return ours is not None and any(_within(ours, n) for n in theirs)


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _within(inner: IPv4Network | IPv6Network, outer: IPv4Network | IPv6Network) -> bool:
    if isinstance(inner, IPv4Network) and isinstance(outer, IPv4Network):
        return inner.subnet_of(outer)
    return isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network) and inner.subnet_of(outer)


def _fixes(setters: tuple[str, ...]) -> Iterator[Fix]:
    yield Fix(
        what=T("On every node: forward again, until the next change of the firewall."),
        safety=Safety.REVERSIBLE,
        commands=("sudo iptables -P FORWARD ACCEPT",),
        verify=("sudo iptables -L FORWARD -nvx | head -1",),
        undo=("sudo iptables -P FORWARD DROP",),
    )
    if "ufw" in setters:
        yield Fix(
            what=T("On every node with ufw: let it accept what is forwarded."),
            safety=Safety.REVERSIBLE,
            commands=(
                "sudo sed -i.bak 's/^DEFAULT_FORWARD_POLICY=.*/DEFAULT_FORWARD_POLICY=\"ACCEPT\"/' /etc/default/ufw",
                "sudo ufw reload",
            ),
            undo=("sudo cp -p /etc/default/ufw.bak /etc/default/ufw", "sudo ufw reload"),
        )
    if "docker" in setters:
        yield Fix(
            what=T("On every node with Docker: set ip-forward-no-drop to true in /etc/docker/daemon.json."),
            safety=Safety.REVERSIBLE,
            commands=("sudoedit /etc/docker/daemon.json", "sudo systemctl restart docker"),
        )
