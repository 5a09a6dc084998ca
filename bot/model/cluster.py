"""What the API server says about the cluster as a whole and its nodes: evidence that many commands share.

Pods, workloads and APIs have modules of their own beside this one.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from bot.model.evidence import Evidence, NodeEvidence
from bot.model.k8s import EndpointSlice, Event, Node, Pod
from bot.model.proof import Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerVersion(Evidence):
    """``GET /version``."""

    words: ClassVar[str] = "the API server's version"

    git_version: str
    minor: int


@dataclass(frozen=True, slots=True, kw_only=True)
class ApiHealth(Evidence):
    """``/readyz?verbose`` and ``/livez?verbose``.

    Attributes:
        ready: whether readyz said 200.
        failed: names of the checks marked ``[-]``.
    """

    words: ClassVar[str] = "the API server's health checks"

    ready: bool
    failed: tuple[str, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class Nodes(Evidence):
    """Every node object."""

    words: ClassVar[str] = "the nodes"

    items: tuple[Node, ...]

    def get(self, name: str) -> Node | None:
        """The node of that name, or None."""
        return next((n for n in self.items if n.name == name), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class Heartbeats(Evidence):
    """When each node's kubelet was last heard of.

    Attributes:
        last: node → newest heartbeat: the Lease's renewTime, or ``lastHeartbeatTime`` of Ready where there are no node
            Leases (before 1.14).
        by_lease: whether Leases were read.
    """

    words: ClassVar[str] = "the nodes' heartbeats"

    last: Mapping[str, datetime]
    by_lease: bool

    @property
    def stale_seconds(self) -> float:
        """After how long silence means something: Leases are renewed every 10 s, an unchanged status every 5 min."""
        return 60.0 if self.by_lease else 360.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Leader:
    """Who leads a component, by Lease or (old) by the annotation on Endpoints.

    Attributes:
        component: ``kube-controller-manager``, ``kube-scheduler``, ``cloud-controller-manager``.
        holder: holderIdentity, ``host_uuid``; empty when released.
    """

    component: str
    holder: str
    renewed: datetime | None
    transitions: int
    proof: Proof

    @property
    def host(self) -> str:
        """The host part of the holder."""
        return self.holder.rsplit("_", 1)[0]


@dataclass(frozen=True, slots=True, kw_only=True)
class Leaders(Evidence):
    """The leader election records of kube-system; a component without a record is absent from ``by_component``."""

    words: ClassVar[str] = "the leader Leases of kube-system"

    by_component: Mapping[str, Leader]


@dataclass(frozen=True, slots=True, kw_only=True)
class KubernetesEndpoints(Evidence):
    """The addresses behind ``default/kubernetes``: every API server that pods may be sent to."""

    words: ClassVar[str] = "the endpoints of default/kubernetes"

    addresses: tuple[str, ...]
    port: int


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemPods(Evidence):
    """Every pod of kube-system, in full; with more than 500, the ready pods of DaemonSets are left out."""

    words: ClassVar[str] = "the pods of kube-system"

    items: tuple[Pod, ...]

    def component(self, name: str) -> tuple[Pod, ...]:
        """Control-plane pods by the label ``component``, or (old) by their name."""
        return tuple(
            p for p in self.items if p.metadata.label("component") == name or p.metadata.name.startswith(f"{name}-")
        )

    def app(self, value: str) -> tuple[Pod, ...]:
        """Pods by the label ``k8s-app``."""
        return tuple(p for p in self.items if p.metadata.label("k8s-app") == value)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodsOnNode(NodeEvidence):
    """The pods bound to one node (field selector ``spec.nodeName``)."""

    words: ClassVar[str] = "the pods"

    items: tuple[Pod, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class NodeEvents(NodeEvidence):
    """Events about one node object."""

    words: ClassVar[str] = "the events"

    items: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class MountEvents(NodeEvidence):
    """The FailedMount events about pods that are bound to one node."""

    words: ClassVar[str] = "the events about volumes"

    items: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class SystemEvents(Evidence):
    """Events of kube-system."""

    words: ClassVar[str] = "the events of kube-system"

    items: tuple[Event, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class LogLine:
    """One log line; ``at`` is the time the API or journal gave it, None when unknown."""

    text: str
    at: datetime | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """A container's or unit's log.

    Attributes:
        origin: ``kube-system/coredns-abc/coredns`` or a unit's name.
        lines: oldest first.
        previous: whether it belongs to the container before the last restart.
    """

    origin: str
    lines: tuple[LogLine, ...]
    previous: bool = False
    proof: Proof


@dataclass(frozen=True, slots=True, kw_only=True)
class ControlPlaneLogs(Evidence):
    """Logs of the control-plane pods: component → current and previous logs of every instance.

    Attributes:
        unread: ``ns/pod`` → why its log could not be read.
    """

    words: ClassVar[str] = "the logs of the control-plane pods"

    by_component: Mapping[str, tuple[Log, ...]]
    unread: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServiceEndpoints:
    """The slices of one Service (or its Endpoints, where the API has no slices)."""

    service: str
    slices: tuple[EndpointSlice, ...]
    proof: Proof

    @property
    def ready(self) -> int:
        """Ready endpoint addresses."""
        return sum(len(e.addresses or ()) for s in self.slices for e in s.endpoints or () if e.ready)
