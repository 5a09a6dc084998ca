#!/usr/bin/env python3
"""Captures what real systems print for the command table, as the samples that every parser is tested with.

One script asks everything at once, framed as a round trip to a node is; it runs wherever a shell does::

    python -m tools.samples script | ssh root@NODE LC_ALL=C sh -s > answer
    python -m tools.samples store SYSTEM < answer            # tests/unit/parse/captured/SYSTEM/*.txt

Values such as the id of a container are given as ``name=value`` behind ``script``; cases whose value is not known are
left out. ``--user`` stores an ordinary user's answer: only what he gets to see differently. Files on these systems and
their addresses: tests/unit/parse/captured/README.md.
"""

from __future__ import annotations

import argparse
import re
import sys
from collections.abc import Mapping
from pathlib import Path

ROOT = Path(__file__).resolve().parent.parent
sys.path[0] = str(ROOT)  # not the folder of this file: names in it would hide modules of the standard library

from bot import framing  # noqa: E402
from bot.collect.sections import TABLE, section  # noqa: E402
from bot.source import Output, Section  # noqa: E402

CAPTURED = ROOT / "tests" / "unit" / "parse" / "captured"
MARK = "00c0ffee00c0ffee"  # the systems are ours: nothing there forges a frame
KERNEL = re.compile(r"(?m)^\d+\.\d+\.\d+-[\w.-]+$")
# name of the sample → the key's values; a name is the key, or the key, a hyphen and what is special
CASES: Mapping[str, Mapping[str, str]] = {
    "KCFG_MORE": {"files": "/var/lib/kubelet/kubeadm-flags.env /etc/kubernetes/pki/ca.crt /etc/kubernetes/gone.yaml"},
    "KCFG_ROOT": {
        "files": "/var/lib/kubelet/pki/kubelet-client-current.pem /etc/kubernetes/bootstrap-kubelet.conf",
    },
    "RULES_T": {"table": "1002"},
    "RULES_T-gone": {"table": "1003"},
    "RULES_TEXT": {"table": "1002"},
    "RULES_TEXT-gone": {"table": "1003"},
    "FDB": {"iface": "flannel.1"},
    "MANIFEST_FILE": {"component": "kube-apiserver"},
    "KLOG": {"lines": "20", "since": "-30min"},
    "KLOG_OLD": {"lines": "20", "since": "-30min"},
    "KLOG_START": {"since": "-30min"},
    "KLOG_START_OLD": {"since": "-30min"},
    "KLOG_FILE": {"lines": "20"},
    "RTLOG": {"lines": "20", "since": "-30min"},
    "RTLOG_OLD": {"lines": "20", "since": "-30min"},
    "CPLOG": {"container": "<container>"},
    "CPLOG_UNITS": {"since": "-30min"},
    "HOSTLOGS": {"file": "/var/log/kube-scheduler.log"},
    "APIPATH": {"host": "10.77.0.1", "port": "6443", "endpoint": "10.77.0.1:6443"},
    "APIPATH-refused": {"host": "10.77.0.1", "port": "1", "endpoint": "10.77.0.1:1"},
    "APIPATH-silent": {"host": "10.77.0.1", "port": "81", "endpoint": "10.77.0.1:81"},
    "CPS": {"component": "kube-apiserver"},
    "CERTS": {"file": "/etc/kubernetes/pki/ca.crt"},
    "CERTS-gone": {"file": "/etc/kubernetes/pki/gone.crt"},
    "CERTS-other": {"file": "/etc/hostname"},
    "CERTS_PATH": {"file": "/etc/kubernetes/scheduler.conf"},
    "CERTS_DATA": {"file": "/etc/kubernetes/admin.conf"},
    "CERTS_DATA-none": {"file": "/etc/kubernetes/scheduler.conf"},
    "CERTS_PORT": {"endpoint": "10.77.0.1:6443"},
    "RPATH": {"dst": "10.77.0.1"},
    "RPATH-blackhole": {"dst": "203.0.113.9"},
    "RPATH_FROM": {"dst": "10.77.0.1", "podip": "10.244.11.5", "iface": "cni0"},
    "NEIGH": {"dst": "10.77.0.1"},
    "NEIGH-failed": {"dst": "10.77.0.99"},
    "NEIGH-none": {"dst": "10.77.0.200"},
    "TCP": {"host": "10.77.0.1", "port": "6443"},
    "TCP-refused": {"host": "10.77.0.1", "port": "1"},
    "TCP-silent": {"host": "10.77.0.1", "port": "81"},
    "TCP-unreachable": {"host": "192.0.2.9", "port": "80"},
    "DIG": {"server": "10.77.0.1", "name": "api.example.com", "type": "A"},
    "DIG-srv": {"server": "10.77.0.1", "name": "_https._tcp.example.com", "type": "SRV"},
    "DIG-nxdomain": {"server": "10.77.0.1", "name": "gone.example.com", "type": "A"},
    "DIG-closed": {"server": "10.77.0.11", "name": "api.example.com", "type": "A"},
    "DIG-silent": {"server": "10.77.0.2", "name": "api.example.com", "type": "A"},
    "DIG_TCP": {"server": "10.77.0.1", "name": "api.example.com", "type": "A"},
    "NSLOOKUP": {"server": "10.77.0.1", "name": "api.example.com", "type": "A"},
    "NSLOOKUP-nxdomain": {"server": "10.77.0.1", "name": "gone.example.com", "type": "A"},
    "NSLOOKUP-silent": {"server": "10.77.0.2", "name": "api.example.com", "type": "A"},
    "PODPID": {"container": "<container>"},
    "PODRESOLV_PATH": {"container": "<container>"},
    "PODRESOLV": {"resolvconf": "<resolvconf>"},
    "PODPORTS": {"pid": "<pid>"},
    "PODSS": {"pid": "<pid>"},
    "CTFLOW": {"podip": "10.77.0.11", "dst": "10.77.0.1"},
    "CAP": {"podip": "10.77.0.11", "dst": "10.77.0.1"},
}
# Of the kernel's log, only what the machine's own network wrote: the rest is that of the host.
KERNEL_LOG = {"KERN", "KERN_DMESG"}
KERNEL_LINE = re.compile(r"eth1|cni0|veth|^-- |^\S*(dmesg|journalctl|sudo|sh): ")
LONG = {"CAP", "CPLOG", "CPLOG_UNITS", "CTFLOW", "KLOG_START", "KLOG_START_OLD", *KERNEL_LOG}  # the rest is alike
LINES = 12


