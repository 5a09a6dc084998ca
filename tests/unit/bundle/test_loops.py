"""Loops in a recording answer the single commands that a diagnosis runs."""

from __future__ import annotations

import pytest

from bot.bundle.entries import Entry
from bot.bundle.lookup import NodeCommands
from bot.bundle.loops import unrolled
from bot.collect.sections import section

API = (
    "for e in 10.0.0.10:6443 10.96.0.1:443; do H=${e%:*}; P=${e##*:}; H=${H#\\[}; H=${H%\\]}; "
    'timeout 3 bash -c "</dev/tcp/$H/$P" && curl -sk -m 3 https://$e/livez -o /dev/null '
    "-w '%{http_code} %{time_connect}\\n'; done"
)
CERTS = "for f in /etc/a.crt /etc/b.crt; do sudo -n openssl x509 -noout -subject -enddate -startdate -in $f; done"
BLOCK = "subject=CN = {}\nnotAfter=Nov 20 10:00:00 2027 GMT\nnotBefore=Nov 20 10:00:00 2026 GMT\n"
NO_ROUTE = "bash: connect: No route to host\nbash: line 1: /dev/tcp/10.0.0.10/6443: No route to host\n"


def node(entry: Entry) -> NodeCommands:
    """A node of which only this was recorded."""
    return NodeCommands("node-1", [entry], lambda _: None)


def way(host: str, port: int, recorded: Entry) -> Entry | None:
    """What answers the question for the way to one API server."""
    return node(recorded).section(section("APIPATH", host=host, port=str(port), endpoint=f"{host}:{port}"))


def test_the_ways_to_the_api_servers_are_told_apart() -> None:
    """An error names its endpoint; the code that is left belongs to the other."""
    recorded = Entry(key="APIPATH", command=API, stdout="403 0.002\n", stderr=NO_ROUTE)
    dead, alive = way("10.0.0.10", 6443, recorded), way("10.96.0.1", 443, recorded)
    assert dead is not None
    assert alive is not None
    assert (1, True) == (dead.exit, "No route to host" in dead.text)
    assert (0, "403 0.002\n") == (alive.exit, alive.stdout)


def test_silence_of_all_is_a_time_out_of_each() -> None:
    """``timeout`` ends the connection attempt without a word."""
    recorded = Entry(key="APIPATH", command=API, exit=124)
    assert [124, 124] == [
        found.exit for h, p in (("10.0.0.10", 6443), ("10.96.0.1", 443)) if (found := way(h, p, recorded))
    ]


def test_one_answer_of_two_silent_endpoints_belongs_to_none() -> None:
    """It cannot be told which of the two answered, so neither was recorded."""
    recorded = Entry(key="APIPATH", command=API, stdout="200 0.001\n", exit=124)
    assert (None, None) == (way("10.0.0.10", 6443, recorded), way("10.96.0.1", 443, recorded))


def test_each_certificate_has_its_own_block() -> None:
    """A file that cannot be opened has the error and a status of its own."""
    error = "Could not open file or uri for loading certificate from /etc/a.crt\n"
    commands = node(Entry(key="CERTS", command=CERTS, stdout=BLOCK.format("b"), stderr=error))
    missing, good = (commands.section(section("CERTS", file=f)) for f in ("/etc/a.crt", "/etc/b.crt"))
    assert missing is not None
    assert good is not None
    assert (1, error) == (missing.exit, missing.text)
    assert (0, BLOCK.format("b")) == (good.exit, good.text)


@pytest.mark.parametrize(
    "command",
    ["openssl x509 -in /etc/a.crt", "for f in 'a; do openssl x509; done", "for f in a b; do cat $f; done", CERTS],
)
def test_what_cannot_be_told_apart_stays_whole(command: str) -> None:
    """No loop, a broken one, an unknown one, and one with a block too many."""
    assert () == unrolled(Entry(command=command, stdout=BLOCK.format("x")))
