"""The parts of Kubernetes objects that kubewhy reads, as structs that msgspec decodes straight from the wire.

Only needed fields are named, so large objects cost little and unknown fields are no error. Every field has a default,
because a real API leaves out what is empty (and some send ``null``): strict models fail whole lists on one odd object.
Field meanings: https://kubernetes.io/docs/reference/kubernetes-api/. Times are UTC.
"""

from __future__ import annotations

from datetime import datetime
from typing import Generic, TypeVar

import msgspec


class Struct(msgspec.Struct, frozen=True, kw_only=True, rename="camel", omit_defaults=True):
    """Base: camelCase on the wire, immutable."""


class OwnerReference(Struct):
    """Who owns an object."""

    kind: str = ""
    name: str = ""
    controller: bool | None = None


class Meta(Struct):
    """ObjectMeta."""

    name: str = ""
    namespace: str | None = None
    uid: str = ""
    labels: dict[str, str] | None = None
    annotations: dict[str, str] | None = None
    creation_timestamp: datetime | None = None
    deletion_timestamp: datetime | None = None
    deletion_grace_period_seconds: int | None = None
    owner_references: tuple[OwnerReference, ...] | None = None
    finalizers: tuple[str, ...] | None = None
    generation: int = 0

    @property
    def path(self) -> str:
        """``ns/name``, or the name of a cluster-scoped object."""
        return f"{self.namespace}/{self.name}" if self.namespace else self.name

    def label(self, key: str) -> str | None:
        """The value of a label, or None."""
        return (self.labels or {}).get(key)

    @property
    def controller(self) -> OwnerReference | None:
        """The owner that controls the object."""
        return next((o for o in self.owner_references or () if o.controller), None)


class Condition(Struct):
    """A condition of any kind of object."""

    type: str = ""
    status: str = "Unknown"
    reason: str | None = None
    message: str | None = None
    last_transition_time: datetime | None = None
    last_heartbeat_time: datetime | None = None


class Object(Struct):
    """Anything with metadata."""

    metadata: Meta = Meta()


T = TypeVar("T")


class ListMeta(Struct):
    """Metadata of a list."""

    continue_: str | None = msgspec.field(name="continue", default=None)
    resource_version: str | None = None
    remaining_item_count: int | None = None


class List(Struct, Generic[T]):
    """A list as the API sends it."""

    items: tuple[T, ...] | None = None
    metadata: ListMeta = ListMeta()


class Taint(Struct):
    """A taint of a node."""

    key: str = ""
    effect: str = ""
    value: str | None = None
    time_added: datetime | None = None


class NodeSpec(Struct):
    """Node.spec."""

    unschedulable: bool = False
    taints: tuple[Taint, ...] | None = None
    provider_id: str | None = msgspec.field(name="providerID", default=None)
    pod_cidr: str | None = msgspec.field(name="podCIDR", default=None)


class NodeAddress(Struct):
    """One address of a node."""

    type: str = ""
    address: str = ""


class NodeSystemInfo(Struct):
    """Node.status.nodeInfo."""

    machine_id: str = msgspec.field(name="machineID", default="")
    system_uuid: str = msgspec.field(name="systemUUID", default="")
    boot_id: str = msgspec.field(name="bootID", default="")
    kernel_version: str = ""
    os_image: str = ""
    container_runtime_version: str = ""
    kubelet_version: str = ""
    operating_system: str = ""


class NodeStatus(Struct):
    """Node.status."""

    conditions: tuple[Condition, ...] | None = None
    addresses: tuple[NodeAddress, ...] | None = None
    node_info: NodeSystemInfo = NodeSystemInfo()
    capacity: dict[str, str] | None = None
    allocatable: dict[str, str] | None = None


class Node(Object):
    """A node."""

    spec: NodeSpec = NodeSpec()
    status: NodeStatus = NodeStatus()

    @property
    def name(self) -> str:
        """The node's name."""
        return self.metadata.name

    def condition(self, kind: str) -> Condition | None:
        """The condition of that type, or None."""
        return next((c for c in self.status.conditions or () if c.type == kind), None)

    def address(self, kind: str = "InternalIP") -> str | None:
        """The first address of that type, or None."""
        return next((a.address for a in self.status.addresses or () if a.type == kind), None)

    @property
    def control_plane(self) -> bool:
        """Whether a role label says so (``control-plane``, formerly ``master``)."""
        labels = self.metadata.labels or {}
        return any(f"node-role.kubernetes.io/{role}" in labels for role in ("control-plane", "master"))


class StateTerminated(Struct):
    """ContainerStateTerminated."""

    exit_code: int = 0
    reason: str | None = None
    message: str | None = None
    started_at: datetime | None = None
    finished_at: datetime | None = None


class StateWaiting(Struct):
    """ContainerStateWaiting."""

    reason: str | None = None
    message: str | None = None


