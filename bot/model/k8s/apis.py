"""APIServices, namespaces, ConfigMaps."""

from __future__ import annotations

import msgspec

from bot.model.k8s.meta import Condition, Object, Struct


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
