"""What findings about pods have in common."""

from __future__ import annotations

from bot.model.k8s import Pod
from bot.model.refs import Subject
from bot.model.workloads import VolumeUses


def subject(pod: Pod) -> Subject:
    """The pod."""
    return Subject("Pod", pod.metadata.name, pod.metadata.namespace)


def claims_of(pod: Pod) -> tuple[str, ...]:
    """``ns/name`` of the claims that a pod uses."""
    volumes = (v.persistent_volume_claim for v in pod.spec.volumes or ())
    return tuple(f"{pod.metadata.namespace}/{claim.claim_name}" for claim in volumes if claim)


def volumes_of(claims: tuple[str, ...], uses: VolumeUses | None) -> tuple[str, ...]:
    """The names of the volumes behind these claims, as far as they were read."""
    found = (uses.by_claim.get(c) for c in claims) if uses else ()
    return tuple(u.volume.metadata.name for u in found if u and u.volume)


def short(values: list[str], most: int = 5) -> tuple[str, ...]:
    """The first few of a list, for a message."""
    return tuple(values[:most])
