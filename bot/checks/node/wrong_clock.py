"""NODE-08: the node's clock is wrong or nobody keeps it right."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

from bot.check import Result, check
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, RuledOut, Safety, Severity
from bot.model.host import HostUnits, KubeletLog, NodeClock, StaticManifests
from bot.model.lines import current
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T, Text

_NOT_YET = re.compile(r"certificate has expired or is not yet valid: current time \S+ is before ")
DEFAULTS: Mapping[str, float] = {"seconds": 2.0, "etcd_seconds": 0.5}


@check("NODE-08")
def wrong_clock(
    *,
    clock: NodeClock,
    now: Clock,
    manifests: StaticManifests | None,
    units: HostUnits | None,
    log: KubeletLog | None,
    expect: Expectations | None,
) -> Iterator[Result]:
    """The node's clock is off, or its time service is not synchronised.

    Says:
        "x509: certificate is not yet valid", "etcd complains about the clock", "tokens are rejected".
    Evidence:
        date on the node against the API server's Date header; what timedatectl and chrony or ntpd say; certificates
        that the kubelet's log now calls not yet valid.
    Rule:
        Off by more than 2 s: high; by more than 0.5 s on an etcd member: warn; a time service that runs without being
        synchronised, with a small offset: info. The uncertainty of the measurement is taken off first. Confirmed when
        the time service sees the offset too; one that is not synchronised sees nothing.
    Cause:
        NTP is down or blocked, or the machine was suspended. It explains certificates that are "not yet valid" and a
        misleading order of logs.
    Fix:
        Start the time service and step the clock.
    Verify:
        The offset is below 0.1 s.
    Must not fire:
        "NTPSynchronized=no" on machines whose hypervisor keeps the time (no time service runs, the offset is small).
    Reasons:
        - skewed: off by more than the limit
        - skewed-etcd-member: off by more than an etcd member may be
        - not-synchronised: a time service runs but is not synchronised
    """
    limits = {**DEFAULTS, **(expect.thresholds.get("NODE-08", {}) if expect else {})}
    measured = max(0.0, abs(clock.offset) - clock.uncertainty) if clock.offset is not None else None
    daemon = None if clock.synchronised is False else clock.daemon_offset
    known = [v for v in (measured, daemon) if v is not None]
    off = max(known, default=0.0)
    if off > limits["seconds"]:
        agree = len([v for v in known if v > limits["seconds"]]) > 1
        confidence = Confidence.CONFIRMED if agree else Confidence.LIKELY
        title = _title(clock, measured, limits["seconds"], off)
        yield _finding(clock, "skewed", Severity.HIGH, confidence, title, refused=_not_yet_valid(log, units, now))
    elif _is_etcd(manifests, units) and off > limits["etcd_seconds"]:
        title = _title(clock, measured, limits["etcd_seconds"], off)
        yield _finding(clock, "skewed-etcd-member", Severity.WARN, Confidence.LIKELY, title)
    elif clock.ntp and clock.synchronised is False:
        title = T("the time service of {node} is not synchronised", node=clock.node)
        yield _finding(clock, "not-synchronised", Severity.INFO, Confidence.POSSIBLE, title)
    elif known and (most := _most(clock, daemon)) <= limits["seconds"]:
        shown = round(most, 2)
        because = T("the clock of {node} is right (off by {seconds} s at most)", node=clock.node, seconds=shown)
        yield RuledOut(code="NODE-08", subject=node(clock.node), because=because, proofs=(clock.proof,))


def _most(clock: NodeClock, daemon: float | None) -> float:
    """How far off it may be: as far as was measured and the measurement is uncertain, else what its service says."""
    return daemon or 0.0 if clock.offset is None else abs(clock.offset) + clock.uncertainty


def _is_etcd(manifests: StaticManifests | None, units: HostUnits | None) -> bool:
    """Whether a member of etcd runs here, from a manifest or as a unit."""
    unit = units.get("etcd") if units else None
    return (manifests is not None and "etcd" in manifests.control_plane) or (unit is not None and unit.running)


def _not_yet_valid(log: KubeletLog | None, units: HostUnits | None, now: Clock) -> Proof | None:
    """What the kubelet says of certificates that begin in its future."""
    kubelet = units.kubelet if units else None
    hits = current(log.lines, _NOT_YET, now, kubelet.active_since if kubelet else None) if log else ()
    return log.proof.quote(hits[-1].text) if log and hits else None


def _finding(
    clock: NodeClock,
    reason: str,
    severity: Severity,
    confidence: Confidence,
    title: Text,
    *,
    refused: Proof | None = None,
) -> Finding:
    facts: dict[str, str | int | float | bool | tuple[str, ...]] = {"node": clock.node, "refuses": refused is not None}
    if clock.offset is not None:
        facts["offset_seconds"] = round(clock.offset, 3)
    return Finding(
        code="NODE-08",
        reason=reason,
        title=title,
        severity=severity,
        confidence=confidence,
        subject=node(clock.node),
        facts=facts,
        proofs=(clock.proof, *((refused,) if refused else ())),
        fixes=(_fix(clock),),
    )


def _fix(clock: NodeClock) -> Fix:
    """By the time service that answers; where none does, chrony, as most systems have it."""
    chrony = clock.daemon_offset is not None or not clock.ntp
    return Fix(
        what=T("On the node: start the time service and set the clock at once; programs see time jump."),
        safety=Safety.REVERSIBLE,
        commands=("sudo systemctl enable --now chronyd", "sudo chronyc makestep")
        if chrony
        else ("sudo timedatectl set-ntp true", "sudo systemctl restart systemd-timesyncd"),
        verify=("chronyc tracking", "timedatectl") if chrony else ("timedatectl timesync-status", "timedatectl"),
    )


def _title(clock: NodeClock, measured: float | None, limit: float, off: float) -> Text:
    """By the API server's time where that shows the fault; a time service tells no direction."""
    if clock.offset is None or measured is None or measured <= limit:
        return T(
            "the clock of {node} is {seconds} s off, says its time service", node=clock.node, seconds=round(off, 1)
        )
    if clock.offset < 0:
        return T("the clock of {node} is {seconds} s behind", node=clock.node, seconds=round(-clock.offset, 1))
    return T("the clock of {node} is {seconds} s ahead", node=clock.node, seconds=round(clock.offset, 1))
