"""The three round trips to a node: what becomes of refusals, silence, old systems and wrong clocks."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest

from bot.bundle.base import base_path
from bot.bundle.recorded import sources
from bot.bundle.store import open_bundle
from bot.collect.host_base import host_base
from bot.collect.host_containers import host_containers
from bot.collect.host_log_lines import since
from bot.collect.host_logs import host_logs
from bot.collect.host_targeted import host_targeted
from bot.collect.sections import base
from bot.collector import Wanted
from bot.errors import Kind, SourceError
from bot.model.evidence import Ask, Clock, Evidence, Gap, PerNode
from bot.model.host import (
    Call,
    ContainerCount,
    ContainerRuntime,
    Disks,
    HostUnits,
    Iptables,
    KubeletDefaults,
    KubeletFiles,
    KubeletLog,
    NodeClock,
    NodeReached,
    PolicyRouting,
    Presence,
    RoutingRules,
    Unit,
)
from bot.model.host_resources import DiskUse, Images
from bot.model.proof import Proof, Source
from bot.model.refs import NodeName
from bot.source import Kube, Output, Response, Section, Shell

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
PROOF = Proof(source=Source.API, what="test")
CLOCK = Clock(proof=PROOF, now=NOW)
ASK = Ask(proof=PROOF, command="node-why", target="node-3")
NODE = NodeName("node-3")
REACHED = NodeReached(proof=PROOF, node=NODE, clock_ahead=0.0)


@dataclass
class OneNode:
    """A shell that answers from a recorded node, with some outputs replaced, and remembers the trips."""

    shell: Shell
    instead: Mapping[str, Output] = field(default_factory=dict)
    trips: list[tuple[str, ...]] = field(default_factory=list)

    def run(self, node: str, sections: Sequence[Section], *, deadline: float = 25.0) -> Mapping[str, Output]:
        """Answer and remember."""
        self.trips.append(tuple(s.key for s in sections))
        found = dict(self.shell.run(node, sections, deadline=deadline))
        return found | {k: v for k, v in self.instead.items() if k in {s.key for s in sections}}


class Dated:
    """An API server that tells the time."""

    def __init__(self, date: datetime | None = NOW) -> None:
        self._date = date

    def raw(self, path: str, query: object = None, *, accept: str = "", timeout: float | None = None) -> Response:
        """The time, or a refusal."""
        if self._date is None:
            raise SourceError(Kind.REFUSED, f"GET {path}")
        return Response(status=200, body=b"{}", date=self._date)

    get = raw

    def review(self, right: object, namespace: str | None = None) -> bool:
        """Not asked."""
        raise NotImplementedError


def recorded(base: str = "kubeadm-5", **instead: Output) -> OneNode:
    """A healthy recorded node."""
    return OneNode(sources(open_bundle(Path(base_path(base)))).shell, instead)


def first_trip(shell: Shell, kube: Kube | None = None) -> dict[type[Evidence], Evidence | Gap]:
    """What the first round trip yields, by type."""
    found = host_base(kube=kube or Dated(), shell=shell, node=NODE, clock=CLOCK)
    return {item.type if isinstance(item, Gap) else type(item): item for item in found}


def second_trip(shell: Shell, first: Mapping[type[Evidence], Evidence | Gap]) -> dict[type[Evidence], Evidence | Gap]:
    """What the second yields."""
    units, defaults = first[HostUnits], first[KubeletDefaults]
    found = host_logs(
        shell=shell,
        node=NODE,
        clock=CLOCK,
        ask=ASK,
        reached=REACHED,
        units=units if isinstance(units, HostUnits) else None,
        arguments=None,
        defaults=defaults if isinstance(defaults, KubeletDefaults) else None,
        manifests=None,
        api=None,
    )
    return {item.type if isinstance(item, Gap) else type(item): item for item in found}


def third_trip(
    shell: Shell, rules: RoutingRules | None = None, disks: Disks | None = None
) -> dict[type[Evidence], Evidence | Gap]:
    """What the third round trip yields where tables and what fills a disk are wanted, by type."""
    found = host_targeted(
        shell=shell,
        node=NODE,
        clock=CLOCK,
        wanted=Wanted(frozenset({PolicyRouting, Images, DiskUse})),
        reached=REACHED,
        rules=rules,
        sysctls=None,
        links=None,
        disks=disks,
        nodes=None,
        pods=PerNode({}),
    )
    return {item.type if isinstance(item, Gap) else type(item): item for item in found}


def test_a_healthy_node_leaves_no_gap_in_the_first_trip() -> None:
    """Every type of the first trip is there, from one visit."""
    shell = recorded()
    found = first_trip(shell)
    assert [] == [item for item in found.values() if isinstance(item, Gap)]
    assert 1 == len(shell.trips)


def test_a_node_is_visited_at_most_three_times() -> None:
    """One trip each, and none for tables where no rule names any."""
    shell = recorded()
    first = first_trip(shell)
    second_trip(shell, first)
    rules = first[RoutingRules]
    assert isinstance(rules, RoutingRules)
    routing = third_trip(shell, rules)[PolicyRouting]
    assert isinstance(routing, PolicyRouting)
    assert {} == routing.tables
    assert 2 == len(shell.trips)


def test_an_unreachable_node_says_so_once_for_everything() -> None:
    """The client's words reach the report as they are."""

    class Closed:
        def run(self, node: str, sections: Sequence[Section], *, deadline: float = 25.0) -> Mapping[str, Output]:
            raise SourceError(Kind.REFUSED, f"SSH to {node}", "connection refused")

    with pytest.raises(SourceError, match="SSH to node-3: connection refused"):
        first_trip(Closed())


