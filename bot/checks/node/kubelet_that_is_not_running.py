"""NODE-03: the kubelet's unit does not run."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import timedelta

from bot.check import check
from bot.checks.node.about import Around, kubelet_of, last_start, restart
from bot.model.cluster import Heartbeats, Nodes
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Fix, RuledOut, Safety, Severity
from bot.model.host import HostUnits, KubeletHealth, KubeletLog, NodeIdentity, Unit
from bot.model.proof import Proof
from bot.model.refs import node
from bot.model.text import T, Text

_ENDINGS = (
    ("no-program", re.compile(r"kubelet\.service: Failed (?:to locate executable|at step EXEC spawning) \S+")),
    ("port-conflict", re.compile(r"bind: address already in use")),
    (
        "inotify",
        re.compile(r"inotify_add_watch|fsnotify watcher: too many open files|inotify_init: too many open files"),
    ),
)
_STARTED = re.compile(r"^Started kubelet")
_BY_ITSELF = re.compile(r"kubelet\.service:? (?:Scheduled restart job|holdoff time over, scheduling restart)")
_EXIT = re.compile(
    r"kubelet\.service: (?:Main process exited|Failed with result|Start request repeated|Failed)|command failed"
)
WINDOW = timedelta(minutes=10)


@check("NODE-03")
def kubelet_that_is_not_running(
    *,
    units: HostUnits,
    clock: Clock,
    log: KubeletLog | None,
    health: KubeletHealth | None,
    nodes: Nodes | None,
    beats: Heartbeats | None,
    identity: NodeIdentity | None,
    expect: Expectations | None,
) -> Iterator[Finding | RuledOut]:
    """The kubelet does not run on a node, or does not stay up.

    Says:
        "Node NotReady", "pods on this node neither start nor stop", "logs and exec to this node: connection refused".
    Evidence:
        systemctl show kubelet (state, result, restarts, enablement), port 10248, the kubelet's log,
        the node's heartbeat.
    Rule:
        The unit is inactive or failed, or waits for its next automatic restart, or systemd restarted it three times
        within ten minutes and since the last start by hand. Confirmed when the API server or the kubelet's own port
        agrees; restarts that only systemd's count since the boot tells are possible.
    Cause:
        Stopped, masked or not enabled at boot; or it exits at start, then another row (NODE-04,
        NODE-05, NODE-07, NODE-10, NODE-12 …) names the reason. It explains a node that is not ready and everything
        that waits for its kubelet.
    Fix:
        Repair the reason first; then start the kubelet. Running containers survive that.
    Verify:
        The unit stays active for two minutes with a constant restart count, healthz says ok, the node is Ready.
    Must not fire:
        Hosts where k3s, rke2 or microk8s contain the kubelet; a node that was drained on purpose is reported as info.
    Reasons:
        - stopped: it ran since the boot and is inactive now: somebody stopped it
        - disabled: not enabled, and not started since the boot
        - not-started: enabled, and yet not started since the boot
        - masked: the unit is masked
        - failed: it ended with an error and is not tried again
        - crash-looping: it exits at every start
        - no-program: it exits because its program is not there or cannot be run
        - port-conflict: it exits because another program holds one of its ports
        - inotify: it exits because the kernel's inotify limits are used up
        - restarts: it runs, but was restarted again and again
    """
    unit, agent = kubelet_of(units), units.agent
    if unit is None:
        if agent is not None and agent.running:
            because = T("{unit} runs and contains the kubelet of {node}", unit=agent.name, node=units.node)
            shown = units.proof.quote(f"Id={agent.name}.service ActiveState={agent.active}")
            yield RuledOut(code="NODE-03", subject=node(units.node), because=because, proofs=(shown,))
        return
    around = Around(node=units.node, clock=clock, nodes=nodes, beats=beats, identity=identity, health=health)
    limit = (expect.thresholds.get("NODE-03", {}) if expect else {}).get("restarts", 3)
    again, counted = _recent_restarts(unit, log, clock)
    flapping = unit.running and again >= limit
    if not unit.down and not flapping:
        return
    reason = _reason(unit, units, log, flapping=flapping)
    onset = unit.active_since if flapping else around.down_since(unit, log)
    told = [line.text for line in last_start(log, unit) if _EXIT.search(line.text)][-3:]
    yield Finding(
        code="NODE-03",
        reason=reason,
        title=_title(reason, units.node),
        severity=around.severity(Severity.CRIT, onset),
        confidence=Confidence.POSSIBLE if around.planned or (flapping and not counted) else around.confidence(),
        subject=node(units.node),
        facts={
            "node": units.node,
            "unit": "kubelet",
            "component": "kubelet",
            "active": "false" if unit.down else "true",
            "state": f"{unit.active}/{unit.sub}",
            "result": unit.result,
            "exit_status": unit.exit_status if unit.exit_status is not None else -1,
        },
        onset=onset,
        proofs=(_unit_proof(units, unit), *_log_proofs(log, told), *around.proofs()),
        fixes=tuple(_fixes(reason)),
    )


def _recent_restarts(unit: Unit, log: KubeletLog | None, clock: Clock) -> tuple[int, bool]:
    """Automatic restarts within ten minutes and since somebody started it by hand: a repair ends the series.

    Counted in systemd's lines (the second value is then true); where the log has none of them, or does not reach back
    ten minutes, systemd's own count must do, which says nothing of when.
    """
    window = WINDOW.total_seconds()
    if unit.active_since is None or clock.age(unit.active_since) > window:
        return 0, True
    dated = [x for x in (log.lines if log else ()) if x.at]
    lines = [x.text for x in dated if x.at and clock.age(x.at) <= window]
    starts = [x for x in lines if _STARTED.search(x) or _BY_ITSELF.search(x)]
    if not any(_BY_ITSELF.search(x) for x in starts):
        return (len(starts), True) if unit.restarts is None else (0, True) if starts else (unit.restarts, False)
    count, scheduled, by_hand = 0, False, False
    for text in starts:
        if _BY_ITSELF.search(text):
            scheduled = True
        else:
            by_hand = by_hand or not scheduled
            count, scheduled = (count + 1 if scheduled else 0), False
    whole = by_hand or len(lines) < len(dated) or not (log and log.cut)
    return (count, True) if whole or unit.restarts is None else (max(count, unit.restarts), False)


def _reason(unit: Unit, units: HostUnits, log: KubeletLog | None, *, flapping: bool) -> str:
    text = "\n".join(line.text for line in last_start(log, unit))
    if not flapping and (unit.load == "masked" or unit.file_state.startswith("masked")):
        return "masked"
    if unit.active == "inactive" and unit.result in {"", "success"}:
        return _idle(unit, units)
    said = next((word for word, pattern in _ENDINGS if pattern.search(text)), "")
    looping = unit.active == "activating" or (unit.restarts or 0) > 1
    return said or ("restarts" if flapping else "crash-looping" if looping else "failed")


def _idle(unit: Unit, units: HostUnits) -> str:
    """Why it is inactive without an error: systemd tells times of this boot only, where they can be read at all."""
    if unit.active_since or unit.inactive_since:
        return "stopped"
    if unit.starts_at_boot:
        return "not-started" if any(u.active_since for u in units.by_name.values()) else "stopped"
    return "disabled"


def _title(reason: str, name: str) -> Text:
    return {
        "stopped": T("the kubelet of {node} was stopped", node=name),
        "disabled": T("the kubelet of {node} is not enabled, so the boot did not start it", node=name),
        "not-started": T("the kubelet of {node} is enabled, but was not started since the boot", node=name),
        "no-program": T("the kubelet of {node} cannot start: its program is not there or cannot be run", node=name),
        "masked": T("the kubelet of {node} is masked", node=name),
        "port-conflict": T("the kubelet of {node} cannot start: another program holds its port", node=name),
        "restarts": T("the kubelet of {node} restarts again and again", node=name),
        "failed": T("the kubelet of {node} failed", node=name),
    }.get(reason, T("the kubelet of {node} exits at every start", node=name))


def _unit_proof(units: HostUnits, unit: Unit) -> Proof:
    restarts = "" if unit.restarts is None else f"NRestarts={unit.restarts}"
    state = f"Id=kubelet.service ActiveState={unit.active} SubState={unit.sub} Result={unit.result} {restarts}"
    return units.proof.quote(state, f"ExecMainStatus={unit.exit_status} UnitFileState={unit.file_state}")


def _log_proofs(log: KubeletLog | None, lines: list[str]) -> tuple[Proof, ...]:
    return (log.proof.quote(*lines),) if log and lines else ()


def _fixes(reason: str) -> Iterator[Fix]:
    if reason == "masked":
        yield restart(
            T("Unmask the kubelet and start it on the node; containers that run keep running."),
            "sudo systemctl unmask kubelet",
            "sudo systemctl enable --now kubelet",
            undo=("sudo systemctl mask --now kubelet",),
        )
        return
    if reason in {"stopped", "disabled", "not-started"}:
        yield restart(
            T("Start the kubelet on the node and at every boot; containers that run keep running."),
            "sudo systemctl enable --now kubelet",
            undo=("sudo systemctl disable --now kubelet",)
            if reason == "disabled"
            else ("sudo systemctl stop kubelet",),
        )
        return
    yield Fix(
        what=T("Read why it ends before starting it again."),
        safety=Safety.READ_ONLY,
        commands=("sudo journalctl -u kubelet -n 50 --no-pager",),
    )
    yield restart(
        T("When the reason is repaired, start the kubelet on the node; containers that run keep running."),
        "sudo systemctl restart kubelet",
    )
