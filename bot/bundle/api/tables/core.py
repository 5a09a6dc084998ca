"""Rows of services, endpoints, events, volumes, configuration."""

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
    cut,
    label_text,
    name_of,
    number,
    selector_text,
    since,
    spec_of,
    status_of,
)

Object = Mapping[str, Any]
MODES = {"ReadWriteOnce": "RWO", "ReadOnlyMany": "ROX", "ReadWriteMany": "RWX", "ReadWriteOncePod": "RWOP"}
UNSET = "<unset>"


def _service(item: Object, now: datetime) -> list[Any]:
    spec = spec_of(item)
    addresses = spec.get("clusterIPs") or ([spec["clusterIP"]] if spec.get("clusterIP") else [])
    kind = spec.get("type") or "ClusterIP"
    ports = ",".join(_port(p) for p in spec.get("ports") or ()) or "<none>"
    address = addresses[0] if addresses else "<none>"
    return [
        name_of(item),
        kind,
        address,
        _external(item, kind),
        ports,
        age(item, now),
        label_text(spec.get("selector")),
    ]


def _port(port: Object) -> str:
    outer = f":{port['nodePort']}" if port.get("nodePort") else ""
    return f"{port.get('port')}{outer}/{port.get('protocol') or 'TCP'}"


def _external(item: Object, kind: str) -> str:
    given = [str(a) for a in spec_of(item).get("externalIPs") or ()]
    if kind in ("ClusterIP", "NodePort"):
        return ",".join(given) or "<none>"
    if kind == "LoadBalancer":
        return ",".join([*_balancer(item), *given]) or "<pending>"
    return str(spec_of(item).get("externalName") or "") if kind == "ExternalName" else "<unknown>"


def _balancer(item: Object) -> list[str]:
    points = (status_of(item).get("loadBalancer") or {}).get("ingress") or ()
    return sorted({str(p.get("ip") or p.get("hostname")) for p in points if p.get("ip") or p.get("hostname")})


def _ingress(item: Object, now: datetime) -> list[Any]:
    spec = spec_of(item)
    rules = spec.get("rules") or ()
    hosts = [str(r["host"]) for r in rules[:3] if r.get("host")]
    more = f" + {len(rules) - 3} more..." if len(rules) > 3 and len(hosts) == 3 else ""  # noqa: PLR2004 - as kubectl
    ports = "80, 443" if spec.get("tls") else "80"
    shown = ",".join(hosts) + more if hosts else "*"
    return [
        name_of(item),
        spec.get("ingressClassName") or "<none>",
        shown,
        ",".join(_balancer(item)),
        ports,
        age(item, now),
    ]


def _ingress_class(item: Object, now: datetime) -> list[Any]:
    default = (item["metadata"].get("annotations") or {}).get("ingressclass.kubernetes.io/is-default-class") == "true"
    ref = spec_of(item).get("parameters")
    group = f".{ref['apiGroup']}" if ref and ref.get("apiGroup") is not None else ""
    parameters = f"{ref.get('kind')}{group}/{ref.get('name')}" if ref else "<none>"
    return [
        f"{name_of(item)}{' (default)' if default else ''}",
        spec_of(item).get("controller"),
        parameters,
        age(item, now),
    ]


def _endpoints(item: Object, now: datetime) -> list[Any]:
    found: list[str] = []
    for subset in item.get("subsets") or ():
        addresses = [str(a.get("ip")) for a in subset.get("addresses") or ()]
        ports = [f":{p.get('port')}" for p in subset.get("ports") or ()] or [""]
        found += [f"[{a}]{p}" if ":" in a and p else f"{a}{p}" for p in ports for a in addresses]
    text = cut(found) if item.get("subsets") else "<none>"
    return [name_of(item), text, age(item, now)]


def _slice(item: Object, now: datetime) -> list[Any]:
    ports = [str(p["port"] if p.get("port") is not None else p.get("name") or "*") for p in item.get("ports") or ()]
    addresses = [str(a) for e in item.get("endpoints") or () for a in e.get("addresses") or ()]
    return [name_of(item), item.get("addressType"), cut(ports) or UNSET, cut(addresses) or UNSET, age(item, now)]


def _event(item: Object, now: datetime) -> list[Any]:
    about = item.get("involvedObject") or item.get("regarding") or {}
    first = since(item.get("firstTimestamp") or item.get("deprecatedFirstTimestamp") or item.get("eventTime"), now)
    last_at = item.get("lastTimestamp") or item.get("deprecatedLastTimestamp")
    last = since(last_at, now) if last_at else first
    count = number(item.get("count") or item.get("deprecatedCount")) or 1
    if series := item.get("series"):
        last, count = since(series.get("lastObservedTime"), now), number(series.get("count"))
    kind = str(about.get("kind") or "").lower()
    target = f"{kind}/{about['name']}" if about.get("name") else kind
    message = str(item.get("message") or item.get("note") or "").strip()
    head = [last, item.get("type") or "", item.get("reason") or "", target, about.get("fieldPath") or ""]
    return [*head, _event_source(item), message, first, count, name_of(item)]


