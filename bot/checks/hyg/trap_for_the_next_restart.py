"""HYG-03: configuration that works now and fails at the next restart."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.hyg.routes_by_hand import by_hand
from bot.checks.hyg.traps import of_fields, of_files, trap
from bot.model.cluster import Nodes
from bot.model.evidence import Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import (
    HostUnits,
    KubeletArguments,
    KubeletFiles,
    KubeletLog,
    Links,
    NetworkManager,
    RoutingRules,
    Sysctls,
)
from bot.model.host_agents import KubeadmHosts
from bot.model.k8s import Node
from bot.model.text import T

COMPONENTS = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")
MATTER = ("net.ipv4.ip_forward", "net.ipv4.conf.all.forwarding", "net.bridge.bridge-nf-call-iptables")
PLACES = "/etc/netplan /etc/systemd/network /etc/NetworkManager /etc/network /etc/networkd-dispatcher /etc/rc.local"
LIMITS = ("fs.inotify.max_user_watches", "fs.inotify.max_user_instances")


@check("HYG-03")
def trap_for_the_next_restart(
    *,
    units: HostUnits,
    nodes: Nodes | None,
    kubeadm: KubeadmHosts | None,
    expect: Expectations | None,
    arguments: KubeletArguments | None,
    files: KubeletFiles | None,
    log: KubeletLog | None,
    sysctls: Sysctls | None,
    routing: RoutingRules | None,
    links: Links | None,
    manager: NetworkManager | None,
) -> Iterator[Finding]:
    """The node works, but its next restart or reboot brings up something else.

    Says:
        "It was fine until we rebooted."
    Evidence:
        Unit states and NeedDaemonReload; the kubelet's files and log; kernel settings in force and in sysctl.d; the
        main routing table and who manages the cards.
    Rule:
        The kubelet runs while a file it starts from is missing; a control-plane unit is enabled on a worker; a
        unit file changed after its unit was started; the kubelet passes over an unknown field of its
        configuration; a kernel setting in force differs from every file that sets it; a managed card has a route by
        way of a router that its manager did not set (only possible: a script may set it at boot). A Corefile that fails
        at the next restart is DNS-12, a certificate that ends within a month CTRL-12.
    Cause:
        Drift that nobody sees until a restart shows it: NODE-04, CTRL-09, NET-07.
    Fix:
        Repair it before the next maintenance.
    Verify:
        The list is empty.
    Must not fire:
        -
    Reasons:
        - missing-file: the kubelet runs without a file that it starts from
        - stray-unit-enabled: a control-plane unit would start on a worker
        - unit-file-changed: systemd has not read the unit file that lies on disk
        - unknown-field: the kubelet does not know a field of its configuration
        - sysctl-differs: the next boot sets another value
        - route-by-hand: a route that nothing seems to set at boot
    """
    yield from of_files(units, arguments, files)
    yield from _strays(units, nodes, kubeadm, expect)
    yield from _changed(units)
    yield from of_fields(units, log)
    yield from _settings(sysctls)
    if routing and links and manager and nodes:
        yield from _routes(routing, links, manager, nodes)


def _is_control_plane(found: Node, listed: set[str]) -> bool:
    roles = found.control_plane or any(t.key.startswith("node-role.kubernetes.io/") for t in found.spec.taints or ())
    return roles or bool({found.name, *(a.address for a in found.status.addresses or ())} & listed)


def _strays(
    units: HostUnits, nodes: Nodes | None, kubeadm: KubeadmHosts | None, expect: Expectations | None
) -> Iterator[Finding]:
    here = nodes.get(units.node) if nodes else None
    listed = {*(kubeadm.names + kubeadm.addresses if kubeadm else ()), *(expect.control_plane_hosts if expect else ())}
    known = bool(listed) or any(n.control_plane for n in (nodes.items if nodes else ()))
    if here is None or not known or _is_control_plane(here, listed) or units.agent:
        return
    enabled = tuple(n for n in COMPONENTS if (u := units.get(n)) and u.starts_at_boot)
    if not enabled:
        return
    title = T(
        "{units} are enabled on {node}, which is a worker: the next boot starts them", units=enabled, node=here.name
    )
    fix = Fix(
        what=T("On the node: keep {units} from starting at boot.", units=enabled),
        safety=Safety.REVERSIBLE,
        commands=(f"sudo systemctl disable {' '.join(enabled)}",),
        verify=(f"systemctl is-enabled {' '.join(enabled)}",),
        undo=(f"sudo systemctl enable {' '.join(enabled)}",),
    )
    shown = units.proof.quote(*(f"Id={n}.service UnitFileState=enabled" for n in enabled))
    yield trap(
        name=here.name,
        reason="stray-unit-enabled",
        title=title,
        severity=Severity.HIGH,
        facts={"unit": enabled},
        proof=shown,
        fix=fix,
    )


def _changed(units: HostUnits) -> Iterator[Finding]:
    changed = tuple(u.name for u in units.by_name.values() if u.need_reload and u.running)
    if not changed:
        return
    title = T("unit files of {node} changed after their start: {units}", node=units.node, units=changed)
    fix = Fix(
        what=T("On the node: read what changed, then let systemd load it; restart the units at a quiet time."),
        safety=Safety.REVERSIBLE,
        commands=(f"systemctl cat {_words(changed)} --no-pager", "sudo systemctl daemon-reload"),
        verify=(f"systemctl show -p NeedDaemonReload {_words(changed)}",),
    )
    shown = units.proof.quote(*(f"Id={n}.service NeedDaemonReload=yes" for n in changed))
    yield trap(
        name=units.node,
        reason="unit-file-changed",
        title=title,
        severity=Severity.WARN,
        facts={"unit": changed},
        proof=shown,
        fix=fix,
    )


def _words(names: tuple[str, ...]) -> str:
    return " ".join(shlex.quote(n) for n in names)


def _settings(sysctls: Sysctls | None) -> Iterator[Finding]:
    if sysctls is None or sysctls.files is None:
        return
    for name in (*MATTER, *LIMITS):
        now, then = sysctls.values.get(name), sysctls.files.get(name, ())
        if now is None or not then or now in then:
            continue
        title = T(
            "{setting} of {node} is {now}, but the next boot sets it to {then}",
            setting=name,
            node=sysctls.node,
            now=now,
            then=then[-1],
        )
        fix = Fix(
            what=T("On the node: let the file say what is meant.", setting=name),
            safety=Safety.REVERSIBLE,
            commands=(
                f"grep -rn {shlex.quote(name)} /etc/sysctl.conf /etc/sysctl.d /usr/lib/sysctl.d",
                f"echo {shlex.quote(f'{name} = {now}')} | sudo tee /etc/sysctl.d/99-zz-kubernetes.conf",
            ),
            verify=("sudo sysctl --system",),
            undo=("sudo rm /etc/sysctl.d/99-zz-kubernetes.conf",),
        )
        shown = sysctls.proof.quote(f"in force: {name} = {now}", *(f"on disk: {name} = {v}" for v in then))
        severity = Severity.HIGH if name in MATTER else Severity.WARN
        yield trap(
            name=sysctls.node,
            reason="sysctl-differs",
            title=title,
            severity=severity,
            facts={"setting": name},
            proof=shown,
            fix=fix,
        )


def _routes(routing: RoutingRules, links: Links, manager: NetworkManager, nodes: Nodes) -> Iterator[Finding]:
    found = tuple(by_hand(routing, links, manager, nodes))
    if not found:
        return
    words = tuple(f"{r.destination} via {r.gateway} dev {r.device}" for r in found)
    fix = Fix(
        what=T("On the node: see whether a script sets them at boot; else write them to the network's configuration."),
        safety=Safety.READ_ONLY,
        commands=(
            "ip route show table main",
            f"grep -rns -e {' -e '.join(shlex.quote(r.destination) for r in found)} {PLACES}",
        ),
    )
    yield trap(
        name=routing.node,
        reason="route-by-hand",
        title=T("nothing seems to set these routes of {node} at boot: {routes}", node=routing.node, routes=words),
        severity=Severity.WARN,
        facts={"setting": words},
        proof=routing.proof.quote(*words),
        fix=fix,
        confidence=Confidence.POSSIBLE,
    )