def test_refused_sudo_is_a_gap_with_the_line_that_is_missing_in_sudoers() -> None:
    """A refusal is no empty firewall."""
    shell = recorded(IPT=Output(rc=1, text="sudo: a password is required", denied=True))
    gap = second_trip(shell, first_trip(shell))[Iptables]
    assert isinstance(gap, Gap)
    assert "node-3: IPT needs root: sudo is not allowed" == gap.because
    assert "sudo -n iptables -w 3 -S FORWARD" in gap.hint


@pytest.mark.parametrize(
    ("key", "text"), [("UNITS", "Failed to get D-Bus connection"), ("TIME", "date: command failed"), ("RULES", "x")]
)
def test_garbage_is_a_gap_and_never_an_empty_fact(key: str, text: str) -> None:
    """The gap quotes what came instead."""
    found = first_trip(recorded(**{key: Output(rc=1, text=text)}))
    kind = {"UNITS": HostUnits, "TIME": NodeClock, "RULES": RoutingRules}[key]
    gap = found[kind]
    assert isinstance(gap, Gap)
    assert text in gap.because


def test_a_runtime_that_hangs_is_evidence_and_one_without_client_is_not() -> None:
    """Exit status 124 is a time-out of the runtime; a missing crictl says nothing about it."""
    hung = first_trip(recorded(CRI=Output(rc=124, text=""), CRI_PS=Output(rc=124, text="")))[ContainerRuntime]
    assert isinstance(hung, ContainerRuntime)
    assert (Call.TIMEOUT, 2, None) == (hung.call, hung.timeouts, hung.containers)
    missing = Output(rc=127, text="sh: 1: crictl: not found")
    none = first_trip(recorded(CRI=missing, CRI_PS=missing, CRI_PODS=missing))[ContainerRuntime]
    assert isinstance(none, ContainerRuntime)
    assert (Call.UNKNOWN, 0, True) == (none.call, none.timeouts, none.socket)


def test_a_list_of_containers_that_was_cut_off_is_no_answer_of_nothing() -> None:
    """What stands in it counts at the least, the count of the node decides; a client that fails counts nothing."""
    one = '{"id": "%d", "metadata": {"name": "web"}, "state": "CONTAINER_RUNNING", "labels": {"app": "web"}}'
    text = '{\n  "containers": [\n    ' + ",\n    ".join(one % n for n in range(60)) + ',\n    {"id": "60'
    shell = recorded(CRI_PS=Output(rc=0, text=text, truncated=True), CRI_COUNT=Output(rc=0, text="1806\n"))
    found = first_trip(shell)[ContainerRuntime]
    assert isinstance(found, ContainerRuntime)
    assert (Call.OK, None, 60) == (found.call, found.containers, found.at_least)

    def counted(shell: OneNode) -> list[tuple[int, bool]]:
        made = host_containers(shell=shell, node=NODE, clock=CLOCK, runtime=found)
        return [(c.count, c.whole) for c in made if isinstance(c, ContainerCount)]

    failing = Output(rc=0, text='time="2026-11-21T16:26:04Z" level=fatal msg="rpc error"\n0\n')
    assert [(1806, True)] == counted(shell)
    assert [(60, False)] == counted(recorded(CRI_COUNT=failing))
    assert [(60, False)] == counted(recorded())


def test_a_whole_list_of_containers_is_not_counted_again() -> None:
    """No further trip to the node; without any list there is no number."""
    shell = recorded()
    whole = first_trip(shell)[ContainerRuntime]
    assert isinstance(whole, ContainerRuntime)
    assert whole.containers is not None
    trips = len(shell.trips)
    (counted,) = host_containers(shell=shell, node=NODE, clock=CLOCK, runtime=whole)
    (none,) = host_containers(shell=shell, node=NODE, clock=CLOCK, runtime=replace(whole, containers=None, at_least=0))
    assert isinstance(counted, ContainerCount)
    assert (len(whole.containers), True, trips) == (counted.count, counted.whole, len(shell.trips))
    assert isinstance(none, Gap)


def test_the_offset_of_a_recording_is_the_same_in_every_run(monkeypatch: pytest.MonkeyPatch) -> None:
    """However long a run takes over it: no time passes in a recording."""
    bundle = sources(open_bundle(Path(base_path("kubeadm-5"))))
    quick = first_trip(recorded(), bundle.kube)[NodeClock]
    ticks = iter(range(1000))
    monkeypatch.setattr("bot.collect.host_base.time.monotonic", lambda: next(ticks) * 7.0)
    slow = first_trip(recorded(), bundle.kube)[NodeClock]
    assert isinstance(quick, NodeClock)
    assert isinstance(slow, NodeClock)
    assert (quick.offset, quick.uncertainty) == (slow.offset, slow.uncertainty) == (quick.offset, 0.5)


