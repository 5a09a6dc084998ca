"""NODE-28: a disk of the node fails, or its filesystem became read-only."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator, Mapping

from bot.check import check
from bot.checks.node import space
from bot.checks.node.about import Around
from bot.checks.node.disk_errors import MEMORY, UNCORRECTED, disk_of, errors, made_read_only
from bot.model.cluster import LogLine, NodeEvents, Nodes
from bot.model.evidence import Clock, Expectations, PerNode
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import ContainerRuntime, KernelLog, KubeletLog, Mount, Mounts
from bot.model.k8s import Node
from bot.model.lines import in_window
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import Facts, T, Text

CONDITIONS = ("ReadonlyFilesystem", "XfsShutdown", "BadDisk", "CperHardwareErrorFatal")
EVENTS = frozenset({"Ext4Error", "IOError", "MemoryReadError", "FilesystemIsReadOnly"})
IMMUTABLE = re.compile(r"Bottlerocket|Flatcar|Talos|Container-Optimized|CoreOS|Kairos|Elemental", re.IGNORECASE)
BY_DESIGN = frozenset({"iso9660", "squashfs", "erofs"})
DATA = re.compile(
    r"^/(?:$|var$|var/log$|var/lib$|var/lib/(?:kubelet|containerd|docker|containers|etcd|rancher|crio)(?:/[a-z0-9.-]+)?$)"
)
_WRITTEN = re.compile(r"(?P<path>/(?:var/lib|var/log|etc|run)/\S*?):? (?:r|R)ead-only file system")


@check("NODE-28")
def failing_disk(
    *,
    events: NodeEvents,
    clock: Clock,
    mounts: Mounts | None,
    nodes: Nodes | None,
    kernel: KernelLog | None,
    log: KubeletLog | None,
    runtime: ContainerRuntime | None,
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
        A filesystem of the kubelet or the runtime is mounted ro although the kernel (of its disk),
        node-problem-detector, the kubelet (of a file on it) or nodes with the same system say that it was writable; or
        three I/O errors on one disk stand in the window. Confirmed by two of the sources. A condition alone is only
        possible where mounts and kernel deny it: it stays True until node-problem-detector restarts.
    Cause:
        The disk or the machine fails. It explains NODE-10, NODE-03, ETCD-02, ETCD-06, STOR-17.
    Fix:
        Drain the node, replace the disk or the machine, check the filesystem offline.
    Verify:
        The filesystem is mounted rw.
    Must not fire:
        Systems whose / is read-only by design (Bottlerocket, Flatcar, Talos, COS); bind mounts, CD-ROMs, floppies and
        images; a container that may not write into itself.
    Reasons:
        - read-only: a filesystem that the node writes to is mounted ro
        - io-errors: the kernel reports errors of one disk
        - memory-errors: the kernel reports errors of the machine's memory
        - condition: node-problem-detector says so, and nothing else does
    """
    here = nodes.get(events.node) if nodes else None
    fresh = errors(in_window(kernel.lines, clock)) if kernel else {}
    frozen = _read_only(mounts, here) if mounts else ()
    said = _said(here)
    lately = _log_of(log, clock)
    witnesses = tuple(_witnesses(frozen, fresh, said, kernel=kernel, log=lately, others=others, nodes=nodes, here=here))
    least = (expect.thresholds.get("NODE-28", {}) if expect else {}).get("errors", 3)
    named = {disk: said_ for disk, said_ in fresh.items() if disk}
    device, lines = max(named.items(), key=lambda pair: len(pair[1]), default=("", ()))
    if frozen and witnesses:
        reason, device = "read-only", disk_of(frozen[0].source)
    elif len(lines) >= least:
        reason = "memory-errors" if MEMORY.match(device) else "io-errors"
    elif said:
        reason, device = "condition", ""
    else:
        return
    proofs = _proofs(mounts, frozen, witnesses, (kernel, lines))
    if said and nodes and not witnesses:
        proofs.append(nodes.proof.quote(*(f"{events.node}: {c}=True" for c in said)))
    happened = any(e.reason in EVENTS and e.seen and clock.age(e.seen) <= clock.window_seconds for e in events.items)
    began = next((x.at for x in (errors(kernel.lines).get(device, ()) if kernel else ()) if x.at), None)
    sources = {p.source for p in proofs} | ({"event"} if happened else set())
    denied = reason == "condition" and mounts is not None and kernel is not None and not lines
    sure = len(sources) > 1 or (frozen and len(witnesses) > 1)
    corrected = reason == "memory-errors" and not any(UNCORRECTED.search(x.text) for x in lines)
    usual = Severity.WARN if corrected else Severity.CRIT
    yield Finding(
        code="NODE-28",
        reason=reason,
        title=_title(reason, events.node, device, frozen, said),
        severity=Around(node=events.node, clock=clock, nodes=nodes).severity(usual, began),
        confidence=Confidence.POSSIBLE if denied else Confidence.CONFIRMED if sure else Confidence.LIKELY,
        subject=node(events.node),
        facts=_facts(events.node, device, frozen, fresh, _holds(mounts, device, here, runtime)),
        onset=began,
        proofs=tuple(proofs),
        fixes=_fixes(events.node, reason, device),
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


def _log_of(log: KubeletLog | None, clock: Clock) -> tuple[KubeletLog, tuple[LogLine, ...]] | None:
    """The kubelet's log with its lines inside the window."""
    return (log, in_window(log.lines, clock)) if log else None


def _witnesses(
    frozen: tuple[Mount, ...],
    fresh: Mapping[str, tuple[LogLine, ...]],
    said: tuple[str, ...],
    *,
    kernel: KernelLog | None,
    log: tuple[KubeletLog, tuple[LogLine, ...]] | None,
    others: PerNode[Mounts],
    nodes: Nodes | None,
    here: Node | None,
) -> Iterator[Proof]:
    """Who says that the filesystem was meant to be writable."""
    disks = {disk_of(m.source) for m in frozen}
    mapped = any(disk.startswith("mapper/") for disk in disks)  # the kernel calls them dm-0, dm-1 …
    lines = [x for disk, said_ in fresh.items() if disk in disks or (mapped and disk.startswith("dm-")) for x in said_]
    if kernel and lines:
        yield kernel.proof.quote(*(x.text for x in (made_read_only(lines) or tuple(lines))[-3:]))
    about_disks = [c for c in said if c != "CperHardwareErrorFatal"]
    if nodes and about_disks:
        yield nodes.proof.quote(*(f"{c}=True" for c in about_disks))
    targets = {m.target for m in frozen}
    hits = [
        x.text for x in (log[1] if log else ()) if any(_is_on(m["path"], targets) for m in _WRITTEN.finditer(x.text))
    ]
    if log and hits:
        yield log[0].proof.quote(*hits[-2:])
    for peer in others:
        writable = [m for m in peer.items if m.target in targets and "rw" in m.options]
        if writable and _alike(here, nodes.get(peer.node) if nodes else None):
            yield peer.proof.quote(*(f"{peer.node}: {m.target} {','.join(m.options)}" for m in writable))


def _is_on(path: str, targets: set[str]) -> bool:
    return any(path.startswith(f"{target.rstrip('/')}/") for target in targets)


def _alike(here: Node | None, peer: Node | None) -> bool:
    """Whether both run the same system: another one may be read-only by design."""
    return here is None or peer is None or here.status.node_info.os_image == peer.status.node_info.os_image


def _holds(
    mounts: Mounts | None, device: str, here: Node | None, runtime: ContainerRuntime | None
) -> tuple[str, ...] | None:
    """Whose folders lie on the disk: the kubelet's, the runtime's, others'; None when that is not known."""
    if mounts is None or not device or device.startswith("dm-"):
        return None
    scheme = here.status.node_info.container_runtime_version.partition("://")[0] if here else ""
    images = (runtime.root if runtime else "") or space.IMAGEFS.get(scheme, space.IMAGEFS["containerd"])
    under = {"kubelet": _under(mounts, space.NODEFS), "runtime": _under(mounts, images)}
    if any(m is None or (disk_of(m.source).startswith("mapper/") and "mapper" not in device) for m in under.values()):
        return None
    return tuple(name for name, m in under.items() if m and disk_of(m.source) == device) or ("others",)


def _under(mounts: Mounts, path: str) -> Mount | None:
    fits = [m for m in mounts.items if path == m.target or path.startswith(f"{m.target.rstrip('/')}/")]
    return max(fits, key=lambda m: len(m.target), default=None)


def _facts(
    name: str,
    device: str,
    frozen: tuple[Mount, ...],
    fresh: Mapping[str, tuple[LogLine, ...]],
    holds: tuple[str, ...] | None,
) -> Facts:
    known = {} if holds is None else {"holds": holds}
    mounts = tuple(m.target for m in frozen)
    return {"node": name, "device": device, "mounts": mounts, "errors": sum(map(len, fresh.values())), **known}


def _proofs(
    mounts: Mounts | None,
    frozen: tuple[Mount, ...],
    witnesses: tuple[Proof, ...],
    told: tuple[KernelLog | None, tuple[LogLine, ...]],
) -> list[Proof]:
    shown = [f"{m.target} {m.source} {m.type} {','.join(m.options)}" for m in frozen]
    kernel, lines = told
    found = [mounts.proof.quote(*shown)] if mounts and frozen and witnesses else []
    spoken = (kernel.proof.quote(*(x.text for x in lines[-3:])),) if kernel and lines else ()
    return [*found, *(witnesses if found else spoken)]


def _title(reason: str, name: str, device: str, frozen: tuple[Mount, ...], said: tuple[str, ...]) -> Text:
    if reason == "read-only":
        return T(
            "the filesystem {mounts} of {node} became read-only", mounts=tuple(m.target for m in frozen), node=name
        )
    if reason == "io-errors":
        return T("{device} of {node} reports I/O errors", device=device, node=name)
    if reason == "memory-errors":
        return T("the memory of {node} reports errors ({device})", node=name, device=device)
    return T("node-problem-detector reports {condition} on {node}", condition=said, node=name)


def _fixes(name: str, reason: str, device: str) -> tuple[Fix, ...]:
    quoted = shlex.quote(name)
    asked = device and reason != "memory-errors" and not device.startswith(("mapper/", "dm-"))
    ask = (f"sudo smartctl -H {shlex.quote(f'/dev/{device}')}",) if asked else ()
    count = ("grep . /sys/devices/system/edac/mc/mc*/?e_count",) if reason == "memory-errors" else ()
    look = Fix(
        what=T("On the node: ask the hardware how it is and read what the kernel says."),
        safety=Safety.READ_ONLY,
        commands=(*ask, *count, "sudo journalctl -k -p err -n 100 --no-pager"),
    )
    replace = Fix(
        what=T("Drain {node}; then replace the disk or the machine, or check the filesystem offline.", node=name),
        safety=Safety.DISRUPTIVE,
        commands=(f"kubectl drain {quoted} --ignore-daemonsets --delete-emptydir-data",),
        verify=("findmnt -rn -o TARGET,OPTIONS /", "findmnt -rn -o TARGET,OPTIONS -T /var/lib/kubelet"),
        undo=(f"kubectl uncordon {quoted}",),
    )
    return look, replace
