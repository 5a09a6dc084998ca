"""What several rows about a node ask: since when the kubelet is down, what its last start said, what was planned."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime, timedelta

from bot.model.cluster import Heartbeats, LogLine, Nodes
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Fix, Safety, Severity
from bot.model.host import HostUnits, KubeletHealth, KubeletLog, NodeIdentity, Probe, Unit
from bot.model.k8s import Node
from bot.model.lines import in_window
from bot.model.proof import Proof
from bot.model.text import Text

ATTEMPT = timedelta(minutes=1)
LOOPED = 3  # failed starts: a shutdown ends the kubelet once, too
PLANNED = re.compile(
    r"maintenance|kured|cluster\.x-k8s\.io|karpenter\.sh/disrupt|machineconfiguration|drain|upgrade", re.IGNORECASE
)
_STARTED = re.compile(r"^Start(?:ed|ing) kubelet")
_ENDED = re.compile(r"command failed|Main process exited|Failed with result|Failed to load environment|^F\d{4} ")


def last_start(log: KubeletLog | None, unit: Unit) -> tuple[LogLine, ...]:
    """The lines of the kubelet's last start attempt that came to an end, whatever their age (catalogue, Freshness)."""
    if log is None:
        return ()
    marks = [i for i, line in enumerate(log.lines) if _STARTED.search(line.text)]
    if not marks:
        lines = log.since(unit.started)
        return lines if any(_ENDED.search(line.text) for line in lines) else _newest(log)
    attempts = [log.lines[a:b] for a, b in zip(marks, [*marks[1:], len(log.lines)], strict=True)]
    ended = [a for a in attempts if any(_ENDED.search(line.text) for line in a)]
    return (ended or attempts)[-1]


def of_this_run(log: KubeletLog | None, unit: Unit | None, clock: Clock) -> tuple[LogLine, ...]:
    """The lines in the window of the process that runs now: what an earlier one said is over (catalogue, Freshness).

    Where the unit is not known, systemd's own line tells when the process began.
    """
    if log is None:
        return ()
    marks = [i for i, line in enumerate(log.lines) if _STARTED.search(line.text)] if unit is None else []
    return in_window(log.lines[marks[-1] :] if marks else log.lines, clock, unit.active_since if unit else None)


def _newest(log: KubeletLog) -> tuple[LogLine, ...]:
    """The last minute of the log: where neither systemd's lines nor its times tell one attempt from another."""
    last = next((line.at for line in reversed(log.lines) if line.at), None)
    return log.since(last - ATTEMPT if last else None)


def matching(lines: Iterable[LogLine], pattern: re.Pattern[str]) -> tuple[re.Match[str], LogLine] | None:
    """The last line that matches."""
    found = [(m, line) for line in lines if (m := pattern.search(line.text))]
    return found[-1] if found else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Around:
    """What else is known about a node, each possibly None: the second source of a statement."""

    node: str
    clock: Clock
    nodes: Nodes | None = None
    beats: Heartbeats | None = None
    identity: NodeIdentity | None = None
    health: KubeletHealth | None = None

    @property
    def object(self) -> Node | None:
        """The node object."""
        return self.nodes.get(self.node) if self.nodes else None

    @property
    def beat(self) -> datetime | None:
        """The newest heartbeat."""
        return self.beats.last.get(self.node) if self.beats else None

    @property
    def planned(self) -> bool:
        """Whether the node is cordoned and marked as under maintenance."""
        node = self.object
        if node is None or not node.spec.unschedulable:
            return False
        words = [*(node.metadata.annotations or {}), *(node.metadata.labels or {})]
        return any(PLANNED.search(word) for word in words)

    @property
    def stale(self) -> bool:
        """Whether the API server has not heard from the kubelet for a minute."""
        limit = self.beats.stale_seconds if self.beats else 0.0
        return self.beat is not None and self.clock.age(self.beat) > limit

    @property
    def not_ready(self) -> bool:
        """Whether the API says that the node is not ready."""
        ready = self.object.condition("Ready") if self.object else None
        return ready is not None and ready.status != "True"

    @property
    def silent(self) -> bool:
        """Whether a second source agrees that the kubelet does not work: the API, or its ports."""
        refused = self.health is not None and self.health.healthz in {Probe.REFUSED, Probe.TIMEOUT}
        return self.stale or self.not_ready or refused

    def confidence(self) -> Confidence:
        """Confirmed when a second source agrees that the kubelet does not work."""
        return Confidence.CONFIRMED if self.silent else Confidence.LIKELY

    def down_since(self, unit: Unit, log: KubeletLog | None = None) -> datetime | None:
        """When the kubelet stopped working: the earliest sign of it, not before the boot unless its log says so.

        A host that is off sends no heartbeat either: only a kubelet that failed before the boot shows that the boot
        was not what began it.
        """
        stopped = unit.inactive_since or unit.started
        beat = self.beat if self.stale else None
        signs = [t for t in (stopped, beat) if t is not None]
        booted = self.identity.booted if self.identity else None
        if not signs:
            return booted
        if booted is None:
            return min(signs)
        ended = [x.at for x in (log.lines if log else ()) if x.at and x.at < booted and _ENDED.search(x.text)]
        return min(*signs, *ended) if len(ended) >= LOOPED else max(min(signs), booted)

    def severity(self, usual: Severity, onset: datetime | None) -> Severity:
        """Info on a node that was taken out of service before the fault began (catalogue NODE-32, NODE-03)."""
        node = self.object
        if node is None or not node.spec.unschedulable:
            return usual
        taint = next((t for t in node.spec.taints or () if t.key == "node.kubernetes.io/unschedulable"), None)
        before = taint is not None and taint.time_added is not None and onset is not None and taint.time_added < onset
        return Severity.INFO if self.planned or before else usual

    def proofs(self) -> tuple[Proof, ...]:
        """The proofs of what is known around, narrowed to what they say of this node."""
        found = [self.health.proof] if self.health else []
        if self.beats and self.beat:
            found.append(self.beats.proof.quote(f"{self.node}: last heard of {self.beat.isoformat()}"))
        ready = self.object.condition("Ready") if self.object else None
        if self.nodes and self.object:
            said = f"Ready={ready.status}: {ready.message or ''}" if ready else "no Ready condition"
            found.append(self.nodes.proof.quote(f"{self.node}: {said}"))
        return tuple(found)


def kubelet_of(units: HostUnits) -> Unit | None:
    """The kubelet's unit; None on hosts where an agent such as k3s contains the kubelet.

    Beside an agent that the boot starts, a kubelet that it does not start is left over from a package.
    """
    agent, kubelet = units.agent, units.kubelet
    if agent is None or kubelet is None:
        return kubelet
    left_over = agent.starts_at_boot and not kubelet.running and not kubelet.starts_at_boot
    return None if agent.running or left_over else kubelet


def restart(what: Text, *commands: str, safety: Safety = Safety.DISRUPTIVE, undo: tuple[str, ...] = ()) -> Fix:
    """A repair on the node that ends with a running kubelet."""
    return Fix(
        what=what,
        safety=safety,
        commands=commands,
        verify=("systemctl is-active kubelet", "curl -s http://127.0.0.1:10248/healthz"),
        undo=undo,
    )
