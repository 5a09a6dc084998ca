"""CTRL-09: parts of a control plane run on a host that is no control-plane host."""

from __future__ import annotations

import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from bot.check import check
from bot.model.cluster import KubernetesEndpoints, Leaders, Nodes
from bot.model.evidence import Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import HostUnits, ListeningPorts, NodeIdentity, Unit
from bot.model.host_agents import KubeadmHosts
from bot.model.k8s import Node
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T, Text

COMPONENTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")
PORTS = {6443: "kube-apiserver", 8080: "kube-apiserver", 10257: "kube-controller-manager", 10259: "kube-scheduler"}
OLD_PORTS = {10252: "kube-controller-manager", 10251: "kube-scheduler", 2379: "etcd", 2380: "etcd"}
MEMBERS = (
    "sudo ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/kubernetes/pki/etcd/ca.crt "
    "--cert=/etc/kubernetes/pki/etcd/healthcheck-client.crt "
    "--key=/etc/kubernetes/pki/etcd/healthcheck-client.key member list"
)
ROLES = ("node-role.kubernetes.io/control-plane", "node-role.kubernetes.io/master")


@dataclass(frozen=True, slots=True, kw_only=True)
class Stray:
    """What of a control plane is on the host.

    Attributes:
        leases: components whose leader Lease this host holds.
        serving: whether pods are sent to this host as an API server.
    """

    running: tuple[Unit, ...]
    enabled: tuple[Unit, ...]
    leases: tuple[str, ...]
    serving: bool


@check("CTRL-09")
def stray_control_plane(
    *,
    units: HostUnits,
    nodes: Nodes,
    kubeadm: KubeadmHosts | None,
    expect: Expectations | None,
    endpoints: KubernetesEndpoints | None,
    leaders: Leaders | None,
    ports: ListeningPorts | None,
    identity: NodeIdentity | None,
) -> Iterator[Finding]:
    """Control-plane components run, or would start at boot, on a node that is no control-plane node.

    Says:
        "There is a single master, yet API server, controller-manager and scheduler run on a worker since it rebooted."
    Evidence:
        systemctl show of the control-plane units; listening ports; the node's labels and taints; kubeadm's list of
        hosts; the endpoints of default/kubernetes; the holders of the leader Leases.
    Rule:
        A unit is active or enabled on a node outside the control-plane set (role label or taint, kubeadm-config, the
        operator's list). Outage when pods are sent to it or it holds a Lease; high when it only runs; warn when it
        would only start at the next boot.
    Cause:
        What is left of an earlier deployment, with autostart on; a reboot starts it. It can hold Leases, serve
        stale data and occupy ports: CTRL-05, CTRL-06, CTRL-01, NODE-03.
    Fix:
        Stop, disable and mask the units, after making sure that the host is no member of the real etcd.
    Verify:
        No listener, no such address in the endpoints of default/kubernetes, Leases held by real hosts.
    Must not fire:
        Real control-plane hosts, k3s and rke2 servers, clusters where nothing says which hosts are the control plane,
        control planes that run as ordinary pods.
    Reasons:
        - serving: its address is among the endpoints of default/kubernetes
        - leading: it holds a leader Lease
        - running: it runs, without leading or serving
        - enabled-only: it would start at the next boot
    """
    here = nodes.get(units.node)
    agent = units.agent
    if here is None or (agent is not None and agent.present):
        return
    listed = _listed(kubeadm, expect)
    if _belongs(here, listed, identity) or not (listed or any(_has_role(n) for n in nodes.items)):
        return
    stray = _stray(here, units, endpoints, leaders, identity)
    if not stray.running and not stray.enabled:
        return
    heard = _listeners(ports, stray)
    reason = (
        "serving" if stray.serving else "leading" if stray.leases else "running" if stray.running else "enabled-only"
    )
    names = tuple(u.name for u in stray.running or stray.enabled)
    began = [u.active_since for u in stray.running if u.active_since]
    second = bool(heard) or stray.serving or bool(stray.leases)
    yield Finding(
        code="CTRL-09",
        reason=reason,
        title=_title(reason, here.name, names),
        detail=T("{node} is not among the control-plane hosts.", node=here.name),
        severity=_severity(reason),
        confidence=Confidence.CONFIRMED if second else Confidence.LIKELY,
        subject=node(here.name),
        facts={
            "node": here.name,
            "unit": names,
            "address": here.address() or "",
            "component": names,
            "leases": stray.leases,
            "in_endpoints": "true" if stray.serving else "false",
        },
        onset=min(began, default=None),
        proofs=tuple(_proofs(stray, units, heard, ports, (nodes, endpoints, leaders))),
        fixes=tuple(_fixes(names)),
    )


