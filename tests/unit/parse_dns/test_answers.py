"""Output of dig, nslookup and resolv.conf: answers, silence, and questions that were never asked."""

from __future__ import annotations

import pytest

from bot.parse import dns_answers
from bot.source import Answer, Output

ASKED = {"origin": "node/node-a", "server": "10.0.0.2", "name": "example-api.com", "kind": "A"}
NOERROR = """;; Got answer:
;; ->>HEADER<<- opcode: QUERY, status: NOERROR, id: 53023
;; flags: qr rd ra; QUERY: 1, ANSWER: 2, AUTHORITY: 0, ADDITIONAL: 1

;; OPT PSEUDOSECTION:
; EDNS: version: 0, flags:; udp: 1232
;; ANSWER SECTION:
example-api.com.\t60\tIN\tCNAME\tlb.example-api.com.
lb.example-api.com.\t60\tIN\tA\t203.0.113.7

;; Query time: 3 msec
;; SERVER: 10.0.0.2#53(10.0.0.2) (UDP)
"""


def dig(text: str, rc: int = 0, *, denied: bool = False) -> Answer | None:
    """Read one output of dig."""
    return dns_answers.dig(Output(rc=rc, text=text, denied=denied), **ASKED)


def test_answer_of_dig() -> None:
    """Addresses of the asked type and the time are read; the CNAME on the way is left out."""
    assert dig(NOERROR) == Answer(
        origin="node/node-a",
        server="10.0.0.2",
        name="example-api.com",
        type="A",
        rcode="NOERROR",
        addresses=("203.0.113.7",),
        ms=3,
    )


@pytest.mark.parametrize(
    ("text", "rc", "rcode"),
    [
        (";; ->>HEADER<<- opcode: QUERY, status: SERVFAIL, id: 1\n", 0, "SERVFAIL"),
        (";; ->>HEADER<<- opcode: QUERY, status: NXDOMAIN, id: 1\n", 0, "NXDOMAIN"),
        (";; connection timed out; no servers could be reached\n", 9, "timeout"),
        (";; communications error to 10.0.0.2#53: timed out\n;; no servers could be reached\n", 9, "timeout"),
        (";; communications error to 10.0.0.2#53: connection refused\n;; no servers could be reached\n", 9, "refused"),
        (";; UDP setup with 10.0.0.2#53(10.0.0.2) for x failed: network unreachable.\n", 9, "unreachable"),
        ("", 124, "timeout"),
    ],
)
def test_outcome_of_dig(text: str, rc: int, rcode: str) -> None:
    """Codes are upper-case, silence and refusal have words of their own."""
    found = dig(text, rc)

    assert found is not None
    assert rcode == found.rcode


@pytest.mark.parametrize(
    ("text", "rc", "denied"),
    [
        ("sh: 1: dig: not found\n", 127, False),
        ("bash: dig: command not found\n", 1, False),
        ("sudo: a password is required\n", 1, True),
        ("Invalid option: +bogus\n", 1, False),
        ("", 0, False),
    ],
)
def test_question_that_was_never_asked(text: str, rc: int, denied: bool) -> None:
    """A tool that did not ask is no silence."""
    assert dig(text, rc, denied=denied) is None


@pytest.mark.parametrize(
    ("text", "rcode", "addresses"),
    [
        (
            "Server:\t\t10.1.1.3\nAddress:\t10.1.1.3:53\n\nName:\tkubernetes.default\nAddress: 10.96.0.1\n",
            "NOERROR",
            ("10.96.0.1",),
        ),
        (
            "Server:\t\t10.1.1.3\n\n;; connection timed out; no servers could be reached\n",
            "timeout",
            (),
        ),
        ("Server:\t\t10.0.0.2\n\n** server can't find xrand.svc.cluster.local.: NXDOMAIN\n", "NXDOMAIN", ()),
    ],
)
def test_outcome_of_busybox_nslookup(text: str, rcode: str, addresses: tuple[str, ...]) -> None:
    """The fallback reads the server's own address as no answer."""
    found = dns_answers.nslookup(Output(rc=0, text=text), **ASKED)

    assert found is not None
    assert (rcode, addresses) == (found.rcode, found.addresses)


def test_resolv_conf() -> None:
    """Comments and scopes go, the last search line wins, ndots is a number."""
    text = "# by hand\nnameserver 10.0.0.2\nnameserver fe80::1%eth0\nsearch a.test\nsearch b.test.\noptions ndots:5\n"

    assert dns_answers.resolv_conf(text) == (("10.0.0.2", "fe80::1"), ("b.test",), 5)


def test_text_that_is_no_resolv_conf() -> None:
    """An error message names no server."""
    assert dns_answers.resolv_conf("cat: /etc/resolv.conf: No such file or directory\n") == ((), (), 1)
