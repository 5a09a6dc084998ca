"""What DNS servers and their clients logged about name resolution."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar

from bot.model.cluster import Log
from bot.model.evidence import Evidence
from bot.model.k8s import Pod
from bot.model.proof import Proof


class Saying(enum.StrEnum):
    """What a line of a DNS server's log is about."""

    UPSTREAM = "upstream"  # an upstream did not answer
    NO_UPSTREAM = "no-upstream"  # no upstream is left that passes its health check
    API = "api"  # the API server cannot be reached
    API_WAIT = "api-wait"  # it waits for the API server, not ready
    UNSYNCED = "unsynced"  # it serves without having read the cluster
    FORBIDDEN = "forbidden"  # the API server refuses it
    LOOP = "loop"
    CONFIG = "config"  # the Corefile cannot be used
    RELOAD_FAILED = "reload-failed"  # a new Corefile was refused, the old one goes on
    PANIC = "panic"


@dataclass(frozen=True, slots=True, kw_only=True)
class Said:
    """One telling line.

    Attributes:
        target: the upstream or API address, the resource refused, the option that is wrong.
        name: the name that was being resolved, when the line says.
    """

    about: Saying
    line: str
    at: datetime | None
    target: str = ""
    name: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsLog:
    """One container's log with what it says.

    Attributes:
        pod: ``ns/name``.
        running_since: start of the container that wrote it; None when it is not running (or was the previous one).
    """

    pod: str
    node: str
    container: str
    log: Log
    said: tuple[Said, ...]
    running_since: datetime | None = None

    @property
    def previous(self) -> bool:
        """Whether it was written before the last restart."""
        return self.log.previous

    @property
    def proof(self) -> Proof:
        """The log as proof."""
        return self.log.proof


@dataclass(frozen=True, slots=True, kw_only=True)
class DnsLogs(Evidence):
    """Logs of the DNS pods, current and previous, at most 2000 lines each.

    Attributes:
        unread: ``ns/pod/container`` → why it could not be read.
    """

    words: ClassVar[str] = "the logs of the DNS pods"

    items: tuple[DnsLog, ...]
    unread: Mapping[str, str] = field(default_factory=dict)

    def of(self, pod: str, *, previous: bool = False) -> tuple[DnsLog, ...]:
        """The logs of one pod, of the current or of the previous containers."""
        return tuple(x for x in self.items if x.pod == pod and x.previous is previous)


@dataclass(frozen=True, slots=True, kw_only=True)
class Unresolved:
    """A name-resolution error in an application's log; ``kind`` is ``not-found`` or ``no-answer``."""

    name: str
    kind: str
    line: str
    at: datetime | None


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientPod(Evidence):
    """The pod that the question is asked for (``from=ns/pod``)."""

    words: ClassVar[str] = "the client pod"

    pod: Pod


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientLogs(Evidence):
    """The current logs of the client pod's containers, all of them.

    Attributes:
        errors: the name-resolution errors in them, oldest first.
    """

    words: ClassVar[str] = "the log of the client pod"

    logs: tuple[Log, ...]
    errors: tuple[Unresolved, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientResolv(Evidence):
    """The client pod's own resolv.conf, read on its node."""

    words: ClassVar[str] = "resolv.conf of the client pod"

    servers: tuple[str, ...]
    searches: tuple[str, ...]
    ndots: int = 1


@dataclass(frozen=True, slots=True, kw_only=True)
class ClientServers(Evidence):
    """Whom the client pod asks, by its own resolv.conf or else by the shared kubelet configuration.

    Attributes:
        servers: in the order of use; empty when no client pod was named.
        by_file: whether the pod's own file was read.
    """

    words: ClassVar[str] = "the name servers of the client pod"

    servers: tuple[str, ...] = ()
    by_file: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class AddOn:
    """A pod that crash-loops and whose log speaks of name resolution, or of something else.

    Attributes:
        errors: its name-resolution errors; empty when its log shows none.
    """

    pod: Pod
    log: Log
    errors: tuple[Unresolved, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class CrashingAddOns(Evidence):
    """Crash-looping pods of the system namespaces that are not DNS itself, with their logs."""

    words: ClassVar[str] = "the logs of crash-looping add-ons"

    items: tuple[AddOn, ...]
