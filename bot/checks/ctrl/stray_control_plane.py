"""CTRL-09: parts of a control plane run on a host that is no control-plane host."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.ctrl.strays import Stray, find_stray, has_role, is_member, stands_apart
from bot.model.cluster import KubernetesEndpoints, Leaders, Nodes, PodsOnNode
from bot.model.evidence import Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import HostUnits, ListeningPorts, NodeIdentity, StaticManifests
from bot.model.host_agents import KubeadmHosts
from bot.model.k8s import Node
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T, Text

SERVERS = ("k3s", "rke2-server")
MANIFESTS, ASIDE = "/etc/kubernetes/manifests", "/root/stray-manifests"
MEMBERS = (
    "sudo ETCDCTL_API=3 etcdctl --endpoints=https://127.0.0.1:2379 --cacert=/etc/kubernetes/pki/etcd/ca.crt "
    "--cert=/etc/kubernetes/pki/etcd/healthcheck-client.crt "
    "--key=/etc/kubernetes/pki/etcd/healthcheck-client.key member list"
)


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
    manifests: StaticManifests | None,
    pods: PodsOnNode | None,
) -> Iterator[Finding]:
    """Control-plane components run, or would start at boot, on a node that is no control-plane node.

    Says:
        "There is a single master, yet API server, controller-manager and scheduler run on a worker since it rebooted."
    Evidence:
        systemctl show of the control-plane units; listening ports and their processes; static manifests; the node's
        labels and taints; kubeadm's list of hosts; the endpoints of default/kubernetes; the holders of the leader
        Leases.
    Rule:
        A unit is active or enabled, a component's process listens, or its manifest is there, on a node outside the
        control-plane set (role label or taint, kubeadm-config, the operator's list). Outage when pods are sent to it or
        it holds a Lease; high when it only runs; warn when it would only start at the next boot. Where nothing names
        the control-plane hosts, it is possible on a node that pods are not sent to, and not for etcd alone.
    Cause:
        What is left of an earlier deployment, with autostart on; a reboot starts it. It can hold Leases, serve
        stale data and occupy ports: CTRL-05, CTRL-06, CTRL-01, NODE-03.
    Fix:
        Stop, disable and mask the units, after making sure that the host is no member of the real etcd.
    Verify:
        No listener, no such address in the endpoints of default/kubernetes, Leases held by real hosts.
    Must not fire:
        Real control-plane hosts, also those that serve from static pods and lost their label; k3s and rke2 servers;
        control planes that run as ordinary pods.
    Reasons:
        - serving: its address is among the endpoints of default/kubernetes
        - leading: it holds a leader Lease
        - running: it runs, without leading or serving
        - enabled-only: it would start at the next boot
    """
    here = nodes.get(units.node)
    if here is None or any((u := units.get(name)) and (u.running or u.starts_at_boot) for name in SERVERS):
        return
    listed = _listed(kubeadm, expect)
    stray = find_stray(
        here,
        units,
        ports=ports,
        manifests=manifests,
        pods=pods,
        endpoints=endpoints,
        leaders=leaders,
        identity=identity,
    )
    if _belongs(here, listed, identity) or not stray.names or is_member(here, stray, pods, endpoints):
        return
    known = bool(listed) or any(has_role(n) for n in nodes.items)
    if not known and not stands_apart(here, stray, endpoints):
        return
    reason = (
        "serving" if stray.serving else "leading" if stray.leases else "running" if stray.running else "enabled-only"
    )
    began = [u.active_since for u in stray.units if u.running and u.active_since]
    second = bool(stray.heard) or stray.serving or bool(stray.leases)
    yield Finding(
        code="CTRL-09",
        reason=reason,
        title=_title(reason, here.name, stray.names),
        detail=T("{node} is not among the control-plane hosts.", node=here.name)
        if known
        else T("Nothing names the control-plane hosts; pods are sent to other hosts as API servers."),
        severity=_severity(reason),
        confidence=Confidence.POSSIBLE if not known else Confidence.CONFIRMED if second else Confidence.LIKELY,
        subject=node(here.name),
        facts={
            "node": here.name,
            "unit": stray.names,
            "address": here.address() or "",
            "component": stray.names,
            "leases": stray.leases,
            "in_endpoints": "true" if stray.serving else "false",
        },
        onset=min(began, default=None),
        proofs=tuple(_proofs(stray, units, ports, manifests, (nodes, endpoints, leaders))),
        fixes=tuple(_fixes(stray)),
    )


def _listed(kubeadm: KubeadmHosts | None, expect: Expectations | None) -> frozenset[str]:
    """Names and addresses that configuration calls control plane."""
    ours = (*kubeadm.names, *kubeadm.addresses) if kubeadm else ()
    return frozenset((*ours, *(expect.control_plane_hosts if expect else ())))


def _belongs(here: Node, listed: frozenset[str], identity: NodeIdentity | None) -> bool:
    names = {here.name, identity.hostname if identity else here.name}
    names |= {a.address for a in here.status.addresses or ()}
    return has_role(here) or bool(names & listed)


def _severity(reason: str) -> Severity:
    return {"running": Severity.HIGH, "enabled-only": Severity.WARN}.get(reason, Severity.CRIT)


def _title(reason: str, name: str, units: tuple[str, ...]) -> Text:
    if reason == "serving":
        return T("the worker {node} runs {units}, and pods are sent to it as an API server", units=units, node=name)
    if reason == "leading":
        return T("the worker {node} runs {units} and holds a leader Lease", units=units, node=name)
    if reason == "running":
        return T("the worker {node} runs {units}", units=units, node=name)
    return T("{units} would start at the next boot of {node}, which is a worker", units=units, node=name)


def _proofs(
    stray: Stray,
    units: HostUnits,
    ports: ListeningPorts | None,
    manifests: StaticManifests | None,
    api: tuple[Nodes, KubernetesEndpoints | None, Leaders | None],
) -> Iterator[Proof]:
    nodes, endpoints, leaders = api
    if stray.units:
        yield units.proof.quote(
            *(f"Id={u.name}.service ActiveState={u.active} UnitFileState={u.file_state}" for u in stray.units)
        )
    if stray.heard and ports:
        yield ports.proof.quote(*stray.heard)
    if stray.manifests and manifests:
        yield manifests.proof.quote(*(f"{MANIFESTS}/{name}.yaml" for name in stray.manifests))
    if stray.serving and endpoints:
        yield endpoints.proof
    if stray.leases and leaders:
        yield from (leaders.by_component[name].proof for name in stray.leases)
    yield nodes.proof


def _fixes(stray: Stray) -> Iterator[Fix]:
    yield Fix(
        what=T("First make sure on a real control-plane host that this node is no member of its etcd."),
        safety=Safety.READ_ONLY,
        commands=(MEMBERS,),
    )
    verify = ("sudo ss -Hlntp", "kubectl get endpointslices -n default -l kubernetes.io/service-name=kubernetes")
    if stray.units:
        names = tuple(u.name for u in stray.units)
        shown = " ".join(shlex.quote(n) for n in names)
        yield Fix(
            what=T("On the node: stop {units} and keep them from starting again.", units=names),
            safety=Safety.REVERSIBLE,
            commands=(f"sudo systemctl disable --now {shown}", f"sudo systemctl mask {shown}"),
            verify=verify,
            undo=(f"sudo systemctl unmask {shown}", f"sudo systemctl enable --now {shown}"),
        )
    if stray.manifests:
        files = " ".join(f"{MANIFESTS}/{name}.yaml" for name in stray.manifests)
        back = " ".join(f"{ASIDE}/{name}.yaml" for name in stray.manifests)
        yield Fix(
            what=T("On the node: put the manifests aside, so that the kubelet stops them."),
            safety=Safety.REVERSIBLE,
            commands=(f"sudo mkdir -p {ASIDE}", f"sudo mv {files} {ASIDE}/"),
            verify=verify,
            undo=(f"sudo mv {back} {MANIFESTS}/",),
        )
