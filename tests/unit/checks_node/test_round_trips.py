"""How often a diagnosis logs in to a node: at most three round trips each (catalogue D), whatever is asked of it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import replace
from pathlib import Path

import pytest

from bot import framing
from bot.app import commands, order
from bot.ask import parse
from bot.bundle.base import base_path
from bot.bundle.recorded import sources
from bot.bundle.store import open_bundle
from bot.collect.commands import TABLE
from bot.config import Cluster
from bot.diagnose import diagnose
from bot.scenario import find
from bot.source import Output, Section, Shell

ROOT = Path(__file__).parents[3]
PLAIN, MOST = 2, 3
SICK = ("NET-0", "NODE-01", "NODE-02", "NODE-18", "NODE-19", "W3")  # that find most, or are asked most
MOST_KEYS, MOST_BYTES = 250, 65536  # what node/kubewhy-shell accepts in one request


class Visits:
    """A shell that answers from a recording and notes what each visit asked."""

    def __init__(self, shell: Shell) -> None:
        self._shell = shell
        self.by_node: dict[str, list[tuple[Section, ...]]] = {}

    def run(self, node: str, sections: Sequence[Section], *, deadline: float = 25.0) -> Mapping[str, Output]:
        """Note and answer."""
        self.by_node.setdefault(node, []).append(tuple(sections))
        return self._shell.run(node, sections, deadline=deadline)


def visits(line: str, recorded: Path) -> dict[str, list[tuple[Section, ...]]]:
    """The visits to each node that one command makes."""
    name, _, rest = line.lstrip("/").partition(" ")
    question = parse(rest, name, commands())
    found = sources(open_bundle(recorded))
    shell = Visits(found.shell)
    asked = order(question, commands()[name], "test", Cluster(), today=found.now().date())
    diagnose(asked, replace(found, shell=shell))
    return shell.by_node


@pytest.mark.parametrize(
    ("line", "base", "most"),
    [
        ("/node-why node-3", "kubeadm-5", PLAIN),
        ("/node-why node-3", "legacy-18", PLAIN),
        ("/node-why node-3 net", "kubeadm-5", MOST),
        ("/node-why node-a net peer=node-b", "overlay-cni", MOST),
        ("/node-why node-a net", "cloud-cni", MOST),
        ("/node-why node-a net peer=node-d", "cloud-cni", MOST),
        ("/node-why node-3 net peer=node-1", "legacy-18", MOST),
    ],
)
def test_a_healthy_node_and_its_peers_are_visited_in_few_trips(line: str, base: str, most: int) -> None:
    """Two for a node, three when its network is asked about; each key at most once a visit."""
    found = visits(line, base_path(base))
    assert found
    assert {node: len(trips) for node, trips in found.items() if len(trips) > most} == {}
    for trip in (t for trips in found.values() for t in trips):
        assert len({s.key for s in trip}) == len(trip)


def _slow() -> list[object]:
    scenarios = [s for place in ("tests/scenarios", "bot/playground/scenarios") for s in find(ROOT / place)]
    asked = [s for s in scenarios if s.command.startswith("/node-why") and s.id.startswith(SICK)]
    return [pytest.param(s.command, s.id, id=s.id) for s in asked]


@pytest.mark.parametrize(("line", "name"), _slow())
def test_a_sick_node_is_visited_in_three_trips_at_most(line: str, name: str) -> None:
    """Whatever the first trips find: a full disk, dead tables, tunnels that are gone.

    Whether a silent node answers is asked of others, beside what is read of themselves.
    """
    scenario = next(s for p in ("tests/scenarios", "bot/playground/scenarios") for s in find(ROOT / p) if s.id == name)
    question = parse(line.partition(" ")[2], "node-why", commands())
    found = sources(scenario.bundle())
    shell = Visits(found.shell)
    diagnose(
        order(question, commands()["node-why"], "test", Cluster(), today=found.now().date()),
        replace(found, shell=shell),
    )
    own = {node: [t for t in trips if not _about_others(t)] for node, trips in shell.by_node.items()}
    assert {node: len(trips) for node, trips in own.items() if len(trips) > MOST} == {}


def _about_others(trip: tuple[Section, ...]) -> bool:
    return all(s.key.partition(":")[0] in {"TCP", "NEIGH"} for s in trip)


@pytest.mark.parametrize(
    ("line", "base"),
    [("/node-why node-3 net", "kubeadm-5"), ("/node-why node-a net peer=node-d", "cloud-cni")],
)
def test_every_visit_fits_into_one_request_of_the_collector_login(line: str, base: str) -> None:
    """With ``ssh.collector: true`` only keys and values travel: the same visits, each within what the login accepts."""
    mark = framing.new_mark()
    for trip in (t for trips in visits(line, base_path(base)).values() for t in trips):
        request = framing.request(trip, mark)
        assert [s.key.partition(":")[0] for s in trip] == [x.split(" ")[0] for x in request.splitlines()[1:]]
        assert {s.key.partition(":")[0] for s in trip} <= set(TABLE)
        assert len(trip) <= MOST_KEYS
        assert len(request) <= MOST_BYTES