def _listed(kubeadm: KubeadmHosts | None, expect: Expectations | None) -> frozenset[str]:
    """Names and addresses that configuration calls control plane."""
    ours = (*kubeadm.names, *kubeadm.addresses) if kubeadm else ()
    return frozenset((*ours, *(expect.control_plane_hosts if expect else ())))


def _has_role(found: Node) -> bool:
    return found.control_plane or any(t.key in ROLES for t in found.spec.taints or ())


def _belongs(here: Node, listed: frozenset[str], identity: NodeIdentity | None) -> bool:
    names = {here.name, identity.hostname if identity else here.name}
    names |= {a.address for a in here.status.addresses or ()}
    return _has_role(here) or bool(names & listed)


def _stray(
    here: Node,
    units: HostUnits,
    endpoints: KubernetesEndpoints | None,
    leaders: Leaders | None,
    identity: NodeIdentity | None,
) -> Stray:
    found = [u for name in COMPONENTS if (u := units.get(name))]
    addresses = {a.address for a in here.status.addresses or ()}
    running = tuple(u for u in found if u.running)
    hosts = {here.name, identity.hostname if identity else here.name}
    held = leaders.by_component.items() if leaders and running else ()
    return Stray(
        running=running,
        enabled=tuple(u for u in found if u.starts_at_boot),
        leases=tuple(name for name, leader in held if leader.host in hosts),
        serving=bool(running) and endpoints is not None and bool(addresses & set(endpoints.addresses)),
    )


def _listeners(ports: ListeningPorts | None, stray: Stray) -> tuple[str, ...]:
    """Ports of the running components that are open on the host: a second source beside systemd."""
    names = {u.name for u in stray.running}
    known = {p: c for p, c in (PORTS | OLD_PORTS).items() if c in names}
    found = [(p, item) for p in known for item in (ports.on(p) if ports else ())]
    return tuple(f"{i.protocol} {i.address}:{p} {i.process or known[p]}" for p, i in found)


def _severity(reason: str) -> Severity:
    return {"running": Severity.HIGH, "enabled-only": Severity.WARN}.get(reason, Severity.CRIT)


def _title(reason: str, name: str, units: tuple[str, ...]) -> Text:
    if reason == "serving":
        return T("{units} run on {node}, a worker, and pods are sent to it as an API server", units=units, node=name)
    if reason == "leading":
        return T("{units} run on {node}, a worker, and hold a leader Lease", units=units, node=name)
    if reason == "running":
        return T("{units} run on {node}, which is a worker", units=units, node=name)
    return T("{units} would start at the next boot of {node}, which is a worker", units=units, node=name)


def _proofs(
    stray: Stray,
    units: HostUnits,
    heard: tuple[str, ...],
    ports: ListeningPorts | None,
    api: tuple[Nodes, KubernetesEndpoints | None, Leaders | None],
) -> Iterator[Proof]:
    nodes, endpoints, leaders = api
    both = {u.name: u for u in (*stray.enabled, *stray.running)}
    yield units.proof.quote(
        *(f"Id={u.name}.service ActiveState={u.active} UnitFileState={u.file_state}" for u in both.values())
    )
    if heard and ports:
        yield ports.proof.quote(*heard)
    if stray.serving and endpoints:
        yield endpoints.proof
    if stray.leases and leaders:
        yield from (leaders.by_component[name].proof for name in stray.leases)
    yield nodes.proof


def _fixes(names: tuple[str, ...]) -> Iterator[Fix]:
    shown = " ".join(shlex.quote(n) for n in names)
    yield Fix(
        what=T("First make sure on a real control-plane host that this node is no member of its etcd."),
        safety=Safety.READ_ONLY,
        commands=(MEMBERS,),
    )
    yield Fix(
        what=T("On the node: stop {units} and keep them from starting again.", units=names),
        safety=Safety.REVERSIBLE,
        commands=(f"sudo systemctl disable --now {shown}", f"sudo systemctl mask {shown}"),
        verify=("sudo ss -Hlntp", "kubectl get endpointslices -n default -l kubernetes.io/service-name=kubernetes"),
        undo=(f"sudo systemctl unmask {shown}", f"sudo systemctl enable --now {shown}"),
    )
