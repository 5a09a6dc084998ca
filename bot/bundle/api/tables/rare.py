"""Rows of kinds that a diagnosis seldom needs but ``kubectl get`` shows all the same."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any

from bot.bundle.api.tables.cells import (
    AGE,
    NAME,
    Column,
    Printer,
    age,
    columns,
    containers,
    label_text,
    name_of,
    number,
    spec_of,
)

Object = Mapping[str, Any]
NONE, UNSET = "<none>", "<unset>"


def _pod_template(item: Object, now: datetime) -> list[Any]:
    del now
    template = item.get("template") or {}
    return [name_of(item), *containers(template), label_text((template.get("metadata") or {}).get("labels"))]


def _revision(item: Object, now: datetime) -> list[Any]:
    owner = next((o for o in item["metadata"].get("ownerReferences") or () if o.get("controller")), None)
    controller = NONE
    if owner:
        group = str(owner.get("apiVersion") or "").rpartition("/")[0]
        kind = str(owner.get("kind") or "").lower()
        controller = f"{kind}.{group}/{owner.get('name')}" if group else f"{kind}/{owner.get('name')}"
    return [name_of(item), controller, number(item.get("revision")), age(item, now)]


def _address(item: Object, now: datetime) -> list[Any]:
    ref = spec_of(item).get("parentRef")
    parent = NONE
    if ref:
        title = ".".join(p for p in (str(ref.get("resource") or ""), str(ref.get("group") or "")) if p).lower()
        parent = "/".join(p for p in (title, str(ref.get("namespace") or ""), str(ref.get("name") or "")) if p)
    return [name_of(item), parent, age(item, now)]  # three cells under two columns, as the API server has it


def _range(item: Object, now: datetime) -> list[Any]:
    return [name_of(item), ",".join(spec_of(item).get("cidrs") or ()), age(item, now)]


def _policy(entries: str) -> Printer:
    """Admission policies: how many rules, and of which parameter."""

    def cells(item: Object, now: datetime) -> list[Any]:
        kind = spec_of(item).get("paramKind")
        parameter = f"{kind.get('apiVersion')}/{kind.get('kind')}" if kind else UNSET
        return [name_of(item), len(spec_of(item).get(entries) or ()), parameter, age(item, now)]

    title = entries.capitalize()
    return Printer(columns(title, "ParamKind", "Age", types={title: "integer"}), cells)


def _policy_binding(item: Object, now: datetime) -> list[Any]:
    ref = spec_of(item).get("paramRef") or {}
    parameter = f"{ref.get('namespace') or '*'}/{ref['name']}" if ref.get("name") else UNSET
    return [name_of(item), spec_of(item).get("policyName"), parameter, age(item, now)]


def _flow(item: Object, now: datetime) -> list[Any]:
    spec = spec_of(item)
    conditions = (item.get("status") or {}).get("conditions") or ()
    dangling = next((str(c.get("status")) for c in conditions if c.get("type") == "Dangling"), "?")
    level = (spec.get("priorityLevelConfiguration") or {}).get("name")
    method = (spec.get("distinguisherMethod") or {}).get("type") or NONE
    return [name_of(item), level, number(spec.get("matchingPrecedence")), method, age(item, now), dangling]


def _flow_order(item: Object) -> tuple[int, str]:
    return number(spec_of(item).get("matchingPrecedence")), str(name_of(item))


def _level(item: Object, now: datetime) -> list[Any]:
    limited = spec_of(item).get("limited") or {}
    queuing = (limited.get("limitResponse") or {}).get("queuing") or {}
    shares = limited.get("nominalConcurrencyShares", NONE)
    queues = [queuing.get(k, NONE) for k in ("queues", "handSize", "queueLengthLimit")]
    return [name_of(item), spec_of(item).get("type"), shares, *queues, age(item, now)]


def _claim(item: Object, now: datetime) -> list[Any]:
    status, deleted = item.get("status") or {}, bool(item["metadata"].get("deletionTimestamp"))
    words = ["deleted"] if deleted else []
    if status.get("allocation"):
        words += ["allocated", "reserved"] if status.get("reservedFor") else ["allocated"]
    elif not deleted:
        words.append("pending")
    return [name_of(item), ",".join(words), age(item, now)]


def _slice(item: Object, now: datetime) -> list[Any]:
    spec = spec_of(item)
    return [
        name_of(item),
        spec.get("nodeName") or "",
        spec.get("driver"),
        (spec.get("pool") or {}).get("name"),
        age(item, now),
    ]


_BARE = Printer((NAME, AGE), lambda o, now: [name_of(o), age(o, now)])
_BINDING = Printer(columns("PolicyName", "ParamRef", "Age"), _policy_binding)
_ADMISSION = "admissionregistration.k8s.io"
_FLOW_COLUMNS = columns("PriorityLevel", "MatchingPrecedence", "DistinguisherMethod", "Age", "MissingPL")
_LEVEL_COLUMNS = columns("Type", "NominalConcurrencyShares", "Queues", "HandSize", "QueueLengthLimit", "Age")
PRINTERS = {
    "podtemplates": Printer(columns("Containers", "Images", "Pod Labels"), _pod_template),
    "controllerrevisions.apps": Printer(columns("Controller", "Revision", "Age"), _revision),
    "ipaddresses.networking.k8s.io": Printer((NAME, Column("ParentRef")), _address),
    "servicecidrs.networking.k8s.io": Printer(columns("CIDRs", "Age"), _range),
    "volumeattributesclasses.storage.k8s.io": Printer(
        columns("DriverName", "Age"), lambda o, now: [name_of(o), o.get("driverName"), age(o, now)]
    ),
    "runtimeclasses.node.k8s.io": Printer(
        columns("Handler", "Age"), lambda o, now: [name_of(o), o.get("handler"), age(o, now)]
    ),
    f"validatingadmissionpolicies.{_ADMISSION}": _policy("validations"),
    f"mutatingadmissionpolicies.{_ADMISSION}": _policy("mutations"),
    f"validatingadmissionpolicybindings.{_ADMISSION}": _BINDING,
    f"mutatingadmissionpolicybindings.{_ADMISSION}": _BINDING,
    "flowschemas.flowcontrol.apiserver.k8s.io": Printer(_FLOW_COLUMNS, _flow, _flow_order),
    "prioritylevelconfigurations.flowcontrol.apiserver.k8s.io": Printer(_LEVEL_COLUMNS, _level),
    "deviceclasses.resource.k8s.io": _BARE,
    "resourceclaimtemplates.resource.k8s.io": _BARE,
    "resourceclaims.resource.k8s.io": Printer(columns("State", "Age"), _claim),
    "resourceslices.resource.k8s.io": Printer(columns("Node", "Driver", "Pool", "Age"), _slice),
}
