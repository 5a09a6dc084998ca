"""Every section of the command table is read, and held against real output of two systems and against garbage."""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from datetime import UTC, datetime
from pathlib import Path

import pytest

import bot
from bot.collect.commands import TABLE
from bot.parse import certs, cri, dns_answers, files, ip, journal, machine, net, reach, resources, systemd, traffic
from bot.parse.common import TimeBase, UnparsableError
from bot.source import Output
from tests.unit.parse.captured_samples import HERE, key_of, names, systems, text

Reader = Callable[[str], object]
BASE = TimeBase(0.0, "UTC")
NOW = datetime(2026, 11, 21, 17, tzinfo=UTC)
ASK = {"origin": "node1", "server": "10.77.0.1", "name": "api.example.com", "kind": "A"}


def _refusing(read: Reader) -> Reader:
    """A reader whose "that is not it" is an empty result, which its collector refuses, made to refuse it itself."""

    def strict(said: str) -> object:
        found = read(said)
        if not found:
            raise UnparsableError("answer", said)
        return found

    return strict


# What reads each section. A change of the command table shows here first.
READERS: Mapping[str, Reader] = {
    "ID": machine.identity,
    "BOOT": machine.boots,
    "TIME": machine.time,
    "UNITS": lambda said: systemd.units(said, BASE),
    "KARGS": systemd.start,
    "KCFG": lambda said: files.stats(said, BASE),
    "KCFG_MORE": lambda said: files.stats(said, BASE),
    "KCFG_ROOT": lambda said: files.stats(said, BASE),
    "KCFG_LIST": _refusing(lambda said: files.listings(said, BASE)),
    "KHEALTH": machine.health,
    "KSTATE": machine.process,
    "CRI": cri.info,
    "CRI_PS": cri.containers,
    "CRI_COUNT": cri.count,
    "CRI_SOCKETS": cri.sockets,
    "DOCKER_PS": cri.docker_containers,
    "DOCKER_INFO": resources.docker_driver,
    "DISK": files.filesystems,
    "MOUNTS": files.mounts,
    "MEM": resources.memory,
    "PID": resources.tasks,
    "CGROUP": resources.cgroups,
    "INOTIFY": resources.limits,
    "INOTIFY_USE": _refusing(resources.counted),
    "INOTIFY_WATCHES": _refusing(resources.counted),
    "SYSCTL": net.sysctls,
    "SYSCTLDIFF": _refusing(net.sysctl_files),
    "PORTS": net.listeners,
    "PORTS_OWN": net.owners,
    "LINKS": ip.links,
    "ADDR": ip.addresses,
    "RULES": ip.rules,
    "RULES_MAIN": ip.routes,
    "RULES_T": ip.routes,
    "RULES_TEXT": ip.routes,
    "CNI": _refusing(lambda said: files.listings(said, BASE)),
    "PCI": net.cards,
    "CTCOUNT": traffic.conntrack_count,
    "CTSTAT": traffic.conntrack_stat,
    "MANIFEST": _refusing(lambda said: files.listings(said, BASE)),
    "KLOG": lambda said: journal.journal(said, BASE),
    "KLOG_OLD": lambda said: journal.unit_lines(said, BASE),
    "KLOG_START": lambda said: journal.journal(said, BASE),
    "KLOG_START_OLD": lambda said: journal.unit_lines(said, BASE),
    "KLOG_FILE": lambda said: journal.klog_file(said, BASE, NOW),
    "RTLOG": lambda said: journal.journal(said, BASE),
    "RTLOG_OLD": lambda said: journal.unit_lines(said, BASE),
    "KERN": lambda said: journal.short_iso(said, BASE),
    "KERN_DMESG": lambda said: journal.dmesg(said, BASE),
    "NETCONF": _refusing(lambda said: net.managed(said)[0]),
    "NETLOG": lambda said: journal.short_iso(said, BASE),
    "PKGLOG": _refusing(lambda said: net.package_runs(said, BASE)),
    "CPLOG_UNITS": lambda said: journal.journal(said, BASE),
    "IMAGES": resources.images,
    "IMAGES_DOCKER": resources.docker_images,
    "DU": resources.folders,
    "LSOF": resources.deleted,
    "WRITABLE": resources.written,
    "APIPATH": reach.http_status,
    "CERTS": lambda said: certs.certificate("/ca.crt", said),
    "CERTS_DATA": lambda said: certs.certificate("/admin.conf", said),
    "CGDRV": resources.settings,
    "CGDRV_RUNTIME": _refusing(resources.driver),
    "KEVICT": resources.settings,
    "KSERIES": resources.series,
    "IPT": net.forward,
    "IPT_COUNT": _refusing(net.policy_packets),
    "IPT_AGAIN": _refusing(net.policy_packets),
    "IPT_SVC": traffic.service_rules,
    "NFT": traffic.nft_tables,
    "IPVS": traffic.ipvs_services,
    "KPMODE": reach.proxy_mode,
    "KPHEALTH": _refusing(reach.proxy_health),
    "RPFILTER": traffic.reverse_path,
    "RPATH": traffic.way,
    "RPATH_FROM": traffic.way,
    "NEIGH": reach.neighbour,
    "TCP": reach.connected,
    "DIG": _refusing(lambda said: dns_answers.dig(Output(rc=0, text=said), **ASK)),
    "NSLOOKUP": _refusing(lambda said: dns_answers.nslookup(Output(rc=0, text=said), **ASK)),
    "RESOLV": _refusing(lambda said: dns_answers.resolv_conf(said)[0]),
    "PODRESOLV": _refusing(lambda said: dns_answers.resolv_conf(said)[0]),
}
# Read by a pattern of its collector, in one line; the collector's own tests hold it.
IN_COLLECTORS = {
    "CRI_PODS": "bot/collect/host_made.py times the call, and looks whether its answer is JSON",
    "CERTS_PATH": "bot/collect/host_certs.py looks for one line of the kubeconfig",
    "FDB": "bot/collect/host_paths.py looks for one address",
    "CNI_LEASES": "names of files, one a line",
    "PODRESOLV_PATH": "one path, held to its form before it is read",
}
# In the table for the hand of an operator, `kubewhy-collect KEY`; no collector asks for it.
ASKED_BY_NOBODY = {
    "APILOCAL", "CAP", "CERTS_PORT", "CPLOG", "CPLOG_LIST", "CPS", "CTFLOW", "DIG_TCP", "DISK_JOURNAL",
    "ETCD", "HOSTLOGS", "IFACES", "MANIFEST_FILE", "PODPID", "PODPORTS", "PODSS", "RULES6",
}  # fmt: skip
# What the machines that samples come from cannot print; each is tested with a text written by hand.
NOT_READ_ON_TWO = {
    "IPVS": "their kernel has no ipvs: what is captured are complaints",
}
GARBAGE = {
    "html": "<html>\n<head><title>502 Bad Gateway</title></head>\n<body>nginx</body>\n</html>\n",
    "no program": "sh: 1: something: not found\n",
    "no program, twice": "sh: something: not found\nsh: something: not found\n",
    "refused": "cat: /some/file: Permission denied\n",
    "bytes": "\x00\x01\ufffd\ufffd\x7fELF\x02\n",
    "other JSON": '{"message": "nothing"}\n[1]\n',
    "usage": "Usage: thing [OPTIONS] COMMAND\n\t[-a] [all]\n  -h  this text\n",
    "motd": "Welcome to Ubuntu 16.04.7 LTS\n\n * Documentation: see the manual\n",
}
# What a reader may make of a text that is no answer: nothing that its collector takes for a fact.
HARMLESS = {
    "DOCKER_INFO": {"other JSON": ""},  # a daemon that does not tell its driver
}


