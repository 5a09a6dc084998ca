"""The objects of a recorded cluster: read once, completed where a recording leaves things out, found by namespace.

A file that is missing is *not recorded*, which is not *empty*. A cluster-wide list needs the files of all namespaces
that are known to hold such objects, because a part of the truth would read as the whole.
"""

from __future__ import annotations

import threading
import uuid
from collections.abc import Iterable, Iterator, Mapping
from typing import Any

from bot.bundle.api.request import NotRecorded
from bot.bundle.api.resources import Resource
from bot.bundle.recording import Bundle
from bot.errors import BundleError

Object = dict[str, Any]
NAMESPACE_FILES = ("cluster-resources/namespaces.json", "kubewhy/cluster-resources/namespaces.json")
# kind → files that show, when they hold objects in a namespace, that it has such objects too
SIGNS = {
    "pods": ("deployments", "replicasets", "statefulsets", "daemonsets", "jobs"),
    "services": ("endpoints", "endpointslices", "ingress"),
    "endpointslices": ("services",),
    "endpoints": ("services",),
}


class Denied(Exception):  # noqa: N818 - an answer, not an error of ours
    """The recorder was not allowed to read a kind; the text is what the cluster said."""


class Objects:
    """Reads kinds lazily and keeps them; safe from several threads."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self._lock = threading.RLock()
        self._kinds: dict[tuple[str, ...], dict[str | None, tuple[Object, ...]]] = {}
        self._all: dict[tuple[str, ...], tuple[Object, ...]] = {}

    def recorded(self, resource: Resource) -> bool:
        """Whether the bundle holds anything of that kind."""
        return bool(self._load(resource))

    def select(self, resource: Resource, namespace: str | None = None) -> tuple[Object, ...]:
        """Return the objects of a kind, of one namespace or of all, in the order of an API server.

        Raises:
            NotRecorded: the bundle does not hold them.
            Denied: the recorder was forbidden to read them.
        """
        groups = self._load(resource)
        if not resource.namespaced:
            if None not in groups:
                raise self._missing(resource, None)
            return groups[None]
        if namespace is None:
            return self._everywhere(resource, groups)
        if namespace in groups:
            return groups[namespace]
        if groups and namespace not in (self.namespaces() or {namespace}):
            return ()  # such a namespace does not exist, and a list of it is empty
        raise self._missing(resource, namespace)

    def namespaces(self) -> frozenset[str]:
        """The names of the recorded Namespace objects; empty when none were recorded."""
        found = (self._list(path) for path in NAMESPACE_FILES)
        return frozenset(_name(o) for items in found for o in items or ())

    def _everywhere(self, resource: Resource, groups: Mapping[str | None, tuple[Object, ...]]) -> tuple[Object, ...]:
        if resource.files in self._all:
            return self._all[resource.files]
        if not groups:
            raise self._missing(resource, None)
        for namespace in sorted(self.namespaces() - set(groups)):
            if self._signs(resource, namespace):
                raise self._missing(resource, namespace)
        found = tuple(sorted((o for items in groups.values() for o in items), key=order))
        with self._lock:
            self._all[resource.files] = found
        return found

    def _signs(self, resource: Resource, namespace: str) -> bool:
        if resource.plural == "pods" and self.bundle.names(f"cluster-resources/pods/logs/{namespace}/"):
            return True
        files = SIGNS.get(resource.plural, ()) if not resource.group or resource.plural in SIGNS else ()
        return any(self._list(f"cluster-resources/{file}/{namespace}.json") for file in files)

    def _missing(self, resource: Resource, namespace: str | None) -> Exception:
        told = [text for file in resource.files for text in self._errors(f"{file}-errors.json", namespace)]
        if told:
            return Denied(told[0])
        return NotRecorded(f"{resource.title} of namespace {namespace}" if namespace else resource.title)

    def _errors(self, path: str, namespace: str | None) -> list[str]:
        """Why a kind could not be read: a list of strings, or (support bundles) a mapping of namespace to text."""
        value = self.bundle.json(path)
        if isinstance(value, Mapping):
            value = [text for key, text in value.items() if namespace in (None, key)]
        return [str(text) for text in value] if isinstance(value, list) else []

    def _load(self, resource: Resource) -> dict[str | None, tuple[Object, ...]]:
        with self._lock:
            if resource.files not in self._kinds:
                self._kinds[resource.files] = dict(self._read(resource))
            return self._kinds[resource.files]

    def _read(self, resource: Resource) -> Iterator[tuple[str | None, tuple[Object, ...]]]:
        seen: set[str | None] = set()
        for file in resource.files:
            for namespace, path in self._paths(resource, file):
                items = None if namespace in seen else self._list(path)
                if items is None:
                    continue
                seen.add(namespace)
                complete = (_complete(o, resource, namespace) for o in items)
                yield namespace, tuple(sorted(complete, key=order))

    def _paths(self, resource: Resource, file: str) -> list[tuple[str | None, str]]:
        if not resource.namespaced:
            return [(None, f"{file}.json")]
        names = self.bundle.names(f"{file}/")
        short = [(n.removeprefix(f"{file}/").removesuffix(".json"), n) for n in names if n.endswith(".json")]
        return [(namespace, name) for namespace, name in short if "/" not in namespace]

    def _list(self, path: str) -> list[Object] | None:
        """The objects of a List file (or of a bare JSON list); None when there is no such file."""
        value = self.bundle.json(path)
        if value is None:
            return None
        items = value.get("items", []) if isinstance(value, Mapping) else value
        if items is None:
            return []
        if not isinstance(items, list) or not all(_is_object(o) for o in items):
            raise BundleError(f"{self.bundle.name}: {path} is no List of Kubernetes objects")
        return items


def _is_object(value: Any) -> bool:
    return isinstance(value, dict) and isinstance(value.get("metadata") or {}, dict)


def order(item: Mapping[str, Any]) -> str:
    """The key under which an API server stores, and so sorts, an object."""
    meta = item.get("metadata") or {}
    namespace, name = meta.get("namespace"), meta.get("name") or ""
    return f"{namespace}/{name}" if namespace else name


def _name(item: Mapping[str, Any]) -> str:
    return str((item.get("metadata") or {}).get("name") or "")


def _complete(item: Object, resource: Resource, namespace: str | None) -> Object:
    """A copy with the metadata that an API server always gives; recorded values are kept."""
    meta = dict(item.get("metadata") or {})
    if namespace is not None:
        meta["namespace"] = namespace
    if not meta.get("uid"):
        meta["uid"] = str(uuid.uuid5(uuid.NAMESPACE_URL, f"{resource.title}/{order({'metadata': meta})}"))
    if not meta.get("resourceVersion"):
        meta["resourceVersion"] = "1"
    return {**item, "metadata": meta}


def version_of(items: Iterable[Mapping[str, Any]]) -> str:
    """The resourceVersion of a list: the newest among its objects."""
    versions = (str((o.get("metadata") or {}).get("resourceVersion") or "") for o in items)
    return str(max((int(v) for v in versions if v.isdecimal()), default=1))
