"""NODE-19: logs, writable layers, emptyDirs or temporary files fill the node's disk."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator
from dataclasses import dataclass

from bot.check import check
from bot.checks.node import space
from bot.checks.node.about import Around
from bot.model.cluster import NodeEvents, Nodes, PodsOnNode
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import ContainerRuntime, Disks, Filesystem, KubeletArguments, Mounts
from bot.model.host_resources import DeletedFile, DiskUse, Images, KubeletSettings
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T, Text

_POD = re.compile(r"/pods/(?P<uid>[0-9a-f]{8}-[0-9a-f-]{27})(?:/|$)|^/var/log/pods/(?P<path>[^/_]+_[^/_]+)_")
MOST_SHOWN = 6
FILLS = 40.0  # percent of what is used, from which on one folder is what fills the disk
HELD = 500 * 1024**2  # bytes of deleted files that are worth a word


@check("NODE-19")
def disk_full_of_files(
    *,
    disks: Disks,
    clock: Clock,
    images: Images | None,
    use: DiskUse | None,
    mounts: Mounts | None,
    nodes: Nodes | None,
    pods: PodsOnNode | None,
    events: NodeEvents | None,
    runtime: ContainerRuntime | None,
    settings: KubeletSettings | None,
    arguments: KubeletArguments | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """The disk of a node is nearly full, and it is not images that fill it.

    Says:
        "no space left on device", "pods are evicted", "the node has disk pressure".
    Evidence:
        df, the mounts, the list of images, du of the folders where logs, pods and temporary files lie, deleted files
        that are still open, the DiskPressure condition, events about the node, the kubelet's own limits.
    Rule:
        Less of the filesystem of images (or of the kubelet) is available than the node's own limit for eviction (by
        default 15 % and 10 %), and images are less than 40 % of what is used, or one folder without images is more than
        60 %. A folder is named when it is 40 % of what is used. Where neither images nor folders tell, where the
        mounts were not read, or the limit was not and the kubelet reports no pressure, it is only possible.
    Cause:
        A log without rotation, a program that writes without end, core dumps, a deleted file that a program still
        writes. It explains evicted pods and DiskPressure.
    Fix:
        Rotate or truncate what is named, then limit its writer.
    Verify:
        df shows space again.
    Must not fire:
        Data that is large but lies on a mount of its own.
    Reasons:
        - files: one folder is what fills the disk
        - deleted-files: a program holds deleted files open, and their space with them
        - runtime-folder: the folder of the container runtime: images, or what containers write into themselves
        - elsewhere: none of the folders that were measured is what fills it
        - unknown-consumer: the disk is nearly full, and what fills it could not be read
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
    if found is None or (found.images is not None and found.images >= about.image_share):
        return
    top = _top(about, found.filesystem)
    reason = _reason(about, found, top)
    since, pressed = space.pressed_since(about.node, "DiskPressure"), space.pressed(about.node, "DiskPressure")
    told = space.told(events, clock)
    sure = about.confidence(told=bool(told))
    yield Finding(
        code="NODE-19",
        reason=reason,
        title=_title(reason, disks.node, found, top),
        detail=_detail(reason, top, found, pods, use),
        severity=Around(node=disks.node, clock=clock, nodes=nodes).severity(Severity.HIGH, since),
        confidence=Confidence.POSSIBLE if reason == "unknown-consumer" else sure,
        subject=node(disks.node),
        facts={**space.facts(about, found), "folder": top.path},
        onset=since,
        proofs=(
            space.df_of(disks, found.filesystem),
            *_shown(about, found.filesystem),
            *((nodes.proof.quote(f"{disks.node}: DiskPressure=True"),) if nodes and pressed else ()),
            *((events.proof.quote(*told),) if events and told else ()),
        ),
        fixes=_fixes(reason, top),
    )


@dataclass(frozen=True, slots=True, kw_only=True)
class Top:
    """What takes most of a filesystem, of what was measured; empty when nothing was.

    Attributes:
        share: percent of what is used.
        held: the process that holds it, when it is a deleted file.
    """

    path: str = ""
    size: int = 0
    share: float = 0.0
    held: DeletedFile | None = None


def _top(about: space.Space, filesystem: Filesystem) -> Top:
    """The largest folder, or deleted file, that lies on this filesystem."""
    folders, deleted = _folders(about, filesystem), _held(about, filesystem)
    path, size, held = "", 0, None
    if folders:
        path, size = next(iter(folders.items()))
    if deleted and deleted[0].size >= max(size, HELD):
        path, size, held = deleted[0].path, deleted[0].size, deleted[0]
    share = 100.0 * size / filesystem.used if filesystem.used else 0.0
    return Top(path=path, size=size, share=share, held=held)


def _folders(about: space.Space, filesystem: Filesystem) -> dict[str, int]:
    """The folders on this filesystem, largest first, without those that are only the sum of one below them."""
    folders = about.use.folders if about.use else {}
    here = {p: n for p, n in folders.items() if about.holding(p) == filesystem}
    half = {p for p, n in here.items() if any(q.startswith(f"{p}/") and m * 2 >= n for q, m in here.items())}
    kept = {p: n for p, n in here.items() if p not in half or p == about.image_root}
    inside = {p for p in kept if p.startswith(f"{about.image_root}/")}
    return dict(sorted(((p, n) for p, n in kept.items() if p not in inside), key=lambda pair: -pair[1]))


