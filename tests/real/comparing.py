"""Load a recorded cluster into a real API server, record that server again, and put the same question to both."""

from __future__ import annotations

import json
import re
import ssl
import urllib.error
import urllib.request
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from email.utils import parsedate_to_datetime
from typing import Any
from urllib.parse import quote, urlencode

import yaml

from bot.bundle.api.objects import Objects
from bot.bundle.api.request import NotRecorded
from bot.bundle.api.resources import BUILT_IN, Resource
from bot.bundle.recording import Bundle

JSON = "application/json"
SERVER_SIDE = ("uid", "resourceVersion", "managedFields", "creationTimestamp", "generation", "selfLink")
# The API server keeps these itself, or makes them from others.
LEAVE = ("ipaddresses", "servicecidrs", "apiservices")
UNREAD = ("secrets", "componentstatuses")
HEALTH = ("/readyz", "/livez", "/healthz")
FIRST = ("namespaces", "nodes", "priorityclasses", "storageclasses", "customresourcedefinitions")


@dataclass(frozen=True, slots=True, kw_only=True)
class Answer:
    """An HTTP answer."""

    status: int
    headers: Mapping[str, str]
    body: bytes

    @property
    def json(self) -> Any:
        """The body, decoded."""
        return json.loads(self.body)


@dataclass(slots=True, kw_only=True)
class Client:
    """A bare HTTP client; it trusts any certificate, because only answers are compared."""

    url: str
    token: str
    context: ssl.SSLContext = field(default_factory=ssl._create_unverified_context)

    def ask(
        self,
        path: str,
        query: Mapping[str, str] | None = None,
        *,
        accept: str = JSON,
        method: str = "GET",
        body: Any = None,
    ) -> Answer:
        """Send one request and return the answer of any status."""
        url = f"{self.url}{quote(path)}" + (f"?{urlencode(query)}" if query else "")
        headers = {"Accept": accept, "Content-Type": JSON}
        if self.token:
            headers["Authorization"] = f"Bearer {self.token}"
        data = None if body is None else json.dumps(body).encode()
        request = urllib.request.Request(url, data=data, headers=headers, method=method)
        try:
            with urllib.request.urlopen(request, context=self.context, timeout=20) as answer:
                return _answer(answer.status, answer.headers, answer.read())
        except urllib.error.HTTPError as error:
            with error:
                return _answer(error.code, error.headers, error.read())


def _answer(status: int, headers: Any, body: bytes) -> Answer:
    return Answer(status=status, headers={k.lower(): v for k, v in headers.items()}, body=body)


def path_of(kind: Resource, namespace: str = "", name: str = "") -> str:
    """The path of a kind, or of one object."""
    version = kind.served(36)[0]
    root = f"/apis/{kind.group}/{version}" if kind.group else "/api/v1"
    scope = f"/namespaces/{namespace}" if namespace else ""
    return f"{root}{scope}/{kind.plural}" + (f"/{name}" if name else "")


def kinds() -> Iterator[Resource]:
    """What a 1.36 server serves, the kinds that others need first; one entry a stored kind."""
    seen: set[tuple[str, ...]] = set()
    for kind in sorted(BUILT_IN, key=lambda k: k.plural not in FIRST):
        listed = kind.served(36) and "list" in kind.verbs and kind.plural not in UNREAD
        if listed and kind.files not in seen and kind.group not in ("events.k8s.io", "extensions"):
            seen.add(kind.files)
            yield kind


def load(bundle: Bundle, real: Client) -> dict[str, int]:
    """Write the bundle's objects into a real API server; return how many of each kind it took."""
    objects = Objects(bundle)
    taken: dict[str, int] = {}
    for kind in kinds():
        if kind.plural in LEAVE:
            continue
        try:
            items = objects.select(kind)
        except NotRecorded:
            continue
        for item in items:
            taken[kind.title] = taken.get(kind.title, 0) + write(real, kind, item)
    return taken


