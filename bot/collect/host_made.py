"""How the sections of the first round trip become evidence: one function for each type."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta

from bot.collect.host_read import TIMED_OUT, NoAnswerError, Trip
from bot.model.evidence import Clock
from bot.model.host import (
    BootHistory,
    Call,
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
    NodeIdentity,
    PciNics,
    Probe,
    RoutingRules,
    StaticManifests,
    Sysctls,
    Unit,
)
from bot.parse import cri, files, ip, machine, net, systemd
from bot.parse.common import TimeBase, UnparsableError, find_json

LOOPING = 2  # restarts by systemd, not by hand, since the unit was last started by hand
MOMENT = 10.0  # seconds

_CNI, _PLUGINS, _MANIFESTS = "/etc/cni/net.d", "/opt/cni/bin", "/etc/kubernetes/manifests"


def identity(trip: Trip) -> NodeIdentity:
    """Section ID."""
    read = machine.identity(trip.text("ID"))
    return NodeIdentity(
        proof=trip.proof("ID"),
        node=trip.node,
        hostname=read.hostname,
        kernel=read.kernel,
        boot_id=read.boot_id,
        uptime_seconds=read.uptime,
        booted=trip.clock.now - timedelta(seconds=read.uptime),
        load=read.load,
        os_id=read.os_id,
        os_version=read.os_version,
        machine_id=read.machine_id,
    )


def boots(trip: Trip) -> BootHistory:
    """Section BOOT."""
    orderly, count = machine.boots(trip.text("BOOT"))
    return BootHistory(proof=trip.proof("BOOT"), node=trip.node, orderly=orderly, boots=count)


def units(trip: Trip, base: TimeBase) -> HostUnits:
    """Section UNITS."""
    found = systemd.units(trip.text("UNITS"), base)
    answers = _kubelet_answers(trip)
    seen = {
        name: replace(unit, flickering=_flickers(unit, trip.clock) and not (name == "kubelet" and answers))
        for name, unit in found.items()
    }
    return HostUnits(proof=trip.proof("UNITS"), node=trip.node, by_name=seen)


def _kubelet_answers(trip: Trip) -> bool:
    try:
        return health(trip).healthz is Probe.OK
    except (NoAnswerError, UnparsableError):
        return False


def _flickers(unit: Unit, clock: Clock) -> bool:
    """A unit that exits at every start is active for a moment in each round; systemd's own count tells it apart.

    A kubelet that answers got through its start.
    """
    looping = unit.active == "active" and (unit.restarts or 0) >= LOOPING
    return looping and unit.active_since is not None and clock.age(unit.active_since) < MOMENT


def arguments(trip: Trip) -> KubeletArguments:
    """Section KARGS."""
    read = systemd.start(trip.text("KARGS"))
    return KubeletArguments(
        proof=trip.proof("KARGS"),
        node=trip.node,
        flags=read.flags,
        running=read.running,
        environment_files=read.environment_files,
        optional_files=read.optional_files,
        unit=read.unit,
        proxies=read.proxies,
    )


def defaults(trip: Trip, base: TimeBase) -> KubeletDefaults:
    """Section KCFG."""
    text = trip.text("KCFG")
    return KubeletDefaults(
        proof=trip.proof("KCFG"),
        node=trip.node,
        by_path=files.stats(text, base),
        directories=files.listings(text, base),
    )


def health(trip: Trip) -> KubeletHealth:
    """Section KHEALTH."""
    healthz, serving, said = machine.health(trip.text("KHEALTH"))
    return KubeletHealth(proof=trip.proof("KHEALTH"), node=trip.node, healthz=healthz, serving=serving, said=said)


def process(trip: Trip) -> KubeletProcess:
    """Section KSTATE."""
    read = machine.process(trip.text("KSTATE"))
    return KubeletProcess(
        proof=trip.proof("KSTATE"),
        node=trip.node,
        state=read.state,
        rss_bytes=read.rss_bytes,
        threads=read.threads,
        wchan=read.wchan,
        blocked=read.blocked,
    )


def runtime(trip: Trip) -> ContainerRuntime:
    """Sections CRI: a call that fails or hangs is evidence, one that may not be made is not."""
    calls = {key: _call(trip, key) for key in ("CRI", "CRI_PS", "CRI_PODS")}
    sockets = cri.sockets(trip.text("CRI_SOCKETS")) if "CRI_SOCKETS" in trip.outputs else {}
    if not sockets and set(calls.values()) == {Call.UNKNOWN}:
        trip.text("CRI")
    ran = [k for k, call in calls.items() if call is not Call.UNKNOWN]
    failed = next((k for k in ran if calls[k] in {Call.FAILED, Call.TIMEOUT}), "")
    listed, whole = cri.containers(trip.text("CRI_PS")) if calls["CRI_PS"] is Call.OK else ((), False)
    return ContainerRuntime(
        proof=trip.proof("CRI_SOCKETS", *ran[:1], *([failed] if failed and failed != "CRI" else [])),
        node=trip.node,
        call=calls["CRI"],
        slowest_ms=max((trip.outputs[k].duration_ms for k in ran), default=0),
        timeouts=sum(call is Call.TIMEOUT for call in calls.values()),
        late=tuple(trip.sections[k].command for k in ran if calls[k] is Call.TIMEOUT),
        error=cri.failure(trip.outputs[failed].text) if failed else "",
        sockets=sockets,
        containers=listed if whole else None,
        at_least=len(listed),
        conditions=cri.info(trip.text("CRI")) if calls["CRI"] is Call.OK else {},
        root=cri.root(trip.text("CRI")) if calls["CRI"] is Call.OK else "",
    )


def _call(trip: Trip, key: str) -> Call:
    """What came of a call; an old client complains of sockets that it tried in vain before it gives the answer."""
    try:
        output = trip.output(key)
    except NoAnswerError:
        return Call.UNKNOWN
    if output.rc == TIMED_OUT:
        return Call.TIMEOUT
    if (output.truncated or output.rc == 0) and cri.begins(output.text):
        return Call.OK  # cut off, perhaps
    try:
        find_json(output.text, "answer of the runtime")
    except UnparsableError:
        if cri.hangs(output.text):
            return Call.TIMEOUT
        telling = ("connect:", "connection refused", "no such file", "Unimplemented", "rpc error")
        return Call.FAILED if any(word in output.text for word in telling) else Call.UNKNOWN
    return Call.OK


def disks(trip: Trip) -> Disks:
    """Section DISK."""
    return Disks(proof=trip.proof("DISK"), node=trip.node, filesystems=files.filesystems(trip.text("DISK")))


def mounts(trip: Trip) -> Mounts:
    """Section MOUNTS."""
    return Mounts(proof=trip.proof("MOUNTS"), node=trip.node, items=files.mounts(trip.text("MOUNTS")))


def sysctls(trip: Trip) -> Sysctls:
    """Sections SYSCTL and SYSCTLDIFF; grep without a hit leaves nothing to differ."""
    values, swaps = net.sysctls(trip.text("SYSCTL"))
    on_disk = net.sysctl_files(trip.text("SYSCTLDIFF")) if "SYSCTLDIFF" in trip.outputs else None
    proof = trip.proof("SYSCTL", "SYSCTLDIFF")
    return Sysctls(proof=proof, node=trip.node, values=values, swaps=swaps, files=on_disk)


def ports(trip: Trip) -> ListeningPorts:
    """Sections PORTS and, where root is given, PORTS_OWN, which adds the processes."""
    found = net.listeners(trip.text("PORTS"))
    owned = {(o.protocol, o.address, o.port): o for o in net.owners(trip.text_or("PORTS_OWN"))}
    items = {(i.protocol, i.address, i.port): i for i in found} | owned
    return ListeningPorts(proof=trip.proof("PORTS", "PORTS_OWN"), node=trip.node, items=tuple(items.values()))


def links(trip: Trip) -> Links:
    """Sections LINKS and ADDR."""
    found = ip.links(trip.text("LINKS"))
    addresses = ip.addresses(trip.text("ADDR"))
    items = tuple(replace(link, addresses=addresses.get(name, ())) for name, link in found.items())
    return Links(proof=trip.proof("LINKS", "ADDR"), node=trip.node, items=items)


def rules(trip: Trip) -> RoutingRules:
    """Sections RULES and RULES_MAIN."""
    text = trip.text("RULES")
    return RoutingRules(
        proof=trip.proof("RULES", "RULES_MAIN"),
        node=trip.node,
        rules=ip.rules(text),
        main=ip.routes(trip.text("RULES_MAIN")),
        as_json=ip.is_json(text),
    )


def cni(trip: Trip) -> CniFiles:
    """Section CNI: an empty directory is a fact, one that may not be read is none."""
    text = trip.text("CNI")
    found, gone = files.listings(text, TimeBase()), files.absences(text)
    if _CNI not in found and not gone.get(_CNI):
        raise NoAnswerError(f"{trip.node}: {_CNI} could not be read")
    names = [e.name for e in found.get(_CNI, ()) if e.kind in "-l"]
    ours = [n for n in names if n.endswith((".conf", ".conflist"))]
    programs = found.get(_PLUGINS)
    return CniFiles(
        proof=trip.proof("CNI"),
        node=trip.node,
        configurations=_texts(text, ours),
        others=tuple(n for n in names if n not in ours),
        plugins=None if programs is None else tuple(e.name for e in programs if e.kind in "-l"),
    )


def _texts(text: str, names: list[str]) -> dict[str, str]:
    """The texts of the files, which ``head`` printed one after another without names, in the order of the shell."""
    start = text.find("{")
    bodies = text[start:].split("\n{") if start >= 0 else []
    texts = [body if i == 0 else f"{{{body}" for i, body in enumerate(bodies)]
    ordered = sorted(names, key=lambda n: (not n.endswith(".conf"), n))
    return {name: texts[i] if i < len(texts) else "" for i, name in enumerate(ordered)}


def cards(trip: Trip) -> PciNics:
    """Section PCI."""
    return PciNics(proof=trip.proof("PCI"), node=trip.node, items=net.cards(trip.text("PCI")))


def manifests(trip: Trip, base: TimeBase) -> StaticManifests:
    """Section MANIFEST: no directory is no manifest; one that may not be read is unknown."""
    text = trip.text("MANIFEST")
    found = files.listings(text, base)
    if not found and not files.absences(text).get(_MANIFESTS):
        raise NoAnswerError(f"{trip.node}: {_MANIFESTS} could not be read")
    entries = [e for listed in found.values() for e in listed if e.kind in "-l"]
    return StaticManifests(proof=trip.proof("MANIFEST"), node=trip.node, files={e.name: e.modified for e in entries})
