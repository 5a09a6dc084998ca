"""A recorded cluster as the sources of a diagnosis: DNS, connection attempts, history, and the clock."""

from datetime import UTC, datetime
from typing import Any

import pytest

from bot.bundle.names import RecordedNames, dig_text
from bot.bundle.probes import RecordedProbes, from_nc, history
from bot.bundle.recorded import sources
from bot.errors import BundleError, Kind, SourceError
from bot.source import Answer, Reach

DNS = "kubewhy/dns.json"
PROBES = "kubewhy/probes.json"


def test_a_question_is_answered_as_it_was(make: Any) -> None:
    """Names compare without case and final dot; the type and the server are part of the question."""
    names = RecordedNames(
        make({DNS: [{"from": "bot", "server": "10.96.0.10", "name": "A.example.", "rcode": "nxdomain", "ms": 3}]})
    )
    answer = names.ask("10.96.0.10", "a.EXAMPLE")
    assert Answer(origin="bot", server="10.96.0.10", name="A.example.", type="A", rcode="NXDOMAIN", ms=3) == answer
    for server, kind in (("10.96.0.10", "AAAA"), ("10.0.0.2", "A")):
        with pytest.raises(SourceError) as caught:
            names.ask(server, "a.example", kind)
        assert caught.value.kind is Kind.NOT_RECORDED


def test_silence_over_udp_says_nothing_about_tcp(make: Any) -> None:
    """An answer over UDP stands for TCP, a silence does not, and a recorded TCP question wins."""
    entry = {"server": "s", "name": "n"}
    names = RecordedNames(
        make(
            {
                DNS: [
                    entry | {"rcode": "timeout"},
                    entry | {"name": "m", "rcode": "NOERROR", "answers": ["1.2.3.4"]},
                    entry | {"name": "k", "rcode": "timeout"},
                    entry | {"name": "k", "tcp": True, "rcode": "NOERROR"},
                ]
            }
        )
    )
    assert names.find("bot", "s", "n", tcp=True) is None
    assert [names.ask("s", n, tcp=True).rcode for n in ("m", "k")] == ["NOERROR", "NOERROR"]
    assert [names.ask("s", n).rcode for n in ("n", "k")] == ["timeout", "timeout"]


def test_a_pattern_answers_names_made_up_at_random(make: Any) -> None:
    """The exact name wins; origins are kept apart."""
    names = RecordedNames(
        make(
            {
                DNS: [
                    {"server": "s", "name": "*.svc.cluster.local", "rcode": "NXDOMAIN"},
                    {"server": "s", "name": "db.shop.svc.cluster.local", "rcode": "NOERROR", "answers": ["10.96.1.1"]},
                ]
            }
        )
    )
    assert names.ask("s", "x7f3a.svc.cluster.local").rcode == "NXDOMAIN"
    assert names.ask("s", "db.shop.svc.cluster.local").addresses == ("10.96.1.1",)
    assert names.find("node/n", "s", "x7f3a.svc.cluster.local") is None


def test_dig_shows_an_answer_and_a_refusal() -> None:
    """As dig prints them with +comments +answer +stats."""
    answer = Answer(
        origin="bot", server="10.0.0.2", name="a.example", type="A", rcode="NOERROR", addresses=("1.2.3.4",), ms=7
    )
    assert "status: NOERROR" in dig_text(answer)
    assert ";; ANSWER SECTION:\na.example.\t30\tIN\tA\t1.2.3.4\n" in dig_text(answer)
    assert ";; Query time: 7 msec" in dig_text(answer)
    refused = Answer(origin="bot", server="10.0.0.2", name="a.example", type="A", rcode="refused")
    assert ";; communications error to 10.0.0.2#53: connection refused" in dig_text(refused)


def test_connection_attempts_come_out_as_they_did(make: Any) -> None:
    """By host, port and kind; what was not tried is not recorded."""
    probes = RecordedProbes(make({PROBES: [{"host": "[fd00::7]", "port": 10250, "result": "refused", "ms": 2}]}))
    assert Reach(origin="bot", host="fd00::7", port=10250, kind="tcp", result="refused", ms=2) == probes.connect(
        "fd00::7", 10250
    )
    with pytest.raises(SourceError) as caught:
        probes.connect("fd00::7", 10250, "tls")
    assert caught.value.kind is Kind.NOT_RECORDED


@pytest.mark.parametrize("command", ["nc -z", "ls -zv a 1", "nc -zv host port"])
def test_other_commands_are_no_connection_attempts(command: str) -> None:
    """Only ``nc -z… HOST PORT``."""
    assert from_nc("bot", command, 0, "") is None


@pytest.mark.parametrize(
    ("path", "content"),
    [
        (DNS, {}),
        (DNS, [{"server": "s"}]),
        (DNS, ["x"]),
        (PROBES, [{"host": "h", "port": "x", "result": "ok"}]),
        ("kubewhy/history.json", []),
        ("kubewhy/nodes/n/commands.json", {}),
        ("kubewhy/nodes/n/commands.json", [{"stdout": "x"}]),
        ("kubewhy/nodes/n/commands.json", [{"command": "x", "exit": "y"}]),
    ],
)
def test_a_broken_file_is_named(make: Any, path: str, content: Any) -> None:
    """A recording that cannot be read is an error, never an empty answer."""
    bundle = make({path: content})

    def read() -> None:
        sources(bundle).shell.run("n", [])

    with pytest.raises(BundleError, match=path):
        read()


def test_the_sources_read_nothing_but_the_bundle(make: Any) -> None:
    """The clock is the recording's; history is what earlier runs knew; the API answers in process."""
    found = sources(make({"kubewhy/history.json": {"a": 1}, "cluster-resources/nodes.json": {"items": []}}))
    assert datetime(2026, 11, 21, 4, tzinfo=UTC) == found.now()
    assert found.history.entries == {"a": 1}
    assert found.kube.get("/api/v1/nodes").ok
    assert found.no_ssh == ""
    assert history(make({}, name="none")).entries == {}


def test_a_node_that_could_not_be_reached_cannot_be_now(make: Any) -> None:
    """With the kind that its words name."""
    found = sources(make({"kubewhy/nodes/n/unreachable": "Connection timed out\n"}))
    with pytest.raises(SourceError, match="SSH to n: Connection timed out") as caught:
        found.shell.run("n", [])
    assert caught.value.kind is Kind.TIMED_OUT
