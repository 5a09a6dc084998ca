"""NET-05: systemd-networkd or NetworkManager removed routes and rules that it did not make."""

from __future__ import annotations

import re
import shlex
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.check import check
from bot.checks.net.about import POD_SIDE, WITH_BOOT, DeadTable, broken_tables, running_since
from bot.model.cluster import LogLine, PodsOnNode
from bot.model.evidence import Clock, PerNode
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import HostUnits, Links, NetworkManager, NodeIdentity, PolicyRouting
from bot.model.host_agents import CniAgent
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T
from bot.model.workloads import PodEvents

DAY = 86400.0
NEAR = timedelta(minutes=5)
MANAGED = frozenset({"configured", "configuring", "pending"})
OFF = frozenset({"no", "false", "0", "off"})
UNITS = {"systemd-networkd": "systemd-networkd", "NetworkManager": "NetworkManager"}
_RECONFIGURED = re.compile(
    r"(systemd-networkd|NetworkManager).*(?:Removing|Remembering|Forgetting|[Ll]ink .*(?:configured|reconfigur)"
    r"|Reconfiguring|Gained carrier|Lost carrier)"
)
_ABOUT = re.compile(r"(?:networkd|NetworkManager)(?:\[\d+\])?: (?:<\w+>\s+\[[\d.]+\] )?(?:device \()?([\w.@-]+)\)?: ")
SETTINGS = "[Network]\\nManageForeignRoutes=no\\nManageForeignRoutingPolicyRules=no\\n"


@dataclass(frozen=True, slots=True, kw_only=True)
class Change:
    """When and how the manager touched the interfaces."""

    unit: str
    at: datetime
    restarted: bool
    lines: tuple[LogLine, ...]
    upgrade: str


@check("NET-05")
def routes_removed_by_networkd(
    *,
    units: HostUnits,
    manager: NetworkManager,
    routing: PolicyRouting,
    pods: PodsOnNode,
    clock: Clock,
    peers: PerNode[PolicyRouting],
    links: Links | None,
    identity: NodeIdentity,
    agent: CniAgent,
    events: PodEvents | None,
) -> Iterator[Finding]:
    """The network manager of the node removed the CNI's routes and rules.

    Says:
        "It broke after the unattended upgrade", "the routes are gone again".
    Evidence:
        When systemd-networkd or NetworkManager was started, its log, ManageForeignRoutes and
        ManageForeignRoutingPolicyRules, networkctl, the log of package upgrades, the routing tables.
    Rule:
        A pod routing table is dead or its rules are gone (NET-02), and the manager was started or reconfigured a
        network card within the last day, after the oldest affected pod, the boot and the start of the CNI's agent, and
        it was not told to leave foreign routes alone, and the pods did not fail before. Confirmed when its log or the
        log of package upgrades agrees with the unit's start.
    Cause:
        A restart (needrestart, unattended upgrade, netplan apply) or a new interface makes it delete what it did not
        create. It explains NET-02.
    Fix:
        Tell it to leave foreign routes and rules alone, mark the secondary interfaces unmanaged, restart the CNI agent.
    Verify:
        On a drained node: restart systemd-networkd, the rules survive.
    Must not fire:
        networkd is not used; it was started before the affected pods; it was told to leave foreign routes (or rules)
        alone; it was started with the machine, or before the CNI's agent, which then had to build them again; its log
        tells only of the ends of pods' links, which come and go; every affected pod that fails has done so since more
        than 5 min before.
    Reasons:
        - networkd-restarted: systemd-networkd was started anew
        - networkd-reconfigured: systemd-networkd reconfigured interfaces
        - network-manager-restarted: NetworkManager was started anew
        - network-manager-reconfigured: NetworkManager reconfigured interfaces
    """
    dead = tuple(t for t in broken_tables(routing, pods, links, peers) if t.sure)
    starts = [p.status.start_time for t in dead for p in t.pods if p.status.start_time]
    if not dead or not starts:
        return
    # what the last boot or a new agent left out was not removed afterwards
    rebuilt = [s for p in agent.pods if (s := running_since(p))]
    after = max(min(starts), identity.booted + WITH_BOOT, *rebuilt)
    change = _change(units, manager, _kept(manager, dead), lambda at: _counts(at, after, clock), links)
    if change is None or _began_before(change.at, dead, events):
        return
    tables = tuple(t.name for t in dead if t.name)
    short = "networkd" if change.unit == "systemd-networkd" else "network-manager"
    yield Finding(
        code="NET-05",
        reason=f"{short}-restarted" if change.restarted else f"{short}-reconfigured",
        title=T(
            "{unit} of {node} removed the pods' routes when it was restarted at {time}",
            unit=change.unit,
            node=units.node,
            time=change.at,
        )
        if change.restarted
        else T(
            "{unit} of {node} removed the pods' routes when it reconfigured interfaces at {time}",
            unit=change.unit,
            node=units.node,
            time=change.at,
        ),
        detail=T("A package upgrade ran then: {command}", command=change.upgrade) if change.upgrade else None,
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED if change.restarted and (change.lines or change.upgrade) else Confidence.LIKELY,
        subject=node(units.node),
        facts={"node": units.node, "unit": change.unit, "table": tables, "upgrade": change.upgrade},
        onset=change.at,
        proofs=(*_proofs(units, manager, change), routing.proof.quote(*(t.line for t in dead))),
        fixes=_fixes(change.unit, _cards(dead, links)),
    )


