"""Telling lines of CoreDNS 1.15, kube-dns 1.14 and applications, as they were captured."""

from __future__ import annotations

import pytest

from bot.model.cluster import LogLine
from bot.model.dns_logs import Saying
from bot.parse import dns_errors, dns_logs


def said(text: str) -> tuple[Saying, str, str] | None:
    """What one line is about, its target and its name."""
    found = dns_logs.read((LogLine(text=text),))
    return (found[0].about, found[0].target, found[0].name) if found else None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "[ERROR] plugin/errors: 2 www.example.com. A: read udp 10.244.11.33:45221->10.77.0.1:5301: i/o timeout",
            (Saying.UPSTREAM, "10.77.0.1", "www.example.com"),
        ),
        (
            (
                "[ERROR] plugin/errors: 2 www.example.com. A: read udp 10.244.11.35:59049->10.77.0.1:5300: "
                "read: connection refused"
            ),
            (Saying.UPSTREAM, "10.77.0.1", "www.example.com"),
        ),
        (
            "[ERROR] plugin/errors: 2 a.example. AAAA: dial tcp [fd00::2]:53: connect: no route to host",
            (Saying.UPSTREAM, "fd00::2", "a.example"),
        ),
        (
            (
                'E1102 03:00:00.000000 1 logs.go:41] skydns: failure to forward request "read udp '
                '10.244.1.2:49512->10.0.0.2:53: i/o timeout"'
            ),
            (Saying.UPSTREAM, "10.0.0.2", ""),
        ),
        (
            (
                '[ERROR] plugin/kubernetes: Failed to watch: failed to list *v1.Namespace: Get "https://10.77.0.99:6443/api'
                '/v1/namespaces?limit=500": dial tcp 10.77.0.99:6443: connect: no route to host logger="UnhandledError"'
            ),
            (Saying.API, "10.77.0.99:6443", ""),
        ),
        (
            (
                "E1102 reflector.go:199] k8s.io/dns: Failed to list *v1.Endpoints: Get https://10.96.0.1:443/api/v1/"
                "endpoints?resourceVersion=0: dial tcp 10.96.0.1:443: i/o timeout"
            ),
            (Saying.API, "10.96.0.1:443", ""),
        ),
        ('[INFO] plugin/ready: Plugins not ready: "kubernetes"', (Saying.API_WAIT, "", "")),
        ('[INFO] plugin/ready: Still waiting on: "kubernetes"', (Saying.API_WAIT, "", "")),
        (
            "[WARNING] plugin/kubernetes: starting server with unsynced Kubernetes API",
            (Saying.UNSYNCED, "", ""),
        ),
        (
            (
                "[ERROR] plugin/kubernetes: Failed to watch: failed to list *v1.EndpointSlice: "
                "endpointslices.discovery.k8s.io "
                'is forbidden: User "system:serviceaccount:kube-system:coredns" cannot list resource "endpointslices" '
                'in API group "discovery.k8s.io" at the cluster scope'
            ),
            (Saying.FORBIDDEN, "endpointslices", "system:serviceaccount:kube-system:coredns"),
        ),
        (
            (
                '[FATAL] plugin/loop: Loop (127.0.0.1:39948 -> :53) detected for zone ".", see https://coredns.io/plugins/loop'
                '#troubleshooting. Query: "HINFO 951048418445091859.1473501698736849867."'
            ),
            (Saying.LOOP, "127.0.0.1:39948 -> :53", ""),
        ),
        (
            "/etc/coredns/Corefile:10 - Error during parsing: Unknown directive 'proxy'",
            (Saying.CONFIG, "/etc/coredns/Corefile:10 - Error during parsing: Unknown directive 'proxy'", ""),
        ),
        (
            "plugin/kubernetes: /etc/coredns/Corefile:4 - Error during parsing: unknown property 'upstream'",
            (Saying.CONFIG, "/etc/coredns/Corefile:4 - Error during parsing: unknown property 'upstream'", ""),
        ),
        (
            "/etc/coredns/Corefile:3 - Syntax error: Unexpected token '/etc/resolv.conf', expecting '}'",
            (
                Saying.CONFIG,
                "/etc/coredns/Corefile:3 - Syntax error: Unexpected token '/etc/resolv.conf', expecting '}'",
                "",
            ),
        ),
        (
            (
                "[ERROR] plugin/reload: Corefile changed but reload failed: starting with listener file descriptors: "
                "/etc/coredns/Corefile:12 - Error during parsing: Unknown directive 'proxy'"
            ),
            (Saying.RELOAD_FAILED, "/etc/coredns/Corefile:12 - Error during parsing: Unknown directive 'proxy'", ""),
        ),
    ],
)
def test_telling_line(line: str, expected: tuple[Saying, str, str]) -> None:
    """Each captured line says what it is about, whom it blames and which name was asked."""
    assert expected == said(line)


