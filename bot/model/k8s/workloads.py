"""Deployments, StatefulSets, ReplicaSets and DaemonSets."""

from __future__ import annotations

from bot.model.k8s.meta import Condition, Meta, Object, Struct
from bot.model.k8s.pods import PodSpec


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