def write(real: Client, kind: Resource, item: Mapping[str, Any]) -> bool:
    """Create one object, and its status; return whether the server took both."""
    meta = {k: v for k, v in item["metadata"].items() if k not in SERVER_SIDE and not k.startswith("deletion")}
    body = {**item, "apiVersion": path_of(kind).split("/", 2)[2].rsplit("/", 1)[0], "kind": kind.kind, "metadata": meta}
    namespace, name = meta.get("namespace", "") if kind.namespaced else "", meta["name"]
    made = real.ask(path_of(kind, namespace), method="POST", body=body)
    if made.status != 201 or "status" not in item or "status" not in kind.subresources:
        return made.status == 201
    fresh = made.json | {"status": item["status"]}
    answer = real.ask(f"{path_of(kind, namespace, name)}/status", method="PUT", body=fresh)
    return answer.status == 200


def record(real: Client) -> Bundle:
    """Record a real API server: every kind, the version and the clock."""
    version = real.ask("/version")
    now = parsedate_to_datetime(version.headers["date"])
    files: dict[str, bytes] = {
        "cluster-info/cluster_version.json": json.dumps({"info": version.json}).encode(),
        "kubewhy/recorded-at": f"{now:%Y-%m-%dT%H:%M:%SZ}\n".encode(),
    }
    namespaces = [o["metadata"]["name"] for o in real.ask("/api/v1/namespaces").json["items"]]
    for kind in kinds():
        scopes = namespaces if kind.namespaced else [""]
        for namespace in scopes:
            answer = real.ask(path_of(kind, namespace))
            assert answer.status == 200, (kind, answer.body)
            suffix = f"/{namespace}.json" if namespace else ".json"
            files[f"{kind.files[0]}{suffix}"] = answer.body
    for namespace in namespaces:
        answer = real.ask(f"/apis/example.com/v1/namespaces/{namespace}/widgets")
        if answer.status == 200:
            files[f"cluster-resources/custom-resources/widgets.example.com/{namespace}.json"] = answer.body
    files["kubewhy/api.json"] = json.dumps([_recorded(real, path) for path in HEALTH]).encode()
    return Bundle("recorded from a real API server", files)


def _recorded(real: Client, path: str) -> dict[str, Any]:
    answer = real.ask(path, {"verbose": ""})
    kind = answer.headers["content-type"]
    return {"path": f"{path}?verbose", "status": answer.status, "content_type": kind, "body": answer.body.decode()}


_VOLATILE = {"uid", "resourceVersion", "managedFields", "continue", "storageVersionHash", "renewTime", "serverAddress"}
_EITHER = re.compile(r"system:(discovery|public-info-viewer)")  # both allow it, and a real server names any
_UNORDERED = {"resourceRules", "nonResourceRules"}
_AGE = re.compile(r"\b(?:\d+[ydhms]){1,2}(?= ago\)|$)|<invalid>$")


def normal(value: Any) -> Any:
    """A JSON value without what differs between two moments: ids, versions, tokens, ages in table cells."""
    if isinstance(value, dict):
        kept = {k: normal(v) for k, v in value.items() if k not in _VOLATILE}
        for key in _UNORDERED & kept.keys():
            kept[key] = sorted(kept[key], key=json.dumps)
        if isinstance(kept.get("reason"), str):
            kept["reason"] = _EITHER.sub("system:EITHER", kept["reason"])
        if "cells" in kept:
            kept["cells"] = [_AGE.sub("AGE", c) if isinstance(c, str) else c for c in kept["cells"]]
        if "columnDefinitions" in kept:
            for column in kept["columnDefinitions"]:
                column.pop("description", None)
        return kept
    if isinstance(value, list):
        return [normal(v) for v in value]
    return value


def shown(answer: Answer) -> dict[str, Any]:
    """What is compared of an answer."""
    kind = answer.headers.get("content-type", "")
    body: Any = answer.body.decode(errors="replace")
    if kind.startswith(JSON) and answer.body:
        body = normal(answer.json)
    elif kind.endswith("/yaml"):
        body = normal(yaml.safe_load(answer.body))
    names = ("warning", "x-content-type-options", "cache-control", "retry-after", "www-authenticate")
    return {"status": answer.status, "type": kind, "headers": {n: answer.headers.get(n) for n in names}, "body": body}