class StateRunning(Struct):
    """ContainerStateRunning."""

    started_at: datetime | None = None


class ContainerState(Struct):
    """ContainerState: at most one member is set."""

    waiting: StateWaiting | None = None
    running: StateRunning | None = None
    terminated: StateTerminated | None = None


class ContainerStatus(Struct):
    """One container's status."""

    name: str = ""
    ready: bool = False
    restart_count: int = 0
    image: str = ""
    container_id: str = msgspec.field(name="containerID", default="")
    state: ContainerState = ContainerState()
    last_state: ContainerState = ContainerState()


class ContainerPort(Struct):
    """A declared port."""

    name: str | None = None
    container_port: int = 0
    protocol: str = "TCP"


class Named(Struct):
    """A reference to an object of the pod's namespace by its name."""

    name: str = ""


class EnvironmentSource(Struct):
    """Where variables of a container come from; never their values."""

    config_map_ref: Named | None = None
    secret_ref: Named | None = None


class VariableSource(Struct):
    """Where the value of one variable comes from."""

    config_map_key_ref: Named | None = None
    secret_key_ref: Named | None = None


class Variable(Struct):
    """One variable of a container: only where its value comes from, never a name or value that stands in the spec."""

    value_from: VariableSource | None = None


class Container(Struct):
    """One container of a pod's spec (of its environment only the objects that it refers to)."""

    name: str = ""
    image: str = ""
    args: tuple[str, ...] | None = None
    command: tuple[str, ...] | None = None
    ports: tuple[ContainerPort, ...] | None = None
    env: tuple[Variable, ...] | None = None
    env_from: tuple[EnvironmentSource, ...] | None = None


class SecretSource(Struct):
    """A volume that is a Secret, by name."""

    secret_name: str = ""


class Projection(Struct):
    """One source of a projected volume."""

    config_map: Named | None = None
    secret: Named | None = None


class Projected(Struct):
    """A volume that joins several sources."""

    sources: tuple[Projection, ...] | None = None


class ClaimSource(Struct):
    """A volume that is a claim."""

    claim_name: str = ""


class Volume(Struct):
    """A volume of a pod."""

    name: str = ""
    persistent_volume_claim: ClaimSource | None = None
    config_map: Named | None = None
    secret: SecretSource | None = None
    projected: Projected | None = None


class DnsConfig(Struct):
    """Pod.spec.dnsConfig."""

    nameservers: tuple[str, ...] | None = None
    searches: tuple[str, ...] | None = None


class PodSpec(Struct):
    """Pod.spec."""

    node_name: str | None = None
    host_network: bool = False
    dns_policy: str = "ClusterFirst"
    dns_config: DnsConfig | None = None
    scheduler_name: str = "default-scheduler"
    scheduling_gates: tuple[msgspec.Raw, ...] | None = None
    containers: tuple[Container, ...] | None = None
    init_containers: tuple[Container, ...] | None = None
    image_pull_secrets: tuple[Named, ...] | None = None
    volumes: tuple[Volume, ...] | None = None
    node_selector: dict[str, str] | None = None
    affinity: dict[str, object] | None = None
    termination_grace_period_seconds: int | None = None


class PodStatus(Struct):
    """Pod.status."""

    phase: str = ""
    reason: str | None = None
    message: str | None = None
    conditions: tuple[Condition, ...] | None = None
    container_statuses: tuple[ContainerStatus, ...] | None = None
    init_container_statuses: tuple[ContainerStatus, ...] | None = None
    pod_ip: str | None = msgspec.field(name="podIP", default=None)
    host_ip: str | None = msgspec.field(name="hostIP", default=None)
    start_time: datetime | None = None


class Pod(Object):
    """A pod."""

    spec: PodSpec = PodSpec()
    status: PodStatus = PodStatus()

    @property
    def path(self) -> str:
        """``ns/name``."""
        return self.metadata.path

    def condition(self, kind: str) -> Condition | None:
        """The condition of that type, or None."""
        return next((c for c in self.status.conditions or () if c.type == kind), None)

    @property
    def ready(self) -> bool:
        """Whether the Ready condition is True."""
        found = self.condition("Ready")
        return found is not None and found.status == "True"

    @property
    def restarts(self) -> int:
        """Sum of the restart counts of its containers."""
        return sum(c.restart_count for c in self.status.container_statuses or ())

    @property
    def finished(self) -> bool:
        """Whether it ran to its end; such pods never count as failing."""
        return self.status.phase == "Succeeded"


class ServicePort(Struct):
    """A port of a Service."""

    name: str | None = None
    port: int = 0
    protocol: str = "TCP"
    target_port: int | str | None = None


