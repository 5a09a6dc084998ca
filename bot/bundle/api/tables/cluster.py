"""Rows of nodes, namespaces, leases, API services, roles, webhooks and other things of the cluster itself."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from datetime import datetime, timedelta
from typing import Any

from bot.bundle.api.tables.cells import NAME, Column, Printer, age, columns, human, name_of, number, spec_of, status_of

Object = Mapping[str, Any]
ROLE = "node-role.kubernetes.io/"
UNKNOWN = "<unknown>"


def _node(item: Object, now: datetime) -> list[Any]:
    status = status_of(item)
    info = status.get("nodeInfo") or {}
    ready = next((c.get("status") for c in status.get("conditions") or () if c.get("type") == "Ready"), None)
    words = ["Unknown" if ready is None else "Ready" if ready == "True" else "NotReady"]
    words += ["SchedulingDisabled"] if spec_of(item).get("unschedulable") else []
    kernel = info.get("kernelVersion") or UNKNOWN
    kernel += f" ({info['architecture']})" if info.get("architecture") else ""
    system = [info.get("osImage") or UNKNOWN, kernel, info.get("containerRuntimeVersion") or UNKNOWN]
    addresses = [_address(status, "InternalIP"), _address(status, "ExternalIP")]
    head = [name_of(item), ",".join(words), _roles(item), age(item, now), info.get("kubeletVersion") or ""]
    return [*head, *addresses, *system]


def _roles(item: Object) -> str:
    labels = item["metadata"].get("labels") or {}
    roles = {k.removeprefix(ROLE) for k in labels if k.startswith(ROLE)} | {labels.get("kubernetes.io/role", "")}
    return ",".join(sorted(roles - {""})) or "<none>"


def _address(status: Object, kind: str) -> str:
    found = (str(a.get("address")) for a in status.get("addresses") or () if a.get("type") == kind)
    return next(found, "<none>")


def _namespace(item: Object, now: datetime) -> list[Any]:
    return [name_of(item), status_of(item).get("phase") or "", age(item, now)]


def _api_service(item: Object, now: datetime) -> list[Any]:
    service = spec_of(item).get("service")
    where = f"{service.get('namespace')}/{service.get('name')}" if service else "Local"
    condition = next((c for c in status_of(item).get("conditions") or () if c.get("type") == "Available"), None)
    state = str(condition.get("status")) if condition else "Unknown"
    reason = f" ({condition.get('reason')})" if condition and state != "True" else ""
    return [name_of(item), where, state + reason, age(item, now)]


def _lease(item: Object, now: datetime) -> list[Any]:
    return [name_of(item), spec_of(item).get("holderIdentity") or "", age(item, now)]


def _binding(item: Object, now: datetime) -> list[Any]:
    ref = item.get("roleRef") or {}
    found: dict[str, list[str]] = {"User": [], "Group": [], "ServiceAccount": []}
    for subject in item.get("subjects") or ():
        name = str(subject.get("name"))
        text = f"{subject.get('namespace')}/{name}" if subject.get("kind") == "ServiceAccount" else name
        found.setdefault(str(subject.get("kind")), []).append(text)
    subjects = [", ".join(found[k]) for k in ("User", "Group", "ServiceAccount")]
    return [name_of(item), f"{ref.get('kind')}/{ref.get('name')}", age(item, now), *subjects]


def _signing_request(item: Object, now: datetime) -> list[Any]:
    spec, status = spec_of(item), status_of(item)
    seconds = spec.get("expirationSeconds")
    duration = human(timedelta(seconds=seconds)) if seconds is not None else "<none>"
    types = {c.get("type") for c in status.get("conditions") or ()}
    state = "Denied" if "Denied" in types else "Approved" if "Approved" in types else "Pending"
    state += (",Failed" if "Failed" in types else "") + (",Issued" if status.get("certificate") else "")
    return [
        name_of(item),
        age(item, now),
        spec.get("signerName") or "<none>",
        spec.get("username") or "",
        duration,
        state,
    ]


def _storage_class(item: Object, now: datetime) -> list[Any]:
    annotations = item["metadata"].get("annotations") or {}
    keys = ("storageclass.kubernetes.io/is-default-class", "storageclass.beta.kubernetes.io/is-default-class")
    default = " (default)" if any(annotations.get(k) == "true" for k in keys) else ""
    reclaim, binding = item.get("reclaimPolicy") or "Delete", item.get("volumeBindingMode") or "Immediate"
    grows = bool(item.get("allowVolumeExpansion"))
    return [f"{name_of(item)}{default}", item.get("provisioner"), reclaim, binding, grows, age(item, now)]


def _attachment(item: Object, now: datetime) -> list[Any]:
    spec = spec_of(item)
    volume = (spec.get("source") or {}).get("persistentVolumeName") or ""
    attached = bool(status_of(item).get("attached"))
    return [name_of(item), spec.get("attacher"), volume, spec.get("nodeName"), attached, age(item, now)]


def _csi_driver(item: Object, now: datetime) -> list[Any]:
    spec = spec_of(item)
    tokens = spec.get("tokenRequests")
    asked = "<unset>" if tokens is None else ",".join(str(t.get("audience") or "") for t in tokens)
    attach = spec.get("attachRequired") is not False
    flags = [bool(spec.get("podInfoOnMount")), bool(spec.get("storageCapacity"))]
    modes = ",".join(spec.get("volumeLifecycleModes") or ()) or "<none>"
    return [name_of(item), attach, *flags, asked, bool(spec.get("requiresRepublish")), modes, age(item, now)]


def _priority(item: Object, now: datetime) -> list[Any]:
    head = [name_of(item), number(item.get("value")), bool(item.get("globalDefault")), age(item, now)]
    return [*head, item.get("preemptionPolicy") or ""]


def _count(path: str, key: str) -> Callable[[Object, datetime], list[Any]]:
    """Rows that show how many entries a list field has."""

    def cells(item: Object, now: datetime) -> list[Any]:
        where = item.get(path) or {} if path else item
        return [name_of(item), len(where.get(key) or ()), age(item, now)]

    return cells


def _metrics(item: Object, now: datetime) -> list[Any]:
    del now
    meta = item["metadata"]
    return [meta.get("name"), str(meta.get("creationTimestamp") or item.get("timestamp") or "")]


_SUBJECTS = ("Users", "Groups", "ServiceAccounts")
_NODE_WIDE = ("Internal-IP", "External-IP", "OS-Image", "Kernel-Version", "Container-Runtime")
_FLAGS = {
    "AttachRequired": "boolean",
    "PodInfoOnMount": "boolean",
    "StorageCapacity": "boolean",
    "RequiresRepublish": "boolean",
}
_WEBHOOKS = Printer(columns("Webhooks", "Age", types={"Webhooks": "integer"}), _count("", "webhooks"))
_BINDINGS = Printer(columns("Role", "Age", wide=_SUBJECTS), _binding)
_ATTACHMENT = (
    NAME,
    Column("Attacher", format="name"),
    *columns("PV", "Node", "Attached", "Age", types={"Attached": "boolean"})[1:],
)
_DRIVERS = Printer(columns("Drivers", "Age", types={"Drivers": "integer"}), _count("spec", "drivers"))
_PRIORITY = {"Value": "integer", "Global-Default": "boolean"}
PRINTERS = {
    "nodes": Printer(columns("Status", "Roles", "Age", "Version", wide=_NODE_WIDE), _node),
    "namespaces": Printer(columns("Status", "Age"), _namespace),
    "apiservices.apiregistration.k8s.io": Printer(columns("Service", "Available", "Age"), _api_service),
    "leases.coordination.k8s.io": Printer(columns("Holder", "Age"), _lease),
    "rolebindings.rbac.authorization.k8s.io": _BINDINGS,
    "clusterrolebindings.rbac.authorization.k8s.io": _BINDINGS,
    "certificatesigningrequests.certificates.k8s.io": Printer(
        columns("Age", "SignerName", "Requestor", "RequestedDuration", "Condition"), _signing_request
    ),
    "storageclasses.storage.k8s.io": Printer(
        columns("Provisioner", "ReclaimPolicy", "VolumeBindingMode", "AllowVolumeExpansion", "Age"), _storage_class
    ),
    "volumeattachments.storage.k8s.io": Printer(_ATTACHMENT, _attachment),
    "csidrivers.storage.k8s.io": Printer(
        columns(
            "AttachRequired", "PodInfoOnMount", "StorageCapacity", "TokenRequests", "RequiresRepublish", "Modes", "Age",
            types=_FLAGS,
        ),
        _csi_driver,
    ),
    "csinodes.storage.k8s.io": _DRIVERS,
    "priorityclasses.scheduling.k8s.io": Printer(
        columns("Value", "Global-Default", "Age", "PreemptionPolicy", types=_PRIORITY), _priority
    ),
    "validatingwebhookconfigurations.admissionregistration.k8s.io": _WEBHOOKS,
    "mutatingwebhookconfigurations.admissionregistration.k8s.io": _WEBHOOKS,
    "nodes.metrics.k8s.io": Printer((NAME, Column("Created At", "date")), _metrics),
    "pods.metrics.k8s.io": Printer((NAME, Column("Created At", "date")), _metrics),
}  # fmt: skip
