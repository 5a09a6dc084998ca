"""What the API knows about hosts beside the nodes' own word: kubeadm's list, CNI agents, node-problem-detector."""

from __future__ import annotations

import re
from collections.abc import Iterator

from bot.collect.logs import LOGS, read_logs, wanted_of
from bot.collect.read import listing, one
from bot.collect.tables import glance
from bot.collect.workloads import PREFIXES, first_served
from bot.collector import collects
from bot.errors import SourceError
from bot.model.cluster import Log, PodsOnNode
from bot.model.evidence import Clock, Evidence
from bot.model.host_agents import (
    DETECTOR,
    CniAgent,
    CniDaemonSets,
    KubeadmHosts,
    ProblemDetectors,
    is_agent,
    is_network,
    names_network,
)
from bot.model.k8s import ConfigMap, Workload
from bot.model.refs import NodeName
from bot.source import Kube, Right

GET_CONFIG = Right(verb="get", resource="configmaps", names=("kubeadm-config",))
LIST_DAEMONSETS = Right(verb="list", resource="daemonsets", group="apps")
_ENDPOINTS = re.compile(r"(?m)^apiEndpoints:\n((?:[ \t]+.*\n?)*)")
_HOST = re.compile(r"(?m)^ {1,4}([A-Za-z0-9.-]+):\s*$")
_ADDRESS = re.compile(r"advertiseAddress:\s*(\S+)")


@collects(KubeadmHosts, rights=(GET_CONFIG,))
def kubeadm_hosts(kube: Kube) -> Iterator[Evidence]:
    """``apiEndpoints`` of kubeadm's ClusterStatus (up to 1.21); a cluster without that ConfigMap names no host."""
    path = "/api/v1/namespaces/kube-system/configmaps/kubeadm-config"
    found, proof = one(kube, path, ConfigMap, GET_CONFIG)
    status = (found.data or {}).get("ClusterStatus", "") if found else ""
    block = _ENDPOINTS.search(status)
    text = block[1] if block else ""
    yield KubeadmHosts(proof=proof, names=tuple(_HOST.findall(text)), addresses=tuple(_ADDRESS.findall(text)))


@collects(CniAgent, rights=(LOGS,))
def cni_agent(kube: Kube, clock: Clock, node: NodeName, pods: PodsOnNode) -> Iterator[Evidence]:
    """The agents among the node's pods; a log that may not be read is left out, the pod's state still counts."""
    agents = tuple(p for p in pods.items if is_agent(p))
    logging = tuple(p for p in pods.items if is_network(p))
    logs: tuple[Log, ...] = ()
    wanted = tuple(w for pod in logging for w in wanted_of(pod) if not w.previous)
    if wanted:
        try:
            logs, _ = read_logs(kube, wanted, clock, some=False)
        except SourceError:
            logs = ()
    yield CniAgent(proof=pods.proof, node=node, pods=agents, logs={log.origin: log for log in logs})


@collects(ProblemDetectors, CniDaemonSets, rights=(LIST_DAEMONSETS,))
def daemonsets(kube: Kube) -> Iterator[Evidence]:
    """Of every namespace: charts name it after their release, so the usual labels count as well as the name."""
    right = LIST_DAEMONSETS
    served = first_served(PREFIXES, lambda prefix: glance(kube, f"{prefix}/daemonsets", Workload, right))
    found = listing(kube, f"{served}/daemonsets", Workload, right)
    names = tuple(f"{d.metadata.namespace}/{d.metadata.name}" for d in found.items if _detects(d))
    yield ProblemDetectors(proof=found.proof, names=names)
    network = tuple(f"{d.metadata.namespace}/{d.metadata.name}" for d in found.items if names_network(d.metadata.name))
    yield CniDaemonSets(proof=found.proof, names=network)


def _detects(workload: Workload) -> bool:
    """Whether the DaemonSet is node-problem-detector, by its name or a label."""
    return any(DETECTOR in word for word in (workload.metadata.name, *(workload.metadata.labels or {}).values()))
