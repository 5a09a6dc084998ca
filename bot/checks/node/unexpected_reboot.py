"""NODE-30: the node booted without anybody having announced it."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import datetime, timedelta

from bot.check import check
from bot.checks.node.about import PLANNED, Around
from bot.model.cluster import NodeEvents, Nodes
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import BootHistory, HostUnits, NodeIdentity
from bot.model.k8s import Event, Node
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T, Text

ANNOUNCED = timedelta(minutes=30)
NEW = timedelta(minutes=15)
KEPT = timedelta(hours=1)  # how long an API server keeps events, unless it is told otherwise
MARKS = frozenset(
    {"NodeNotSchedulable", "Drain", "DrainStarted", "NodeDrained", "Reboot", "OSUpgradeStarted", "Cordon"}
)
MORE = 2  # boots on record, of which the newest cannot be the first
NETWORK_UNITS = frozenset({"ufw", "firewalld"})


@check("NODE-30")
def unexpected_reboot(
    *,
    identity: NodeIdentity,
    clock: Clock,
    boots: BootHistory | None,
    events: NodeEvents | None,
    nodes: Nodes | None,
    units: HostUnits | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """The node rebooted and nobody had announced it.

    Says:
        "The node restarted by itself, and since then …"
    Evidence:
        Uptime and boot id on the node, the boot id in the node object, the Rebooted event, last -x, cordon events.
    Rule:
        Up for less than 24 h and not announced. Confirmed when the API server saw the boot too; only possible after an
        orderly shutdown (or one of which nothing is known) when the node's events, which announce it, could not be read
        or are gone (they are kept for an hour), or when nothing shows that the host ran before: then it is information.
    Cause:
        A crash, a power failure, maintenance of the host. A boot exposes faults that were there before: NODE-04,
        CTRL-09, NET-01, NET-02, NODE-05, NODE-10 are "exposed by" it.
    Fix:
        Compare what the boot changed (units that are enabled and do not run, interfaces, routes, mounts) and
        repair that.
    Verify:
        A second, planned reboot comes up clean.
    Must not fire:
        A planned reboot (cordoned or drained within 30 min before, kured, machine configuration, upgrade); the
        first boot of a new machine; a host that is no node, whose record of boots begins at this one.
    Reasons:
        - crashed: no orderly shutdown precedes the boot
        - restarted: an orderly shutdown precedes it, or nothing is known about it
    """
    hours = (expect.thresholds.get("NODE-30", {}) if expect else {}).get("hours", 24)
    machine = nodes.get(identity.node) if nodes else None
    seen = tuple(events.items) if events else ()
    if clock.age(identity.booted) > hours * 3600 or _is_new(machine, identity.booted):
        return
    if nodes is not None and machine is None and boots is not None and boots.boots == 1:
        return  # it never was a node, and its record begins here: a first boot
    if _announced(machine, seen, identity.booted):
        return
    event = next((e for e in seen if _tells_of(e, identity)), None)
    changed = machine is not None and machine.status.node_info.boot_id not in {"", identity.boot_id}
    idle = _not_started(units)
    proofs: list[Proof] = [identity.proof.quote(f"boot id {identity.boot_id}, up since {identity.booted}")]
    if boots:
        told = (x for x in boots.proof.body.splitlines() if x.startswith(("reboot", "shutdown")))
        proofs.append(boots.proof.quote(*list(told)[:3]))
    if event and events:
        proofs.append(events.proof.quote(f"{event.reason}: {event.message}"))
    if changed and nodes and machine:
        proofs.append(nodes.proof.quote(f"{machine.name}: nodeInfo.bootID={machine.status.node_info.boot_id}"))
    crashed = boots is not None and boots.orderly is False
    first = machine is None and (boots is None or boots.boots < MORE)  # for all that is known
    heard = events is not None and not first and (crashed or _reaches_back(seen, identity.booted, clock))
    usual = Severity.HIGH if heard else Severity.INFO
    yield Finding(
        code="NODE-30",
        reason="crashed" if crashed else "restarted",
        title=_title(identity, crashed=crashed, heard=heard),
        detail=T("Enabled, but not running since: {units}", units=idle) if idle else None,
        severity=Around(node=identity.node, clock=clock, nodes=nodes).severity(usual, identity.booted),
        confidence=_confidence(heard=heard, sure=event is not None or changed),
        subject=node(identity.node),
        facts={"node": identity.node, "boot_id": identity.boot_id, "not_started": idle},
        onset=identity.booted,
        proofs=tuple(proofs),
        fixes=(_look(),),
    )


def _title(identity: NodeIdentity, *, crashed: bool, heard: bool) -> Text:
    if not heard:
        return T(
            "{node} rebooted at {time}; whether that was announced is not known",
            node=identity.node,
            time=identity.booted,
        )
    if crashed:
        return T(
            "{node} crashed and rebooted at {time}: no shutdown came before", node=identity.node, time=identity.booted
        )
    return T("{node} rebooted at {time} without notice", node=identity.node, time=identity.booted)


def _tells_of(event: Event, identity: NodeIdentity) -> bool:
    """Whether the kubelet told of this boot: by its id, or by its time (which is the node's own)."""
    told = event.reason == "Rebooted" and event.seen is not None
    return told and (identity.boot_id in (event.message or "") or (event.seen or identity.booted) > identity.booted)


def _reaches_back(seen: tuple[Event, ...], booted: datetime, clock: Clock) -> bool:
    """Whether an announcement would still be there: the boot is young, or events of that time are."""
    oldest = min((t for e in seen if (t := e.first_timestamp or e.seen)), default=None)
    return clock.now - booted + NEW <= KEPT or (oldest is not None and oldest <= booted + NEW)


def _confidence(*, heard: bool, sure: bool) -> Confidence:
    """Only possible where nobody knows whether the boot was announced."""
    if not heard:
        return Confidence.POSSIBLE
    return Confidence.CONFIRMED if sure else Confidence.LIKELY


def _is_new(machine: Node | None, booted: datetime) -> bool:
    created = machine.metadata.creation_timestamp if machine else None
    return created is not None and created >= booted - NEW


def _announced(machine: Node | None, events: tuple[Event, ...], booted: datetime) -> bool:
    """Somebody took the node out of service shortly before the boot, or an agent for planned reboots says so."""
    before = [e for e in events if e.seen and booted - ANNOUNCED <= e.seen <= booted]
    if any(e.reason in MARKS for e in before):
        return True
    if machine is None:
        return False
    cordon = next((t for t in machine.spec.taints or () if t.key == "node.kubernetes.io/unschedulable"), None)
    if cordon and cordon.time_added and booted - ANNOUNCED <= cordon.time_added <= booted:
        return True
    words = [*(machine.metadata.annotations or {}), *(machine.metadata.labels or {})]
    return machine.spec.unschedulable and any(PLANNED.search(word) for word in words)


def _not_started(units: HostUnits | None) -> tuple[str, ...]:
    """Units that the boot should have started and that do not run."""
    found = units.by_name.values() if units else ()
    return tuple(u.name for u in found if u.starts_at_boot and u.down and u.name not in NETWORK_UNITS)


def _look() -> Fix:
    return Fix(
        what=T("On the node: read how the previous boot ended, and what does not run since."),
        safety=Safety.READ_ONLY,
        commands=("last -x -n 8 reboot shutdown", "sudo journalctl -b -1 -n 50 --no-pager", "systemctl --failed"),
    )
