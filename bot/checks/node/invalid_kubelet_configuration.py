"""NODE-05: the kubelet refuses its own flags or configuration."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.check import check
from bot.checks.node.about import Around, kubelet_of, last_start, matching, restart
from bot.model.cluster import Heartbeats, Nodes
from bot.model.evidence import Clock
from bot.model.finding import Finding, Fix, Safety, Severity
from bot.model.host import (
    HostUnits,
    KubeletArguments,
    KubeletFiles,
    KubeletHealth,
    KubeletLog,
    NodeIdentity,
    Presence,
    Sysctls,
)
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T, Text

_ERROR = r'(?:"command failed" err="|^[EF]\d{4} .*?\] |^Error: |)'
PATTERNS = (
    (
        "unknown-flag",
        re.compile(_ERROR + r"failed to parse kubelet flag: unknown (?:shorthand )?flag: (?P<what>[^\"]+)"),
    ),
    ("unknown-flag", re.compile(r"(?:^|\] )unknown flag: (?P<what>--\S+)\s*$")),
    ("unknown-flag", re.compile(r'"Failed to parse kubelet flag" err="unknown (?:shorthand )?flag: (?P<what>[^"]+)')),
    ("invalid-flag-value", re.compile(_ERROR + r"failed to parse kubelet flag: (?P<what>invalid argument .*)")),
    ("invalid-value", re.compile(_ERROR + r"failed to validate kubelet configuration,? (?:error: )?(?P<what>.*)")),
    (
        "undecodable",
        re.compile(
            _ERROR + r"failed to load kubelet config file.*?"
            r"(?P<what>(?:failed to decode|strict decoding|unknown field|was empty).*)"
        ),
    ),
    ("swap-on", re.compile(_ERROR + r"failed to run Kubelet: (?P<what>running with swap on is not supported.*)")),
)
_PREFIX = re.compile(r'^(?:"command failed" err="|[EF]\d{4} .*?\] |Error: |\] )')
_CGROUP_V1 = re.compile(r"not run on a host using cgroup v1")
_FLAG = re.compile(r"(--[a-z][a-z0-9-]*)|' in (-[A-Za-z0-9-]+)")
CONFIG, FLAGS = "/var/lib/kubelet/config.yaml", "/var/lib/kubelet/kubeadm-flags.env"
START = "sudo systemctl restart kubelet"


@check("NODE-05")
def invalid_kubelet_configuration(
    *,
    units: HostUnits,
    log: KubeletLog,
    clock: Clock,
    arguments: KubeletArguments | None,
    files: KubeletFiles | None,
    sysctls: Sysctls | None,
    health: KubeletHealth | None,
    nodes: Nodes | None,
    beats: Heartbeats | None,
    identity: NodeIdentity | None,
) -> Iterator[Finding]:
    """The kubelet exits because a flag or its configuration is invalid.

    Says:
        "The kubelet crash-loops after the upgrade", or after an edit.
    Evidence:
        The last start attempt in the kubelet's log; the unit with its drop-ins and the command line; /proc/swaps.
    Rule:
        The kubelet does not run (NODE-03) and the last start attempt names a flag, a value, or the configuration.
    Cause:
        A flag that the new version no longer has, a bad edit, or swap that was switched on. It explains NODE-03.
    Fix:
        Take the flag out, or correct the file, and start the kubelet; or switch swap off for good.
    Verify:
        The kubelet stays active, healthz says ok, the node is Ready.
    Must not fire:
        Deprecation notices; lenient decoding (the kubelet runs: HYG-03); a configuration file that is empty (NODE-04)
        or a host with cgroup v1 (NODE-15).
    Reasons:
        - unknown-flag: this version does not know the flag
        - invalid-flag-value: the value of a flag cannot be read
        - invalid-value: the configuration holds a value that is not allowed
        - undecodable: the configuration file cannot be read as what it should be
        - swap-on: swap is on and not allowed
    """
    unit = kubelet_of(units)
    if unit is None or not unit.down:
        return
    lines = last_start(log, unit)
    hit = next(((r, found) for r, p in PATTERNS if (found := matching(lines, p))), None)
    if hit is None or _CGROUP_V1.search(hit[1][1].text):
        return
    reason, (match, line) = hit
    config = arguments.flags.get("config", CONFIG) if arguments else CONFIG
    if (
        "was empty" in match["what"]
        and files
        and files.presence(config) is Presence.PRESENT
        and _is_empty(files, config)
    ):
        return
    around = Around(node=units.node, clock=clock, nodes=nodes, beats=beats, identity=identity, health=health)
    named = _FLAG.search(match["what"])
    flag = (named[1] or named[2]) if named and "flag" in reason else ""
    where = _where(flag, arguments) if flag else ("/etc/fstab",) if reason == "swap-on" else (config,)
    what = match["what"].strip().rstrip('"').strip()[:200]
    words = _PREFIX.sub("", match[0]).strip().rstrip('"')[:200]
    onset = around.down_since(unit, log)
    yield Finding(
        code="NODE-05",
        reason=reason,
        title=_title(reason, units.node, flag or what, where),
        detail=T("The kubelet says: {words}", words=words),
        severity=around.severity(Severity.CRIT, onset),
        confidence=around.confidence(),
        subject=node(units.node),
        facts={
            "node": units.node,
            "component": "kubelet",
            "flag": flag,
            "path": where[0] if len(where) == 1 else where,
            "active": "false",
        },
        onset=onset,
        proofs=(log.proof.quote(line.text), *_others(arguments, sysctls, reason, flag), *around.proofs()),
        fixes=tuple(_fixes(reason, flag, where)),
    )


def _is_empty(files: KubeletFiles, path: str) -> bool:
    return files.by_path[path].size == 0


def _where(flag: str, arguments: KubeletArguments | None) -> tuple[str, ...]:
    """The unit file or drop-in that sets the flag; else the files of variables that may, of which nobody saw inside."""
    here = ""
    whole = re.compile(rf"(?<![\w-]){re.escape(flag)}(?![\w-])")
    for line in arguments.unit.splitlines() if arguments else ():
        if line.startswith("# /"):
            here = line[2:].strip()
        elif here and not line.lstrip().startswith("#") and whole.search(line):
            return (here,)
    files = (*arguments.environment_files, *arguments.optional_files) if arguments else ()
    return files or (FLAGS,)


def _others(arguments: KubeletArguments | None, sysctls: Sysctls | None, reason: str, flag: str) -> Iterator[Proof]:
    """What else speaks of it: the swap devices, or the lines of the unit that set the flag or name a file of them."""
    if reason == "swap-on" and sysctls and sysctls.swaps:
        yield sysctls.proof.quote(*sysctls.swaps)
    elif arguments and flag:
        lines = arguments.unit.splitlines()
        yield arguments.proof.quote(*(x for x in lines if flag in x or x.startswith("EnvironmentFile=")))


def _title(reason: str, name: str, what: str, where: tuple[str, ...]) -> Text:
    if reason == "swap-on":
        return T("the kubelet of {node} does not start with swap on", node=name)
    if "flag" not in reason:
        return T("the kubelet of {node} refuses its configuration {path}", node=name, path=where)
    if reason == "invalid-flag-value":
        return T("the kubelet of {node} cannot read its flag {flag}", node=name, flag=what)
    if len(where) > 1:
        return T("the kubelet of {node} does not know its flag {flag}", node=name, flag=what)
    return T("the kubelet of {node} does not know its flag {flag} (set in {path})", node=name, flag=what, path=where)


def _fixes(reason: str, flag: str, where: tuple[str, ...]) -> Iterator[Fix]:
    if reason == "swap-on":
        yield restart(
            T("On the node: switch swap off, take it out of /etc/fstab, start the kubelet."),
            "sudo swapoff -a",
            "sudo sed -i.bak -E 's|^([^#].*\\sswap\\s.*)|#\\1|' /etc/fstab",
            START,
            safety=Safety.REVERSIBLE,
            undo=("sudo cp -p /etc/fstab.bak /etc/fstab", "sudo swapon -a"),
        )
        return
    paths = shlex.join(where)
    undo = tuple(f"sudo cp -p {shlex.quote(p + '.bak')} {shlex.quote(p)}" for p in where)
    if flag and reason == "unknown-flag":
        yield restart(
            T("On the node: take {flag} and its value out of {path}, then start the kubelet.", flag=flag, path=where),
            f"sudo grep -ns -e {shlex.quote(flag)} {paths}",
            f"sudo sed -i.bak -E {shlex.quote(without(flag))} {paths}",
            "sudo systemctl daemon-reload",
            START,
            safety=Safety.REVERSIBLE,
            undo=undo,
        )
        return
    yield restart(
        T("On the node: correct {path} (compare it with a healthy node's), then start the kubelet.", path=where),
        *(f"sudo cp -p {shlex.quote(p)} {shlex.quote(p + '.bak')}" for p in where),
        f"sudo vi {paths}",
        "sudo systemctl daemon-reload",
        START,
        safety=Safety.REVERSIBLE,
        undo=undo,
    )


def without(flag: str) -> str:
    """The expression of ``sed -E`` that takes a flag with its value out of a line, and no flag that begins alike."""
    return rf's#(^|[ "=]){flag}(=[^ "]*| +[^- "\\][^ "]*)?([ "]|$)#\1\3#'
