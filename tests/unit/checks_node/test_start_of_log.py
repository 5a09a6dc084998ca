"""A start that failed is read from its beginning, however much the kubelet wrote behind its error."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from datetime import UTC, datetime, timedelta

import pytest

from bot.collect import host_log_lines as lines_of
from bot.collect.host_read import NoAnswerError, Trip
from bot.collect.sections import section
from bot.framing import LIMIT
from bot.model.evidence import Clock
from bot.model.host import HostUnits, Unit
from bot.model.proof import Proof, Source
from bot.parse.common import TimeBase
from bot.source import Output, Section

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
STARTED = NOW - timedelta(minutes=5)
PROOF = Proof(source=Source.API, what="test")
CLOCK = Clock(proof=PROOF, now=NOW)
ERROR = 'E1121 03:55:00.300000 7 server.go:156] "Failed to parse kubelet flag" err="unknown flag: --network-plugin"'


def entry(text: str, at: datetime) -> str:
    """A line of the journal in JSON."""
    return json.dumps({"MESSAGE": text, "__REALTIME_TIMESTAMP": str(int(at.timestamp() * 1e6))})


WROTE = (
    entry("Started kubelet.", STARTED + timedelta(milliseconds=200)),
    entry(ERROR, STARTED + timedelta(milliseconds=300)),
    *(entry(f"      --flag-{n} string   what it does", STARTED + timedelta(milliseconds=301 + n)) for n in range(600)),
    entry("kubelet.service: Main process exited, code=exited, status=1/FAILURE", STARTED + timedelta(seconds=2)),
)
NEWEST = "\n".join(reversed(WROTE[-400:]))
FIRST = "\n".join(WROTE[:100])


class Node:
    """A node that answers with the given texts."""

    def __init__(self, said: Mapping[str, str]) -> None:
        self._said = said

    def run(self, node: str, sections: Sequence[Section], *, deadline: float = 25.0) -> Mapping[str, Output]:
        """The text of each section that has one, at most what the cap lets through."""
        texts = {s.key: self._said[s.key] for s in sections if s.key in self._said}
        return {k: Output(rc=0, text=t[:LIMIT], truncated=len(t) > LIMIT) for k, t in texts.items()}


def kubelet(**properties: object) -> HostUnits:
    """The kubelet's unit."""
    made = Unit(**{"name": "kubelet", "load": "loaded", "active": "failed", "restarts": 4, **properties})  # type: ignore[arg-type]
    return HostUnits(proof=PROOF, node="node-3", by_name={"kubelet": made})


DOWN = kubelet(started=STARTED, inactive_since=STARTED + timedelta(seconds=2))


def read(units: HostUnits, **said: str) -> list[str]:
    """The texts of the kubelet's log as it comes out of a second round trip."""
    asked = [section("KLOG", lines="400", since="-30min"), *lines_of.start(units, CLOCK, 0.0)]
    trip = Trip.make(Node(said), "node-3", CLOCK, asked)
    return [line.text for line in lines_of.kubelet_log(trip, TimeBase(), units).lines]


def test_the_error_before_a_long_usage_text_is_kept() -> None:
    """Kubelets up to 1.23 print their usage behind the error: more lines than are read."""
    lines = read(DOWN, KLOG=NEWEST, KLOG_START=FIRST)
    assert ["Started kubelet.", ERROR] == lines[:2]
    assert lines[-1].startswith("kubelet.service: Main process exited")
    assert lines == list(dict.fromkeys(lines))


def test_a_log_that_does_not_reach_back_is_no_log_without_the_error() -> None:
    """Where the first lines cannot be had, nobody may say that the last start complained of nothing."""
    with pytest.raises(NoAnswerError, match="does not reach back to its last start"):
        read(DOWN, KLOG=NEWEST)


def test_the_cap_cuts_a_log_too() -> None:
    """Fewer lines than asked for, but 64 KiB of them."""
    wide = "\n".join(reversed([line.replace("what it does", "x" * 900) for line in WROTE[-300:]]))
    assert ERROR in read(DOWN, KLOG=wide, KLOG_START=FIRST)


def test_a_whole_log_needs_nothing_more() -> None:
    """Its first line is older than the start, or nothing was cut off."""
    short = "\n".join(reversed(WROTE[:90]))
    assert 90 == len(read(DOWN, KLOG=short))


@pytest.mark.parametrize(
    "units",
    [
        kubelet(active="active", started=STARTED),
        kubelet(active="inactive", started=NOW - timedelta(days=9), inactive_since=STARTED),
        kubelet(),
    ],
    ids=["runs", "lived for days", "never started"],
)
def test_only_a_failed_start_is_asked_for(units: HostUnits) -> None:
    """A kubelet that was stopped after days did not fail at its start."""
    assert [] == lines_of.start(units, CLOCK, 0.0)


def test_an_old_systemd_is_asked_in_its_own_form() -> None:
    """Without restart counts there is no ``--output-fields`` either."""
    (asked,) = lines_of.start(kubelet(started=STARTED, restarts=None), CLOCK, 95.0)
    assert "KLOG_START_OLD" == asked.key
    assert f"--since '@{int(STARTED.timestamp()) + 94}'" in asked.command
