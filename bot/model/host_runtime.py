"""What a node says about its container runtime, its kernel, and the control-plane files that lie on it."""

from __future__ import annotations

import enum
from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import ClassVar

from bot.model.cluster import LogLine
from bot.model.evidence import NodeEvidence

KUBELET_CERTIFICATE = "/var/lib/kubelet/pki/kubelet-client-current.pem"


class Call(enum.StrEnum):
    """What came of a call to the container runtime."""

    OK = "ok"
    FAILED = "failed"  # the runtime or its socket said no
    TIMEOUT = "timeout"
    UNKNOWN = "unknown"  # no client on the node, or not allowed


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeContainer:
    """A container by crictl or docker.

    Attributes:
        state: ``running`` or ``exited`` …, lower case.
        pod: ``ns/name`` when it belongs to a pod, else empty: then a person or another tool made it.
    """

    id: str
    name: str
    image: str
    state: str
    pod: str = ""
    attempt: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerRuntime(NodeEvidence):
    """Whether the container runtime answers (sections CRI, DOCKER).

    Attributes:
        call: the outcome of ``crictl info`` (docker: ``docker info``).
        slowest_ms: the slowest of the calls; 0 when unknown.
        timeouts: how many calls took longer than their limit.
        late: the commands of those calls.
        error: the runtime's own words, when it failed.
        sockets: path → whether the socket is there; None when it may not be looked at.
        containers: None when they could not be listed, or only in part: the answer can be longer than what is kept.
        at_least: how many containers there are at the least, by what was listed.
        conditions: CRI status conditions: type → (status, message), such as NetworkReady.
        root: where containerd keeps images and containers; empty when it does not say.
    """

    words: ClassVar[str] = "container runtime"

    call: Call
    slowest_ms: int = 0
    timeouts: int = 0
    late: tuple[str, ...] = ()
    error: str = ""
    sockets: Mapping[str, bool | None]
    containers: tuple[RuntimeContainer, ...] | None = None
    at_least: int = 0
    conditions: Mapping[str, tuple[bool, str]]
    root: str = ""

    @property
    def socket(self) -> bool | None:
        """Whether any runtime socket is there; None when unknown."""
        known = [there for there in self.sockets.values() if there is not None]
        return any(known) if known else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ContainerCount(NodeEvidence):
    """How many containers the runtime has, running or ended (section CRI_COUNT).

    Attributes:
        count: the number.
        whole: whether there are no more: the beginning of a list only says that there are at least so many.
    """

    words: ClassVar[str] = "number of containers"

    count: int
    whole: bool


@dataclass(frozen=True, slots=True, kw_only=True)
class ManualContainers(NodeEvidence):
    """Containers that docker knows and that belong to no pod: what a person started by hand.

    Attributes:
        timeouts: how many of ``docker ps`` and ``docker info`` did not end in time.
    """

    words: ClassVar[str] = "containers started by hand"

    running: tuple[RuntimeContainer, ...]
    timeouts: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class RuntimeLog(NodeEvidence):
    """The newest lines of the runtime's log, oldest first."""

    words: ClassVar[str] = "container runtime's log"

    lines: tuple[LogLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class KernelLog(NodeEvidence):
    """The newest kernel messages (6 h), oldest first."""

    words: ClassVar[str] = "kernel log"

    lines: tuple[LogLine, ...]


@dataclass(frozen=True, slots=True, kw_only=True)
class StaticManifests(NodeEvidence):
    """The files in /etc/kubernetes/manifests (section MANIFEST); name → modification time."""

    words: ClassVar[str] = "static pod manifests"

    files: Mapping[str, datetime | None]

    @property
    def control_plane(self) -> tuple[str, ...]:
        """The components of the control plane that the kubelet would run from here."""
        known = ("kube-apiserver", "kube-controller-manager", "kube-scheduler", "etcd")
        return tuple(c for c in known if f"{c}.yaml" in self.files or f"{c}.json" in self.files)


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificate:
    """One certificate file."""

    path: str
    subject: str
    not_before: datetime | None
    not_after: datetime


@dataclass(frozen=True, slots=True, kw_only=True)
class Certificates(NodeEvidence):
    """Certificates in use by the kubelet and the control plane on this node (section CERTS).

    Attributes:
        items: those that could be read.
        unread: path → why not; a file that is not there is in neither.
        kubelet: the file that holds the kubelet's client certificate; its kubeconfig, where that holds it itself.
    """

    words: ClassVar[str] = "certificates"

    items: tuple[Certificate, ...]
    unread: Mapping[str, str]
    kubelet: str = KUBELET_CERTIFICATE
