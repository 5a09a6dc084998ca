"""Times, ids and metadata: the same on every run, and looking as the API server prints them."""

from __future__ import annotations

import hashlib
import uuid
from datetime import datetime, timedelta
from typing import Any

from tools.bases.spec import BORN, RECORDED

Obj = dict[str, Any]


NAMESPACE = uuid.UUID("5f0a9c2e-7a51-4b6e-9d0b-0f3a6a1f7c11")


DAY = 86400.0


SAFE = "bcdfghjklmnpqrstvwxz2456789"


DROPPED: tuple[Any, ...] = (None, {}, [], ())


def iso(when: datetime) -> str:
    """``2026-11-21T04:00:00Z``."""
    return when.strftime("%Y-%m-%dT%H:%M:%SZ")


def micro(when: datetime) -> str:
    """``2026-11-21T04:00:00.123456Z``, as Leases have it."""
    return when.strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def ago(seconds: float) -> datetime:
    """A moment before the recording."""
    return RECORDED - timedelta(seconds=seconds)


def born(seconds: float = 0) -> datetime:
    """A moment after the cluster was created."""
    return BORN + timedelta(seconds=seconds)


def hexid(length: int, *parts: object) -> str:
    """Lower-case hex that is the same on every run."""
    return hashlib.sha256("/".join(map(str, parts)).encode()).hexdigest()[:length]


def number(below: int, *parts: object) -> int:
    """An integer in ``0..below-1`` that is the same on every run."""
    return int(hexid(12, *parts), 16) % below


def suffix(length: int, *parts: object) -> str:
    """Letters as the API server generates for names."""
    return "".join(SAFE[number(len(SAFE), *parts, i)] for i in range(length))


def uid(*parts: object) -> str:
    """A UUID that is the same on every run."""
    return str(uuid.uuid5(NAMESPACE, "/".join(map(str, parts))))


def clean(**fields: Any) -> Obj:
    """The fields that are set: the API server leaves empty ones out."""
    return {
        key.rstrip("_"): value for key, value in fields.items() if not any(value is d or value == d for d in DROPPED)
    }


def obj(
    api: str,
    kind: str,
    name: str,
    ns: str | None = None,
    *,
    created: datetime = BORN,
    labels: dict[str, str] | None = None,
    annotations: dict[str, str] | None = None,
    owner: Obj | None = None,
    generation: int | None = None,
    finalizers: list[str] | None = None,
    generate_name: str | None = None,
    **body: Any,
) -> Obj:
    """An object with complete metadata; ``body`` are its other top-level fields."""
    metadata = clean(
        name=name,
        generateName=generate_name,
        namespace=ns,
        uid=uid(api, kind, ns, name),
        resourceVersion=str(1000 + number(8_000_000, kind, ns, name)),
        generation=generation,
        creationTimestamp=iso(created),
        labels=labels,
        annotations=annotations,
        ownerReferences=[owner] if owner else None,
        finalizers=finalizers,
    )
    return {"apiVersion": api, "kind": kind, "metadata": metadata, **body}


def owner_of(parent: Obj) -> Obj:
    """The ownerReference to a controller."""
    return {
        "apiVersion": parent["apiVersion"],
        "kind": parent["kind"],
        "name": parent["metadata"]["name"],
        "uid": parent["metadata"]["uid"],
        "controller": True,
        "blockOwnerDeletion": True,
    }


def condition(kind: str, status: str, since: datetime, reason: str | None = None, message: str | None = None) -> Obj:
    """A condition with its last transition."""
    return clean(type=kind, status=status, lastTransitionTime=iso(since), reason=reason, message=message)
