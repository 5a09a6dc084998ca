"""The first round trip to a node: who it is, what runs on it, how its network looks (catalogue D.1)."""

from __future__ import annotations

import time
from collections.abc import Iterator
from dataclasses import dataclass, replace
from datetime import datetime, timedelta

from bot.collect import host_made as made
from bot.collect import host_resources as resources
from bot.collect.host_kinds import hold_to, left_over, visit
from bot.collect.host_read import Trip
from bot.collect.sections import base
from bot.collector import collects
from bot.errors import SourceError
from bot.model.cluster import Nodes
from bot.model.evidence import Clock, Evidence, Gap
from bot.model.host import (
    BootHistory,
    CniFiles,
    ContainerRuntime,
    Disks,
    HostUnits,
    KubeletArguments,
    KubeletDefaults,
    KubeletHealth,
    KubeletProcess,
    Links,
    ListeningPorts,
    Mounts,
    NodeClock,
    NodeIdentity,
    NodeReached,
    PciNics,
    RoutingRules,
    StaticManifests,
    Sysctls,
)
from bot.model.host_resources import Cgroups, Inotify, Memory, Tasks
from bot.model.refs import NodeName
from bot.model.registered import machine_of_another
from bot.parse import machine
from bot.parse.common import TimeBase
from bot.source import Kube, Right, Shell

VERSION = Right(verb="get", path="/version")
# TIME goes first, so that the moment it was read is known best.
BASE = (
    *("TIME", "ID", "BOOT", "UNITS", "KARGS", "KCFG", "KHEALTH", "KSTATE", "CRI_SOCKETS", "CRI", "CRI_PS", "CRI_PODS"),
    *("DISK", "MOUNTS", "SYSCTL", "SYSCTLDIFF", "PORTS", "PORTS_OWN", "LINKS", "ADDR", "RULES", "RULES_MAIN"),
    *("CNI", "PCI", "MANIFEST"),
    *resources.FIRST,
)
NEGLIGIBLE = 2.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Told:
    """The API server's time and when, by a monotonic clock, it was told; in a recording no time passes."""

    date: datetime
    asked: float
    answered: float
    recorded: bool = False


def api_time(kube: Kube) -> Told | None:
    """Ask the API server for the time; None when it does not tell."""
    asked = time.monotonic()
    try:
        response = kube.raw("/version", timeout=3.0)
    except SourceError:
        return None
    if response.date is None:
        return None
    return Told(date=response.date, asked=asked, answered=time.monotonic(), recorded=response.recorded)


def clock_of(trip: Trip, told: Told | None, began: float, ended: float) -> NodeClock:
    """The offset: node time minus API time, minus half of what the way took (catalogue section 0, time base)."""
    read = machine.time(trip.text("TIME"))
    offset, uncertainty = None, 0.0
    if told and told.recorded:
        told, began, ended = replace(told, answered=told.asked), told.asked, told.asked
    if told:
        ran = sum(o.duration_ms for o in trip.outputs.values()) / 1000
        window = max(0.0, ended - began - ran)
        rtt = told.answered - told.asked
        middle = 0.5  # the Date header has whole seconds
        moment = told.date + timedelta(seconds=middle + began + window / 2 - told.answered + rtt / 2)
        offset = read.epoch - moment.timestamp()
        uncertainty = middle + (window + rtt) / 2
    return NodeClock(
        proof=trip.proof("TIME"),
        node=trip.node,
        offset=offset,
        uncertainty=uncertainty,
        synchronised=read.synchronised,
        ntp=read.ntp,
        daemon_offset=read.daemon_offset,
        timezone=read.zone,
    )


@collects(
    NodeReached,
    NodeClock,
    NodeIdentity,
    BootHistory,
    HostUnits,
    KubeletArguments,
    KubeletDefaults,
    KubeletHealth,
    KubeletProcess,
    ContainerRuntime,
    Disks,
    Mounts,
    Sysctls,
    ListeningPorts,
    Links,
    RoutingRules,
    CniFiles,
    PciNics,
    StaticManifests,
    Memory,
    Tasks,
    Cgroups,
    Inotify,
    rights=(VERSION,),
    deadline=40.0,
)
def host_base(
    kube: Kube, shell: Shell, node: NodeName, clock: Clock, nodes: Nodes | None = None
) -> Iterator[Evidence | Gap]:
    """Everything that needs no result of another command, in one round trip."""
    told = api_time(kube)
    began = time.monotonic()
    here = nodes.get(node) if nodes else None
    trip = visit(shell, here, node, clock, base(*BASE))
    identity = trip.get(NodeIdentity, lambda: made.identity(trip))
    if isinstance(identity, NodeIdentity):
        other = machine_of_another(here, nodes, identity.hostname) if here and nodes else None
        if other is not None:  # who it is, and that it has the address, is all that may be said of it
            yield identity
            yield trip.get(Links, lambda: made.links(trip))
            raise left_over(node, other)
        hold_to(here, identity, node)
    found = trip.get(NodeClock, lambda: clock_of(trip, told, began, time.monotonic()))
    yield found
    times = _time_base(found)
    yield NodeReached(proof=trip.proof(), node=node, clock_ahead=times.offset, timezone=times.zone)
    yield identity
    yield trip.get(BootHistory, lambda: made.boots(trip))
    yield trip.get(HostUnits, lambda: made.units(trip, times))
    yield trip.get(KubeletArguments, lambda: made.arguments(trip))
    yield trip.get(KubeletDefaults, lambda: made.defaults(trip, times))
    yield trip.get(KubeletHealth, lambda: made.health(trip))
    yield trip.get(KubeletProcess, lambda: made.process(trip))
    yield trip.get(ContainerRuntime, lambda: made.runtime(trip))
    yield trip.get(Disks, lambda: made.disks(trip))
    yield trip.get(Mounts, lambda: made.mounts(trip))
    yield trip.get(Sysctls, lambda: made.sysctls(trip))
    yield trip.get(ListeningPorts, lambda: made.ports(trip))
    yield trip.get(Links, lambda: made.links(trip))
    yield trip.get(RoutingRules, lambda: made.rules(trip))
    yield trip.get(CniFiles, lambda: made.cni(trip))
    yield trip.get(PciNics, lambda: made.cards(trip))
    yield trip.get(StaticManifests, lambda: made.manifests(trip, times))
    yield trip.get(Memory, lambda: resources.memory(trip))
    yield trip.get(Tasks, lambda: resources.tasks(trip))
    yield trip.get(Cgroups, lambda: resources.cgroups(trip))
    yield trip.get(Inotify, lambda: resources.inotify(trip))


def _time_base(found: Evidence | Gap) -> TimeBase:
    if not isinstance(found, NodeClock):
        return TimeBase()
    known = found.offset is not None and abs(found.offset) > max(NEGLIGIBLE, found.uncertainty)
    return TimeBase(found.offset if known and found.offset is not None else 0.0, found.timezone)
