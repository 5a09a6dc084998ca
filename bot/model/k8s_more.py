"""Structs of the Kubernetes objects that only workloads, storage and scaling need; rules as in :mod:`bot.model.k8s`."""

from __future__ import annotations

from datetime import datetime

import msgspec

from bot.model.k8s import (
    Condition,
    ConditionedStatus,
    Endpoint,
    EndpointConditions,
    EndpointPort,
    EndpointSlice,
    Meta,
    Object,
    Struct,
    TargetRef,
)


class TableColumn(Struct):
    """A column of a server-side table."""

    name: str = ""


class TableRow(Struct):
    """One row; a cell is a string or a number."""

    cells: tuple[str | int | float | bool | None, ...] | None = None


class TableMeta(Struct):
    """Metadata of a table."""

    continue_: str | None = msgspec.field(name="continue", default=None)


class Table(Struct):
    """A server-side table (``as=Table``); ``kind`` tells it from a plain list."""

    kind: str = ""
    metadata: TableMeta = TableMeta()
    column_definitions: tuple[TableColumn, ...] | None = None
    rows: tuple[TableRow, ...] | None = None


class OldAddress(Struct):
    """One address of an Endpoints object."""

    ip: str = ""
    node_name: str | None = None
    target_ref: TargetRef | None = None


class OldSubset(Struct):
    """One subset of an Endpoints object."""

    addresses: tuple[OldAddress, ...] | None = None
    not_ready_addresses: tuple[OldAddress, ...] | None = None
    ports: tuple[EndpointPort, ...] | None = None


class Endpoints(Object):
    """An Endpoints object: what there was before EndpointSlices (1.21), and a leader's record before Leases."""

    subsets: tuple[OldSubset, ...] | None = None

    def as_slices(self) -> tuple[EndpointSlice, ...]:
        """The same as EndpointSlices, one a subset."""
        return tuple(
            EndpointSlice(
                metadata=self.metadata,
                ports=subset.ports,
                endpoints=(
                    *(_endpoint(a, ready=True) for a in subset.addresses or ()),
                    *(_endpoint(a, ready=False) for a in subset.not_ready_addresses or ()),
                ),
            )
            for subset in self.subsets or ()
        )


def _endpoint(address: OldAddress, *, ready: bool) -> Endpoint:
    return Endpoint(
        addresses=(address.ip,),
        conditions=EndpointConditions(ready=ready),
        node_name=address.node_name,
        target_ref=address.target_ref,
    )


class ClaimSpec(Struct):
    """PersistentVolumeClaim.spec."""

    access_modes: tuple[str, ...] | None = None
    volume_name: str | None = None
    storage_class_name: str | None = None


class ClaimStatus(Struct):
    """PersistentVolumeClaim.status."""

    phase: str = ""


class Claim(Object):
    """A PersistentVolumeClaim."""

    spec: ClaimSpec = ClaimSpec()
    status: ClaimStatus = ClaimStatus()


class CsiSource(Struct):
    """PersistentVolume.spec.csi."""

    driver: str = ""
    volume_handle: str = ""


class VolumeSpec(Struct):
    """PersistentVolume.spec, what decides whether it can move."""

    access_modes: tuple[str, ...] | None = None
    csi: CsiSource | None = None
    local: dict[str, object] | None = None
    host_path: dict[str, object] | None = None


class PersistentVolume(Object):
    """A PersistentVolume."""

    spec: VolumeSpec = VolumeSpec()

    @property
    def bound_to_host(self) -> bool:
        """Whether its data lies on one machine."""
        return self.spec.local is not None or self.spec.host_path is not None


class AttachmentSource(Struct):
    """VolumeAttachment.spec.source."""

    persistent_volume_name: str | None = None


class AttachmentSpec(Struct):
    """VolumeAttachment.spec."""

    attacher: str = ""
    node_name: str = ""
    source: AttachmentSource = AttachmentSource()


class VolumeError(Struct):
    """Why attaching or detaching failed."""

    message: str | None = None
    time: datetime | None = None


class AttachmentStatus(Struct):
    """VolumeAttachment.status."""

    attached: bool = False
    attach_error: VolumeError | None = None
    detach_error: VolumeError | None = None


class VolumeAttachment(Object):
    """A VolumeAttachment."""

    spec: AttachmentSpec = AttachmentSpec()
    status: AttachmentStatus = AttachmentStatus()

    @property
    def volume(self) -> str:
        """The PersistentVolume's name, empty for an inline volume."""
        return self.spec.source.persistent_volume_name or ""


class MetricSpec(Struct):
    """One metric of an HPA."""

    type: str = ""


class ScaleTarget(Struct):
    """What an HPA scales."""

    kind: str = ""
    name: str = ""


class HpaSpec(Struct):
    """HorizontalPodAutoscaler.spec."""

    scale_target_ref: ScaleTarget = ScaleTarget()
    metrics: tuple[MetricSpec, ...] | None = None
    min_replicas: int | None = None
    max_replicas: int = 0


class Hpa(Object):
    """A HorizontalPodAutoscaler."""

    spec: HpaSpec = HpaSpec()
    status: ConditionedStatus = ConditionedStatus()

    def condition(self, kind: str) -> Condition | None:
        """The condition of that type, or None."""
        return next((c for c in self.status.conditions or () if c.type == kind), None)


class NodeMetric(Object):
    """One item of ``metrics.k8s.io/…/nodes``."""

    timestamp: datetime | None = None


class GroupVersionRef(Struct):
    """A version inside a discovery document; ``freshness`` only in the aggregated form."""

    version: str = ""
    group_version: str = ""
    freshness: str = "Current"


class DiscoveredGroup(Struct):
    """A group of ``/apis`` in either form: old (``name``) or aggregated (``metadata.name``)."""

    name: str = ""
    metadata: Meta = Meta()
    versions: tuple[GroupVersionRef, ...] | None = None


class DiscoveryDocument(Struct):
    """``/apis``: ``groups`` in the old form, ``items`` in the aggregated one."""

    kind: str = ""
    groups: tuple[DiscoveredGroup, ...] | None = None
    items: tuple[DiscoveredGroup, ...] | None = None
