"""Leases and events."""

from __future__ import annotations

from datetime import datetime

from bot.model.k8s.meta import Object, Struct
from bot.model.k8s.services import TargetRef


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
