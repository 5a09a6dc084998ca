"""NODE-09: the kubelet's list of containers is not refreshed in time."""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from datetime import timedelta

from bot.check import check
from bot.checks.node.about import Around, kubelet_of, restart
from bot.model.cluster import Nodes, PodsOnNode
from bot.model.evidence import Clock, Expectations
from bot.model.finding import Confidence, Finding, Severity
from bot.model.host import ContainerCount, HostUnits, KubeletLog
from bot.model.host_resources import Memory
from bot.model.lines import in_window
from bot.model.refs import node
from bot.model.text import T, Text

_PLEG = re.compile(
    r"PLEG is not healthy: pleg (?:was last seen active (?P<ago>\S+) ago; threshold is [0-9hms.]+"
    r"|(?:was )?has yet to be successful)"
)
_FIRST = re.compile(r"has yet to be successful")
WARM_UP = timedelta(minutes=3)
DEFAULTS: Mapping[str, float] = {"lines": 3, "containers": 1500, "io_percent": 40}


@check("NODE-09")
def pleg_that_is_not_healthy(
    *,
    nodes: Nodes,
    clock: Clock,
    pods: PodsOnNode,
    units: HostUnits | None,
    log: KubeletLog | None,
    containers: ContainerCount | None,
    memory: Memory | None,
    expect: Expectations | None,
) -> Iterator[Finding]:
    """PLEG, the kubelet's view of its containers, is not healthy.

    Says:
        "The node flaps between Ready and NotReady", "PLEG is not healthy".
    Evidence:
        The message of the Ready condition, the same words in the kubelet's log, the number of containers, how long
        tasks wait for the disk.
    Rule:
        The words stand in the current condition, or three times in the window in the log since the kubelet's start.
        Confirmed when both say so; the condition is enough without access to the node, then only likely.
    Cause:
        Listing all containers takes longer than three minutes: slow or hung runtime (NODE-11), thousands of ended
        containers, slow disk. It explains POD-10, NODE-31, POD-05.
    Fix:
        Treat the cause; restart the runtime, remove ended containers, run fewer pods here.
    Verify:
        The words do not come back for ten minutes.
    Must not fire:
        "has yet to be successful" in the first three minutes after the kubelet's start, or where that is not known.
    Reasons:
        - relist-too-slow: the last complete list is too old
        - crowded: there are so many containers that listing them takes too long
        - slow-disk: tasks wait for the disk most of the time
    """
    name = pods.node
    around = Around(node=name, clock=clock, nodes=nodes)
    ready = around.object.condition("Ready") if around.object else None
    said = _PLEG.search(ready.message or "") if ready and ready.status != "True" else None
    limits = {**DEFAULTS, **(expect.thresholds.get("NODE-09", {}) if expect else {})}
    kubelet = kubelet_of(units) if units else None
    started = kubelet.active_since if kubelet else None
    warm = started + WARM_UP if started else None
    if said and warm is None and _FIRST.search(said[0]):
        said = None  # when the kubelet was started is not known
    hits = [
        x
        for x in (in_window(log.lines, clock, started) if log else ())
        if _PLEG.search(x.text) and not (_FIRST.search(x.text) and (warm is None or (x.at and x.at < warm)))
    ]
    if (warm and clock.now < warm) or (said is None and len(hits) < limits["lines"]):
        return
    waits = memory.waiting.get("io", 0.0) if memory else 0.0
    crowded, slow = containers is not None and containers.count > limits["containers"], waits > limits["io_percent"]
    quotes = [nodes.proof.quote(f"{name}: Ready={ready.status}: {ready.message}")] if said and ready else []
    quotes += [memory.proof.quote(f"io: some avg60={waits:g}")] if memory and slow else []
    quotes += [containers.proof.quote(f"containers: {containers.count}")] if containers and crowded else []
    quotes += [log.proof.quote(*(x.text for x in hits[-2:]))] if log and hits else []
    yield Finding(
        code="NODE-09",
        reason="crowded" if crowded else "slow-disk" if slow else "relist-too-slow",
        title=T("the kubelet of {node} cannot list its containers in time (PLEG)", node=name),
        detail=_detail(containers if crowded else None, waits if slow else 0.0),
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED if said and hits else Confidence.LIKELY,
        subject=node(name),
        facts={
            "node": name,
            "containers": containers.count if containers else 0,
            "ready": "true" if ready is not None and ready.status == "True" else "false",
        },
        onset=hits[0].at if hits else ready.last_transition_time if ready else None,
        proofs=tuple(quotes),
        fixes=(
            restart(
                T("On the node: remove ended containers, then restart the kubelet."),
                "sudo crictl ps -a -q --state Exited | xargs -r sudo crictl rm",
                "sudo systemctl restart kubelet",
            ),
        ),
    )


def _detail(containers: ContainerCount | None, waits: float) -> Text | None:
    """Why listing takes so long, where that is seen."""
    if containers and containers.whole:
        return T("There are {count} containers to list.", count=containers.count)
    if containers:
        return T("There are at least {count} containers to list.", count=containers.count)
    return T("Tasks wait for the disk {percent} % of the time.", percent=round(waits)) if waits else None