def _held(about: space.Space, filesystem: Filesystem) -> tuple[DeletedFile, ...]:
    deleted = about.use.deleted if about.use else None
    return tuple(f for f in deleted or () if f.size >= HELD and about.holding(f.path) == filesystem)


def _reason(about: space.Space, found: space.Short, top: Top) -> str:
    """What fills the disk; images are less than 40 % of it, or a folder without images leaves them no room."""
    images_left_out = found.images is not None or (top.share > 100.0 - space.IMAGE_SHARE and top.path)
    if not top.path or not images_left_out:
        return "unknown-consumer"
    if top.share < FILLS:
        return "elsewhere"
    if top.held:
        return "deleted-files"
    if top.path == about.image_root:
        return "runtime-folder" if found.images is not None else "unknown-consumer"
    return "files"


def _title(reason: str, name: str, found: space.Short, top: Top) -> Text:
    left, mount = round(found.left), found.filesystem.mount
    if reason == "deleted-files" and top.held:
        return T(
            "{command} holds deleted files that fill the disk of {node}: {left} % of {mount} is left",
            command=top.held.command,
            node=name,
            left=left,
            mount=mount,
        )
    if reason in {"files", "runtime-folder"}:
        return T(
            "{folder} fills the disk of {node}: {left} % of {mount} is left",
            folder=top.path,
            node=name,
            left=left,
            mount=mount,
        )
    return T("the disk of {node} is nearly full: {left} % of {mount} is left", node=name, left=left, mount=mount)


def _detail(reason: str, top: Top, found: space.Short, pods: PodsOnNode | None, use: DiskUse | None) -> Text | None:
    """Whose folder it is, or how little is known."""
    if reason == "deleted-files" and top.held:
        return T("{file} ({size}) is deleted, but still open.", file=top.held.path, size=space.gib(top.size))
    if reason == "runtime-folder" and use and use.written is not None:
        return T(
            "Of {size} there, containers wrote {written} into their own filesystem.",
            size=space.gib(top.size),
            written=space.gib(use.written),
        )
    if reason == "runtime-folder":
        return T("Images lie there, and what containers write into their own filesystem.")
    if reason == "elsewhere":
        return T(
            "It is not images. Of the folders that were measured {folder} is the largest: {size} of {used}.",
            folder=top.path,
            size=space.gib(top.size),
            used=space.gib(found.filesystem.used),
        )
    owner = _owner(top.path, pods) if reason == "files" else ""
    return T("It belongs to the pod {pod}.", pod=owner) if owner else None


def _owner(path: str, pods: PodsOnNode | None) -> str:
    hit = _POD.search(path)
    if hit is None or pods is None:
        return ""
    named = (hit["path"] or "").replace("_", "/")
    return next((p.path for p in pods.items if p.metadata.uid == hit["uid"] or p.path == named), "")


def _shown(about: space.Space, filesystem: Filesystem) -> tuple[Proof, ...]:
    if about.use is None:
        return ()
    deleted = [f"{space.gib(f.size)}  {f.path} (deleted, open: {f.command} {f.pid})" for f in _held(about, filesystem)]
    folders = [f"{space.gib(n)}  {p}" for p, n in _folders(about, filesystem).items()]
    return (about.use.proof.quote(*[*deleted[:2], *folders][:MOST_SHOWN]),)


def _fixes(reason: str, top: Top) -> tuple[Fix, ...]:
    where = shlex.quote(top.path or "/var/log")
    if reason == "deleted-files" and top.held:
        end = Fix(
            what=T(
                "On the node: restart what {command} belongs to; its end gives the space back.",
                command=top.held.command,
            ),
            safety=Safety.DISRUPTIVE,
            verify=("df -h",),
        )
        return space.look((f"systemctl status {top.held.pid} --no-pager", "sudo lsof -nP +L1")), end
    if reason == "runtime-folder":
        return (
            space.look(("sudo crictl images", "sudo crictl stats -a", f"sudo du -xh -d2 {where} | sort -h | tail")),
        )
    look = space.look((f"sudo du -xah {where} | sort -h | tail -20", "sudo lsof -nP +L1"))
    if reason != "files":
        return (space.look(("sudo du -xh -d2 / | sort -h | tail -20", "sudo lsof -nP +L1")),)
    if top.path.startswith(("/var/log/journal", "/run/log/journal")):
        return look, Fix(
            what=T("On the node: keep the newest gigabyte of the journal; older lines are lost."),
            safety=Safety.DISRUPTIVE,
            commands=("sudo journalctl --vacuum-size=1G",),
            verify=("df -h",),
        )
    return look, Fix(
        what=T(
            "Rotate or truncate the largest file there; then limit its writer (log rotation, containerLogMaxSize, "
            "a limit of ephemeral-storage)."
        ),
        safety=Safety.DISRUPTIVE,
        verify=("df -h",),
    )
