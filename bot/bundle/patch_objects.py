"""The parts of an overlay about Kubernetes objects: ``objects``, ``add``, ``remove``, ``events``, ``logs``."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from datetime import timedelta
from fnmatch import fnmatchcase
from typing import TYPE_CHECKING, Any

from bot.bundle.draft import Draft
from bot.bundle.lines import log_lines
from bot.bundle.merge import PatchError, clean, merge
from bot.bundle.times import FORMATS, Clock

if TYPE_CHECKING:
    from bot.bundle.api.resources import Resource

DAY = timedelta(days=1)
_WITHOUT_NAMESPACE, _WITH_NAMESPACE = 2, 3
_CRDS = ("cluster-resources/custom-resource-definitions.json",)
_LOGS = "cluster-resources/pods/logs"


class Kinds:
    """The kinds that may be named: those of Kubernetes and those that the bundle's CRDs define."""

    def __init__(self, draft: Draft) -> None:
        from bot.bundle.api.resources import BUILT_IN, METRIC_KINDS, custom  # noqa: PLC0415 - it needs the store, which needs us

        crds = [item for path in _CRDS for item in items_of(draft.peek(path))]
        self._by_kind: dict[str, Resource] = {}
        for resource in (*BUILT_IN, *METRIC_KINDS, *custom(crds)):
            self._by_kind.setdefault(resource.kind.lower(), resource)

    def get(self, kind: str) -> Resource:
        """The kind of that name, in any case.

        Raises:
            PatchError: there is none.
        """
        found = self._by_kind.get(kind.lower())
        if found is None:
            raise PatchError(f"there is no kind {kind!r}")
        return found

    def namespaced(self) -> Iterator[Resource]:
        """Every kind that lives in namespaces."""
        return (r for r in self._by_kind.values() if r.namespaced)


def items_of(value: Any) -> list[Any]:
    """The objects of a List, or of a bare list."""
    found = value.get("items") if isinstance(value, dict) else value
    return [item for item in found or () if isinstance(item, dict)]