def _began_before(at: datetime, dead: tuple[DeadTable, ...], events: PodEvents | None) -> bool:
    """Whether the pods failed already when the manager was touched: every one whose lasting failure is dated."""
    firsts = []
    for pod in (p for t in dead for p in t.pods):
        told = [e for e in (events.of(pod.path) if events else ()) if e.reason == "Unhealthy"]
        lasting = [e.first_timestamp for e in told if e.first_timestamp and e.seen and e.seen >= at]
        ready = pod.condition("Ready")
        if ready and ready.status == "False" and ready.last_transition_time:
            lasting.append(ready.last_transition_time)
        firsts += [min(lasting)] if lasting else []
    return bool(firsts) and all(first < at - NEAR for first in firsts)


def _kept(manager: NetworkManager, dead: tuple[DeadTable, ...]) -> bool:
    """Whether networkd was told to leave alone what is lost here: routes, or the rules that led to them."""
    key = "manageforeignroutes" if any(t.name for t in dead) else "manageforeignroutingpolicyrules"
    return manager.settings.get(key) in OFF


def _change(
    units: HostUnits,
    manager: NetworkManager,
    kept: bool,
    counts: Callable[[datetime | None], bool],
    links: Links | None,
) -> Change | None:
    """The newest start or reconfiguration that counts: within a day, and later than what it may have broken."""
    for name in UNITS:
        unit = units.get(name)
        if unit is None or not unit.running or (name == "systemd-networkd" and (kept or not _used(manager))):
            continue
        lines = tuple(x for x in manager.log or () if _is_of(name, x, links) and counts(x.at))
        start = unit.active_since if counts(unit.active_since) else None
        at = start or (lines[-1].at if lines else None)
        if at:
            near = tuple(x for x in lines if x.at and abs(x.at - at) <= NEAR)
            ran = next((c for t, c in manager.upgrades if timedelta(0) <= at - t <= NEAR), "")
            return Change(unit=name, at=at, restarted=start is not None, lines=near, upgrade=ran)
    return None


def _used(manager: NetworkManager) -> bool:
    """Whether networkd manages any interface; when networkctl told nothing, a running unit is used."""
    return not manager.setup or bool(MANAGED & set(manager.setup.values()))


def _counts(at: datetime | None, oldest: datetime, clock: Clock) -> bool:
    return at is not None and at > oldest and clock.age(at) <= DAY


def _is_of(unit: str, line: LogLine, links: Links | None) -> bool:
    """Whether the line tells of a change to a network card: the ends of pods' links come and go all the time."""
    found = _RECONFIGURED.search(line.text)
    if found is None or found[1] != unit:
        return False
    about = _ABOUT.search(line.text)
    card = links.get(about[1]) if links and about else None
    if card is not None:
        return card.physical
    return about is None or POD_SIDE.match(about[1]) is None


def _proofs(units: HostUnits, manager: NetworkManager, change: Change) -> Iterator[Proof]:
    unit = units.get(change.unit)
    since = unit.active_since.isoformat() if unit and unit.active_since else ""
    yield units.proof.quote(f"Id={change.unit}.service ActiveState=active ActiveEnterTimestamp={since}")
    told = [x.text for x in change.lines[-3:]]
    if change.upgrade:
        told.append(f"Commandline: {change.upgrade}")
    unset = ("ManageForeignRoutes, ManageForeignRoutingPolicyRules: not set to no",)
    yield manager.proof.quote(*told, *(unset if change.unit == "systemd-networkd" else ()))


def _cards(dead: tuple[DeadTable, ...], links: Links | None) -> tuple[str, ...]:
    """The network cards of the affected pods."""
    found = (links.holding(p.status.pod_ip or "") for t in dead for p in t.pods) if links else ()
    return tuple(dict.fromkeys(link.name for link in found if link))


def _fixes(unit: str, cards: tuple[str, ...]) -> tuple[Fix, ...]:
    if unit == "NetworkManager":
        names = ";".join(f"interface-name:{n}" for n in (*cards, "eni*", "veth*"))
        keep = f"printf '%s\\n' {shlex.quote('[keyfile]')} {shlex.quote(f'unmanaged-devices={names}')}"
        path = "/etc/NetworkManager/conf.d/90-cni.conf"
        reload = "sudo systemctl reload NetworkManager"
    else:
        keep = f"printf '{SETTINGS}'"
        path = "/etc/systemd/networkd.conf.d/90-cni.conf"
        reload = "sudo systemctl restart systemd-networkd"
    prevent = Fix(
        what=T(
            "On every node of the pool: let {unit} leave the CNI's routes and rules alone; then restart the CNI agent.",
            unit=unit,
        ),
        safety=Safety.REVERSIBLE,
        commands=(f"sudo mkdir -p {path.rpartition('/')[0]}", f"{keep} | sudo tee {path}", reload),
        verify=("ip rule show", "networkctl list --no-pager"),
        undo=(f"sudo rm {path}", reload),
    )
    return (prevent,)
