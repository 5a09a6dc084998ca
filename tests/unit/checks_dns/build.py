"""Evidence about cluster DNS in a few words, for tests of the rows that judge it."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.model.cluster import Log, LogLine
from bot.model.dns import Corefile, DnsPods, Forward
from bot.model.dns_answers import Asked, ClusterAnswers, Reply, UpstreamAnswers
from bot.model.dns_logs import DnsLog, DnsLogs
from bot.model.evidence import Clock
from bot.model.k8s import (
    Condition,
    Container,
    ContainerState,
    ContainerStatus,
    Meta,
    Pod,
    PodSpec,
    PodStatus,
    StateRunning,
    StateTerminated,
    StateWaiting,
)
from bot.model.proof import Proof, Source
from bot.parse import dns_logs

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
PROOF = Proof(source=Source.API, what="test")
CLOCK = Clock(proof=PROOF, now=NOW)
OLD = timedelta(days=18)


def ago(**parts: float) -> datetime:
    """A moment before the observation."""
    return NOW - timedelta(**parts)


def pod(
    name: str = "coredns-1",
    *,
    node: str = "node-1",
    address: str = "10.244.1.2",
    restarts: int = 0,
    running: datetime | None = None,
    waiting: str = "",
    ended: tuple[datetime, datetime] | None = None,
    ready: bool = True,
) -> Pod:
    """A DNS pod; ``ended`` is start and end of the run before."""
    state = ContainerState(waiting=StateWaiting(reason=waiting)) if waiting else ContainerState()
    if not waiting:
        state = ContainerState(running=StateRunning(started_at=running or NOW - OLD))
    last = StateTerminated(exit_code=1, started_at=ended[0], finished_at=ended[1]) if ended else None
    return Pod(
        metadata=Meta(name=name, namespace="kube-system", creation_timestamp=NOW - OLD, labels={"k8s-app": "kube-dns"}),
        spec=PodSpec(node_name=node, containers=(Container(name="coredns"),)),
        status=PodStatus(
            phase="Running",
            pod_ip=address,
            conditions=(Condition(type="Ready", status="True" if ready else "False"),),
            container_statuses=(
                ContainerStatus(
                    name="coredns",
                    ready=ready,
                    restart_count=restarts,
                    state=state,
                    last_state=ContainerState(terminated=last),
                ),
            ),
        ),
    )


def pods(*items: Pod) -> DnsPods:
    """The DNS pods."""
    return DnsPods(proof=PROOF, items=items)


def logs(of: Pod, *lines: tuple[datetime | None, str], previous: bool = False) -> DnsLogs:
    """The log of one DNS pod."""
    read = tuple(LogLine(text=text, at=at) for at, text in lines)
    status = (of.status.container_statuses or ())[0]
    started = status.state.running.started_at if status.state.running else None
    return DnsLogs(
        proof=PROOF,
        items=(
            DnsLog(
                pod=of.path,
                node=of.spec.node_name or "",
                container="coredns",
                log=Log(origin=f"{of.path}/coredns", lines=read, previous=previous, proof=PROOF),
                said=dns_logs.read(read),
                running_since=None if previous else started,
            ),
        ),
    )


def reply(asked: Asked, server: str, *rcodes: str, origin: str = "node/node-2", name: str = "example.com") -> Reply:
    """What one place was answered."""
    return Reply(asked=asked, origin=origin, server=server, name=name, type="A", rcodes=rcodes, proof=PROOF)


def answers(*replies: Reply) -> ClusterAnswers:
    """What cluster DNS answered."""
    return ClusterAnswers(proof=PROOF, replies=replies)


def upstreams(*replies: Reply) -> UpstreamAnswers:
    """What the upstream resolvers answered to nodes."""
    return UpstreamAnswers(proof=PROOF, replies=replies)


def corefile(*to: str) -> Corefile:
    """A Corefile that forwards everything to these addresses."""
    return Corefile(
        proof=PROOF, text="", zones=("cluster.local",), forwards=(Forward(zone=".", to=to or ("10.0.0.2",)),)
    )
