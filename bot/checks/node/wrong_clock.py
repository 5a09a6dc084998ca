"""NODE-08: the node's clock is wrong or nobody keeps it right."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

from bot.check import Result, check
from bot.model.evidence import Expectations
from bot.model.finding import Confidence, Finding, Fix, RuledOut, Safety, Severity
from bot.model.host import NodeClock, StaticManifests
from bot.model.refs import node
from bot.model.text import T, Text

DEFAULTS: Mapping[str, float] = {"seconds": 2.0, "etcd_seconds": 0.5}


@check("NODE-08")
def wrong_clock(clock: NodeClock, manifests: StaticManifests | None, expect: Expectations | None) -> Iterator[Result]:
    """The node's clock is off, or its time service is not synchronised.

    Says:
        "x509: certificate is not yet valid", "etcd complains about the clock", "tokens are rejected".
    Evidence:
        date on the node against the API server's Date header; what timedatectl and chrony or ntpd say.
    Rule:
        Off by more than 2 s: high; by more than 0.5 s on an etcd member: warn; a time service that runs without being
        synchronised, with a small offset: info. The uncertainty of the measurement is taken off first. Confirmed when
        the time service sees the offset too.
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
    known = [v for v in (measured, clock.daemon_offset) if v is not None]
    if not known:
        return
    off = max(known)
    etcd = manifests is not None and "etcd" in manifests.control_plane
    if off > limits["seconds"]:
        agree = len([v for v in known if v > limits["seconds"]]) > 1
        yield _finding(clock, "skewed", Severity.HIGH, Confidence.CONFIRMED if agree else Confidence.LIKELY)
    elif etcd and off > limits["etcd_seconds"]:
        yield _finding(clock, "skewed-etcd-member", Severity.WARN, Confidence.LIKELY)
    elif clock.ntp and clock.synchronised is False:
        yield _finding(clock, "not-synchronised", Severity.INFO, Confidence.POSSIBLE)
    else:
        shown = round(max(known), 2)
        because = T("the clock of {node} is right (off by {seconds} s at most)", node=clock.node, seconds=shown)
        yield RuledOut(code="NODE-08", subject=node(clock.node), because=because, proofs=(clock.proof,))


def _finding(clock: NodeClock, reason: str, severity: Severity, confidence: Confidence) -> Finding:
    offset = clock.offset if clock.offset is not None else clock.daemon_offset or 0.0
    fix = Fix(
        what=T("On the node: start the time service and set the clock at once; programs see time jump."),
        safety=Safety.REVERSIBLE,
        commands=("sudo systemctl enable --now chronyd", "sudo chronyc makestep"),
        verify=("chronyc tracking", "timedatectl"),
    )
    return Finding(
        code="NODE-08",
        reason=reason,
        title=_title(clock.node, reason, offset),
        severity=severity,
        confidence=confidence,
        subject=node(clock.node),
        facts={"node": clock.node, "offset_seconds": round(offset, 3)},
        proofs=(clock.proof,),
        fixes=(fix,),
    )


def _title(name: str, reason: str, offset: float) -> Text:
    if reason == "not-synchronised":
        return T("the time service of {node} is not synchronised", node=name)
    if offset < 0:
        return T("the clock of {node} is {seconds} s behind", node=name, seconds=round(-offset, 1))
    return T("the clock of {node} is {seconds} s ahead", node=name, seconds=round(offset, 1))
