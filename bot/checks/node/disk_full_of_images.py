"""NODE-18: images fill the node's disk."""

from __future__ import annotations

import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.node import space
from bot.checks.node.about import Around
from bot.model.cluster import NodeEvents, Nodes
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Finding, Fix, Safety, Severity
from bot.model.host import ContainerRuntime, Disks, KubeletArguments, Mounts
from bot.model.host_resources import DiskUse, Images, KubeletSettings
from bot.model.refs import node
from bot.model.text import T, Text

MOST_SHOWN = 10
PACKED = 1.2  # so much more than the list says is taken only by layers that it counts compressed


@check("NODE-18")
def disk_full_of_images(
    *,
    disks: Disks,
    clock: Clock,
    images: Images | None,
    use: DiskUse | None,
    mounts: Mounts | None,
    nodes: Nodes | None,
    events: NodeEvents | None,
    runtime: ContainerRuntime | None,
    settings: KubeletSettings | None,
    arguments: KubeletArguments | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """The disk of a node is nearly full, and images take most of it.

    Says:
        "no space left on device", "pods are evicted", "the node has disk pressure".
    Evidence:
        df, the mounts, the list of images (crictl, docker), du, the containers' writable layers, the DiskPressure
        condition, events about the node, the containers that use images, the kubelet's own limits.
    Rule:
        Less of the filesystem of images (or of the kubelet) is available than the node's own limit for eviction (by
        default 15 % and 10 %), and images are at least 40 % of what is used; layers that images share are counted in
        each, so never more than du finds in the runtime's folder; containerd tells their compressed sizes, so what
        containers did not write into that folder counts, too. Confirmed when the kubelet reports DiskPressure, or that
        it cannot free enough. Only possible where the mounts could not be read, or where the limit could not be read
        and the kubelet reports no pressure.
    Cause:
        Many or large images in a short time; garbage collection cannot keep up or is off. It explains evicted pods,
        failing pulls, and a runtime that cannot write.
    Fix:
        List what is unused, then remove it; collect earlier (imageGCHighThresholdPercent, imageMaximumGCAge), or give
        the node a larger disk.
    Verify:
        DiskPressure is False five minutes later.
    Must not fire:
        Space is there again and only the taint of the transition period remains; "invalid capacity 0 on image
        filesystem" at the kubelet's start.
    Reasons:
        - images: images are what fills the disk
    """
    about = space.Space(
        disks=disks,
        mounts=mounts,
        nodes=nodes,
        images=images,
        use=use,
        runtime=runtime,
        settings=settings,
        arguments=arguments,
        expect=expect,
    )
    found = about.short()
    if found is None or images is None or found.images is None or found.images < about.image_share:
        return
    since = space.pressed_since(about.node, "DiskPressure")
    pressed = space.pressed(about.node, "DiskPressure")
    told = space.told(events, clock)
    yield Finding(
        code="NODE-18",
        reason="images",
        title=T(
            "images fill the disk of {node}: {left} % of {mount} is left",
            node=disks.node,
            left=round(found.left),
            mount=found.filesystem.mount,
        ),
        detail=_detail(images, runtime, found),
        severity=Around(node=disks.node, clock=clock, nodes=nodes).severity(Severity.HIGH, since),
        confidence=about.confidence(told=bool(told)),
        subject=node(disks.node),
        facts={
            **space.facts(about, found),
            "images_percent": round(found.images),
            "images": tuple(f"{space.gib(i.size)} {i.name}" for i in images.items[:MOST_SHOWN]),
        },
        onset=since,
        proofs=(
            space.df_of(disks, found.filesystem),
            images.proof.quote(*(f"{space.gib(i.size)}  {i.name}" for i in images.items[:MOST_SHOWN])),
            *((nodes.proof.quote(f"{disks.node}: DiskPressure=True"),) if nodes and pressed else ()),
            *((events.proof.quote(*told),) if events and told else ()),
        ),
        fixes=_fixes(about, found, docker=about.scheme == "docker"),
    )


def _detail(images: Images, runtime: ContainerRuntime | None, found: space.Short) -> Text | None:
    """How much could be removed: the images that no container was made of; None when the containers are not known."""
    known = runtime.containers if runtime else None
    used = images.used if known is None else tuple(c.image for c in known)
    if used is None:
        return None
    spare = sum(i.size for i in images.items if not any(i.is_of(reference) for reference in used))
    taken = found.filesystem.used * (found.images or 0.0) / 100.0
    if taken > images.total * PACKED:
        return T(
            "Images take {taken}; their list, which counts them compressed, says {total}, of which {spare} are used by "
            "no container.",
            taken=space.gib(taken),
            total=space.gib(images.total),
            spare=space.gib(spare),
        )
    return T(
        "{total} of images, of which {spare} are used by no container.",
        total=space.gib(images.total),
        spare=space.gib(spare),
    )


def _fixes(about: space.Space, found: space.Short, *, docker: bool) -> tuple[Fix, ...]:
    prune = Fix(
        what=T("On the node: remove the images that no container uses; they are pulled again when needed."),
        safety=Safety.REVERSIBLE,
        commands=("sudo docker image prune -a -f" if docker else "sudo crictl rmi --prune",),
        verify=(f"df -h {shlex.quote(found.filesystem.mount)}", space.pressure_of(about.disks.node)),
    )
    listed = ("sudo docker images", "sudo docker ps -a") if docker else ("sudo crictl images", "sudo crictl ps -a")
    return space.look(listed), prune
