"""NODE-04: a file that the kubelet starts from is gone."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import datetime

from bot.check import check
from bot.checks.node.about import Around, kubelet_of, last_start, matching
from bot.checks.node.repairs import CONFIG, from_backup, without_backup
from bot.model.cluster import Heartbeats, LogLine, Nodes
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Severity
from bot.model.host import (
    DirectoryEntry,
    HostUnits,
    KubeletArguments,
    KubeletFiles,
    KubeletHealth,
    KubeletLog,
    NodeIdentity,
    Presence,
    Unit,
)
from bot.model.host_runtime import KUBELET_CERTIFICATE
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T

_PATTERNS = (
    re.compile(
        r"[Ff]ailed to load [Kk]ubelet config file,? (?:path: )?(?P<path>[^\s,]+)"
        r".*(?:no such file or directory|was empty)"
    ),
    re.compile(
        r"failed to run Kubelet: invalid kubeconfig: (?:invalid configuration: )?\[?(?:stat|unable to read \S+) "
        r"(?P<path>\S+?)(?:: no such file| for \S+ due to open \S+: no such file)"
    ),
    re.compile(r"unable to load client CA file \"?(?P<path>[^\s\":]+)\"?: open \S+: no such file"),
)
_BOOTSTRAP = re.compile(r"unable to load bootstrap kubeconfig: stat (?P<path>\S+): no such file")
_ENVIRONMENT = re.compile(r"Failed to load environment files: No such file")


@dataclass(frozen=True, slots=True, kw_only=True)
class Lost:
    """A file that the kubelet needs and cannot use."""

    path: str
    empty: bool
    by_stat: bool
    quote: str


@check("NODE-04")
def missing_kubelet_file(
    *,
    units: HostUnits,
    arguments: KubeletArguments,
    files: KubeletFiles,
    clock: Clock,
    log: KubeletLog | None,
    health: KubeletHealth | None,
    nodes: Nodes | None,
    beats: Heartbeats | None,
    identity: NodeIdentity | None,
) -> Iterator[Finding]:
    """A file that the kubelet starts from is missing or empty.

    Says:
        "The kubelet does not start after the reboot, nothing was changed."
    Evidence:
        stat of every file that the unit, its drop-ins and the command line name; backups beside them; the last start
        attempt in the kubelet's log.
    Rule:
        A file of the effective command line is absent or empty and the kubelet is not active; or it is active but was
        started before the file went, then it fails at the next restart (high). Confirmed when the
        log names the file too. A kubelet that asks for a bootstrap kubeconfig on a node that has joined misses its
        client certificate: that file is named where it is gone (where it is expired: NODE-07).
    Cause:
        Somebody moved the file while making a backup (mv instead of cp), or a clean-up took it. It stays hidden until
        the next restart. It explains NODE-03.
    Fix:
        Copy the backup back after comparing it with a healthy node's file; without one, let kubeadm write it again.
    Verify:
        The kubelet stays active, healthz says ok, the node is Ready.
    Must not fire:
        A unit that uses only flags; a bootstrap kubeconfig that is gone on a node that has joined (normal with
        kubeadm); an empty file of environment variables; a file that may not be looked at.
    Reasons:
        - config-file-moved: the file is gone and a backup lies beside it
        - config-file-missing: the file is gone
        - config-file-empty: the file is there without content
        - missing-at-next-restart: the kubelet still runs, but cannot start again
    """
    unit = kubelet_of(units)
    if unit is None:
        return
    around = Around(node=units.node, clock=clock, nodes=nodes, beats=beats, identity=identity, health=health)
    for lost in _lost(unit, arguments, files, log):
        directory = files.directories.get(lost.path.rpartition("/")[0], ())
        went = next((e.modified for e in directory if e.name == "."), None)
        if unit.running and not (unit.active_since and went and unit.active_since < went and lost.by_stat):
            continue
        yield _finding(lost, unit, around, (files, log, arguments), backup=files.backup(lost.path), went=went)


def _lost(unit: Unit, arguments: KubeletArguments, files: KubeletFiles, log: KubeletLog | None) -> Iterator[Lost]:
    """Files that are named and unusable, and the one that the last start attempt complained about."""
    lines = last_start(log, unit) if unit.down else ()
    named, said = _complaint(lines, arguments, files)
    environment = matching(lines, _ENVIRONMENT)
    seen: set[str] = set()
    for path in _needed(arguments, files):
        fact = files.by_path.get(path)
        variables = path in arguments.environment_files
        if fact is None or not (fact.presence is Presence.ABSENT if variables else fact.unusable):
            continue
        seen.add(path)
        told = environment[1].text if environment and variables else ""
        quote = said if path == named else told
        yield Lost(path=path, empty=fact.presence is Presence.PRESENT, by_stat=True, quote=quote)
    if named and named not in seen and files.presence(named) is not Presence.PRESENT:
        by_stat = files.presence(named) is Presence.ABSENT
        yield Lost(path=named, empty="was empty" in said, by_stat=by_stat, quote=said)


def _complaint(lines: tuple[LogLine, ...], arguments: KubeletArguments, files: KubeletFiles) -> tuple[str, str]:
    """The file that the last start missed, and the line that says so; both empty without one."""
    hit = next((found for p in _PATTERNS if (found := matching(lines, p))), None)
    if hit:
        return hit[0]["path"].rstrip(":"), hit[1].text
    hit = matching(lines, _BOOTSTRAP)
    if hit is None:
        return "", ""
    kubeconfig = arguments.flags.get("kubeconfig", "")
    if not kubeconfig or files.presence(kubeconfig) is Presence.ABSENT:
        return kubeconfig or hit[0]["path"], hit[1].text
    return (KUBELET_CERTIFICATE, hit[1].text) if _is_gone(KUBELET_CERTIFICATE, files) else ("", "")


def _is_gone(path: str, files: KubeletFiles) -> bool:
    return files.presence(path) is Presence.ABSENT


def _needed(arguments: KubeletArguments, files: KubeletFiles) -> tuple[str, ...]:
    """The files without which it cannot start: of kubeconfig and bootstrap kubeconfig one is enough."""
    kubeconfig, bootstrap = arguments.flags.get("kubeconfig"), arguments.flags.get("bootstrap-kubeconfig")
    if kubeconfig and bootstrap and _is_gone(kubeconfig, files) and files.presence(bootstrap) is Presence.PRESENT:
        return tuple(f for f in arguments.files if f != kubeconfig)  # it can still join and write its kubeconfig
    return tuple(f for f in arguments.files if f != bootstrap or not kubeconfig)


def _finding(
    lost: Lost,
    unit: Unit,
    around: Around,
    sources: tuple[KubeletFiles, KubeletLog | None, KubeletArguments],
    *,
    backup: DirectoryEntry | None,
    went: datetime | None,
) -> Finding:
    files, log, arguments = sources
    latent = unit.running
    restore = f"{lost.path.rpartition('/')[0]}/{backup.name}" if backup else ""
    gone = "config-file-empty" if lost.empty else "config-file-moved" if backup else "config-file-missing"
    onset = went if latent else around.down_since(unit, log)
    facts: dict[str, str | int | float | bool | tuple[str, ...]] = {
        "node": around.node,
        "path": lost.path,
        "component": "kubelet",
        "active": "true" if latent else "false",
        # Where nobody may read the log: without the file no start can go further.
        "at_start": "true" if lost.quote or (log is None and lost.by_stat) else "false",
    }
    if backup:
        facts |= {"backup": restore, "backup_bytes": backup.size}
    if latent:
        title = T("the kubelet of {node} cannot start again: {path} is gone", node=around.node, path=lost.path)
    elif lost.empty:
        title = T("the kubelet of {node} cannot start: {path} is empty", node=around.node, path=lost.path)
    else:
        title = T("the kubelet of {node} cannot start: {path} is gone", node=around.node, path=lost.path)
    both = bool(lost.quote) and lost.by_stat
    return Finding(
        code="NODE-04",
        reason="missing-at-next-restart" if latent else gone,
        title=title,
        detail=T("A backup lies beside it: {backup}", backup=restore) if backup else None,
        severity=Severity.HIGH if latent else around.severity(Severity.CRIT, onset),
        confidence=Confidence.CONFIRMED if both else Confidence.LIKELY,
        subject=node(around.node),
        facts=facts,
        onset=onset,
        proofs=_proofs(lost, files, log, arguments, backup),
        fixes=(_fix(around.node, lost.path, restore, arguments, latent=latent),),
    )


def _proofs(
    lost: Lost, files: KubeletFiles, log: KubeletLog | None, arguments: KubeletArguments, backup: DirectoryEntry | None
) -> tuple[Proof, ...]:
    state = "0 bytes" if lost.empty else "No such file or directory"
    shown = [f"{lost.path}: {state}"]
    if backup:
        shown.append(
            f"{backup.name} {backup.size} bytes {backup.modified.isoformat() if backup.modified else ''}".strip()
        )
    proofs = [files.proof.quote(*shown)]
    if log and lost.quote:
        proofs.append(log.proof.quote(lost.quote))
    return (*proofs, arguments.proof)


def _fix(name: str, path: str, backup: str, arguments: KubeletArguments, *, latent: bool) -> Fix:
    if backup:
        return from_backup(path, backup, latent=latent)
    return without_backup(name, path, config=arguments.flags.get("config", CONFIG), latent=latent)
