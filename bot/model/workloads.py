"""Pods and controllers as a large cluster lets one see them: rows of everything, full objects of what looks wrong."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from bot.model.evidence import Evidence
from bot.model.k8s import Event, Pod, Workload
from bot.model.k8s_more import Claim, Hpa, PersistentVolume, VolumeAttachment


@dataclass(frozen=True, slots=True, kw_only=True)
class PodRow:
    """One line of ``kubectl get pods -o wide``.

    Attributes:
        status: the status word: ``Running``, ``CrashLoopBackOff``, ``Terminating`` …
        restarted: seconds since the last restart, None when unknown or never.
        age: seconds since creation, None when unknown.
    """

    namespace: str
    name: str
    ready: int
    total: int
    status: str
    restarts: int
    restarted: float | None
    age: float | None
    node: str

    @property
    def path(self) -> str:
        """``ns/name``."""
        return f"{self.namespace}/{self.name}"


@dataclass(frozen=True, slots=True, kw_only=True)
class PodRows(Evidence):
    """Every pod of the cluster, as rows.

    Attributes:
        unread: namespaces whose pods may not be read or were not recorded, with the reason: nothing follows from their
            absence in ``rows``.
    """

    words: ClassVar[str] = "the table of pods"

    rows: tuple[PodRow, ...]
    unread: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class SuspectPods(Evidence):
    """The pods whose row looks wrong or that are new in the window, in full."""

    words: ClassVar[str] = "the pods that look wrong"

    items: tuple[Pod, ...]

    def get(self, path: str) -> Pod | None:
        """The pod ``ns/name``, or None."""
        return next((p for p in self.items if p.path == path), None)


@dataclass(frozen=True, slots=True, kw_only=True)
class PodEvents(Evidence):
    """Events about the pods that look wrong."""

    words: ClassVar[str] = "the events of the pods"

    items: tuple[Event, ...]

    def of(self, path: str) -> tuple[Event, ...]:
        """The events about the pod ``ns/name``."""
        return tuple(e for e in self.items if f"{e.involved_object.namespace}/{e.involved_object.name}" == path)


@dataclass(frozen=True, slots=True, kw_only=True)
class Workloads(Evidence):
    """The Deployments, StatefulSets and DaemonSets whose row looks wrong, in full.

    Attributes:
        total: how many there are in all.
        unread: ``kind/namespace`` that may not be read or was not recorded, with the reason.
    """

    words: ClassVar[str] = "the workloads"

    items: tuple[Workload, ...]
    total: int
    unread: Mapping[str, str] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Hpas(Evidence):
    """The HorizontalPodAutoscalers whose row has no value for a metric, in full.

    Attributes:
        total: how many there are in all.
    """

    words: ClassVar[str] = "the HorizontalPodAutoscalers"

    items: tuple[Hpa, ...]
    total: int


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeUse:
    """One claim of a pod or StatefulSet that looks wrong, followed to its volume and its attachments.

    Attributes:
        claim: ``ns/name``.
        users: pods (``ns/name``) that use the claim, as far as they look wrong.
        owner: ``StatefulSet/ns/name`` whose template names the claim, or empty.
    """

    claim: str
    object: Claim
    volume: PersistentVolume | None
    attachments: tuple[VolumeAttachment, ...]
    users: tuple[str, ...]
    owner: str

    @property
    def exclusive(self) -> bool:
        """Whether only one node may use it at a time."""
        modes = set(self.object.spec.access_modes or ())
        return bool(modes) and modes <= {"ReadWriteOnce", "ReadWriteOncePod"}


@dataclass(frozen=True, slots=True, kw_only=True)
class VolumeUses(Evidence):
    """The claims of everything that looks wrong, by ``ns/name`` of the claim."""

    words: ClassVar[str] = "the volumes of the pods that look wrong"

    by_claim: Mapping[str, VolumeUse]

    def of(self, owner: str) -> tuple[VolumeUse, ...]:
        """The claims of ``StatefulSet/ns/name`` or of a pod ``ns/name``."""
        return tuple(u for u in self.by_claim.values() if owner == u.owner or owner in u.users)


def changed(pod: Pod) -> datetime | None:
    """When the pod last changed its readiness, or was created."""
    ready = pod.condition("Ready")
    return (ready.last_transition_time if ready else None) or pod.metadata.creation_timestamp
