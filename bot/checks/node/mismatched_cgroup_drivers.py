"""NODE-14: kubelet and runtime manage cgroups in different ways, or the kubelet's hierarchy is gone."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.node.about import Around, kubelet_of, last_start, matching
from bot.model.cluster import Heartbeats, LogLine, Nodes
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import HostUnits, KubeletArguments, KubeletHealth, KubeletLog, NodeIdentity, Unit
from bot.model.host_resources import KubeletSettings, RuntimeDriver
from bot.model.lines import in_window, is_current
from bot.model.refs import node
from bot.model.text import T, Text

_GONE = re.compile(
    r"[Ff]ailed to (?:start ContainerManager|initiali[sz]e top level QOS containers)"
    r".*root container .*(?:doesn't|does not) exist"
)
_DOCKER = re.compile(
    r'kubelet cgroup driver: "(?P<kubelet>\w+)" is different from docker cgroup driver: "(?P<runtime>\w+)"'
)
_PATH = re.compile(r'expected cgroupsPath to be of format "slice:prefix:name" for systemd cgroups, got')
CONFIG, CONTAINERD = "/var/lib/kubelet/config.yaml", "/etc/containerd/config.toml"
DAEMON = "/etc/docker/daemon.json"
ASKS_RUNTIME = 31  # from this minor version on, the kubelet takes the driver from a runtime that tells it
TELLING = re.compile(r"^(?:containerd://(?:[2-9]|\d\d)|cri-o://1\.(?:2[89]|[3-9]\d))")


@check("NODE-14")
def mismatched_cgroup_drivers(
    *,
    units: HostUnits,
    clock: Clock,
    log: KubeletLog | None,
    settings: KubeletSettings | None,
    arguments: KubeletArguments | None,
    runtime: RuntimeDriver | None,
    nodes: Nodes | None,
    beats: Heartbeats | None,
    health: KubeletHealth | None,
    identity: NodeIdentity | None,
) -> Iterator[Finding]:
    """The kubelet and the container runtime of a node use different cgroup drivers.

    Says:
        "The kubelet does not restart: failed to initialize top level QOS containers".
    Evidence:
        The kubelet's last start, its current log, its configuration and flags, the runtime's configuration.
    Rule:
        The kubelet's last start failed at the drivers or at a cgroup hierarchy that is gone; or pods fail now because
        of the form of a cgroup path; or both configurations are known and differ. Confirmed when the log and the
        configurations, or the API, agree.
    Cause:
        Kubelet and runtime use different cgroup managers, or the driver was changed and the old hierarchy was left. It
        explains NODE-03, and pods that cannot be made.
    Fix:
        One driver everywhere (systemd): drain the node, change the setting, reboot the host.
    Verify:
        The kubelet is active, and /sys/fs/cgroup/kubepods.slice exists.
    Must not fire:
        Both agree on cgroupfs; a kubelet that takes the driver from its runtime; a docker that it does not use.
    Reasons:
        - drivers-differ: the two are set to different drivers
        - hierarchy-gone: the kubelet's top cgroup does not exist
        - cgroups-path: pods fail because the runtime expects paths of the other driver
    """
    kubelet = kubelet_of(units)
    if kubelet is None:
        return
    around = Around(node=units.node, clock=clock, nodes=nodes, beats=beats, identity=identity, health=health)
    reason, lines = _said(kubelet, log, clock)
    ours, theirs = _ours(settings, arguments), _theirs(runtime, around)
    differ = bool(ours and theirs and ours != theirs) and _decides_itself(around)
    if not lines and not differ:
        return
    confirmed = bool(lines) and (differ or (kubelet.down and around.silent))
    onset = around.down_since(kubelet, log) if kubelet.down and lines else lines[0].at if lines else None
    yield Finding(
        code="NODE-14",
        reason=reason or "drivers-differ",
        title=_title(units.node, reason, ours, theirs),
        severity=around.severity(Severity.CRIT if lines else Severity.HIGH, onset),
        confidence=Confidence.CONFIRMED if confirmed else Confidence.LIKELY,
        subject=node(units.node),
        facts={
            "node": units.node,
            "component": "kubelet",
            "kubelet_driver": ours,
            "runtime_driver": theirs,
            "at_start": "true" if kubelet.down and lines else "false",
        },
        onset=onset,
        proofs=(
            *((log.proof.quote(lines[-1].text),) if log and lines else ()),
            *((settings.proof,) if settings and differ else ()),
            *((runtime.proof,) if runtime and differ else ()),
            *(around.proofs() if lines else ()),
        ),
        fixes=_fixes(units.node, docker=_uses_docker(around)),
    )


def _said(kubelet: Unit, log: KubeletLog | None, clock: Clock) -> tuple[str, tuple[LogLine, ...]]:
    """What the log says: of a kubelet that is down its last start, of one that runs what is current and its own."""
    if kubelet.down:
        start = last_start(log, kubelet)
        for pattern, reason in ((_DOCKER, "drivers-differ"), (_GONE, "hierarchy-gone")):
            if hit := matching(start, pattern):
                return reason, (hit[1],)
        return "", ()
    lines = tuple(x for x in in_window(log.lines, clock, kubelet.active_since) if _PATH.search(x.text)) if log else ()
    return ("cgroups-path", lines) if is_current(lines, clock) else ("", ())


def _ours(settings: KubeletSettings | None, arguments: KubeletArguments | None) -> str:
    """The kubelet's driver; empty when its flags or the file that it reads are not known."""
    if arguments is None:
        return ""
    if flag := arguments.flags.get("cgroup-driver"):
        return flag
    if settings is None or arguments.flags.get("config") != CONFIG:
        return ""
    return settings.values.get("cgroupDriver", "cgroupfs").strip("\"'")


