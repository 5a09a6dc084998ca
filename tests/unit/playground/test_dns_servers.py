"""The playground's DNS servers and ports, asked by a real DNS client and real sockets."""

import json
import socket
import threading
import time
from collections.abc import Iterator
from typing import Any

import dns.message
import dns.query
import dns.rcode
import pytest

from bot.bundle.names import RecordedNames
from bot.bundle.probes import RecordedProbes
from bot.bundle.recording import Bundle
from bot.clients.dns import LiveProber, LiveResolver
from bot.clients.reach import Reach
from bot.errors import Kind, SourceError
from bot.playground.dnsd import DnsServers
from bot.playground.probed import ProbedPorts

ENTRIES: list[dict[str, Any]] = [
    {"server": "10.96.0.10", "name": "web.shop", "answers": ["10.96.1.1", "10.96.1.2"], "rcode": "NOERROR"},
    {"server": "10.96.0.10", "name": "web.shop", "type": "AAAA", "answers": ["fd00::1"], "rcode": "NOERROR"},
    {
        "server": "10.96.0.10",
        "name": "_http._tcp.web.shop",
        "type": "SRV",
        "answers": ["0 100 80 web.shop."],
        "rcode": "NOERROR",
    },
    {"server": "10.96.0.10", "name": "gone.shop", "rcode": "NXDOMAIN"},
    {"server": "10.96.0.10", "name": "bad.shop", "rcode": "SERVFAIL"},
    {"server": "10.96.0.10", "name": "silent.shop", "rcode": "timeout"},
    {"server": "10.96.0.10", "name": "silent.shop", "tcp": True, "rcode": "NOERROR", "answers": ["10.96.1.9"]},
    {"server": "10.0.0.2", "name": "web.shop", "rcode": "NOERROR", "answers": ["203.0.113.9"]},
    {"server": "10.0.0.3", "name": "web.shop", "rcode": "refused"},
    {"server": "10.0.0.4", "name": "web.shop", "rcode": "unreachable"},
]
PROBES = [
    {"host": "10.0.0.7", "port": 10250, "result": "ok"},
    {"host": "10.0.0.7", "port": 443, "kind": "tls", "result": "ok"},
    {"host": "10.0.0.7", "port": 8443, "kind": "tls", "result": "tls"},
    {"host": "10.0.0.8", "port": 10250, "result": "refused"},
    {"host": "10.0.0.9", "port": 10250, "result": "timeout"},
    {"host": "10.0.0.10", "port": 10250, "result": "unreachable"},
]


@pytest.fixture(scope="module")
def bundle() -> Bundle:
    """What the bot was told and what it reached."""
    return Bundle(
        "test", {"kubewhy/dns.json": json.dumps(ENTRIES).encode(), "kubewhy/probes.json": json.dumps(PROBES).encode()}
    )


@pytest.fixture(scope="module")
def servers(bundle: Bundle) -> Iterator[DnsServers]:
    """One server an address."""
    running = DnsServers(RecordedNames(bundle))
    yield running
    running.close()


@pytest.mark.parametrize("tcp", [False, True])
@pytest.mark.parametrize(
    ("server", "name", "kind", "expected"),
    [
        ("10.96.0.10", "web.shop", "A", ("NOERROR", ("10.96.1.1", "10.96.1.2"))),
        ("10.96.0.10", "WEB.shop.", "AAAA", ("NOERROR", ("fd00::1",))),
        ("10.96.0.10", "_http._tcp.web.shop", "SRV", ("NOERROR", ("0 100 80 web.shop",))),
        ("10.96.0.10", "gone.shop", "A", ("NXDOMAIN", ())),
        ("10.96.0.10", "bad.shop", "A", ("SERVFAIL", ())),
        ("10.0.0.2", "web.shop", "A", ("NOERROR", ("203.0.113.9",))),
    ],
)
def test_each_server_says_what_it_said(
    servers: DnsServers, server: str, name: str, kind: str, expected: tuple[str, tuple[str, ...]], *, tcp: bool
) -> None:
    """Over UDP and TCP, asked by the bot's own resolver through ``reach``."""
    answer = LiveResolver(Reach.of(servers.reach)).ask(server, name, kind, tcp=tcp)
    assert expected == (answer.rcode, answer.addresses)


def test_silence_and_refusal_are_what_they_were(servers: DnsServers) -> None:
    """Silent over UDP and not over TCP; a closed port; no route."""
    resolver = LiveResolver(Reach.of(servers.reach))
    assert resolver.ask("10.96.0.10", "silent.shop", timeout=0.3).rcode == "timeout"
    assert resolver.ask("10.96.0.10", "silent.shop", tcp=True).addresses == ("10.96.1.9",)
    assert resolver.ask("10.0.0.3", "web.shop", tcp=True, timeout=0.5).rcode == "refused"
    with pytest.raises(SourceError) as caught:
        resolver.ask("10.0.0.4", "web.shop", tcp=True, timeout=0.5)
    assert caught.value.kind is Kind.UNREACHABLE


def test_a_question_that_was_not_recorded_is_no_evidence(servers: DnsServers) -> None:
    """The server says NOTIMP, and the bot's client takes that for no answer at all."""
    host, port = servers.reach["10.96.0.10:53"].split(":")
    answer = dns.query.udp(dns.message.make_query("never.asked", "A"), host, port=int(port), timeout=2)
    assert answer.rcode() == dns.rcode.NOTIMP
    with pytest.raises(SourceError) as caught:
        LiveResolver(Reach.of(servers.reach)).ask("10.96.0.10", "never.asked")
    assert caught.value.kind is Kind.MALFORMED


def test_garbage_does_not_end_a_server(servers: DnsServers) -> None:
    """The next question is answered."""
    host, port = servers.reach["10.96.0.10:53"].split(":")
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as raw:
        raw.sendto(b"\xff" * 11, (host, int(port)))
    answer = dns.query.udp(dns.message.make_query("gone.shop", "A"), host, port=int(port), timeout=2)
    assert dns.rcode.NXDOMAIN == answer.rcode()


def test_ports_come_out_as_they_did(bundle: Bundle) -> None:
    """Open, speaking TLS or not, refused, silent, unreachable; what DNS already serves is left to it."""
    ports = ProbedPorts(RecordedProbes(bundle), taken={"10.0.0.7:10250"})
    try:
        assert "10.0.0.7:10250" not in ports.reach
        prober = LiveProber(Reach.of(ports.reach))
        got = {
            (p["host"], p["port"]): prober.connect(p["host"], p["port"], p.get("kind", "tcp"), timeout=0.5).result
            for p in PROBES[1:]
        }  # type: ignore[arg-type]
        assert got == {(p["host"], p["port"]): p["result"] for p in PROBES[1:]}
    finally:
        ports.close()


def test_closing_ends_every_thread(bundle: Bundle) -> None:
    """A test run that starts many playgrounds does not pile up threads."""

    def alive() -> int:
        return sum(t.name.startswith("playground-dns-own") for t in threading.enumerate())

    own = [{**e, "server": f"own-{e['server']}"} for e in ENTRIES]
    running = DnsServers(RecordedNames(Bundle("own", {"kubewhy/dns.json": json.dumps(own).encode()})))
    assert alive() == 4
    running.close()
    until = time.monotonic() + 3
    while alive() and time.monotonic() < until:
        time.sleep(0.02)
    assert alive() == 0