@pytest.mark.parametrize(
    "line",
    [
        "CoreDNS-1.15.0",
        '[INFO] 10.244.11.4:54155 - 50 "A IN www.example.com. udp 33 false 512" NOERROR qr,rd 33 0.004s',
        "[ERROR] plugin/errors: 5 a1.example.com. A: concurrent queries exceeded maximum 1",
        "[INFO] plugin/reload: Running configuration SHA512 = 591cf328",
        "W1102 reflector.go:323] watch of *v1.Service ended with: too old resource version: 12 (34)",
        "[ERROR] plugin/kubernetes: Unexpected EOF during watch stream event decoding: unexpected EOF",
    ],
)
def test_line_that_says_nothing(line: str) -> None:
    """Ordinary lines, and errors that are none of these rows, are not taken for one."""
    assert said(line) is None


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        (
            "dial tcp: lookup example-api.com on 192.168.0.10:53: no such host",
            ("not-found", "example-api.com"),
        ),
        (
            "dial tcp: lookup example-api.com on 192.168.0.10:53: read udp 10.1.1.1:4->192.168.0.10:53: i/o timeout",
            ("no-answer", "example-api.com"),
        ),
        ("Error: getaddrinfo EAI_AGAIN example-api.com", ("no-answer", "example-api.com")),
        ("Error: getaddrinfo ENOTFOUND example-api.com example-api.com:443", ("not-found", "example-api.com")),
        (
            "java.net.UnknownHostException: db.example.com: Temporary failure in name resolution",
            ("no-answer", "db.example.com"),
        ),
        ("java.net.UnknownHostException: db.example.com", ("not-found", "db.example.com")),
        ("curl: (6) Could not resolve host: example-api.com", ("not-found", "example-api.com")),
        ("ping: example-api.com: Temporary failure in name resolution", ("no-answer", "example-api.com")),
        (
            "HTTPConnectionPool(host='wev.shop.svc.cluster.local', port=80): [Errno -2] Name or service not known",
            ("not-found", "wev.shop.svc.cluster.local"),
        ),
        ("socket.gaierror: [Errno -3] Temporary failure in name resolution", ("no-answer", "")),
    ],
)
def test_name_resolution_error_of_an_application(line: str, expected: tuple[str, str]) -> None:
    """Go, Node.js, Java, curl, libc and Python say it each in their own way."""
    found = dns_errors.read((LogLine(text=line),))

    assert [expected] == [(e.kind, e.name) for e in found]


def test_application_line_about_something_else() -> None:
    """A refused connection is no name-resolution error."""
    assert dns_errors.read((LogLine(text="dial tcp 10.0.0.7:443: connect: connection refused"),)) == ()


def test_pathological_line_is_read_in_time() -> None:
    """A hostile line of 20,000 characters does not stall the parsers."""
    line = LogLine(text="lookup " + "a." * 10_000 + ": " + "->" * 3_000)

    assert dns_logs.read((line,)) == ()
    assert dns_errors.read((line,)) == ()
