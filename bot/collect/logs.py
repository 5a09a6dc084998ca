"""Reads container logs: a bounded tail of the window, current and (after a restart) previous."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

from bot.collect.read import NOT_FOUND, ask, together
from bot.errors import Kind, SourceError
from bot.model.cluster import Log
from bot.model.evidence import Clock
from bot.model.k8s import ContainerStatus, Pod
from bot.model.lines import parse_lines
from bot.model.proof import Proof, Source
from bot.redact import clean, redact
from bot.source import Kube, Right

LOGS = Right(verb="get", resource="pods/log")
TAIL = 2000
PREVIOUS_TAIL = 300
LIMIT_BYTES = 1_048_576
BODY_CHARS = 16_384
LINE_CHARS = 4000


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """One log to read."""

    pod: Pod
    container: str
    previous: bool = False


def wanted_of(pod: Pod, container: str | None = None) -> tuple[Wanted, ...]:
    """The logs of one container of a pod: current, and previous when it has restarted.

    Args:
        pod: the pod.
        container: its name; None for the first.
    """
    names = [c.name for c in pod.spec.containers or ()]
    name = container if container in names or not names else names[0]
    if name is None:
        return ()
    status: ContainerStatus | None = next((c for c in pod.status.container_statuses or () if c.name == name), None)
    now = Wanted(pod=pod, container=name)
    if status is not None and status.restart_count > 0:
        return (now, Wanted(pod=pod, container=name, previous=True))
    return (now,)


def read_logs(
    kube: Kube, wanted: tuple[Wanted, ...], clock: Clock, *, some: bool = True
) -> tuple[tuple[Log, ...], Mapping[str, str]]:
    """Read the logs; what cannot be read is named, ``ns/pod`` → why.

    A previous log that does not exist is no error: the kubelet keeps only one, and not for ever.

    Args:
        kube: the API.
        wanted: the logs.
        clock: the observation time and window.
        some: whether at least one must be readable.

    Raises:
        SourceError: FORBIDDEN, because it will be so for every pod; or none could be read although ``some`` must be.
    """
    results = together(lambda w: _try(kube, w, clock), wanted)
    logs = tuple(r for r in results if isinstance(r, Log))
    errors = [(w, r) for w, r in zip(wanted, results, strict=True) if isinstance(r, SourceError)]
    for _, error in errors:
        if error.kind is Kind.FORBIDDEN:
            raise error
    unread = {w.pod.path: str(e) for w, e in errors if not w.previous}
    if some and not logs and errors:
        raise errors[0][1]
    return logs, unread


def _try(kube: Kube, wanted: Wanted, clock: Clock) -> Log | SourceError:
    try:
        return read_log(kube, wanted, clock)
    except SourceError as error:
        return error


def read_log(kube: Kube, wanted: Wanted, clock: Clock) -> Log:
    """Read one log.

    Raises:
        SourceError: the pod, its container or its node's kubelet did not give it.
    """
    meta = wanted.pod.metadata
    path = f"/api/v1/namespaces/{meta.namespace}/pods/{meta.name}/log"
    query = {
        "container": wanted.container,
        "timestamps": "true",
        "tailLines": str(PREVIOUS_TAIL if wanted.previous else TAIL),
        "limitBytes": str(LIMIT_BYTES),
    }
    query |= {"previous": "true"} if wanted.previous else {"sinceSeconds": str(clock.window_seconds)}
    response = ask(kube, path, query, LOGS)
    words = f"{meta.path} -c {wanted.container}{' --previous' if wanted.previous else ''}"
    if not response.ok:
        kind = Kind.NOT_FOUND if response.status == NOT_FOUND else Kind.MALFORMED
        detail = redact(response.body[:200].decode("utf-8", "replace"))[0]
        raise SourceError(kind, f"log of {words}", f"HTTP {response.status} {detail}", status=response.status)
    text, count = clean(response.body.decode("utf-8", "replace"), line=LINE_CHARS, total=LIMIT_BYTES)
    return Log(
        origin=f"{meta.path}/{wanted.container}",
        lines=parse_lines(text, clock.now),
        previous=wanted.previous,
        proof=Proof(
            source=Source.LOG,
            what=f"kubectl logs -n {meta.namespace} {meta.name} -c {wanted.container}"
            + (" --previous" if wanted.previous else ""),
            at=response.date or clock.now,
            body=text[-BODY_CHARS:],
            redactions=count,
        ),
    )