def _event_source(item: Object) -> str:
    source = item.get("source") or item.get("deprecatedSource") or {}
    component = source.get("component") or item.get("reportingComponent") or item.get("reportingController") or ""
    host = source.get("host") or item.get("reportingInstance") or ""
    return f"{component}, {host}" if host else component


def _volume_words(item: Object) -> list[str]:
    spec = spec_of(item)
    annotation = (item["metadata"].get("annotations") or {}).get("volume.beta.kubernetes.io/storage-class")
    return [annotation or spec.get("storageClassName") or "", spec.get("volumeAttributesClassName") or UNSET]


def _modes(values: Any) -> str:
    return ",".join(short for mode, short in MODES.items() if mode in (values or ()))


def _phase(item: Object) -> str:
    return "Terminating" if item["metadata"].get("deletionTimestamp") else str(status_of(item).get("phase") or "")


def _volume(item: Object, now: datetime) -> list[Any]:
    spec = spec_of(item)
    claim = spec.get("claimRef")
    owner = f"{claim.get('namespace') or ''}/{claim.get('name')}" if claim else ""
    size = str((spec.get("capacity") or {}).get("storage", "0"))
    head = [name_of(item), size, _modes(spec.get("accessModes")), spec.get("persistentVolumeReclaimPolicy") or ""]
    tail = [status_of(item).get("reason") or "", age(item, now), spec.get("volumeMode") or UNSET]
    return [*head, _phase(item), owner, *_volume_words(item), *tail]


def _claim(item: Object, now: datetime) -> list[Any]:
    spec, status = spec_of(item), status_of(item)
    bound = spec.get("volumeName") or ""
    size = str((status.get("capacity") or {}).get("storage", "0")) if bound else ""
    modes = _modes(status.get("accessModes")) if bound else ""
    words = [*_volume_words(item), age(item, now), spec.get("volumeMode") or UNSET]
    return [name_of(item), _phase(item), bound, size, modes, *words]


def _config_map(item: Object, now: datetime) -> list[Any]:
    return [name_of(item), len(item.get("data") or ()) + len(item.get("binaryData") or ()), age(item, now)]


def _quota(item: Object, now: datetime) -> list[Any]:
    hard, used = status_of(item).get("hard") or {}, status_of(item).get("used") or {}
    texts = {name: f"{name}: {used.get(name, '0')}/{hard[name]}" for name in sorted(hard)}
    requests = ", ".join(t for n, t in texts.items() if not n.startswith("limits."))
    limits = ", ".join(t for n, t in texts.items() if n.startswith("limits."))
    return [name_of(item), requests, limits, age(item, now)]


def _policy(item: Object, now: datetime) -> list[Any]:
    return [name_of(item), selector_text(spec_of(item).get("podSelector")), age(item, now)]


_EVENT_COLUMNS = (
    Column("Last Seen"),
    Column("Type"),
    Column("Reason"),
    Column("Object"),
    Column("Subobject", priority=1),
    Column("Source", priority=1),
    Column("Message"),
    Column("First Seen", priority=1),
    Column("Count", priority=1),
    Column("Name", priority=1, format="name"),
)
_CLASSES = ("StorageClass", "VolumeAttributesClass")
PRINTERS = {
    "services": Printer(columns("Type", "Cluster-IP", "External-IP", "Port(s)", "Age", wide=("Selector",)), _service),
    "ingresses.networking.k8s.io": Printer(columns("Class", "Hosts", "Address", "Ports", "Age"), _ingress),
    "ingressclasses.networking.k8s.io": Printer(columns("Controller", "Parameters", "Age"), _ingress_class),
    "networkpolicies.networking.k8s.io": Printer(columns("Pod-Selector", "Age"), _policy),
    "endpoints": Printer(columns("Endpoints", "Age"), _endpoints),
    "endpointslices.discovery.k8s.io": Printer(columns("AddressType", "Ports", "Endpoints", "Age"), _slice),
    "events": Printer(_EVENT_COLUMNS, _event),
    "events.events.k8s.io": Printer(_EVENT_COLUMNS, _event),
    "persistentvolumes": Printer(
        columns(
            "Capacity",
            "Access Modes",
            "Reclaim Policy",
            "Status",
            "Claim",
            *_CLASSES,
            "Reason",
            "Age",
            wide=("VolumeMode",),
        ),
        _volume,
    ),
    "persistentvolumeclaims": Printer(
        columns("Status", "Volume", "Capacity", "Access Modes", *_CLASSES, "Age", wide=("VolumeMode",)), _claim
    ),
    "configmaps": Printer(columns("Data", "Age"), _config_map),
    "resourcequotas": Printer(columns("Request", "Limit", "Age"), _quota),
    "serviceaccounts": Printer((NAME, AGE), lambda o, now: [name_of(o), age(o, now)]),
}