class ServiceSpec(Struct):
    """Service.spec."""

    cluster_ip: str | None = msgspec.field(name="clusterIP", default=None)
    type: str = "ClusterIP"
    selector: dict[str, str] | None = None
    ports: tuple[ServicePort, ...] | None = None


class Service(Object):
    """A Service."""

    spec: ServiceSpec = ServiceSpec()


class EndpointConditions(Struct):
    """Conditions of one endpoint; None means true for ``ready`` (EndpointSlice API)."""

    ready: bool | None = None
    serving: bool | None = None
    terminating: bool | None = None


class TargetRef(Struct):
    """What an endpoint or event refers to."""

    kind: str = ""
    name: str = ""
    namespace: str | None = None


class Endpoint(Struct):
    """One endpoint of a slice."""

    addresses: tuple[str, ...] | None = None
    conditions: EndpointConditions = EndpointConditions()
    node_name: str | None = None
    target_ref: TargetRef | None = None

    @property
    def ready(self) -> bool:
        """Whether traffic is sent there."""
        return self.conditions.ready is not False


class EndpointPort(Struct):
    """A port of a slice."""

    name: str | None = None
    port: int | None = None
    protocol: str = "TCP"


class EndpointSlice(Object):
    """An EndpointSlice."""

    endpoints: tuple[Endpoint, ...] | None = None
    ports: tuple[EndpointPort, ...] | None = None


class LeaseSpec(Struct):
    """Lease.spec."""

    holder_identity: str | None = None
    lease_duration_seconds: int | None = None
    acquire_time: datetime | None = None
    renew_time: datetime | None = None
    lease_transitions: int | None = None


class Lease(Object):
    """A Lease."""

    spec: LeaseSpec = LeaseSpec()


class EventSeries(Struct):
    """The newer form of a repeated event."""

    count: int | None = None
    last_observed_time: datetime | None = None


class Event(Object):
    """An Event (core/v1)."""

    involved_object: TargetRef = TargetRef()
    reason: str | None = None
    message: str | None = None
    type: str | None = None
    count: int | None = None
    first_timestamp: datetime | None = None
    last_timestamp: datetime | None = None
    event_time: datetime | None = None
    series: EventSeries | None = None

    @property
    def seen(self) -> datetime | None:
        """When it was last seen (catalogue, Freshness)."""
        observed = self.series.last_observed_time if self.series else None
        return observed or self.last_timestamp or self.event_time

    @property
    def times(self) -> int:
        """How often; ``series.count`` when ``count`` is null."""
        return self.count or (self.series.count if self.series else None) or 1


class PodTemplate(Struct):
    """The pod that a workload makes."""

    metadata: Meta = Meta()
    spec: PodSpec = PodSpec()


class WorkloadSpec(Struct):
    """The shared part of Deployment, StatefulSet and ReplicaSet specs."""

    replicas: int | None = None
    selector: dict[str, object] | None = None
    service_name: str | None = None
    template: PodTemplate = PodTemplate()
    volume_claim_templates: tuple[Object, ...] | None = None


class WorkloadStatus(Struct):
    """The shared part of their statuses (DaemonSet counts under other names)."""

    observed_generation: int = 0
    replicas: int = 0
    ready_replicas: int = 0
    available_replicas: int = 0
    updated_replicas: int = 0
    desired_number_scheduled: int = 0
    number_ready: int = 0
    conditions: tuple[Condition, ...] | None = None


class Workload(Object):
    """A Deployment, StatefulSet, ReplicaSet or DaemonSet; ``kind`` is filled in by the collector."""

    kind: str = ""
    spec: WorkloadSpec = WorkloadSpec()
    status: WorkloadStatus = WorkloadStatus()


class ServiceRef(Struct):
    """The Service behind an APIService."""

    name: str = ""
    namespace: str = ""
    port: int | None = None


class ApiServiceSpec(Struct):
    """APIService.spec."""

    group: str = ""
    version: str = ""
    service: ServiceRef | None = None
    insecure_skip_tls_verify: bool = msgspec.field(name="insecureSkipTLSVerify", default=False)


class ConditionedStatus(Struct):
    """A status of which only conditions matter."""

    conditions: tuple[Condition, ...] | None = None


class ApiService(Object):
    """An APIService."""

    spec: ApiServiceSpec = ApiServiceSpec()
    status: ConditionedStatus = ConditionedStatus()

    @property
    def available(self) -> Condition | None:
        """The Available condition."""
        return next((c for c in self.status.conditions or () if c.type == "Available"), None)


class NamespaceStatus(Struct):
    """Namespace.status."""

    phase: str = "Active"
    conditions: tuple[Condition, ...] | None = None


class NamespaceObject(Object):
    """A Namespace."""

    status: NamespaceStatus = NamespaceStatus()


class ConfigMap(Object):
    """A ConfigMap."""

    data: dict[str, str] | None = None
