"""Rows of pods and of what makes them: workloads, jobs, autoscalers, budgets."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.bundle.api.tables import pods
from bot.bundle.api.tables.cells import (
    Printer,
    age,
    bare_selector,
    columns,
    containers,
    human,
    label_text,
    name_of,
    number,
    selector_text,
    since,
    spec_of,
    status_of,
    when,
)

Object = Mapping[str, Any]
INTEGERS = dict.fromkeys(("Desired", "Current", "Available", "Active", "Allowed Disruptions"), "integer")
POD_WIDE = ("IP", "Node", "Nominated Node", "Readiness Gates")
WIDE = ("Containers", "Images", "Selector")
METRICS_SHOWN = 2


def _replicas(item: Object) -> int:
    value = spec_of(item).get("replicas")
    return 1 if value is None else int(value)


def _made(item: Object, *, bare: bool = False) -> list[str]:
    """Containers, images and selector: the wide columns of workloads."""
    selector = spec_of(item).get("selector")
    text = bare_selector(selector) if bare else selector_text(selector)
    return [*containers(spec_of(item).get("template")), text]


def _deployment(item: Object, now: datetime) -> list[Any]:
    status = status_of(item)
    ready = f"{number(status.get('readyReplicas'))}/{_replicas(item)}"
    counts = [number(status.get("updatedReplicas")), number(status.get("availableReplicas"))]
    return [name_of(item), ready, *counts, age(item, now), *_made(item, bare=True)]


def _replica_set(item: Object, now: datetime) -> list[Any]:
    status = status_of(item)
    counts = [_replicas(item), number(status.get("replicas")), number(status.get("readyReplicas"))]
    return [name_of(item), *counts, age(item, now), *_made(item)]


def _replication_controller(item: Object, now: datetime) -> list[Any]:
    return [*_replica_set(item, now)[:-1], label_text(spec_of(item).get("selector"))]


def _stateful_set(item: Object, now: datetime) -> list[Any]:
    ready = f"{number(status_of(item).get('readyReplicas'))}/{_replicas(item)}"
    return [name_of(item), ready, age(item, now), *containers(spec_of(item).get("template"))]


def _daemon_set(item: Object, now: datetime) -> list[Any]:
    names = (
        "desiredNumberScheduled",
        "currentNumberScheduled",
        "numberReady",
        "updatedNumberScheduled",
        "numberAvailable",
    )
    counts = [number(status_of(item).get(n)) for n in names]
    selector = ((spec_of(item).get("template") or {}).get("spec") or {}).get("nodeSelector")
    return [name_of(item), *counts, label_text(selector), age(item, now), *_made(item)]


def _job(item: Object, now: datetime) -> list[Any]:
    spec, status = spec_of(item), status_of(item)
    done, wanted = number(status.get("succeeded")), spec.get("completions")
    parallel = number(spec.get("parallelism"))
    completions = (
        f"{done}/{wanted}" if wanted is not None else f"{done}/1" + (f" of {parallel}" if parallel > 1 else "")
    )
    start, end = when(status.get("startTime")), when(status.get("completionTime"))
    took = human((end or now) - start) if start else ""
    return [name_of(item), _job_state(item), completions, took, age(item, now), *_made(item)]


def _job_state(item: Object) -> str:
    true = {c.get("type") for c in status_of(item).get("conditions") or () if c.get("status") == "True"}
    words = {"Complete": "Complete", "Failed": "Failed", "": "Terminating", "Suspended": "Suspended"}
    words |= {w: w for w in ("FailureTarget", "SuccessCriteriaMet")}
    if item["metadata"].get("deletionTimestamp"):
        true.add("")
    return next((word for kind, word in words.items() if kind in true), "Running")


def _cron_job(item: Object, now: datetime) -> list[Any]:
    spec, status = spec_of(item), status_of(item)
    last = since(status["lastScheduleTime"], now) if status.get("lastScheduleTime") else "<none>"
    suspend = "<unset>" if spec.get("suspend") is None else str(spec["suspend"])
    job = (spec.get("jobTemplate") or {}).get("spec") or {}
    made = [*containers(job.get("template")), selector_text(job.get("selector"))]
    head = [name_of(item), spec.get("schedule"), spec.get("timeZone") or "<none>", suspend]
    return [*head, len(status.get("active") or ()), last, age(item, now), *made]


def _budget(item: Object, now: datetime) -> list[Any]:
    spec = spec_of(item)
    limits = [str(spec[k]) if spec.get(k) is not None else "N/A" for k in ("minAvailable", "maxUnavailable")]
    return [name_of(item), *limits, number(status_of(item).get("disruptionsAllowed")), age(item, now)]


def _autoscaler(item: Object, now: datetime) -> list[Any]:
    spec = spec_of(item)
    ref = spec.get("scaleTargetRef") or {}
    least = "<unset>" if spec.get("minReplicas") is None else str(spec["minReplicas"])
    counts = [number(spec.get("maxReplicas")), number(status_of(item).get("currentReplicas"))]
    return [name_of(item), f"{ref.get('kind')}/{ref.get('name')}", _targets(item), least, *counts, age(item, now)]


def _targets(item: Object) -> str:
    wanted = spec_of(item).get("metrics")
    if wanted is None and spec_of(item).get("targetCPUUtilizationPercentage") is not None:  # autoscaling/v1
        current = status_of(item).get("currentCPUUtilizationPercentage")
        now_at = "<unknown>" if current is None else f"{current}%"
        return f"cpu: {now_at}/{spec_of(item)['targetCPUUtilizationPercentage']}%"
    had = status_of(item).get("currentMetrics") or ()
    found = [_target(m, had[i] if i < len(had) else {}) for i, m in enumerate(wanted or ())]
    text = ", ".join(found[:METRICS_SHOWN])
    return (f"{text} + {len(found) - METRICS_SHOWN} more..." if len(found) > METRICS_SHOWN else text) or "<none>"


def _target(metric: Object, status: Object) -> str:
    kind = str(metric.get("type") or "")
    field = kind[:1].lower() + kind[1:]
    source, current = metric.get(field) or {}, (status.get(field) or {}).get("current") or {}
    target = source.get("target") or {}
    named = f"{source.get('name')}: " if kind in ("Resource", "ContainerResource") else ""
    if target.get("averageValue") is not None:
        tail = " (avg)" if kind in ("External", "Object") else ""
        return f"{named}{current.get('averageValue', '<unknown>')}/{target['averageValue']}{tail}"
    if named:
        percent = (current.get("averageUtilization"), target.get("averageUtilization"))
        shown = [
            "<unknown>" if percent[0] is None else f"{percent[0]}%",
            "<auto>" if percent[1] is None else f"{percent[1]}%",
        ]
        return named + "/".join(shown)
    return f"{current.get('value', '<unknown>')}/{target.get('value')}"


_SET = columns("Desired", "Current", "Ready", "Age", wide=WIDE, types=INTEGERS | {"Ready": "integer"})
_COUNTS = INTEGERS | {"Ready": "integer", "Up-to-date": "integer"}
PRINTERS = {
    "pods": Printer(
        columns("Ready", "Status", "Restarts", "Age", wide=POD_WIDE), pods.cells
    ),
    "deployments.apps": Printer(columns("Ready", "Up-to-date", "Available", "Age", wide=WIDE), _deployment),
    "replicasets.apps": Printer(_SET, _replica_set),
    "replicationcontrollers": Printer(_SET, _replication_controller),
    "statefulsets.apps": Printer(columns("Ready", "Age", wide=WIDE[:2]), _stateful_set),
    "daemonsets.apps": Printer(
        columns(
            "Desired", "Current", "Ready", "Up-to-date", "Available", "Node Selector", "Age", wide=WIDE, types=_COUNTS
        ),
        _daemon_set,
    ),
    "jobs.batch": Printer(columns("Status", "Completions", "Duration", "Age", wide=WIDE), _job),
    "cronjobs.batch": Printer(
        columns(
            "Schedule", "Timezone", "Suspend", "Active", "Last Schedule", "Age",
            wide=WIDE, types={"Suspend": "boolean", "Active": "integer"},
        ),
        _cron_job,
    ),
    "poddisruptionbudgets.policy": Printer(
        columns("Min Available", "Max Unavailable", "Allowed Disruptions", "Age", types=INTEGERS), _budget
    ),
    "horizontalpodautoscalers.autoscaling": Printer(
        columns("Reference", "Targets", "MinPods", "MaxPods", "Replicas", "Age"), _autoscaler
    ),
}  # fmt: skip
for _old in ("deployments", "replicasets", "daemonsets"):
    PRINTERS[f"{_old}.extensions"] = PRINTERS[f"{_old}.apps"]
