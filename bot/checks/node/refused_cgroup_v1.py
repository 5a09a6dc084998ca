"""NODE-15: the kubelet refuses a host with cgroup v1."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.node.about import Around, kubelet_of, last_start, matching, restart
from bot.model.cluster import Heartbeats, Nodes
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity, Stage
from bot.model.host import HostUnits, KubeletArguments, KubeletHealth, KubeletLog, NodeIdentity, Unit
from bot.model.host_resources import Cgroups, KubeletSettings
from bot.model.refs import node
from bot.model.text import T

_REFUSED = re.compile(r"kubelet is configured to not run on a host using cgroup v1")
CONFIG = "/var/lib/kubelet/config.yaml"
SUPPORTED, REFUSING = 28, 35  # the first minor version that is judged, the first that refuses


@check("NODE-15")
def refused_cgroup_v1(
    *,
    units: HostUnits,
    log: KubeletLog,
    clock: Clock,
    health: KubeletHealth | None,
    nodes: Nodes | None,
    beats: Heartbeats | None,
    identity: NodeIdentity | None,
    cgroups: Cgroups | None,
    settings: KubeletSettings | None,
    arguments: KubeletArguments | None,
) -> Iterator[Finding]:
    """The kubelet (1.35 or newer) does not start on a host that uses cgroup v1, or will not after its upgrade.

    Says:
        "The kubelet does not start after the upgrade to 1.35."
    Evidence:
        The last start attempt in the kubelet's log; the type of /sys/fs/cgroup; failCgroupV1 in the configuration.
    Rule:
        The kubelet does not run and its last start attempt says so. A kubelet of 1.28 to 1.34 that runs on such a host
        is a warning: the upgrade to 1.35 will stop it; possible where its configuration could not be read.
    Cause:
        failCgroupV1 is true by default since 1.35. It explains NODE-03.
    Fix:
        Boot the host with cgroup v2; until then set failCgroupV1 to false.
    Verify:
        The kubelet stays active.
    Must not fire:
        An older kubelet that runs on such a host (a hybrid hierarchy is one) is only warned of; one whose configuration
        sets failCgroupV1 to false is not.
    Reasons:
        - cgroup-v1: the host uses cgroup v1
        - next-upgrade: the kubelet runs, and 1.35 will not on this host
    """
    kubelet = kubelet_of(units)
    around = Around(node=units.node, clock=clock, nodes=nodes, beats=beats, identity=identity, health=health)
    config = arguments.flags.get("config", CONFIG) if arguments else CONFIG
    hit = matching(last_start(log, kubelet), _REFUSED) if kubelet and kubelet.down else None
    if kubelet is not None and hit is not None:
        yield _refused(around, kubelet, log, hit[1].text, config)
    elif (
        kubelet is not None
        and kubelet.running
        and cgroups is not None
        and _upgrade_will_stop(around, cgroups, settings)
    ):
        yield _latent(around, cgroups, settings)


def _upgrade_will_stop(around: Around, cgroups: Cgroups, settings: KubeletSettings | None) -> bool:
    info = around.object.status.node_info if around.object else None
    minor = re.match(r"v1\.(\d+)", info.kubelet_version) if info else None
    allowed = settings is not None and settings.off("failCgroupV1")
    return not cgroups.unified and not allowed and minor is not None and SUPPORTED <= int(minor[1]) < REFUSING


def _refused(around: Around, kubelet: Unit, log: KubeletLog, line: str, config: str) -> Finding:
    onset = around.down_since(kubelet, log)
    path, setting = shlex.quote(config), "failCgroupV1: false"
    return Finding(
        code="NODE-15",
        reason="cgroup-v1",
        title=T("the kubelet of {node} does not run on a host with cgroup v1", node=around.node),
        severity=around.severity(Severity.CRIT, onset),
        confidence=around.confidence(),
        subject=node(around.node),
        facts={"node": around.node, "component": "kubelet", "active": "false"},
        onset=onset,
        proofs=(log.proof.quote(line), *around.proofs()),
        fixes=(
            restart(
                T("On the node: allow cgroup v1 until the host boots with cgroup v2."),
                f"sudo sed -i.bak -e '/^failCgroupV1:/d' -e '$a {setting}' {path}",
                "sudo systemctl restart kubelet",
                undo=(f"sudo cp -p {shlex.quote(f'{config}.bak')} {path}",),
            ),
        ),
    )


def _latent(around: Around, cgroups: Cgroups, settings: KubeletSettings | None) -> Finding:
    version = around.object.status.node_info.kubelet_version if around.object else ""
    return Finding(
        code="NODE-15",
        reason="next-upgrade",
        title=T("the upgrade to 1.35 will stop the kubelet of {node}: the host uses cgroup v1", node=around.node),
        severity=Severity.WARN,
        confidence=Confidence.CONFIRMED if settings else Confidence.POSSIBLE,
        subject=node(around.node),
        facts={"node": around.node, "component": "kubelet", "active": "true"},
        proofs=(
            cgroups.proof.quote(f"/sys/fs/cgroup: {cgroups.proof.body.partition(chr(10))[0]}"),
            *((around.nodes.proof.quote(f"{around.node}: kubeletVersion={version}"),) if around.nodes else ()),
        ),
        fixes=(
            Fix(
                what=T("Before the upgrade: drain the node, boot its host with cgroup v2."),
                safety=Safety.DISRUPTIVE,
                commands=(
                    f"kubectl drain {shlex.quote(around.node)} --ignore-daemonsets --delete-emptydir-data",
                    "sudo grubby --update-kernel=ALL --args=systemd.unified_cgroup_hierarchy=1",
                    "sudo systemctl reboot",
                    f"kubectl uncordon {shlex.quote(around.node)}",
                ),
                verify=("stat -fc %T /sys/fs/cgroup",),
                stage=Stage.POSTURE,
            ),
        ),
    )
