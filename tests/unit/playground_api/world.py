"""A small recorded cluster, written in the test that needs it."""

from __future__ import annotations

import json
from typing import Any

from bot.bundle.api import RecordedKube, User
from bot.bundle.api.request import READER
from bot.bundle.recording import Bundle

NOW = "2026-11-21T04:58:50Z"
Object = dict[str, Any]


def named(name: str, namespace: str = "", **rest: Any) -> Object:
    """An object of that name; labels and creationTimestamp go into its metadata."""
    meta: Object = {"name": name} | ({"namespace": namespace} if namespace else {})
    for key in ("labels", "creationTimestamp", "deletionTimestamp", "resourceVersion", "annotations"):
        if key in rest:
            meta[key] = rest.pop(key)
    return {"metadata": meta, **rest}


def world(files: dict[str, Any] | None = None, **lists: Any) -> Bundle:
    """A bundle of Lists (``pods__shop=[...]`` is cluster-resources/pods/shop.json) and of other files."""
    content: dict[str, bytes] = {"kubewhy/recorded-at": f"{NOW}\n".encode()}
    for key, items in lists.items():
        path = key.replace("__", "/").replace("_", "-")
        content[f"cluster-resources/{path}.json"] = json.dumps(
            {"kind": "List", "apiVersion": "v1", "items": items}
        ).encode()
    for path, value in (files or {}).items():
        content[path] = value.encode() if isinstance(value, str) else json.dumps(value).encode()
    return Bundle("a test's cluster", content)


def kube(files: dict[str, Any] | None = None, user: User = READER, **lists: Any) -> RecordedKube:
    """The API of such a bundle."""
    return RecordedKube(world(files, **lists), user)


def names(response: Any) -> list[str]:
    """The names in a list answer."""
    return [o["metadata"]["name"] for o in json.loads(response.body)["items"]]


def apiservice(group: str, version: str, *, available: bool) -> Object:
    """An aggregated APIService."""
    condition = {"type": "Available", "status": str(available), "reason": "Passed" if available else "MissingEndpoints"}
    spec = {"group": group, "version": version, "service": {"name": "ms", "namespace": "kube-system"}}
    return named(f"{version}.{group}", spec=spec, status={"conditions": [condition]})
