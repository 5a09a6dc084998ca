r"""Reads what DNS servers log: CoreDNS (plugins errors, kubernetes, ready, loop, reload), kube-dns and dnsmasq.

Patterns are those of catalogue rows DNS-03, DNS-04, DNS-11, DNS-12, DNS-17 and DNS-18. Captured from CoreDNS 1.15::

    [ERROR] plugin/errors: 2 www.example.com. A: read udp 10.244.11.33:45221->10.77.0.1:5301: i/o timeout
    [ERROR] plugin/kubernetes: Failed to watch: failed to list *v1.Service: Get "https://10.77.0.99:6443/api/v1/…":
        dial tcp 10.77.0.99:6443: connect: no route to host logger="UnhandledError" …
    [INFO] plugin/ready: Plugins not ready: "kubernetes"
    [FATAL] plugin/loop: Loop (127.0.0.1:39948 -> :53) detected for zone ".", see https://coredns.io/…
    /etc/coredns/Corefile:10 - Error during parsing: Unknown directive 'proxy'
"""

from __future__ import annotations

import re
from collections.abc import Iterable

from bot.model.cluster import LogLine
from bot.model.dns_logs import Said, Saying

LINE_CHARS = 2000
_FAILURE = (
    r"(?:i/o timeout|(?:(?:read|write|connect): )?"
    r"(?:connection refused|no route to host|host is unreachable|network is unreachable))"
)
_PATTERNS: tuple[tuple[Saying, re.Pattern[str]], ...] = (
    (
        Saying.UPSTREAM,
        re.compile(
            r"\[ERROR\] plugin/errors: \d+ (?P<name>\S+) \S+: (?:read|dial|write) (?:udp|tcp) "
            r"(?:\S+->)?(?P<target>\S+:\d+): " + _FAILURE
        ),
    ),
    (
        Saying.UPSTREAM,
        re.compile(r'skydns: failure to forward request "read udp \S+->(?P<target>\S+:\d+): i/o timeout"'),
    ),
    (Saying.NO_UPSTREAM, re.compile(r"(?:\[ERROR\] plugin/errors: \d+ (?P<name>\S+) \S+: )?no healthy proxies")),
    (
        Saying.FORBIDDEN,
        re.compile(
            r'is forbidden: User "(?P<name>system:serviceaccount:[^"]+)" cannot (?:list|watch) resource '
            r'"(?P<target>endpointslices|endpoints|services|namespaces|pods)"'
        ),
    ),
    (
        Saying.API,
        re.compile(
            r"plugin/kubernetes: .*(?:[Ff]ailed to (?:watch|list)).*dial tcp (?P<target>\S+:(?:443|6443)): "
            r"(?:i/o timeout|connect: (?:connection refused|no route to host|network is unreachable))"
        ),
    ),
    (
        Saying.API,
        re.compile(
            r"Failed to list \*v1\.(?:Endpoints|Service): Get \"?https://\S+ dial tcp (?P<target>\S+:\d+): i/o timeout"
        ),
    ),
    (Saying.API, re.compile(r"\[ERROR\] plugin/kubernetes: Failed to watch\s*$")),
    (Saying.API_WAIT, re.compile(r'(?:Plugins not ready|Still waiting on): "(?:[^"]*,)?kubernetes')),
    (Saying.API_WAIT, re.compile(r"plugin/kubernetes: waiting for Kubernetes API before starting server")),
    (Saying.API_WAIT, re.compile(r"Waiting for services and endpoints to be initialized from apiserver")),
    (Saying.UNSYNCED, re.compile(r"starting server with unsynced Kubernetes API|Timeout waiting for initialization")),
    (Saying.LOOP, re.compile(r'\[FATAL\] plugin/loop: Loop \((?P<target>\S+ -> \S*)\) detected for zone "\."')),
    (Saying.RELOAD_FAILED, re.compile(r"plugin/reload: Corefile changed but reload failed.*?(?:: (?P<target>/.*))?$")),
    (Saying.CONFIG, re.compile(r"(?P<target>\S*Corefile:\d+ - (?:Error during parsing|Syntax error): .*)$")),
    (Saying.CONFIG, re.compile(r"(?:^|Z )(?P<target>plugin/\S+: (?:failed to resolve|not an IP address).*)$")),
    (Saying.CONFIG, re.compile(r"(?:^|Z )(?P<target>plugin/\S+: (?:unknown property|Unknown directive).*)$")),
    (Saying.CONFIG, re.compile(r"(?P<target>Unknown directive '(?:proxy|upstream|resyncperiod|federation|autopath)')")),
)


def read(lines: Iterable[LogLine]) -> tuple[Said, ...]:
    """The telling lines of a log, in their order; a line says one thing."""
    return tuple(said for line in lines if (said := _said(line)) is not None)


def _said(line: LogLine) -> Said | None:
    text = line.text[:LINE_CHARS].replace('\\"', '"')
    if "[ERROR] Restart failed" in text:
        return None  # the reload plugin says the same on the next line
    for about, pattern in _PATTERNS:
        match = pattern.search(text)
        if match:
            groups = match.groupdict()
            return Said(
                about=about,
                line=line.text,
                at=line.at,
                target=_target(about, groups.get("target") or ""),
                name=(groups.get("name") or "").rstrip("."),
            )
    return None


def _target(about: Saying, value: str) -> str:
    """Upstreams without their port (as they stand in the configuration); other targets as they are."""
    if about is not Saying.UPSTREAM:
        return value
    return value.rsplit(":", 1)[0].strip("[]")