class ObjectPatches:
    """Applies the object parts of an overlay to a draft."""

    def __init__(self, draft: Draft, clock: Clock) -> None:
        self._draft = draft
        self._clock = clock
        self._kinds = Kinds(draft)

    def patch(self, selector: str, change: Any) -> None:
        """``KIND/ns/name: patch``; the name may hold ``*``, and every match is changed."""
        if not isinstance(change, dict):
            raise PatchError("a patch is a map of fields; to take an object away, list it under remove:")
        change = self._clock.resolve(change)
        for path, at, item in self._find(selector):
            self._items(path)[at] = merge(item, change)

    def remove(self, selector: Any) -> None:
        """Take objects away."""
        found = self._find(str(selector))
        for path, at, _ in sorted(found, key=lambda f: -f[1]):
            del self._items(path)[at]

    def add(self, item: Any) -> None:
        """Put an object in; it is a day old unless it says otherwise."""
        if not isinstance(item, dict) or not item.get("kind") or not (item.get("metadata") or {}).get("name"):
            raise PatchError("an object needs kind and metadata.name")
        resource = self._kinds.get(str(item["kind"]))
        item = clean(self._clock.resolve(item))
        meta = item["metadata"]
        meta.setdefault("creationTimestamp", FORMATS["rfc3339"](self._clock.now - DAY))
        if resource.namespaced:
            meta.setdefault("namespace", "default")
        items = self._items(self._path(resource, meta.get("namespace")))
        if any((other.get("metadata") or {}).get("name") == meta["name"] for other in items):
            raise PatchError(f"{item['kind']} {meta['name']} is there already; change it under objects:")
        items.append(item)
        if resource.kind == "Namespace":
            self._empty_lists(meta["name"])

    def event(self, event: Any) -> None:
        """Put an Event in, written short: ``{about: Pod/shop/web-1, reason: …, message: …, last: -2min, count: 5}``."""
        known = {"about", "type", "reason", "message", "first", "last", "count", "from", "field", "host"}
        if not isinstance(event, dict) or not {"about", "reason"} <= set(event) or set(event) - known:
            raise PatchError(f"an event has about and reason, and may have {', '.join(sorted(known))}")
        kind, namespace, name = self._parse(str(event["about"]))
        resource = self._kinds.get(kind)
        last = FORMATS["rfc3339"](self._clock.at(str(event.get("last", "@-1min"))))
        first = FORMATS["rfc3339"](self._clock.at(str(event["first"]))) if "first" in event else last
        about = {"kind": resource.kind, "name": name, "apiVersion": _api_version(resource)}
        if namespace:
            about["namespace"] = namespace
        if "field" in event:
            about["fieldPath"] = str(event["field"])
        about |= self._uid(resource, namespace, name)
        told = f"{event['about']}{event['reason']}{event.get('message')}{last}"
        self.add(
            {
                "kind": "Event",
                "metadata": {
                    "name": f"{name}.{hashlib.sha256(told.encode()).hexdigest()[:16]}",
                    "namespace": namespace or "default",
                    "creationTimestamp": first,
                },
                "involvedObject": about,
                "type": str(event.get("type", "Warning")),
                "reason": str(event["reason"]),
                "message": str(self._clock.resolve(event.get("message", ""))),
                "source": {"component": str(event.get("from", "kubelet"))} | _host(event),
                "firstTimestamp": first,
                "lastTimestamp": last,
                "count": int(event.get("count", 1)),
            }
        )

    def log(self, where: str, value: Any, *, previous: bool) -> None:
        """``ns/pod/container: text``; null makes it not recorded."""
        parts = where.split("/")
        if len(parts) != _WITH_NAMESPACE:
            raise PatchError("a log is named ns/pod/container")
        path = f"{_LOGS}/{where}{'-previous' if previous else ''}.log"
        if value is None:
            self._draft.forget([path])
            return
        add = isinstance(value, dict) and set(value) == {"append"}
        text = log_lines(value["append"] if add else value, self._clock)
        self._draft.write(path, (self._draft.text(path) if add else "") + text)

    def _uid(self, resource: Resource, namespace: str | None, name: str) -> dict[str, str]:
        for path in self._paths(resource, namespace or ""):
            for item in items_of(self._draft.peek(path)):
                meta = item.get("metadata") or {}
                if meta.get("name") == name and meta.get("uid"):
                    return {"uid": str(meta["uid"])}
        return {}

    def _parse(self, selector: str) -> tuple[str, str | None, str]:
        parts = selector.split("/")
        if len(parts) not in (_WITHOUT_NAMESPACE, _WITH_NAMESPACE):
            raise PatchError("an object is named KIND/ns/name, or KIND/name where the kind has no namespace")
        resource = self._kinds.get(parts[0])
        if resource.namespaced != (len(parts) == _WITH_NAMESPACE):
            wanted = "KIND/ns/name" if resource.namespaced else "KIND/name"
            raise PatchError(f"a {resource.kind} is named {wanted}")
        return parts[0], parts[1] if resource.namespaced else None, parts[-1]

    def _find(self, selector: str) -> list[tuple[str, int, dict[str, Any]]]:
        kind, namespace, name = self._parse(selector)
        resource = self._kinds.get(kind)
        found, there = [], []
        for path in self._paths(resource, namespace or ""):
            for at, item in enumerate(self._raw(path)):
                own = str((item.get("metadata") or {}).get("name")) if isinstance(item, dict) else ""
                there.append(own)
                if own and fnmatchcase(own, name):
                    found.append((path, at, item))
        if not found:
            raise PatchError(f"no such {resource.kind}; there are: {', '.join(sorted(there)[:12]) or 'none'}")
        return found

    def _raw(self, path: str) -> list[Any]:
        value = self._draft.peek(path)
        return (value.get("items") if isinstance(value, dict) else value) or []

    def _paths(self, resource: Resource, namespace: str) -> list[str]:
        if not resource.namespaced:
            return [f"{file}.json" for file in resource.files if self._draft.has(f"{file}.json")]
        return [
            path
            for file in resource.files
            for path in self._draft.names(f"{file}/")
            if path.endswith(".json") and fnmatchcase(path[len(file) + 1 : -len(".json")], namespace)
        ]

    def _path(self, resource: Resource, namespace: str | None) -> str:
        there = self._paths(resource, namespace or "")
        if there:
            return there[0]
        return f"{resource.files[0]}/{namespace}.json" if resource.namespaced else f"{resource.files[0]}.json"

    def _items(self, path: str) -> list[Any]:
        if isinstance(self._draft.peek(path), list):
            return self._draft.json(path, [])  # type: ignore[no-any-return]
        value = self._draft.json(path, {"kind": "List", "apiVersion": "v1", "items": []})
        if value.get("items") is None:
            value["items"] = []
        return value["items"]  # type: ignore[no-any-return]

    def _empty_lists(self, namespace: str) -> None:
        """A new namespace is empty, not unrecorded: for every kind that was recorded in other namespaces."""
        for resource in self._kinds.namespaced():
            used = next((f for f in resource.files if self._draft.names(f"{f}/")), None)
            if used and not self._draft.has(f"{used}/{namespace}.json"):
                self._draft.json(f"{used}/{namespace}.json", {"kind": "List", "apiVersion": "v1", "items": []})


def _api_version(resource: Resource) -> str:
    version = resource.versions[0].name
    return f"{resource.group}/{version}" if resource.group else version


def _host(event: dict[str, Any]) -> dict[str, str]:
    return {"host": str(event["host"])} if "host" in event else {}
