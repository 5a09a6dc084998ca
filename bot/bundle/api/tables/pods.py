"""The pod row: the one word that says what is wrong with a pod (``printPod``)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any

from bot.bundle.api.tables.cells import age, human, number, when

Object = Mapping[str, Any]
EPOCH = datetime(1, 1, 1, tzinfo=UTC)


@dataclass(slots=True)
class Tally:
    """What is counted while the containers of a pod are walked through."""

    reason: str
    ready: int = 0
    restarts: int = 0
    last: datetime = EPOCH

    def restarted(self, status: Object) -> None:
        """Count a container's restarts and remember the newest."""
        self.restarts += number(status.get("restartCount"))
        ended = _ended(status.get("lastState"))
        finished = when(ended.get("finishedAt")) if ended else None
        self.last = max(self.last, finished or EPOCH)


def cells(pod: Object, now: datetime) -> list[Any]:
    """Name, ready, status, restarts, age, and the wide ones."""
    spec, status = pod.get("spec") or {}, pod.get("status") or {}
    sidecars = {c.get("name") for c in spec.get("initContainers") or () if c.get("restartPolicy") == "Always"}
    total = len(spec.get("containers") or ()) + len(sidecars)
    tally = Tally(reason=_first_reason(status))
    beside = Tally(reason="")
    initializing = _init(tally, beside, spec, status, sidecars)
    if not initializing or _is_true(status, "Initialized"):
        tally.restarts, tally.last = beside.restarts, beside.last
        _main(tally, status)
    word = _terminating(pod, status) or tally.reason
    restarts = str(tally.restarts)
    if tally.restarts and tally.last != EPOCH:
        restarts += f" ({human(now - tally.last)} ago)"
    name = pod["metadata"].get("name")
    return [name, f"{tally.ready}/{total}", word, restarts, age(pod, now), *_wide(spec, status)]


def _first_reason(status: Object) -> str:
    gated = any(
        c.get("type") == "PodScheduled" and c.get("reason") == "SchedulingGated" for c in status.get("conditions") or ()
    )
    return "SchedulingGated" if gated else str(status.get("reason") or status.get("phase") or "")


def _init(tally: Tally, beside: Tally, spec: Object, status: Object, sidecars: set[Any]) -> bool:
    """Walk the init containers; return whether the pod is still at one of them."""
    for at, container in enumerate(status.get("initContainerStatuses") or ()):
        tally.restarted(container)
        sidecar = container.get("name") in sidecars
        if sidecar:
            beside.restarted(container)
        ended = _ended(container.get("state"))
        if ended and not number(ended.get("exitCode")):
            continue
        if sidecar and container.get("started"):
            tally.ready += bool(container.get("ready"))
            continue
        waiting = ((container.get("state") or {}).get("waiting") or {}).get("reason")
        if ended:
            tally.reason = f"Init:{_end_word(ended)}"
        elif waiting and waiting != "PodInitializing":
            tally.reason = f"Init:{waiting}"
        else:
            tally.reason = f"Init:{at}/{len(spec.get('initContainers') or ())}"
        return True
    return False


def _main(tally: Tally, status: Object) -> None:
    running, error = False, ""
    for container in reversed(status.get("containerStatuses") or ()):
        tally.restarted(container)
        state = container.get("state") or {}
        waiting, ended = (state.get("waiting") or {}).get("reason"), _ended(state)
        if waiting:
            tally.reason = waiting
        elif ended:
            tally.reason = _end_word(ended)
            error = tally.reason if number(ended.get("exitCode")) else error
        elif container.get("ready") and state.get("running") is not None:
            running = True
            tally.ready += 1
    if tally.reason == "Completed":
        tally.reason = _completed(tally.reason, error, running=running, ready=_is_true(status, "Ready"))


def _completed(reason: str, error: str, *, running: bool, ready: bool) -> str:
    """One container has ended well: what the others make of it."""
    if running and ready:
        return "Running"
    if error:
        return error
    return "NotReady" if running else reason


def _terminating(pod: Object, status: Object) -> str:
    if not pod["metadata"].get("deletionTimestamp"):
        return ""
    if status.get("reason") == "NodeLost":
        return "Unknown"
    return "" if status.get("phase") in ("Succeeded", "Failed") else "Terminating"


def _ended(state: Any) -> Object:
    found = (state or {}).get("terminated")
    return found if isinstance(found, Mapping) else {}


def _end_word(ended: Object) -> str:
    if ended.get("reason"):
        return str(ended["reason"])
    return f"Signal:{ended['signal']}" if ended.get("signal") else f"ExitCode:{number(ended.get('exitCode'))}"


def _is_true(status: Object, kind: str) -> bool:
    return any(c.get("type") == kind and c.get("status") == "True" for c in status.get("conditions") or ())


def _wide(spec: Object, status: Object) -> list[str]:
    addresses = status.get("podIPs") or ([{"ip": status["podIP"]}] if status.get("podIP") else [])
    address = addresses[0].get("ip") if addresses else ""
    gates = spec.get("readinessGates") or ()
    passed = sum(_is_true(status, str(g.get("conditionType"))) for g in gates)
    return [
        address or "<none>",
        spec.get("nodeName") or "<none>",
        status.get("nominatedNodeName") or "<none>",
        f"{passed}/{len(gates)}" if gates else "<none>",
    ]
