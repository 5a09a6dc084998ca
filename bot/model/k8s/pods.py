"""Pods."""

from __future__ import annotations

from datetime import datetime

import msgspec

from bot.model.k8s.containers import Container, ContainerStatus, Named
from bot.model.k8s.meta import Condition, Object, Struct


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


class PodAddress(Struct):
    """One of the addresses of a pod."""

    ip: str = ""


class PodStatus(Struct):
    """Pod.status."""

    phase: str = ""
    reason: str | None = None
    message: str | None = None
    conditions: tuple[Condition, ...] | None = None
    container_statuses: tuple[ContainerStatus, ...] | None = None
    init_container_statuses: tuple[ContainerStatus, ...] | None = None
    pod_ip: str | None = msgspec.field(name="podIP", default=None)
    pod_ips: tuple[PodAddress, ...] | None = msgspec.field(name="podIPs", default=None)
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
