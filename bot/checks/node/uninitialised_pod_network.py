"""NODE-13: the node has no working CNI plugin."""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Iterator
from datetime import timedelta

from bot.check import check
from bot.model.cluster import Nodes, PodsOnNode, SystemPods
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import CniFiles, RuntimeLog
from bot.model.host_agents import CniAgent, CniDaemonSets
from bot.model.k8s import Node, Pod
from bot.model.lines import in_window
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T, Text

_MESSAGE = re.compile(
    r"container runtime network not ready: NetworkReady=false reason:NetworkPluginNotReady message:"
    r"(?:Network plugin returns error: cni plugin not initialized"
    r"|docker: network plugin is not ready: cni config uninitialized|.*No CNI configuration file in)"
)
_CNI = re.compile(
    r"(?:^|-)(?:flannel|calico-node|canal|cilium|weave-net|aws-node|terway|antrea-agent|kube-router|ipamd|ovnkube-node)(?:-|$)"
)
_NOT_CNI = re.compile(r"operator|controllers|hubble|relay|typha")
_UNREAD = re.compile(r"error parsing configuration list|[Ff]ailed to load CNI config")
_BAD = re.compile(r"^E\d{4} |level=(?:error|fatal)|\b(?:ERROR|FATAL|[Ff]ailed|panic)\b")
GRACE = 120.0
JUST_BEFORE = timedelta(minutes=5)
CAP = 1_900  # a text of this length may have been cut off


