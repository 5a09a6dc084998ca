"""STOR-01: a volume that only one node may use is held by another."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.check import check
from bot.model.cluster import Heartbeats, Nodes
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.health import is_down
from bot.model.k8s import Event, Pod
from bot.model.proof import Proof
from bot.model.refs import Subject
from bot.model.text import T, Text
from bot.model.workloads import PodEvents, SuspectPods, VolumeUse, VolumeUses

GRACE = 60.0
DETACH = 360.0
MULTI = re.compile(
    r'Multi-Attach error for volume "(?P<volume>[^"]+)"|disk has already been attached|IncorrectDiskStatus'
    r"|VolumeInUse|already attached"
)
DETAIL: dict[str, Text] = {
    "holder-node-down": T("The node that holds it is not heard of, so nobody detaches it."),
    "two-consumers": T("A healthy pod uses it: two pods want a volume that only one node may have."),
    "not-detached": T("No pod uses it there any more; it was not detached."),
}


@dataclass(frozen=True, slots=True)
class _Conflict:
    """One claim, who waits for it, and which node holds it."""

    use: VolumeUse
    holder: str
    waiting: tuple[str, ...]
    onset: datetime | None
    reason: str
    said: tuple[str, ...]


@check("STOR-01")
def volume_held_by_another_node(
    uses: VolumeUses,
    suspects: SuspectPods,
    clock: Clock,
    *,
    events: PodEvents | None,
    nodes: Nodes | None,
    heartbeats: Heartbeats | None,
) -> Iterator[Finding]:
    """A volume is attached to one node, and a pod on another needs it.

    Says:
        "the pod cannot mount the cloud disk", "Multi-Attach error".
    Evidence:
        FailedAttachVolume events; VolumeAttachments; claims, their access modes, the pods that use them; node states.
    Rule:
        The claim is ReadWriteOnce or ReadWriteOncePod, and an attachment or a pod that uses it is on another node than
        the pod that waits; or the node that holds it is gone while its pod cannot end. Confirmed when an event or
        attachment and the pods agree; likely with one.
    Cause:
        A block volume cannot be shared: the holder's node is dead, or there are two consumers.
    Fix:
        Repair or retire the holder; Recreate strategy; shared storage when sharing is wanted.
    Verify:
        Event SuccessfulAttachVolume.
    Must not fire:
        The first 60 s of a normal move; volumes that many may use.
    Reasons:
        - holder-node-down: the node that holds it is gone
        - two-consumers: a healthy pod holds it
        - not-detached: it is attached where no pod needs it
    """
    for use in uses.by_claim.values():
        if not use.exclusive:
            continue
        pods = tuple(p for p in (suspects.get(user) for user in use.users) if p is not None)
        conflict = _conflict(use, pods, clock, events=events, nodes=nodes, heartbeats=heartbeats)
        if conflict is not None:
            yield _finding(conflict, uses.proof, suspects.proof)


def _conflict(
    use: VolumeUse,
    pods: tuple[Pod, ...],
    clock: Clock,
    *,
    events: PodEvents | None,
    nodes: Nodes | None,
    heartbeats: Heartbeats | None,
) -> _Conflict | None:
    ending = tuple(p for p in pods if p.metadata.deletion_timestamp is not None)
    waiting = tuple(p for p in pods if p not in ending and not p.ready and _old(p, clock))
    wanted = {p.spec.node_name for p in waiting if p.spec.node_name}
    held = {a.spec.node_name for a in use.attachments if a.status.attached}
    held |= {p.spec.node_name for p in pods if p.spec.node_name and p not in waiting}
    others = sorted(held - wanted)
    complaints = [e for p in waiting for e in _complaints(p, events, clock)]
    dead = [n for n in others if is_down(n, nodes, heartbeats, clock)]
    blocked = [p for p in ending if p.spec.node_name in dead and _overdue(p, clock)]
    if not others or not (complaints or (waiting and wanted) or blocked):
        return None
    holder = dead[0] if dead else others[0]
    shared = any("used by pod(s)" in (e.message or "") for e in complaints)
    alive = shared or any(p.spec.node_name == holder and p.ready for p in pods)
    reason = "holder-node-down" if dead else "two-consumers" if alive else "not-detached"
    if reason == "not-detached" and not complaints:
        return None
    first = [e.first_timestamp or e.event_time for e in complaints]
    return _Conflict(
        use=use,
        holder=holder,
        waiting=tuple(p.path for p in (*waiting, *blocked)),
        onset=min((t for t in first if t), default=None),
        reason=reason,
        said=tuple(e.message or "" for e in complaints[:2]),
    )


def _old(pod: Pod, clock: Clock) -> bool:
    made = pod.metadata.creation_timestamp
    return made is None or clock.age(made) > GRACE


def _overdue(pod: Pod, clock: Clock) -> bool:
    due = pod.metadata.deletion_timestamp
    return due is not None and clock.age(due) > DETACH


def _complaints(pod: Pod, events: PodEvents | None, clock: Clock) -> list[Event]:
    found = [e for e in (events.of(pod.path) if events else ()) if MULTI.search(e.message or "")]
    return [e for e in found if (seen := e.seen) is not None and clock.age(seen) <= clock.window_seconds]


def _finding(conflict: _Conflict, listed: Proof, pods: Proof) -> Finding:
    use, meta = conflict.use, conflict.use.object.metadata
    volume = use.volume.metadata.name if use.volume else ""
    attached = [f"VolumeAttachment {a.metadata.name}: {a.volume} on {a.spec.node_name}" for a in use.attachments]
    return Finding(
        code="STOR-01",
        reason=conflict.reason,
        title=T(
            "Volume of {claim} is held by {node}; {pods} cannot have it",
            claim=use.claim,
            node=conflict.holder,
            pods=conflict.waiting,
        ),
        detail=DETAIL[conflict.reason],
        severity=Severity.CRIT,
        confidence=Confidence.CONFIRMED if attached or conflict.said else Confidence.LIKELY,
        subject=Subject("PersistentVolumeClaim", meta.name, meta.namespace),
        facts={"node": conflict.holder, "claim": use.claim, "volume": volume, "pods": conflict.waiting},
        onset=conflict.onset,
        proofs=(
            listed.quote(*attached, f"{use.claim}: {', '.join(use.object.spec.access_modes or ())}"),
            pods.quote(*(conflict.said or tuple(f"{p} waits" for p in conflict.waiting))),
        ),
        fixes=(
            Fix(
                what=T(
                    "See who holds the volume; repair its node or scale down the old consumer, then it moves by itself."
                ),
                safety=Safety.READ_ONLY,
                commands=(
                    f"kubectl get volumeattachments | grep {shlex.quote(volume or meta.name)}",
                    f"kubectl -n {shlex.quote(meta.namespace or 'default')} get pods -o wide",
                ),
                verify=(f"kubectl -n {shlex.quote(meta.namespace or 'default')} get events | grep AttachVolume",),
            ),
        ),
    )