def test_the_offset_is_measured_against_the_api_server() -> None:
    """And unknown when the API server tells no time; then node times stay as they are."""
    ahead = first_trip(recorded(), Dated(NOW - timedelta(seconds=95)))
    clock, reached = ahead[NodeClock], ahead[NodeReached]
    assert isinstance(clock, NodeClock)
    assert isinstance(reached, NodeReached)
    assert clock.offset is not None
    assert 94.0 < clock.offset < 96.0
    assert clock.offset == reached.clock_ahead
    silent = first_trip(recorded(), Dated(None))[NodeClock]
    assert isinstance(silent, NodeClock)
    assert silent.offset is None


def test_a_file_that_only_root_may_see_is_asked_again_as_root() -> None:
    """A directory with mode 0700 must not look like a missing configuration."""
    hidden = "stat: cannot statx '/var/lib/kubelet/config.yaml': Permission denied\n"
    shell = recorded(
        KCFG=Output(rc=1, text=hidden),
        KCFG_ROOT=Output(rc=0, text="/var/lib/kubelet/config.yaml|661|1795259039|root|600\n"),
    )
    found = second_trip(shell, first_trip(shell))[KubeletFiles]
    assert isinstance(found, KubeletFiles)
    assert Presence.PRESENT is found.presence("/var/lib/kubelet/config.yaml")


def test_the_log_of_a_kubelet_that_does_not_run_goes_back_to_its_last_start() -> None:
    """A start attempt of three hours ago counts; a running kubelet's log is read for the window."""
    started = NOW - timedelta(hours=3)
    down = Unit(name="kubelet", load="loaded", active="failed", started=started)
    units = HostUnits(proof=PROOF, node=NODE, by_name={"kubelet": down})
    assert f"@{int(started.timestamp()) + 95 - 60}" == since(units, CLOCK, 95.0)
    assert "-30min" == since(None, CLOCK, 0.0)


def test_an_old_journal_without_the_option_is_a_gap() -> None:
    """An error message is no silent kubelet."""
    old = Output(rc=1, text="journalctl: unrecognized option '--output-fields=MESSAGE'")
    shell = recorded(KLOG=old)
    gap = second_trip(shell, first_trip(shell))[KubeletLog]
    assert isinstance(gap, Gap)
    assert "unrecognized option" in gap.because


def test_an_old_systemd_is_asked_for_its_journal_as_text() -> None:
    """No restart counts means no ``--output-fields``: CentOS 7."""
    old = Output(rc=1, text="journalctl: unrecognized option '--output-fields=MESSAGE'")
    text = "2026-11-21T11:59:50+0800 node-3 kubelet[7]: unknown flag: --cni-bin-dir\n"
    units = Output(rc=0, text="Id=kubelet.service\nLoadState=loaded\nActiveState=failed\nSubState=failed\n")
    shell = recorded(KLOG=old, KLOG_OLD=Output(rc=0, text=text), UNITS=units)
    found = second_trip(shell, first_trip(shell))[KubeletLog]
    assert isinstance(found, KubeletLog)
    assert ["unknown flag: --cni-bin-dir"] == [line.text for line in found.lines]


def test_tables_are_read_as_text_where_rules_came_as_text() -> None:
    """CentOS 7: ``ip`` has no ``-j``."""
    text = 'Option "-j" is unknown, try "ip -help".\n0:\tfrom all lookup local \n1536:\tfrom 10.176.98.29 lookup 2 \n'
    shell = recorded(
        RULES=Output(rc=0, text=text),
        **{"RULES_TEXT:2": Output(rc=0, text="default via 10.176.98.1 dev eth1 \n")},
    )
    rules = first_trip(shell)[RoutingRules]
    assert isinstance(rules, RoutingRules)
    routing = third_trip(shell, rules)[PolicyRouting]
    assert isinstance(routing, PolicyRouting)
    default = routing.default("2")
    assert default is not None
    assert "eth1" == default.device


def test_a_client_that_tries_other_sockets_first_is_no_runtime_that_hangs() -> None:
    """Crictl up to 1.25 without a configuration waits two seconds for dockershim, says so, and then answers."""
    tried = (
        "ERRO[0002] connect endpoint 'unix:///var/run/dockershim.sock', make sure you are running as root and the "
        "endpoint has been started: context deadline exceeded\n"
    )
    answers = recorded().shell.run(NODE, base("CRI", "CRI_PS", "CRI_PODS"))
    noisy = {key: replace(output, text=tried + output.text) for key, output in answers.items()}
    found = first_trip(OneNode(recorded().shell, noisy))[ContainerRuntime]
    assert isinstance(found, ContainerRuntime)
    assert (Call.OK, 0) == (found.call, found.timeouts)
    assert found.containers
