"""NODE-24: cgroups and systemd scopes are left behind until no more can be made."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.node.about import Around
from bot.model.cluster import Nodes
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import ContainerRuntime, KubeletLog
from bot.model.host_resources import Cgroups
from bot.model.lines import current
from bot.model.refs import node
from bot.model.text import T, Text

_MKDIR = re.compile(r"mkdir /sys/fs/cgroup/\S+: (?:no space left on device|cannot allocate memory)")
_EXISTS = re.compile(r"[Uu]nit \S+ already exists")
MANY, SCOPES, EACH, FLOOR, CROWDED = 20_000, 2_000, 20, 2_000, 300


@check("NODE-24")
def leaked_cgroups(
    *,
    cgroups: Cgroups,
    clock: Clock,
    runtime: ContainerRuntime | None,
    log: KubeletLog | None,
    nodes: Nodes | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """Cgroups or systemd scopes of a node leak.

    Says:
        "No space left on /sys/fs/cgroup", "the kubelet's CPU grows with every CronJob".
    Evidence:
        The number of memory cgroups, of scopes, of running containers; the kubelet's log.
    Rule:
        More than 20,000 memory cgroups, or more than 20 for each running container (from 2,000 on: the system has its
        own), or more than 2,000 scopes. Critical when cgroups can no longer be made. Confirmed when the log says so.
    Cause:
        An old systemd or kernel leaks a scope with every mount or pod; CronJobs multiply it. It explains pods that
        cannot be made, a hanging kubelet, and growing memory of the kubelet (NODE-26).
    Fix:
        Upgrade systemd and kernel (cgroup v2); a reboot clears what is there.
    Verify:
        The number is back at what containers and services need.
    Must not fire:
        A node with more than 300 running containers, as long as there are no more than 20 for each.
    Reasons:
        - cannot-create: new cgroups cannot be made any more
        - cgroups: there are far more cgroups than containers need
        - scopes: systemd holds thousands of scopes
    """
    limits = expect.thresholds.get("NODE-24", {}) if expect else {}
    known = runtime.containers if runtime else None
    count = sum(c.state == "running" for c in known) if known is not None else None
    lines = current(log.lines, _MKDIR, clock) if log else ()
    uneven = count is not None and cgroups.memory > max(EACH * count, FLOOR)
    crowded = count is not None and count > CROWDED
    many = uneven or (cgroups.memory > limits.get("cgroups", MANY) and not crowded)
    scopes = cgroups.scopes > limits.get("scopes", SCOPES)
    if not many and not scopes:
        return
    reason = "cannot-create" if lines else "cgroups" if many else "scopes"
    told = [*lines, *(current(log.lines, _EXISTS, clock) if log else ())]
    onset = next((x.at for x in told if x.at), None)
    usual = Severity.CRIT if lines else Severity.HIGH
    yield Finding(
        code="NODE-24",
        reason=reason,
        title=_title(reason, cgroups),
        severity=Around(node=cgroups.node, clock=clock, nodes=nodes).severity(usual, onset),
        confidence=Confidence.CONFIRMED if told else Confidence.LIKELY,
        subject=node(cgroups.node),
        facts={
            "node": cgroups.node,
            "cgroups": cgroups.memory,
            "scopes": cgroups.scopes,
            "containers": count or 0,
            **({"said": bool(told)} if log else {}),
        },
        onset=onset,
        proofs=(
            cgroups.proof.quote(
                f"memory cgroups: {cgroups.memory}; scopes: {cgroups.scopes}, run-*: {cgroups.transient}"
            ),
            *((log.proof.quote(*(x.text for x in told[-2:])),) if log and told else ()),
        ),
        fixes=_fixes(cgroups.node),
    )


def _title(reason: str, cgroups: Cgroups) -> Text:
    if reason == "cannot-create":
        return T("no more cgroups can be made on {node}: {count} are held", node=cgroups.node, count=cgroups.memory)
    if reason == "cgroups":
        return T("{count} memory cgroups are held on {node}", count=cgroups.memory, node=cgroups.node)
    return T("systemd holds {count} scopes on {node}", count=cgroups.scopes, node=cgroups.node)


def _fixes(name: str) -> tuple[Fix, ...]:
    quoted = shlex.quote(name)
    look = Fix(
        what=T("On the node: see which scopes are left behind."),
        safety=Safety.READ_ONLY,
        commands=("systemctl list-units --type=scope --all --no-legend --plain 'run-*' | tail -20",),
    )
    clear = Fix(
        what=T("Drain the node and reboot it, which clears them; then upgrade systemd and the kernel."),
        safety=Safety.DISRUPTIVE,
        commands=(
            f"kubectl drain {quoted} --ignore-daemonsets --delete-emptydir-data",
            "sudo systemctl reboot",
            f"kubectl uncordon {quoted}",
        ),
        verify=("cat /proc/cgroups",),
    )
    return look, clear