def _theirs(runtime: RuntimeDriver | None, around: Around) -> str:
    """The driver of the runtime that the kubelet uses; another one on the same host has no say."""
    if runtime is None or around.object is None:
        return ""
    return runtime.docker if _uses_docker(around) else runtime.driver


def _uses_docker(around: Around) -> bool:
    info = around.object.status.node_info if around.object else None
    return info is not None and info.container_runtime_version.startswith("docker://")


def _decides_itself(around: Around) -> bool:
    """Whether it is known that this kubelet does not ask its runtime for the driver; else its setting means nothing."""
    info = around.object.status.node_info if around.object else None
    minor = re.match(r"v1\.(\d+)", info.kubelet_version) if info else None
    if info is None or minor is None:
        return False
    return int(minor[1]) < ASKS_RUNTIME or TELLING.match(info.container_runtime_version) is None


def _title(name: str, reason: str, ours: str, theirs: str) -> Text:
    if reason == "hierarchy-gone":
        return T("the kubelet of {node} cannot start: its top cgroup does not exist", node=name)
    if ours and theirs and ours != theirs:
        return T(
            "kubelet and container runtime of {node} use different cgroup drivers: {ours} and {theirs}",
            node=name,
            ours=ours,
            theirs=theirs,
        )
    return T("kubelet and container runtime of {node} use different cgroup drivers", node=name)


def _fixes(name: str, *, docker: bool) -> tuple[Fix, ...]:
    look = Fix(
        what=T("On the node: compare what the two are set to."),
        safety=Safety.READ_ONLY,
        commands=(
            f"sudo grep cgroupDriver {CONFIG}",
            "docker info -f '{{.CgroupDriver}}'" if docker else f"sudo grep -n SystemdCgroup {CONTAINERD}",
        ),
    )
    here = shlex.quote(name)
    file = DAEMON if docker else CONTAINERD
    set_theirs = (
        f"sudo vi {file}" if docker else f"sudo sed -i.bak 's/SystemdCgroup = false/SystemdCgroup = true/' {file}"
    )
    again = Fix(
        what=T("Drain the node, set both to systemd (docker: exec-opts native.cgroupdriver=systemd), reboot the host.")
        if docker
        else T("Drain the node, set both to systemd, then reboot the host; all its pods move."),
        safety=Safety.DISRUPTIVE,
        commands=(
            f"kubectl drain {here} --ignore-daemonsets --delete-emptydir-data",
            set_theirs,
            f"sudo sed -i.bak -e '/^cgroupDriver:/d' -e '$a cgroupDriver: systemd' {CONFIG}",
            "sudo systemctl reboot",
            f"kubectl uncordon {here}",
        ),
        verify=("systemctl is-active kubelet", "ls -d /sys/fs/cgroup/kubepods.slice"),
        undo=(f"sudo cp -p {file}.bak {file}", f"sudo cp -p {CONFIG}.bak {CONFIG}", "sudo systemctl reboot"),
    )
    return look, again