def main(arguments: list[str]) -> int:
    """Print the script, or store an answer; returns the exit status."""
    parser = argparse.ArgumentParser(prog="python -m tools.samples", description=(__doc__ or "").partition("\n")[0])
    commands = parser.add_subparsers(required=True, dest="command")
    script = commands.add_parser("script", help="print the script to run there")
    script.add_argument("values", nargs="*", metavar="name=value")
    keep = commands.add_parser("store", help="read its answer on standard input")
    keep.add_argument("system")
    keep.add_argument("values", nargs="*", metavar="name=value", help="the values that the script was given")
    keep.add_argument("--user", action="store_true", help="it ran as an ordinary user without sudo")
    given = parser.parse_args(arguments)
    asked = sections(dict(value.split("=", 1) for value in given.values))
    if given.command == "script":
        sys.stdout.write(framing.script(list(asked.values()), MARK))
    else:
        store(CAPTURED / given.system, answers(sys.stdin.buffer.read(), asked), user=given.user)
    return 0


def sections(values: Mapping[str, str]) -> dict[str, Section]:
    """Every case by its name, as a section of that key; cases whose value is not given are left out."""
    cases = {key: {} for key, spec in TABLE.items() if not spec.parameters} | dict(CASES)
    found: dict[str, Section] = {}
    for name, wanted in cases.items():
        filled = {k: values.get(v[1:-1], "") if v.startswith("<") else v for k, v in wanted.items()}
        if all(filled.values()):
            made = section(key_of(name), **filled)
            found[name] = Section(key=name, command=made.command, timeout=made.timeout, root=made.root)
    return found


def key_of(name: str) -> str:
    """The key of the table that a sample belongs to: ``RULES_T-gone`` → ``RULES_T``, ``CRI.user`` → ``CRI``."""
    return re.split(r"[-.]", name, maxsplit=1)[0]


def answers(raw: bytes, asked: Mapping[str, Section]) -> dict[str, Output]:
    """What came back, by the name of the case."""
    return framing.outputs(raw, asked.values(), MARK)


def store(
    folder: Path, outputs: Mapping[str, Output], *, user: bool = False, hide: Mapping[str, str] | None = None
) -> None:
    """Write one file a case: a first line that says as whom it ran and how it ended, then what was printed.

    Args:
        folder: that of the system.
        outputs: what came back, by the name of the case.
        user: whether it ran as an ordinary user.
        hide: what must not be kept, and what stands there instead.
    """
    folder.mkdir(parents=True, exist_ok=True)
    for name, output in outputs.items():
        text = _plain(name, output.text)
        for word, instead in (hide or {}).items():
            text = text.replace(word, instead)
        if user and output.denied and name != "CRI":  # one refusal of sudo is like the other
            continue
        if user and not (output.denied or re.search("ermission denied|not permitted", text)):
            continue
        whom = "user" if user else "root"
        path = folder / f"{name}{'.user' if user else ''}.txt"
        path.write_text(f"# as {whom}, status {output.rc}\n{text}", "utf-8")


def host_kernel(identity: str) -> dict[str, str]:
    """What section ID says of the kernel, and what to say instead: in a container it is that of the host.

    The name has the same length, which keeps columns in line.
    """
    found = KERNEL.search(identity)
    return {found[0]: f"{found[0].partition('-')[0]}-amd64".ljust(len(found[0]), "0")} if found else {}


def _plain(name: str, text: str) -> str:
    lines = text.splitlines(keepends=True)
    if name in KERNEL_LOG:
        lines = [line for line in lines if KERNEL_LINE.search(line)]
    return "".join(lines[:LINES]) if name in LONG else text


if __name__ == "__main__":
    sys.exit(main(sys.argv[1:]))
