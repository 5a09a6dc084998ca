"""What a diagnosis may ask, as protocols: a live cluster and a recorded one answer the same questions.

``bot.clients`` answers them over the network, ``bot.bundle`` from a recording. Collectors see only this file, so the
name of evidence is never the way to get it.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

JSON = "application/json"
TABLE = "application/json;as=Table;g=meta.k8s.io;v=v1,application/json"


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """An answer of the cluster API, whatever its status.

    Attributes:
        status: HTTP status code.
        body: the undecoded body.
        headers: lower-case names.
        date: the server's ``Date`` header, UTC; the clock of everything else.
        recorded: whether a recording answered, in which no time passes.
    """

    status: int
    body: bytes
    headers: Mapping[str, str] = field(default_factory=dict)
    date: datetime | None = None
    recorded: bool = False

    @property
    def ok(self) -> bool:
        """Whether the status is 2xx."""
        return 200 <= self.status < 300  # noqa: PLR2004 - HTTP


@dataclass(frozen=True, slots=True, kw_only=True)
class Right:
    """One thing that the bot must be allowed to do; the ClusterRole is generated from all of them.

    Attributes:
        verb: ``get``, ``list``, ``watch``, ``create`` (reviews only).
        resource: plural, with subresource: ``pods/log``; or empty for a non-resource path.
        group: API group, empty for core.
        names: resource names the right may be limited to.
        path: non-resource URL, such as ``/readyz*``.
    """

    verb: str
    resource: str = ""
    group: str = ""
    names: tuple[str, ...] = ()
    path: str = ""

    def __str__(self) -> str:
        return f"{self.verb} {self.path or '.'.join(p for p in (self.resource, self.group) if p)}"


class Kube(Protocol):
    """A Kubernetes API."""

    def get(
        self, path: str, query: Mapping[str, str] | None = None, *, accept: str = JSON, timeout: float | None = None
    ) -> Response:
        """GET ``path`` and return the answer of any status below 500 except 401, 403, 410 and 429.

        Args:
            path: absolute, without query: ``/api/v1/nodes``.
            query: unescaped parameters.
            accept: the Accept header.
            timeout: seconds for the whole answer; None for the client's default (10).

        Raises:
            SourceError: unreachable, refused, timed out, TLS, 401, 403 (FORBIDDEN), 410, 429, 5xx, cut-off. 404 is an
                answer and is returned. A 503 of an aggregated API is raised as SERVER_ERROR with ``status`` and the
                body's message as ``detail``; use :meth:`raw` to read any status.
        """
        ...

    def raw(
        self, path: str, query: Mapping[str, str] | None = None, *, accept: str = JSON, timeout: float | None = None
    ) -> Response:
        """As :meth:`get`, but every HTTP status is an answer; only transport failures are raised."""
        ...

    def review(self, right: Right, namespace: str | None = None) -> bool:
        """Whether the bot may use ``right`` (SelfSubjectAccessReview).

        Raises:
            SourceError: the review itself did not work.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Section:
    """One command of catalogue section D.

    Attributes:
        key: ``UNITS``, ``KLOG`` … ; unique within a round trip.
        command: the exact shell text; arguments already validated and quoted.
        timeout: seconds on the far side.
        root: whether it needs the root-owned collector or sudo.
        arguments: the validated arguments, for nodes that have the root-owned collector.
    """

    key: str
    command: str
    timeout: int
    root: bool = False
    arguments: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class Output:
    """What a section printed.

    Attributes:
        rc: exit status; 124 = timed out, 126/127 = no such command. It never discards ``text`` by itself.
        text: stdout and stderr as captured, UTF-8 with replacement, at most 64 KiB.
        truncated: whether the cap cut it.
        denied: sudo refused: ``text`` is not evidence.
        duration_ms: how long the section took, 0 when unknown.
    """

    rc: int
    text: str
    truncated: bool = False
    denied: bool = False
    duration_ms: int = 0


class Shell(Protocol):
    """SSH to the nodes of a cluster."""

    def run(self, node: str, sections: Sequence[Section], *, deadline: float = 25.0) -> Mapping[str, Output]:
        """Run the sections on one node in one round trip; the result has a key for every section that ran.

        A section missing from the result was not recorded or was lost when the answer was cut off.

        Raises:
            SourceError: UNREACHABLE, REFUSED, TIMED_OUT, HOST_KEY_UNKNOWN, HOST_KEY_CHANGED, AUTHENTICATION, RESET.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """What a DNS server said to one question.

    Attributes:
        origin: who asked: ``bot``, ``node/NAME``, ``pod/NS/NAME``.
        server: address asked, without port.
        rcode: ``NOERROR``, ``NXDOMAIN``, ``SERVFAIL``, ``REFUSED`` …, or ``timeout``, ``refused``, ``unreachable``.
        addresses: the records of the answer as text, in the order given.
        ms: round trip in milliseconds; 0 when unknown.
    """

    origin: str
    server: str
    name: str
    type: str
    rcode: str
    addresses: tuple[str, ...] = ()
    ms: int = 0

    @property
    def answered(self) -> bool:
        """Whether a server answered at all, with whatever code."""
        return self.rcode.isupper()


class Resolver(Protocol):
    """DNS questions to a given server, asked from where the bot stands."""

    def ask(self, server: str, name: str, kind: str = "A", *, tcp: bool = False, timeout: float = 2.0) -> Answer:
        """Ask once. Silence and refusal are answers (see :class:`Answer`).

        Raises:
            SourceError: NOT_RECORDED, or the bot has no route to the server (UNREACHABLE).
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class Reach:
    """What came of a connection attempt: ``result`` is ``ok``, ``refused``, ``timeout``, ``unreachable`` or ``tls``."""

    origin: str
    host: str
    port: int
    kind: str
    result: str
    ms: int = 0


class Prober(Protocol):
    """Connection attempts from where the bot stands."""

    def connect(self, host: str, port: int, kind: str = "tcp", *, timeout: float = 3.0) -> Reach:
        """Try once; a failure is an answer.

        Raises:
            SourceError: NOT_RECORDED.
        """
        ...


@dataclass(frozen=True, slots=True, kw_only=True)
class History:
    """What earlier runs knew (bundle.md, history.json): name → when and what."""

    entries: Mapping[str, object] = field(default_factory=dict)


@dataclass(frozen=True, slots=True, kw_only=True)
class Sources:
    """Everything one diagnosis may ask.

    Attributes:
        now: the observation clock before the API server has told its own, UTC.
        no_ssh: why SSH is not used, when it is not: ``--no-ssh``, ``no SSH settings for this cluster``.
    """

    kube: Kube
    shell: Shell
    resolver: Resolver
    prober: Prober
    history: History
    now: Callable[[], datetime]
    no_ssh: str = ""
