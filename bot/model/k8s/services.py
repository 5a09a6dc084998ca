"""Services and their endpoints."""

from __future__ import annotations

import msgspec

from bot.model.k8s.meta import Object, Struct


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
