"""NET-17: the kernel drops packets that came by another way than their answer would take."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.check import check
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import KernelLog, Links, Sysctls
from bot.model.host_traffic import ReversePath, strict_interfaces
from bot.model.lines import current
from bot.model.refs import node
from bot.model.text import T

ALL, FILE = "net.ipv4.conf.all.rp_filter", "/etc/sysctl.d/99-kubernetes-rp-filter.conf"
_MARTIAN = re.compile(r"martian source \S+ from \S+, on dev (\S+)")


@check("NET-17")
def strict_reverse_path(
    drops: ReversePath, sysctls: Sysctls, links: Links, clock: Clock, kernel: KernelLog | None
) -> Iterator[Finding]:
    """Strict reverse-path filtering drops traffic whose way back leads through another network card.

    Says:
        "Since the systemd update pods with an own network card lose packets."
    Evidence:
        rp_filter of every interface; the kernel's count of drops, read twice; "martian source" in its log.
    Rule:
        An interface of a machine with several network cards filters strictly, and the count grows while it is watched.
        Confirmed when the kernel's log names such packets.
    Cause:
        A strict default after an update of systemd or a change of sysctl. It explains APP-02, NET-03.
    Fix:
        Set rp_filter to 2 (loose), or to 0 for the interfaces of pods, and in a file for the next boot.
    Verify:
        The count stands still.
    Must not fire:
        Machines with one network card: there is no other way back.
    Reasons:
        - drops-grow: packets were dropped while the count was watched
    """
    strict = strict_interfaces(sysctls, links)
    if not strict or drops.grown <= 0:
        return
    martians = [x.text for x in current(kernel.lines if kernel else (), _MARTIAN, clock)]
    modes = [f"net.ipv4.conf.{n}.rp_filter={sysctls.values.get(f'net.ipv4.conf.{n}.rp_filter', '')}" for n in strict]
    yield Finding(
        code="NET-17",
        reason="drops-grow",
        title=T("{node} drops packets that would be answered by another network card", node=drops.node),
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED if martians else Confidence.LIKELY,
        subject=node(drops.node),
        facts={"node": drops.node, "interfaces": strict, "dropped": drops.grown},
        proofs=(
            drops.proof.quote(f"TcpExtIPReversePathFilter: {drops.readings[0]}, 3 s later {drops.readings[-1]}"),
            sysctls.proof.quote(*modes[:6]),
            *((kernel.proof.quote(*martians[-2:]),) if kernel and martians else ()),
        ),
        fixes=(_loosen(sysctls),),
    )


def _loosen(sysctls: Sysctls) -> Fix:
    """The kernel takes the higher of ``all`` and an interface's own value, so one setting loosens them all."""
    old = sysctls.values.get(ALL, "0")
    return Fix(
        what=T("On the node: filter loosely, now and at every boot."),
        safety=Safety.REVERSIBLE,
        commands=(f"sudo sysctl -w {ALL}=2", f"echo {ALL}=2 | sudo tee {FILE}"),
        verify=("nstat -asz TcpExtIPReversePathFilter",),
        undo=(f"sudo sysctl -w {shlex.quote(f'{ALL}={old}')}", f"sudo rm {FILE}"),
    )
