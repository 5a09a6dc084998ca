"""What every object has: metadata, conditions, and the list that it comes in."""

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
