"""NET-06: the node's firewall drops what it should forward."""

from __future__ import annotations

import re
from collections.abc import Iterator
from ipaddress import IPv4Network, IPv6Network, ip_network

from bot.check import check
from bot.checks.net.about import bypasses_iptables, families, routed_pods
from bot.model.cluster import Nodes, PodsOnNode
from bot.model.evidence import PerNode
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import HostUnits, Iptables
from bot.model.host_traffic import CrossNode, Leg
from bot.model.refs import node
from bot.model.text import T

ACCEPTING = ("FLANNEL-FWD", "cali-FORWARD", "CNI-FORWARD", "CILIUM_FORWARD", "KUBE-ROUTER-FORWARD", "WEAVE-NPC")
SETTERS = ("docker", "ufw", "firewalld")
IPV4 = 4
SETS_POLICY = "[Service]\\nExecStartPost=/usr/sbin/iptables -P FORWARD ACCEPT\\n"
DROP_IN = "/etc/systemd/system/docker.service.d/forward.conf"
_NETWORK = re.compile(r"(?:^|\s)-[sd] (\S+)")
_BRIDGE = re.compile(r"(?:^|\s)-[io] (?:cni0|cbr0|kube-bridge|cilium_\S+|cali\+|eni\+|lxc\+|veth\+|flannel\S*)")


@check("NET-06")
def forward_policy_drop(
    *,
    chain: Iptables,
    nodes: Nodes | None,
    pods: PodsOnNode | None,
    units: HostUnits | None,
    everywhere: PerNode[CrossNode],
) -> Iterator[Finding]:
    """The iptables policy of FORWARD drops pod traffic.

    Says:
        "Pods reach only their own node", "kube-dns cannot forward".
    Evidence:
        iptables -S FORWARD: policy and accept rules; the packets that met the policy, read twice; Docker, ufw,
        firewalld. On a host without iptables: nft list tables; without a table filter there is no such policy.
    Rule:
        The policy is DROP, the number of dropped packets grows, and no accept rule covers the pods. Confirmed when
        other nodes reach this one and none of its pods. DROP with covering rules is info; DROP without a growing
        counter is only possible.
    Cause:
        Docker since 1.13 sets DROP; ufw or firewalld was switched on. It explains DNS-03, DNS-04, NET-09, APP-02.
    Fix:
        Set the policy to ACCEPT on every node, and make whoever set it keep it.
    Verify:
        The counter stands still.
    Must not fire:
        eBPF CNIs that pass iptables by, and nodes without pods on its network: only possible; pods with IPv6 addresses
        alone; hardened hosts whose explicit rules accept the pods.
    Reasons:
        - dropping: packets are being dropped
        - no-accept-rule: the policy drops, whether packets met it is not known or none did
        - covered: the policy drops, but rules accept the pods
    """
    used = families(pods)
    if chain.policy != "DROP" or (used and IPV4 not in used):
        return
    here = nodes.get(chain.node) if nodes else None
    cidr = here.spec.pod_cidr if here else None
    covered = _covering(chain.rules, _networks(cidr, pods))
    grown = chain.dropped[1] - chain.dropped[0] if chain.dropped else 0
    reason = "covered" if covered else "dropping" if grown > 0 else "no-accept-rule"
    setters = tuple(n for n in SETTERS if units and (u := units.get(n)) and u.running)
    lost = _out_of_reach(chain.node, everywhere)
    counted = f"policy DROP met {chain.dropped[0]}, then {chain.dropped[1]} packets" if chain.dropped else ""
    rests = reason == "dropping" and bool(used) and not bypasses_iptables(pods)
    yield Finding(
        code="NET-06",
        reason=reason,
        title=T("{node} drops packets that it should forward to or from pods", node=chain.node)
        if rests
        else T("the iptables FORWARD policy of {node} is DROP", node=chain.node),
        detail=T("Rules accept the pods' traffic: {rules}", rules=covered) if covered else None,
        severity=Severity.INFO if covered else Severity.HIGH,
        confidence=_confidence(reason, rests=rests, seen=bool(lost), meant=bool(used) and not bypasses_iptables(pods)),
        subject=node(chain.node),
        facts={"node": chain.node, "dropped": grown, "set_by": setters},
        proofs=(
            chain.proof.quote("-P FORWARD DROP", counted, *(f"-A FORWARD {r}" for r in chain.rules[:4])),
            *(ways.proof for ways in lost if rests),
        ),
        fixes=() if covered else tuple(_fixes(setters, cidr)),
    )


