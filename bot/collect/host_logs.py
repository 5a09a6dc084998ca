"""The second round trip to a node: logs, and what the first one named (catalogue D.2)."""

from __future__ import annotations

from collections.abc import Iterator

from bot.collect import host_certs
from bot.collect import host_log_lines as lines_of
from bot.collect import host_resources as resources
from bot.collect.host_read import TIMED_OUT, NoAnswerError, Trip, base_of, log_proof
from bot.collect.sections import VALID, base, section
from bot.collector import collects
from bot.model.cluster import KubernetesEndpoints
from bot.model.evidence import Ask, Clock, Evidence, Gap
from bot.model.host import (
    AddressLeases,
    ApiPath,
    Certificates,
    HostUnits,
    Iptables,
    KernelLog,
    KubeletArguments,
    KubeletDefaults,
    KubeletFiles,
    KubeletLog,
    ManualContainers,
    NetworkManager,
    NodeReached,
    Presence,
    ProxyMode,
    RuntimeLog,
    StaticManifests,
)
from bot.model.host_resources import KubeletSeries, KubeletSettings, RuntimeDriver
from bot.model.host_traffic import ServiceProxyLog
from bot.model.refs import NodeName
from bot.parse import cri, files, journal, net
from bot.parse import reach as reach_of
from bot.parse.common import TimeBase, UnparsableError
from bot.source import Section, Shell

LOGS = (
    "KERN",
    "KERN_DMESG",
    "NETCONF",
    "NETLOG",
    "PKGLOG",
    "DOCKER_PS",
    "DOCKER_INFO",
    "IPT",
    "IPT_COUNT",
    "NFT",
    "CNI_LEASES",
    "KPMODE",
    "KPHEALTH",
    *resources.SECOND,
)
HYPERKUBE, PROXY = "hyperkube", "kube-proxy"


def endpoints(known: KubernetesEndpoints | None) -> dict[str, Section]:
    """The section for each API server address, by ``host:port``."""
    found: dict[str, Section] = {}
    for host in known.addresses if known else ():
        shown = f"[{host}]:{known.port}" if known and ":" in host else f"{host}:{known.port if known else 0}"
        if known and VALID["HOST"](host) and VALID["ENDPOINT"](shown):
            found[shown] = section("APIPATH", host=host, port=str(known.port), endpoint=shown)
    return found


@collects(
    KubeletFiles,
    KubeletLog,
    RuntimeLog,
    KernelLog,
    NetworkManager,
    ManualContainers,
    Iptables,
    ProxyMode,
    ServiceProxyLog,
    AddressLeases,
    ApiPath,
    Certificates,
    KubeletSettings,
    RuntimeDriver,
    KubeletSeries,
    deadline=40.0,
)
def host_logs(
    *,
    shell: Shell,
    node: NodeName,
    clock: Clock,
    ask: Ask,
    reached: NodeReached,
    units: HostUnits | None,
    arguments: KubeletArguments | None,
    defaults: KubeletDefaults | None,
    manifests: StaticManifests | None,
    api: KubernetesEndpoints | None,
) -> Iterator[Evidence | Gap]:
    """Logs, certificates, filters, the way to the API server, and files that the command line names."""
    wanted = ask.options.get("logs", "")
    log = {
        "lines": wanted if VALID["LINES"](wanted) else "400",
        "since": lines_of.since(units, clock, reached.clock_ahead),
    }
    window = {"lines": "200", "since": f"-{max(1, clock.window_seconds // 60)}min"}
    papers, reach = host_certs.sections(manifests, arguments), endpoints(api)
    sections = [
        section("KLOG", **log),
        section("RTLOG", **window),
        *lines_of.start(units, clock, reached.clock_ahead),
        *(lines_of.old_logs(log, window) if lines_of.is_old(units) else []),
        *base(*LOGS),
        *_more_files(arguments, defaults),
        *([section("KSERIES")] if arguments and HYPERKUBE in arguments.unit else []),
        *papers,
        *reach.values(),
        *([section("CPLOG_UNITS", since=window["since"])] if _has_proxy(units) else []),
        section("IPT_AGAIN"),
    ]
    trip, times = Trip.make(shell, node, clock, sections), base_of(reached)
    yield trip.get(KubeletFiles, lambda: _files(trip, defaults, times))
    yield trip.get(KubeletLog, lambda: lines_of.kubelet_log(trip, times, units))
    yield trip.get(RuntimeLog, lambda: lines_of.runtime_log(trip, times))
    yield trip.get(KernelLog, lambda: lines_of.kernel_log(trip, times))
    yield trip.get(NetworkManager, lambda: _network_manager(trip, times))
    yield trip.get(ManualContainers, lambda: _manual(trip))
    yield trip.get(Iptables, lambda: _forward(trip))
    yield trip.get(ProxyMode, lambda: _proxy(trip))
    yield trip.get(ServiceProxyLog, lambda: _proxy_log(trip, units, times))
    yield trip.get(AddressLeases, lambda: _leases(trip))
    yield trip.get(ApiPath, lambda: _api_path(trip, reach))
    yield trip.get(Certificates, lambda: host_certs.read(trip, shell, arguments))
    yield trip.get(KubeletSettings, lambda: resources.settings(trip))
    yield trip.get(RuntimeDriver, lambda: resources.runtime_driver(trip))
    yield trip.get(KubeletSeries, lambda: resources.series(trip))


