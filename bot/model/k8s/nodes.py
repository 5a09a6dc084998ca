"""Nodes."""

from __future__ import annotations

from datetime import datetime

import msgspec

from bot.model.k8s.meta import Condition, Object, Struct


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
