"""Traps of the kubelet's own files, and the form in which HYG-03 reports every trap."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.host import HostUnits, KubeletArguments, KubeletFiles, KubeletLog, Presence
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import Facts, T, Text

_LENIENT = re.compile(r'Using lenient decoding as strict decoding failed" err=.*unknown field \\?"(?P<field>[^"\\]+)')


def trap(
    *,
    name: str,
    reason: str,
    title: Text,
    severity: Severity,
    facts: Facts,
    proof: Proof,
    fix: Fix,
    confidence: Confidence = Confidence.LIKELY,
) -> Finding:
    """One trap, said in the words of its case; a single source unless the case knows less."""
    return Finding(
        code="HYG-03",
        reason=reason,
        title=title,
        severity=severity,
        confidence=confidence,
        subject=node(name),
        facts={"node": name, **facts},
        proofs=(proof,),
        fixes=(fix,),
    )


def of_files(units: HostUnits, arguments: KubeletArguments | None, files: KubeletFiles | None) -> Iterator[Finding]:
    """Files that the running kubelet was started from and that are gone or empty now.

    Of its two kubeconfigs it needs one: with that for the bootstrap it writes its own, as it joins.
    """
    kubelet = units.kubelet
    if kubelet is None or not kubelet.running or arguments is None or files is None:
        return
    own, other = (arguments.flags.get(name, "") for name in ("kubeconfig", "bootstrap-kubeconfig"))
    joined = files.presence(own) is Presence.PRESENT
    spare = {other} if joined else {own} if files.presence(other) is Presence.PRESENT else set()
    for path in arguments.files:
        fact = files.by_path.get(path)
        if fact is None or not fact.unusable or path in spare:
            continue
        title = T("the kubelet of {node} runs, but {path} is gone: it cannot start again", node=units.node, path=path)
        backup = files.backup(path)
        kept = f"{path.rpartition('/')[0]}/{backup.name}" if backup else ""
        copy = (f"sudo cp -p {shlex.quote(kept)} {shlex.quote(path)}",) if backup else ()
        fix = Fix(
            what=T("On the node: put {path} back before the kubelet restarts.", path=path),
            safety=Safety.REVERSIBLE if copy else Safety.READ_ONLY,
            commands=(f"ls -la {shlex.quote(path)}*", *copy),
            verify=(f"stat {shlex.quote(path)}",),
            undo=(f"sudo rm {shlex.quote(path)}",) if copy else (),
        )
        shown = files.proof.quote(f"{path}: No such file or directory")
        yield trap(
            name=units.node,
            reason="missing-file",
            title=title,
            severity=Severity.HIGH,
            facts={"path": path},
            proof=shown,
            fix=fix,
        )


def of_fields(units: HostUnits, log: KubeletLog | None) -> Iterator[Finding]:
    """Fields of its configuration that the running kubelet passed over at its start."""
    kubelet = units.kubelet
    if kubelet is None or not kubelet.running or log is None:
        return
    hits = [(m["field"], x.text) for x in log.since(kubelet.started) if (m := _LENIENT.search(x.text))]
    if not hits:
        return
    fields = tuple(dict.fromkeys(f for f, _ in hits))
    title = T(
        "the kubelet of {node} does not know fields of its configuration: {fields}", node=units.node, fields=fields
    )
    fix = Fix(
        what=T("On the node: take the fields out of the kubelet's configuration, or correct their names."),
        safety=Safety.REVERSIBLE,
        commands=(
            "sudo cp -p /var/lib/kubelet/config.yaml /var/lib/kubelet/config.yaml.bak",
            "sudoedit /var/lib/kubelet/config.yaml",
        ),
        verify=("sudo journalctl -u kubelet -b --no-pager | grep 'lenient decoding'",),
    )
    yield trap(
        name=units.node,
        reason="unknown-field",
        title=title,
        severity=Severity.WARN,
        facts={"setting": fields},
        proof=log.proof.quote(hits[-1][1]),
        fix=fix,
    )
