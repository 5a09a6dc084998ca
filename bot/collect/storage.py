"""Follows the claims of what looks wrong to their volumes and to the nodes these are attached to."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

from bot.collect.read import merged, one, together
from bot.collect.tables import chosen, glance
from bot.collector import collects
from bot.errors import Kind, SourceError
from bot.model.evidence import Evidence
from bot.model.k8s_more import Claim, PersistentVolume, VolumeAttachment
from bot.model.proof import Proof, Source
from bot.model.workloads import SuspectPods, VolumeUse, VolumeUses, Workloads
from bot.source import Kube, Right

GET_CLAIMS = Right(verb="get", resource="persistentvolumeclaims")
GET_VOLUMES = Right(verb="get", resource="persistentvolumes")
GET_ATTACHMENTS = Right(verb="get", resource="volumeattachments", group="storage.k8s.io")
LIST_ATTACHMENTS = Right(verb="list", resource="volumeattachments", group="storage.k8s.io")
MOST = 200


@dataclass(slots=True)
class _Use:
    """Who uses a claim."""

    users: list[str]
    owner: str = ""


@dataclass(frozen=True, slots=True)
class _Bound:
    """A claim and its volume."""

    claim: Claim | None
    volume: PersistentVolume | None
    proofs: tuple[Proof, ...]


@collects(VolumeUses, rights=(GET_CLAIMS, GET_VOLUMES, GET_ATTACHMENTS, LIST_ATTACHMENTS), deadline=40.0)
def volume_uses(kube: Kube, pods: SuspectPods, workloads: Workloads | None) -> Iterator[Evidence]:
    """The claims of pods that look wrong, and of StatefulSets that lack pods; at most 200."""
    uses = _uses(pods, workloads)
    names = sorted(uses)[:MOST]
    bound = dict(zip(names, together(lambda path: _bound(kube, path), names), strict=True))
    volumes = {b.volume.metadata.name for b in bound.values() if b.volume}
    attachments, proof = _attachments(kube, volumes)
    found = {
        path: VolumeUse(
            claim=path,
            object=b.claim,
            volume=b.volume,
            attachments=tuple(a for a in attachments if b.volume and a.volume == b.volume.metadata.name),
            users=tuple(uses[path].users),
            owner=uses[path].owner,
        )
        for path, b in bound.items()
        if b.claim is not None
    }
    proofs = [p for b in bound.values() for p in b.proofs] + ([proof] if proof else [])
    yield VolumeUses(
        proof=merged(proofs, "claims, volumes and VolumeAttachments of the pods that look wrong"), by_claim=found
    )


def _uses(pods: SuspectPods, workloads: Workloads | None) -> dict[str, _Use]:
    uses: dict[str, _Use] = {}
    for pod in pods.items:
        for volume in pod.spec.volumes or ():
            if volume.persistent_volume_claim:
                path = f"{pod.metadata.namespace}/{volume.persistent_volume_claim.claim_name}"
                uses.setdefault(path, _Use([])).users.append(pod.path)
    for workload in workloads.items if workloads else ():
        if workload.kind != "StatefulSet":
            continue
        meta = workload.metadata
        for template in workload.spec.volume_claim_templates or ():
            for ordinal in range(min(workload.spec.replicas or 0, MOST)):
                path = f"{meta.namespace}/{template.metadata.name}-{meta.name}-{ordinal}"
                uses.setdefault(path, _Use([])).owner = f"StatefulSet/{meta.path}"
    return uses


def _bound(kube: Kube, path: str) -> _Bound:
    namespace, _, name = path.partition("/")
    at = f"/api/v1/namespaces/{namespace}/persistentvolumeclaims/{name}"
    claim, proof = one(kube, at, Claim, GET_CLAIMS)
    if claim is None or not claim.spec.volume_name:
        return _Bound(claim, None, (proof,))
    at = f"/api/v1/persistentvolumes/{claim.spec.volume_name}"
    volume, second = one(kube, at, PersistentVolume, GET_VOLUMES)
    return _Bound(claim, volume, (proof, second))


def _attachments(kube: Kube, volumes: set[str]) -> tuple[tuple[VolumeAttachment, ...], Proof | None]:
    """The attachments of these volumes; their API is younger (1.9) than volumes are."""
    if not volumes:
        return (), None
    prefix = "/apis/storage.k8s.io/v1"
    try:
        seen = glance(kube, f"{prefix}/volumeattachments", VolumeAttachment, LIST_ATTACHMENTS)
    except SourceError as error:
        if error.kind is not Kind.NOT_FOUND:
            raise
        return (), Proof(source=Source.API, what=f"GET {prefix}/volumeattachments", body="404: this API has none")
    if seen.full is not None:
        return tuple(a for a in seen.full if a.volume in volumes), seen.proof
    return chosen(kube, seen, lambda row: row.get("PV", "") in volumes, VolumeAttachment, GET_ATTACHMENTS), seen.proof