def test_every_section_is_read_or_says_why_not() -> None:
    """A new key needs a reader here, and samples; a key that is gone leaves no reader behind."""
    assert set(TABLE) == {*READERS, *IN_COLLECTORS, *ASKED_BY_NOBODY}


def test_what_nobody_asks_is_asked_by_nobody() -> None:
    """A collector that begins to ask for a key gives it a reader."""
    folder = Path(bot.__file__).parent / "collect"
    sources = "\n".join(p.read_text("utf-8") for p in folder.glob("*.py") if p.name != "commands.py")
    assert set() == {key for key in ASKED_BY_NOBODY if re.search(rf'"{key}"', sources)}


@pytest.mark.parametrize("key", sorted(TABLE))
def test_every_section_has_samples_of_two_systems(key: str) -> None:
    """Captured, not written: see captured/README.md for how."""
    assert len(systems(key)) >= 2, f"{key}: run tools/samples.py on two systems"


@pytest.mark.parametrize("key", sorted(READERS.keys() - NOT_READ_ON_TWO.keys()))
def test_every_reader_reads_two_systems(key: str) -> None:
    """At least two systems print what it understands; the tests of captured samples say what it must find there."""
    read = []
    for system in systems(key):
        for name in (n for n in names(system) if key_of(n) == key):
            try:
                READERS[key](text(system, name))
            except UnparsableError:
                continue
            read.append(system)
    assert len(set(read)) >= 2


@pytest.mark.parametrize("key", READERS)
def test_garbage_is_an_error(key: str) -> None:
    """What is not that thing is "could not read", never an empty fact."""
    found = {what: _result(READERS[key], said) for what, said in GARBAGE.items()}
    assert HARMLESS.get(key, {}) == {what: made for what, made in found.items() if made is not UnparsableError}


def _result(read: Reader, said: str) -> object:
    try:
        return read(said)
    except UnparsableError:
        return UnparsableError


@pytest.mark.parametrize("key", READERS)
def test_an_answer_that_was_cut_off_never_fails_oddly(key: str) -> None:
    """It is read as far as it goes, or is an error of the one kind that collectors translate."""
    whole = text(systems(key)[0], key if key in names(systems(key)[0]) else f"{key}-gone")
    for end in (len(whole) // 3, len(whole) // 2):
        try:
            READERS[key](whole[:end])
        except UnparsableError:
            continue


def test_samples_hold_nothing_of_the_machine_they_were_captured_on() -> None:
    """No trace of the host's kernel build, its folders, or keys."""
    secret = re.compile(r"BEGIN [A-Z ]*PRIVATE KEY|-fc-|firecracker|/tmp/kubewhy|password:|token:", re.IGNORECASE)
    found = [
        f"{path.parent.name}/{path.name}" for path in HERE.rglob("*.txt") if secret.search(path.read_text("utf-8"))
    ]
    assert [] == found
