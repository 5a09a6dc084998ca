"""NET-13: Services do not work on the node, because kube-proxy does not."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.check import check
from bot.checks.net.about import running_since, runs
from bot.model.cluster import Nodes, PodsOnNode, SystemPods
from bot.model.evidence import Clock, Expectations, PerNode
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.health import is_virtual
from bot.model.host import Call, ContainerRuntime, HostUnits, ProxyMode
from bot.model.host_traffic import ServiceProxy, ServiceProxyLog, ServiceRules, is_proxy
from bot.model.k8s import Node
from bot.model.lines import in_window
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T, Text

_FAILED = re.compile(
    r"Failed to (?:execute|ensure|load)|iptables-restore .* failed|can't set sysctl"
    r"|Failed to (?:list|watch) .*(?:Service|EndpointSlice)|xtables lock|ipset .* doesn't exist"
)
# agents that may do kube-proxy's work on the nodes where there is none
REPLACES = re.compile(r"^(?:cilium|ovnkube-node|ovn-|kube-ovn|antrea-agent|kube-router|calico-node|kpng)")
LEAVING = "ToBeDeletedByClusterAutoscaler"  # kube-proxy says 503 then, so that load balancers leave the node alone
HEALTHY = 200
OFTEN = 3
YOUNG_NODE, YOUNG_POD = 120.0, 60.0


@check("NET-13")
def dead_service_proxy(
    *,
    proxy: ServiceProxy,
    mode: ProxyMode,
    clock: Clock,
    nodes: Nodes,
    rules: PerNode[ServiceRules],
    modes: PerNode[ProxyMode],
    pods: PodsOnNode,
    system: SystemPods | None,
    units: HostUnits | None,
    journal: ServiceProxyLog | None,
    runtime: ContainerRuntime | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """kube-proxy on the node is down, or does not program Services.

    Says:
        "Services work from every node but this one", "10.96.0.1: connection timed out".
    Evidence:
        kube-proxy's pod or unit; its healthz on port 10256; its log; the rules for Services here and on other nodes.
    Rule:
        healthz answers something else than 200, or nothing while its pod does not run or its log shows why; or
        Services are programmed on other nodes and not here. Confirmed by two of pod, healthz, log and rules.
    Cause:
        A crash, an API server out of reach, missing kernel modules, the xtables lock. It explains DNS-04, APP-02,
        SVC-15 on this node.
    Fix:
        Restart kube-proxy's pod after its log was read.
    Verify:
        healthz is 200, the rules are there.
    Must not fire:
        Clusters or nodes without kube-proxy, because Cilium, Calico's eBPF, OVN or k3s does its work; a node that is
        being removed by an autoscaler, where healthz says 503 on purpose; a kube-proxy or node a minute old; nodes on
        which nothing can run, because kubelet or container runtime is down (then it is only possible).
    Reasons:
        - not-running: its pod or unit does not run
        - not-syncing: it runs, and healthz says that it does not keep up
        - not-programmed: Services have rules on other nodes and none here
    """
    here = nodes.get(proxy.node)
    if here is None or not _wanted(here, proxy, pods, system, units) or _is_new(here, proxy, clock):
        return
    usual = mode.mode or next((m.mode for m in modes.others(proxy.node) if m.mode), "")
    seen = _look(proxy, mode, clock=clock, rules=rules, units=units, journal=journal, usual=usual)
    leaving = any(t.key == LEAVING for t in here.spec.taints or ()) or here.metadata.deletion_timestamp is not None
    if (mode.healthz == HEALTHY or leaving) and not (seen.unprogrammed or seen.stopped):
        return
    least = (expect.thresholds.get("NET-13", {}) if expect else {}).get("lines", OFTEN)
    failing = len(seen.errors) >= least
    told = mode.healthz is not None and mode.healthz > 0 and mode.healthz != HEALTHY
    signs = sum((seen.stopped, mode.healthz is not None and mode.healthz != HEALTHY, failing, seen.unprogrammed))
    if not (told or seen.stopped or seen.unprogrammed) and not (mode.healthz == 0 and failing):
        return
    reason = "not-running" if seen.stopped else "not-programmed" if seen.unprogrammed and not told else "not-syncing"
    yield Finding(
        code="NET-13",
        reason=reason,
        title=_title(reason, proxy.node),
        severity=Severity.CRIT,
        confidence=Confidence.POSSIBLE
        if _nothing_runs(units, runtime)
        else Confidence.CONFIRMED
        if signs > 1
        else Confidence.LIKELY,
        subject=node(proxy.node),
        facts={
            "node": proxy.node,
            "pods": tuple(p.path for p in proxy.pods),
            "mode": mode.mode,
            "healthz": mode.healthz or 0,
            "component": "kube-proxy",
        },
        onset=seen.since,
        proofs=_proofs(proxy, mode, seen, rules, journal),
        fixes=_fixes(proxy, units),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Seen:
    """What the senses say: stopped, error lines of its log, no rules although others have some, since when."""

    stopped: bool
    errors: tuple[str, ...]
    unprogrammed: bool
    since: datetime | None


def _wanted(
    here: Node, proxy: ServiceProxy, pods: PodsOnNode, system: SystemPods | None, units: HostUnits | None
) -> bool:
    """Whether this cluster has kube-proxy, so that this node should, unless something replaces it here."""
    if is_virtual(here) or here.status.node_info.operating_system == "windows":
        return False
    unit = units.get("kube-proxy") if units else None
    elsewhere = any(is_proxy(p) for p in (system.items if system else ()))
    replaced = any(REPLACES.search(p.metadata.name) for p in pods.items)
    return bool(proxy.pods) or (elsewhere and not replaced) or (unit is not None and unit.starts_at_boot)


def _is_new(here: Node, proxy: ServiceProxy, clock: Clock) -> bool:
    """Whether the node, or each of its kube-proxy pods, is so young that it may still be starting."""
    created = here.metadata.creation_timestamp
    if created is not None and clock.age(created) < YOUNG_NODE:
        return True
    starts = [began for p in proxy.pods if (began := running_since(p) or p.status.start_time)]
    return bool(starts) and all(clock.age(t) < YOUNG_POD for t in starts)


def _nothing_runs(units: HostUnits | None, runtime: ContainerRuntime | None) -> bool:
    """Whether who would start kube-proxy is down itself: its absence is no news then."""
    kubelet = units.get("kubelet") if units else None
    down = runtime is not None and runtime.call in {Call.FAILED, Call.TIMEOUT}
    return down or (kubelet is not None and kubelet.present and not kubelet.running)


def _look(
    proxy: ServiceProxy,
    mode: ProxyMode,
    *,
    clock: Clock,
    rules: PerNode[ServiceRules],
    units: HostUnits | None,
    journal: ServiceProxyLog | None,
    usual: str,
) -> Seen:
    unit = units.get("kube-proxy") if units else None
    by_unit = unit is not None and unit.running
    stopped = not by_unit and not any(runs(p) for p in proxy.pods) and mode.healthz != HEALTHY
    logs = [*(log.lines for log in proxy.logs.values()), journal.lines if journal else ()]
    lines = [x for told in logs for x in in_window(told, clock) if _FAILED.search(x.text)]
    mine, others = rules.get(proxy.node), rules.others(proxy.node)
    missing = mine is not None and mine.programmed(usual) is False and any(r.programmed(usual) for r in others)
    ready = [c.last_transition_time for p in proxy.pods if not runs(p) and (c := p.condition("Ready"))]
    starts = [t for t in (*ready, *(x.at for x in lines)) if t]
    return Seen(
        stopped=stopped,
        errors=tuple(x.text for x in lines),
        unprogrammed=missing,
        since=min(starts) if starts else None,
    )


def _proofs(
    proxy: ServiceProxy, mode: ProxyMode, seen: Seen, rules: PerNode[ServiceRules], journal: ServiceProxyLog | None
) -> tuple[Proof, ...]:
    state = [f"{p.path}: ready={p.ready} restarts={p.restarts}" for p in proxy.pods] or [
        f"no kube-proxy on {proxy.node}"
    ]
    found = [proxy.proof.quote(*state), mode.proof.quote(f"127.0.0.1:10256/healthz: {mode.healthz or 'no answer'}")]
    log = next(iter(proxy.logs.values()), None)
    if log and seen.errors:
        found.append(log.proof.quote(*seen.errors[-2:]))
    elif journal and seen.errors:
        found.append(journal.proof.quote(*seen.errors[-2:]))
    if seen.unprogrammed:
        found += [r.proof.quote(f"{r.node}: {r.iptables or 0} rules name KUBE-SVC") for r in rules]
    return tuple(found)


def _title(reason: str, name: str) -> Text:
    if reason == "not-running":
        return T("kube-proxy does not run on {node}: Services do not work there", node=name)
    if reason == "not-programmed":
        return T("kube-proxy has programmed no Service on {node}", node=name)
    return T("kube-proxy on {node} does not keep up with the Services", node=name)


def _fixes(proxy: ServiceProxy, units: HostUnits | None) -> tuple[Fix, ...]:
    unit = units.get("kube-proxy") if units else None
    names = " ".join(shlex.quote(p.metadata.name) for p in proxy.pods)
    if names:
        space = shlex.quote(proxy.pods[0].metadata.namespace or "kube-system")
        look, renew = f"kubectl -n {space} logs {names.split()[0]} --tail=50", f"kubectl -n {space} delete pod {names}"
    elif unit is not None and unit.present:
        look, renew = "sudo journalctl -u kube-proxy -n 50 --no-pager", "sudo systemctl restart kube-proxy"
    else:
        commands = ("kubectl -n kube-system get daemonset kube-proxy -o wide",)
        return (Fix(what=T("Look why kube-proxy has no pod there."), safety=Safety.READ_ONLY, commands=commands),)
    read = Fix(
        what=T("Read why kube-proxy does not work."),
        safety=Safety.READ_ONLY,
        commands=(look,),
    )
    again = Fix(
        what=T("Restart kube-proxy on {node}; rules that are there stay until it has new ones.", node=proxy.node),
        safety=Safety.DISRUPTIVE,
        commands=(renew,),
        verify=("curl -s -w ' %{http_code}' http://127.0.0.1:10256/healthz",),
    )
    return read, again
