"""NODE-28: a disk of the node fails, or its filesystem became read-only."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from collections.abc import Iterator

from bot.check import check
from bot.model.cluster import LogLine, NodeEvents, Nodes
from bot.model.evidence import Clock, Expectations, PerNode
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import KernelLog, KubeletLog, Mount, Mounts
from bot.model.k8s import Node
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T, Text

CONDITIONS = ("ReadonlyFilesystem", "XfsShutdown", "BadDisk", "CperHardwareErrorFatal")
EVENTS = frozenset({"Ext4Error", "IOError", "MemoryReadError", "FilesystemIsReadOnly"})
IMMUTABLE = re.compile(r"Bottlerocket|Flatcar|Talos|Container-Optimized|CoreOS|Kairos|Elemental", re.IGNORECASE)
BY_DESIGN = frozenset({"iso9660", "squashfs", "erofs"})
DATA = re.compile(
    r"^/(?:$|var$|var/log$|var/lib$|var/lib/(?:kubelet|containerd|docker|containers|etcd|rancher|crio)(?:/[a-z0-9.-]+)?$)"
)
_ERROR = re.compile(
    r"EXT4-fs error|Buffer I/O error|Remounting filesystem read-only|XFS .* Shutting down filesystem"
    r"|I/O error, dev \S+|nvme\S*:? (?:timeout|I/O)|EDAC .* (?:UE|CE)\b"
)
_DEVICE = re.compile(r"\(device (\w+)\)|\((\w+)\): Remounting|dev (\w+)|XFS \((\w+)\)|(nvme\d+(?:n\d+)?)|(EDAC \w+)")
_MADE_RO = re.compile(r"Remounting filesystem read-only|Shutting down filesystem")


@check("NODE-28")
def failing_disk(
    *,
    mounts: Mounts,
    clock: Clock,
    nodes: Nodes | None,
    events: NodeEvents | None,
    kernel: KernelLog | None,
    log: KubeletLog | None,
    others: PerNode[Mounts],
    expect: Expectations | None,
) -> Iterator[Finding]:
    """A disk or the memory of the node fails, or a filesystem that the node writes to became read-only.

    Says:
        "read-only file system", "input/output error", "the kubelet cannot write".
    Evidence:
        node-problem-detector's conditions and events; the kernel's log; the mounts here and on nodes of the same
        kind; the kubelet's log.
    Rule:
        A filesystem of the kubelet or the runtime is mounted ro although the kernel, node-problem-detector, the
        kubelet or the other nodes say that it was writable; or three I/O errors on one device stand in the window.
        Confirmed by two of the sources.
    Cause:
        The disk or the machine fails. It explains NODE-10, NODE-03, ETCD-02, ETCD-06, STOR-17.
    Fix:
        Drain the node, replace the disk or the machine, check the filesystem offline.
    Verify:
        The filesystem is mounted rw.
    Must not fire:
        Systems whose / is read-only by design (Bottlerocket, Flatcar, Talos, COS); bind mounts, CD-ROMs and images.
    Reasons:
        - read-only: a filesystem that the node writes to is mounted ro
        - io-errors: the kernel reports errors of one device
        - condition: node-problem-detector says so, and nothing else does
    """
    here = nodes.get(mounts.node) if nodes else None
    lines = tuple(
        x
        for x in (kernel.lines if kernel else ())
        if _ERROR.search(x.text) and (x.at is None or clock.age(x.at) <= clock.window_seconds)
    )
    frozen = _read_only(mounts, here)
    said = _said(here)
    witnesses = tuple(_witnesses(frozen, lines, said, kernel=kernel, log=log, others=others, nodes=nodes, clock=clock))
    broken, count = _most(lines)
    least = (expect.thresholds.get("NODE-28", {}) if expect else {}).get("errors", 3)
    if frozen and witnesses:
        device = frozen[0].source.partition("[")[0]
        reason, title = "read-only", _frozen_title(mounts.node, frozen)
    elif count >= least:
        device, reason = broken, "io-errors"
        title = T("{device} of {node} reports I/O errors", device=broken, node=mounts.node)
    elif said:
        device, reason = broken, "condition"
        title = T("node-problem-detector reports {condition} on {node}", condition=said, node=mounts.node)
    else:
        return
    shown = (f"{m.target} {m.source} {m.type} {','.join(m.options)}" for m in frozen)
    proofs = [mounts.proof.quote(*shown)] if frozen else []
    proofs += witnesses or ([kernel.proof.quote(*(x.text for x in lines[-3:]))] if kernel and lines else [])
    happened = _events(events, clock)
    sources = {p.source for p in proofs} | ({"event"} if happened else set())
    yield Finding(
        code="NODE-28",
        reason=reason,
        title=title,
        severity=Severity.CRIT,
        confidence=Confidence.CONFIRMED if len(sources) > 1 or (frozen and len(witnesses) > 1) else Confidence.LIKELY,
        subject=node(mounts.node),
        facts={"node": mounts.node, "device": device, "mounts": tuple(m.target for m in frozen), "errors": len(lines)},
        onset=next((x.at for x in lines if x.at), None),
        proofs=tuple(proofs),
        fixes=_fixes(mounts.node, device),
    )


def _read_only(mounts: Mounts, here: Node | None) -> tuple[Mount, ...]:
    """Filesystems that kubelet and runtime write to, mounted ro, on a system that is not so by design."""
    by_design = here is not None and IMMUTABLE.search(here.status.node_info.os_image) is not None
    return tuple(
        m
        for m in mounts.items
        if "ro" in m.options
        and DATA.match(m.target)
        and m.type not in BY_DESIGN
        and "[" not in m.source
        and not (by_design and m.target == "/")
    )


def _said(here: Node | None) -> tuple[str, ...]:
    found = [here.condition(kind) for kind in CONDITIONS] if here else []
    return tuple(c.type for c in found if c and c.status == "True")


def _witnesses(
    frozen: tuple[Mount, ...],
    lines: tuple[LogLine, ...],
    said: tuple[str, ...],
    *,
    kernel: KernelLog | None,
    log: KubeletLog | None,
    others: PerNode[Mounts],
    nodes: Nodes | None,
    clock: Clock,
) -> Iterator[Proof]:
    """Who says that the filesystem was meant to be writable."""
    if kernel and lines:
        made = [x.text for x in lines if _MADE_RO.search(x.text)]
        yield kernel.proof.quote(*(made or [x.text for x in lines])[-3:])
    if nodes and said:
        yield nodes.proof.quote(*(f"{c}=True" for c in said))
    written = [
        x.text
        for x in (log.lines if log else ())
        if "read-only file system" in x.text.lower() and (x.at is None or clock.age(x.at) <= clock.window_seconds)
    ]
    if log and written:
        yield log.proof.quote(*written[-2:])
    targets = {m.target for m in frozen}
    for peer in others:
        writable = [m for m in peer.items if m.target in targets and "rw" in m.options]
        if writable:
            yield peer.proof.quote(*(f"{peer.node}: {m.target} {','.join(m.options)}" for m in writable))


def _most(lines: tuple[LogLine, ...]) -> tuple[str, int]:
    """The device that the kernel complains about most, and how often."""
    found = [next(g for g in m.groups() if g) for x in lines if (m := _DEVICE.search(x.text))]
    return Counter(found).most_common(1)[0] if found else ("", 0)


def _events(events: NodeEvents | None, clock: Clock) -> bool:
    items = events.items if events else ()
    return any(e.reason in EVENTS and e.seen and clock.age(e.seen) <= clock.window_seconds for e in items)


def _frozen_title(name: str, frozen: tuple[Mount, ...]) -> Text:
    return T("{mounts} of {node} became read-only", mounts=tuple(m.target for m in frozen), node=name)


def _fixes(name: str, device: str) -> tuple[Fix, ...]:
    quoted = shlex.quote(name)
    disk = shlex.quote(device if device.startswith("/dev/") else f"/dev/{device}")
    look = Fix(
        what=T("On the node: ask the disk how it is and read what the kernel says."),
        safety=Safety.READ_ONLY,
        commands=(*((f"sudo smartctl -H {disk}",) if device else ()), "sudo journalctl -k -p err -n 100 --no-pager"),
    )
    replace = Fix(
        what=T("Drain {node}; then replace the disk or the machine, or check the filesystem offline.", node=name),
        safety=Safety.DISRUPTIVE,
        commands=(f"kubectl drain {quoted} --ignore-daemonsets --delete-emptydir-data",),
        verify=("findmnt -rn -o TARGET,OPTIONS /", "findmnt -rn -o TARGET,OPTIONS -T /var/lib/kubelet"),
        undo=(f"kubectl uncordon {quoted}",),
    )
    return look, replace
