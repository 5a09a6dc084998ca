"""What the rows about DNS share in judging: which log lines count, who got no answer, how often a pod restarted.

Pure functions of evidence, so that every row reads the same evidence the same way (catalogue section 0, Freshness).
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.model.dns_answers import Asked, Reply
from bot.model.dns_logs import DnsLog, DnsLogs, Said, Saying
from bot.model.evidence import Clock
from bot.model.k8s import ContainerStatus, Event, Pod
from bot.model.proof import Proof

RECENT = 600.0
ENOUGH = 3
QUIET_BEFORE = 60.0
RESTARTS = 2
CRASH = "CrashLoopBackOff"


@dataclass(frozen=True, slots=True, kw_only=True)
class Heard:
    """What one DNS container says now about one matter (at least one line)."""

    log: DnsLog
    said: tuple[Said, ...]

    @property
    def span(self) -> float:
        """Seconds from the first to the last line; 0 when the lines tell no time."""
        times = [s.at for s in self.said if s.at]
        return (max(times) - min(times)).total_seconds() if times else 0.0

    @property
    def proof(self) -> Proof:
        """The log, narrowed to the newest line about each target."""
        newest = {(s.about, s.target): s.line for s in self.said}
        return self.log.proof.quote(*newest.values())


def heard(logs: DnsLogs, clock: Clock, *about: Saying) -> tuple[Heard, ...]:
    """What the current logs say now: fresh lines of running containers, last words of those that do not run."""
    found = []
    for log in logs.items:
        said = tuple(s for s in log.said if s.about in about)
        if not said or log.previous:
            continue
        if log.running_since is not None:
            said = fresh(said, clock, log.running_since)
        if said:
            found.append(Heard(log=log, said=said))
    return tuple(found)


def fresh(said: tuple[Said, ...], clock: Clock, since: datetime) -> tuple[Said, ...]:
    """The lines inside the window and after ``since``, if they count: one of the last 10 minutes, or three."""
    kept = tuple(s for s in said if s.at is None or (s.at >= since and clock.age(s.at) <= clock.window_seconds))
    newest = max((s.at for s in kept if s.at), default=None)
    recent = newest is not None and clock.age(newest) <= RECENT
    return kept if recent or len(kept) >= ENOUGH else ()


def last_words(logs: DnsLogs, pod: Pod, clock: Clock, *about: Saying) -> tuple[Heard, ...]:
    """Why the pod restarted: what its previous containers said, if that was inside the window or it is down."""
    if not (is_down(pod) or last_exit_in_window(pod, clock)):
        return ()
    both = (*logs.of(pod.path, previous=True), *(log for log in logs.of(pod.path) if log.running_since is None))
    found = [Heard(log=log, said=tuple(s for s in log.said if s.about in about)) for log in both]
    return tuple(h for h in found if h.said)


def is_down(pod: Pod) -> bool:
    """Whether a container of the pod waits or has ended instead of running."""
    return any(c.state.running is None for c in pod.status.container_statuses or ())


def crash_looping(pod: Pod) -> bool:
    """Whether a container waits in CrashLoopBackOff."""
    states = (c.state.waiting for c in pod.status.container_statuses or ())
    return any(w is not None and w.reason == CRASH for w in states)


def last_exit(pod: Pod) -> datetime | None:
    """When a container of the pod last ended."""
    ended = [c.last_state.terminated or c.state.terminated for c in pod.status.container_statuses or ()]
    return max((e.finished_at for e in ended if e and e.finished_at), default=None)


def last_exit_in_window(pod: Pod, clock: Clock) -> bool:
    """Whether a container of the pod ended inside the window."""
    at = last_exit(pod)
    return at is not None and clock.age(at) <= clock.window_seconds


def keeps_restarting(pod: Pod, events: Iterable[Event], clock: Clock) -> bool:
    """Whether the pod crash-loops or flaps: two restarts inside the window, or one and the kubelet still at it."""
    about = tuple(e for e in events if is_fresh(e, clock))
    if pod.restarts == 0:
        return False
    if crash_looping(pod) or restarts_in_window(pod, about, clock) >= RESTARTS:
        return True
    backing_off = any(e.reason == "BackOff" for e in about)
    probed = any(e.reason == "Unhealthy" and "iveness" in (e.message or "") and e.times >= ENOUGH for e in about)
    return last_exit_in_window(pod, clock) and (backing_off or (probed and pod.restarts >= RESTARTS))


def restarts_in_window(pod: Pod, events: Iterable[Event], clock: Clock) -> int:
    """How often containers of the pod were started again inside the window, as far as status and events prove it."""
    created = pod.metadata.creation_timestamp
    if created is not None and clock.age(created) <= clock.window_seconds:
        return pod.restarts
    by_status = max((_known_restarts(c, clock) for c in pod.status.container_statuses or ()), default=0)
    by_events = max(
        (_times_in_window(e, clock) for e in events if e.reason in {"Started", "Killing", "BackOff"}), default=0
    )
    return min(pod.restarts, max(by_status, by_events))


def _known_restarts(status: ContainerStatus, clock: Clock) -> int:
    """The restarts that a status dates: the one after the last end, and the one that began the run that ended then."""
    ended = status.last_state.terminated or status.state.terminated
    if ended is None:
        return 0
    dated = (ended.finished_at, ended.started_at if status.restart_count >= RESTARTS else None)
    return sum(at is not None and clock.age(at) <= clock.window_seconds for at in dated)


def _times_in_window(event: Event, clock: Clock) -> int:
    """How often an event happened inside the window: all of it, or the even share of a longer series."""
    if event.seen is None or clock.age(event.seen) > clock.window_seconds:
        return 0
    first = event.first_timestamp or event.seen
    start = clock.now - timedelta(seconds=clock.window_seconds)
    if first >= start:
        return event.times
    whole = (event.seen - first).total_seconds()
    return max(1, int(event.times * (event.seen - start).total_seconds() / whole)) if whole else 1


def is_fresh(event: Event, clock: Clock) -> bool:
    """Whether the event was last seen inside the window."""
    return event.seen is not None and clock.age(event.seen) <= clock.window_seconds


def first_seen(events: Iterable[Event]) -> datetime | None:
    """When the first of the events happened first."""
    times = [e.first_timestamp or e.seen for e in events]
    return min((t for t in times if t), default=None)


def began(found: Iterable[Heard]) -> datetime | None:
    """When it began: the first line, if that log was quiet about it for a minute before; else None, it may be older."""
    times = []
    for item in found:
        lines = item.log.log.lines
        first, head = item.said[0].at, next((x.at for x in lines if x.at), None)
        if first is None or head is None or (first - head).total_seconds() < QUIET_BEFORE:
            return None
        times.append(first)
    return min(times, default=None)


def at(replies: Iterable[Reply], servers: Iterable[str], *asked: Asked) -> tuple[Reply, ...]:
    """The replies of these servers to these questions."""
    wanted = frozenset(servers)
    return tuple(r for r in replies if r.server in wanted and r.asked in asked)


def fails(replies: Iterable[Reply]) -> bool | None:
    """Whether the question fails: every place that asked got no usable answer; None when nobody asked."""
    found = tuple(replies)
    return all(r.bad for r in found) if found else None