def _confidence(reason: str, *, rests: bool, seen: bool, meant: bool) -> Confidence:
    """What drops packets of pods is likely; rules that accept them are plainly there, where there are such pods."""
    if rests:
        return Confidence.CONFIRMED if seen else Confidence.LIKELY
    return Confidence.LIKELY if reason == "covered" and meant else Confidence.POSSIBLE


def _out_of_reach(name: str, everywhere: PerNode[CrossNode]) -> tuple[CrossNode, ...]:
    """Other nodes that reach this one, and none of its pods: a second witness."""

    def loses(legs: tuple[Leg, ...]) -> bool:
        there = [leg for leg in legs if leg.pod]
        return bool(there) and any(x.passed for x in legs if not x.pod) and not any(x.passed for x in there)

    return tuple(ways for ways in everywhere.others(name) if loses(ways.of(name)))


def _networks(cidr: str | None, pods: PodsOnNode | None) -> tuple[IPv4Network | IPv6Network, ...]:
    """What accept rules must cover: the node's pod network, else each pod's address (CNIs that take them of a VPC)."""
    ours = _network(cidr or "")
    if ours is not None and ours.version == IPV4:
        return (ours,)
    return tuple(
        n for p in (routed_pods(pods) if pods else ()) if (n := _network(p.status.pod_ip or "")) and n.version == IPV4
    )


def _covering(rules: tuple[str, ...], ours: tuple[IPv4Network | IPv6Network, ...]) -> tuple[str, ...]:
    """The rules that accept what goes to and from this node's pods."""
    return tuple(r for r in rules if _jumps(r, ACCEPTING) or (_jumps(r, ("ACCEPT",)) and _meets(r, ours)))


def _jumps(rule: str, targets: tuple[str, ...]) -> bool:
    found = re.search(r"-j (\S+)", rule)
    return found is not None and found[1] in targets


def _meets(rule: str, ours: tuple[IPv4Network | IPv6Network, ...]) -> bool:
    """Whether the rule speaks of the pods: everything, their bridge, or a network that holds their addresses."""
    if _BRIDGE.search(rule) or re.fullmatch(r"(?:-m comment --comment (?:\"[^\"]*\"|\S+) )?-j ACCEPT", rule.strip()):
        return True
    if "state" in rule or "mark" in rule:
        return False
    theirs = [n for text in _NETWORK.findall(rule) if (n := _network(text))]
    return bool(ours) and any(all(_within(own, n) for own in ours) for n in theirs)


def _network(text: str) -> IPv4Network | IPv6Network | None:
    try:
        return ip_network(text, strict=False)
    except ValueError:
        return None


def _within(inner: IPv4Network | IPv6Network, outer: IPv4Network | IPv6Network) -> bool:
    if isinstance(inner, IPv4Network) and isinstance(outer, IPv4Network):
        return inner.subnet_of(outer)
    return isinstance(inner, IPv6Network) and isinstance(outer, IPv6Network) and inner.subnet_of(outer)


def _fixes(setters: tuple[str, ...], cidr: str | None) -> Iterator[Fix]:
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
    if "firewalld" in setters and _network(cidr or ""):
        source = f"--zone=trusted --{{}}-source={cidr}"
        yield Fix(
            what=T("On every node with firewalld: trust the addresses of the pods."),
            safety=Safety.REVERSIBLE,
            commands=(f"sudo firewall-cmd --permanent {source.format('add')}", "sudo firewall-cmd --reload"),
            undo=(f"sudo firewall-cmd --permanent {source.format('remove')}", "sudo firewall-cmd --reload"),
        )
    if "docker" in setters:
        yield Fix(
            what=T(
                "On every node with Docker: set the policy whenever Docker has started (since Docker 28 there is "
                "ip-forward-no-drop for it)."
            ),
            safety=Safety.REVERSIBLE,
            commands=(
                f"sudo mkdir -p {DROP_IN.rpartition('/')[0]}",
                f"printf '{SETS_POLICY}' | sudo tee {DROP_IN}",
                "sudo systemctl daemon-reload",
            ),
            verify=("systemctl cat docker",),
            undo=(f"sudo rm {DROP_IN}", "sudo systemctl daemon-reload"),
        )
