"""What the API knows about hosts beside the nodes' own word: who is control plane, which agents look after them."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import ClassVar

from bot.model.cluster import Log
from bot.model.evidence import Evidence, NodeEvidence
from bot.model.k8s import Pod

DETECTOR = "node-problem-detector"
AGENT = re.compile(r"(?:^|-)(?:ipamd|aws-node|terway|azure-cns|cilium|calico-node|jdcloud-cni)(?:-|$)")
NO_AGENT = re.compile(
    r"operator|controller|hubble|relay|typha|envoy|preflight|pre-flight|clustermesh|certgen|spire|test"
)
# what carries packets between nodes without giving pods routes or rules of their own
CARRIER = re.compile(
    r"^(?:kube-flannel|canal|weave-net|antrea-agent|kube-router|ovnkube-node|ovs-ovn|kube-ovn-cni|calico-node|cilium)(?:-|$)"
)


@dataclass(frozen=True, slots=True, kw_only=True)
class KubeadmHosts(Evidence):
    """The hosts that kubeadm's configuration names as control plane (``apiEndpoints``; empty since 1.22)."""

    words: ClassVar[str] = "kubeadm's control-plane hosts"

    names: tuple[str, ...]
    addresses: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CniAgent(NodeEvidence):
    """The pods that give this node's pods their addresses and routes, with what they log.

    Attributes:
        pods: of kube-system or the agent's own namespace, on this node.
        logs: newest lines of each container, by ``ns/pod/container``, also of what only carries packets between nodes;
            one that may not be read is absent.
    """

    words: ClassVar[str] = "CNI agent"

    pods: tuple[Pod, ...]
    logs: Mapping[str, Log]

    def of(self, pod: Pod) -> tuple[Log, ...]:
        """The logs of one pod."""
        return tuple(log for origin, log in self.logs.items() if origin.startswith(f"{pod.path}/"))


@dataclass(frozen=True, slots=True, kw_only=True)
class CniDaemonSets(Evidence):
    """The DaemonSets that bring the pods' network, by their names, ``ns/name``; empty where the cluster has none."""

    words: ClassVar[str] = "DaemonSets of the CNI"

    names: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ProblemDetectors(Evidence):
    """The DaemonSets called or labelled node-problem-detector, ``ns/name``; empty where the cluster has none."""

    words: ClassVar[str] = "DaemonSets of node-problem-detector"

    names: tuple[str, ...]


def is_agent(pod: Pod) -> bool:
    """Whether the pod is the CNI's agent on its node (by its name: catalogue NET-04 lists them).

    Agents are a DaemonSet's; a pod of somebody else that is only called so is none.
    """
    owner = pod.metadata.controller
    if owner is not None and owner.kind != "DaemonSet":
        return False
    return AGENT.search(pod.metadata.name) is not None and NO_AGENT.search(pod.metadata.name) is None


def is_network(pod: Pod) -> bool:
    """Whether the pod carries packets between its node and others."""
    owner = pod.metadata.controller
    ours = owner is None or owner.kind == "DaemonSet"
    return is_agent(pod) or (ours and names_network(pod.metadata.name))


def names_network(name: str) -> bool:
    """Whether a DaemonSet of this name, or its pod, gives a node its pod network."""
    return (AGENT.search(name) or CARRIER.search(name)) is not None and NO_AGENT.search(name) is None