def _more_files(arguments: KubeletArguments | None, defaults: KubeletDefaults | None) -> list[Section]:
    """Files that the command line names beside the usual ones, and usual ones that only root may see."""
    seen = defaults.by_path if defaults else {}
    named = [f for f in arguments.files if f not in seen and VALID["FILE"](f)] if arguments else []
    hidden = [f for f, fact in seen.items() if fact.presence is Presence.UNKNOWN]
    sections = [section("KCFG_MORE", files=" ".join(named[:20]))] if named else []
    if hidden:
        sections += [section("KCFG_ROOT", files=" ".join(hidden[:20])), section("KCFG_LIST")]
    return sections


def _files(trip: Trip, defaults: KubeletDefaults | None, times: TimeBase) -> KubeletFiles:
    more = "\n".join(trip.text_or(key) for key in ("KCFG_MORE", "KCFG_ROOT"))
    listed = files.listings(trip.text_or("KCFG_LIST"), times)
    if defaults is None and not more.strip():
        raise NoAnswerError(f"{trip.node}: KCFG was not recorded")
    by_path = dict(defaults.by_path) if defaults else {}
    by_path |= files.stats(more, times) if more.strip() else {}
    proof = trip.proof("KCFG_MORE", "KCFG_ROOT") if defaults is None else defaults.proof
    directories = {**(defaults.directories if defaults else {}), **listed}
    return KubeletFiles(proof=proof, node=trip.node, by_path=by_path, directories=directories)


def _network_manager(trip: Trip, times: TimeBase) -> NetworkManager:
    told = trip.output("NETCONF").text  # a recording may hold all three in one
    setup, settings = net.managed(told)
    try:
        log = journal.short_iso(trip.text("NETLOG") if "NETLOG" in trip.outputs else told, times)
    except (NoAnswerError, UnparsableError):
        log = None
    runs = net.package_runs(trip.text_or("PKGLOG", told), times)
    return NetworkManager(
        proof=trip.proof("NETCONF", "NETLOG", "PKGLOG"),
        node=trip.node,
        setup=setup,
        settings=settings,
        log=log,
        upgrades=runs,
    )


def _manual(trip: Trip) -> ManualContainers:
    slow = [k for k in ("DOCKER_PS", "DOCKER_INFO") if k in trip.outputs and trip.outputs[k].rc == TIMED_OUT]
    found = () if "DOCKER_PS" in slow else cri.docker_containers(trip.text("DOCKER_PS"))
    running = tuple(c for c in found if c.state == "running" and not c.pod)
    proof = trip.proof("DOCKER_PS", *(["DOCKER_INFO"] if slow else []))
    return ManualContainers(proof=proof, node=trip.node, running=running, timeouts=len(slow))


def _forward(trip: Trip) -> Iptables:
    """The FORWARD chain; a host without iptables and without a table ``filter`` has none, so nothing drops there."""
    try:
        policy, rules = net.forward(trip.text("IPT"))
    except (NoAnswerError, UnparsableError):
        said = trip.outputs.get("IPT")
        if said is None or not net.is_missing("iptables", said.text):
            raise
        tables = trip.output("NFT")
        if tables.rc or net.has_filter(tables.text):
            raise
        return Iptables(proof=trip.proof("NFT"), node=trip.node, policy="ACCEPT", rules=())
    readings = [n for key in ("IPT", "IPT_COUNT", "IPT_AGAIN") for n in net.policy_packets(trip.text_or(key))]
    counts = (readings[0], readings[-1]) if len(readings) > 1 else None
    proof = trip.proof("IPT", "IPT_COUNT", "IPT_AGAIN")
    return Iptables(proof=proof, node=trip.node, policy=policy, rules=rules, dropped=counts)


def _has_proxy(units: HostUnits | None) -> bool:
    unit = units.get(PROXY) if units else None
    return unit is not None and unit.present


def _proxy_log(trip: Trip, units: HostUnits | None, times: TimeBase) -> ServiceProxyLog:
    """The journal of several units is asked for at once; only kube-proxy's own lines are its log."""
    if units is None:
        raise NoAnswerError(f"{trip.node}: whether kube-proxy is a unit is not known")
    if not _has_proxy(units):
        return ServiceProxyLog(proof=units.proof, node=trip.node, lines=())
    own = [line for line in trip.text("CPLOG_UNITS").splitlines() if f'"{PROXY}.service"' in line]
    lines = journal.journal("\n".join(own), times)
    return ServiceProxyLog(proof=log_proof(trip, "CPLOG_UNITS", lines), node=trip.node, lines=lines)


def _leases(trip: Trip) -> AddressLeases:
    output = trip.output("CNI_LEASES")
    found = net.leases(output.text)
    return AddressLeases(proof=trip.proof("CNI_LEASES"), node=trip.node, files=found, whole=not output.truncated)


def _proxy(trip: Trip) -> ProxyMode:
    return ProxyMode(
        proof=trip.proof("KPMODE", "KPHEALTH"),
        node=trip.node,
        mode=reach_of.proxy_mode(trip.text("KPMODE")),
        healthz=reach_of.proxy_health(trip.text_or("KPHEALTH")),
    )


def _api_path(trip: Trip, reach: dict[str, Section]) -> ApiPath:
    if not reach:
        raise NoAnswerError("the addresses of the API servers are not known")
    answers = {shown: reach_of.http_status(trip.output(s.key).text) for shown, s in reach.items()}
    return ApiPath(proof=trip.proof(*(s.key for s in reach.values())), node=trip.node, answers=answers)