@check("NODE-13")
def uninitialised_pod_network(
    *,
    nodes: Nodes,
    clock: Clock,
    pods: PodsOnNode,
    files: CniFiles | None,
    system: SystemPods | None,
    sets: CniDaemonSets | None,
    agent: CniAgent | None,
    told: RuntimeLog | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """The CNI plugin of the node is not deployed or not initialised.

    Says:
        "NetworkPluginNotReady", "the new node never gets Ready".
    Evidence:
        The node's Ready message; /etc/cni/net.d and /opt/cni/bin; the CNI's pod on this node and elsewhere, its
        containers and its log; the runtime's log.
    Rule:
        The message has stood for more than a minute. Confirmed when the files or the CNI's pod show why.
    Cause:
        The CNI is not installed, its agent fails, or its configuration was wiped. It explains POD-05, and DNS-07
        on a new cluster.
    Fix:
        Install or repair the CNI; let its DaemonSet tolerate this node's taints.
    Verify:
        NetworkReady is true, a test pod gets an address.
    Must not fire:
        The agent is not blamed for the Ready condition of its pod alone: every pod of a node that is not Ready has it.
        Within two minutes of the node's registration; Windows nodes; the only node of a cluster whose pods all use the
        host's network.
    Reasons:
        - not-deployed: no CNI runs anywhere in the cluster, and no other node is ready
        - agent-missing: the CNI's DaemonSet has no pod on this node
        - agent-failing: a container of the CNI's pod on this node does not run
        - config-invalid: the configuration is no JSON
        - config-missing: there is no configuration
        - not-initialised: the reason is not known
    """
    here = nodes.get(pods.node)
    ready = here.condition("Ready") if here else None
    if here is None or ready is None or ready.status == "True" or not _MESSAGE.search(ready.message or ""):
        return
    limit = (expect.thresholds.get("NODE-13", {}) if expect else {}).get("seconds", 60)
    since, created = ready.last_transition_time, here.metadata.creation_timestamp
    if (since and clock.age(since) <= limit) or (created and clock.age(created) <= GRACE):
        return
    if not _linux(here) or _needs_none(nodes, pods, system):
        return
    ours = [p for p in pods.items if _is_cni(p)]
    anywhere = _has_agents(system, sets)
    without_pods = not anywhere and _works_elsewhere(nodes, here)
    unread = [
        x.text
        for x in (in_window(told.lines, clock, since - JUST_BEFORE if since else None) if told else ())
        if _UNREAD.search(x.text)
    ]
    reason = _reason(ours, None if without_pods else anywhere, files, unread)
    proofs: list[Proof] = [nodes.proof.quote(f"{here.name}: Ready={ready.status}: {ready.message}")]
    proofs += [files.proof] if files else []
    proofs += [sets.proof.quote(*sets.names)] if sets and sets.names and reason == "agent-missing" else []
    proofs += [told.proof.quote(*unread[-2:])] if told and unread and reason == "config-invalid" else []
    proofs += [pods.proof.quote(*(line for p in ours for line in _states(p)))] if ours else []
    proofs += _last_words(agent, ours) if agent and reason == "agent-failing" else []
    yield Finding(
        code="NODE-13",
        reason=reason,
        title=_title(reason, here.name),
        severity=Severity.CRIT,
        confidence=Confidence.LIKELY if reason == "not-initialised" else Confidence.CONFIRMED,
        subject=node(here.name),
        facts={"node": here.name, "pods": tuple(p.path for p in ours)},
        onset=since,
        proofs=tuple(proofs),
        fixes=tuple(_fixes(here.name, reason, ours)),
    )


def _needs_none(nodes: Nodes, pods: PodsOnNode, system: SystemPods | None) -> bool:
    """A single node for development, where no pod, bound or waiting, asks for a network of its own."""
    everything = (*pods.items, *(system.items if system else ()))
    return len(nodes.items) == 1 and bool(system) and all(p.spec.host_network for p in everything)


def _works_elsewhere(nodes: Nodes, here: Node) -> bool:
    """Whether another Linux node is ready: where no CNI has pods, its CNI came as files."""
    ready = (n.condition("Ready") for n in nodes.items if n.name != here.name and _linux(n))
    return any(c is not None and c.status == "True" for c in ready)


def _linux(item: Node) -> bool:
    return item.status.node_info.operating_system != "windows"


def _is_cni(pod: Pod) -> bool:
    return _CNI.search(pod.metadata.name) is not None and _NOT_CNI.search(pod.metadata.name) is None


def _has_agents(system: SystemPods | None, sets: CniDaemonSets | None) -> bool | None:
    """Whether a CNI runs anywhere; None where that cannot be told from what was read."""
    if (sets and sets.names) or (system and any(map(_is_cni, system.items))):
        return True
    return False if system else None


def _reason(ours: list[Pod], anywhere: bool | None, files: CniFiles | None, unread: list[str]) -> str:
    if any(not _runs(p) for p in ours):
        return "agent-failing"
    if not ours and anywhere is not None:
        return "agent-missing" if anywhere else "not-deployed"
    if (
        files
        and files.configurations
        and (unread or not all(map(_is_json, filter(None, files.configurations.values()))))
    ):
        return "config-invalid"
    if files and not files.configurations and not any(name.endswith(".json") for name in files.others):
        return "config-missing"
    return "not-initialised"


def _runs(pod: Pod) -> bool:
    """Whether its containers run, by their own states: its condition is set from outside when the node is not Ready."""
    states = pod.status.container_statuses
    return all(c.ready for c in states) if states else pod.ready


def _states(pod: Pod) -> Iterator[str]:
    for c in pod.status.container_statuses or ():
        waits, ended = c.state.waiting, c.state.terminated or c.last_state.terminated
        yield " ".join(
            (
                f"{pod.path}: {c.name} ready={c.ready} restarts={c.restart_count}",
                *((f"waiting={waits.reason}",) if waits and waits.reason else ()),
                *((f"exit={ended.exit_code}",) if ended else ()),
            )
        )


def _last_words(agent: CniAgent, ours: list[Pod]) -> list[Proof]:
    """The end of the log of what does not run, an error where there is one."""
    found: list[Proof] = []
    for log in (log for pod in ours for log in agent.of(pod)):
        lines = [x.text for x in log.lines]
        bad = [text for text in lines if _BAD.search(text)]
        found += [log.proof.quote(*(bad or lines)[-2:])] if lines else []
    return found[:1]


def _is_json(text: str) -> bool:
    """Whether it is JSON; a text that the cap cut off, or that others follow, counts as such."""
    try:
        json.JSONDecoder().raw_decode(text.strip())
    except json.JSONDecodeError as error:
        return len(text) >= CAP and error.pos >= len(text.strip()) - 1
    return True


def _title(reason: str, name: str) -> Text:
    return {
        "not-deployed": T("no CNI plugin is deployed, so {node} has no pod network", node=name),
        "agent-missing": T("the CNI has no pod on {node}, so it has no pod network", node=name),
        "agent-failing": T("the CNI's pod on {node} is not ready, so it has no pod network", node=name),
        "config-invalid": T("the CNI configuration of {node} cannot be read", node=name),
        "config-missing": T("{node} has no CNI configuration", node=name),
    }.get(reason, T("the CNI plugin of {node} is not initialised", node=name))


def _fixes(name: str, reason: str, ours: list[Pod]) -> Iterator[Fix]:
    here, works = shlex.quote(name), (f"kubectl get node {shlex.quote(name)}",)
    named = [(shlex.quote(p.metadata.namespace or ""), shlex.quote(p.metadata.name)) for p in ours]
    yield Fix(
        what=T("Look at the CNI's DaemonSet and its pod on {node}; then repair or install it.", node=name),
        safety=Safety.READ_ONLY,
        commands=(
            f"kubectl get pods -A -o wide --field-selector spec.nodeName={here}",
            "kubectl get daemonsets -A",
            *(f"kubectl -n {space} logs {pod} --all-containers --tail=50" for space, pod in named),
            "sudo ls -la /etc/cni/net.d /opt/cni/bin",
        ),
        verify=works,
    )
    if named and reason in {"config-missing", "config-invalid"}:
        yield Fix(
            what=T("Let the CNI's pod on {node} start anew: it writes its configuration again.", node=name),
            safety=Safety.REVERSIBLE,
            commands=tuple(f"kubectl -n {space} delete pod {pod}" for space, pod in named),
            verify=(*works, "ls -la /etc/cni/net.d"),
        )
