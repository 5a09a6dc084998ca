"""One recorded cluster as its API sees it: version, kinds served, objects, recorded answers, clock."""

from __future__ import annotations

import re
from collections.abc import Mapping
from datetime import datetime
from functools import cached_property
from typing import Any
from urllib.parse import parse_qsl

from bot.bundle.api.objects import Denied, Objects
from bot.bundle.api.request import NotRecorded, encode
from bot.bundle.api.resources import BUILT_IN, LATEST, METRIC_KINDS, METRICS, Resource, custom
from bot.bundle.recording import Bundle
from bot.source import Response

# parameters that do not change what an answer holds
_HARMLESS = frozenset({"limit", "resourceVersion", "resourceVersionMatch", "timeout", "timeoutSeconds", "pretty"})
_DEFINITIONS = next(r for r in BUILT_IN if r.plural == "customresourcedefinitions")
_APISERVICES = next(r for r in BUILT_IN if r.plural == "apiservices")
OK, FAILED = 200, 400
OLDEST = 16  # apps/v1 and its like are everywhere from here on


class Cluster:
    """Everything the API answers from; built once a bundle, safe from several threads."""

    def __init__(self, bundle: Bundle) -> None:
        self.bundle = bundle
        self.objects = Objects(bundle)

    @cached_property
    def now(self) -> datetime:
        """The clock: it stands still at the moment of the recording, as the recorded nodes' does."""
        return self.bundle.recorded_at

    @cached_property
    def version(self) -> Mapping[str, Any] | None:
        """``GET /version``, or None when it was not recorded."""
        value = self.bundle.json("cluster-info/cluster_version.json")
        info = value.get("info", value) if isinstance(value, Mapping) else None
        return info if isinstance(info, Mapping) else None

    @cached_property
    def minor(self) -> int:
        """The minor release; the latest when unknown."""
        match = re.match(r"v?\d+\.(\d+)", str((self.version or {}).get("gitVersion", "")))
        return int(match.group(1)) if match else LATEST - 1

    @cached_property
    def apiservices(self) -> tuple[Mapping[str, Any], ...] | None:
        """The recorded APIService objects, or None."""
        return self._optional(_APISERVICES)

    @cached_property
    def kinds(self) -> tuple[Resource, ...]:
        """Every kind that the cluster serves: built in, by definition, and the metrics that a bundle may hold."""
        definitions = self._optional(_DEFINITIONS) or ()
        known = {(r.group, r.plural) for r in BUILT_IN}
        added = [r for r in custom(definitions) if (r.group, r.plural) not in known]
        return BUILT_IN + tuple(added) + (METRIC_KINDS if self.aggregates(METRICS) else ())

    def aggregates(self, group: str) -> bool:
        """Whether the group is served by an aggregated API, or may be."""
        if self.apiservices is None:
            return group == METRICS and any(self.objects.recorded(r) for r in METRIC_KINDS)
        return any(_spec(a).get("group") == group and _spec(a).get("service") for a in self.apiservices)

    def resource(self, group: str, version: str, plural: str) -> Resource | None:
        """The kind served under that path, or None."""
        for kind in self.kinds:
            if (kind.group, kind.plural) == (group, plural) and version in self.versions(kind):
                return kind
        return None

    def versions(self, kind: Resource) -> tuple[str, ...]:
        """The versions of a kind that this cluster serves, newest first.

        Before 1.16 they are today's, because such clusters are recorded so.
        """
        served = kind.served(self.minor if self.minor >= OLDEST else LATEST - 1)
        if kind.group == METRICS and self.apiservices is not None:
            given = {_spec(a).get("version") for a in self.apiservices if _spec(a).get("group") == METRICS}
            return tuple(v for v in served if v in given)
        return served

    @cached_property
    def groups(self) -> Mapping[str, list[str]]:
        """Group → its versions, newest first, in the order of discovery."""
        found: dict[str, list[str]] = {"": ["v1"]}
        for kind in self.kinds:
            for version in self.versions(kind):
                if version not in found.setdefault(kind.group, []):
                    found[kind.group].append(version)
        for service in self.apiservices or ():
            spec = _spec(service)
            group, version = str(spec.get("group") or ""), str(spec.get("version") or "")
            if spec.get("service") and version not in found.setdefault(group, []):
                found[group].append(version)
        served = {group: versions for group, versions in found.items() if versions}
        return dict(sorted(served.items(), key=lambda entry: self._priority(entry[0])))

    def _priority(self, group: str) -> tuple[int, str]:
        """Where a group stands in discovery: by ``groupPriorityMinimum``, then by name; else as in our table."""
        if group in ("", "apiregistration.k8s.io"):  # has no APIService, and is always first
            return (-LATEST * LATEST, group)
        own = [
            _spec(a).get("groupPriorityMinimum") or 0 for a in self.apiservices or () if _spec(a).get("group") == group
        ]
        return (-max(own), group) if own else (0, "")

    def backend(self, group: str, version: str) -> Mapping[str, Any] | None:
        """The APIService of an aggregated group version, or None when the API server serves it itself."""
        for service in self.apiservices or ():
            spec = _spec(service)
            if spec.get("service") and (spec.get("group"), spec.get("version")) == (group, version):
                return service
        return None

    def stale(self, group: str, version: str) -> bool:
        """Whether the group version is aggregated and its backend does not answer."""
        service = self.backend(group, version)
        return service is not None and not available(service)

    def recorded_answer(self, path: str, query: Mapping[str, str]) -> Response | None:
        """The answer that ``api.json`` holds for a GET, or None.

        A success answers the parameters it was recorded with. A failure also answers requests with more of them: a
        kubelet that cannot be reached has no log, whatever number of lines is asked for.
        """
        bare = {k: v for k, v in query.items() if k not in _HARMLESS}
        close: Mapping[str, Any] | None = None
        for entry in self._entries:
            name, _, parameters = str(entry.get("path", "")).partition("?")
            if name != path:
                continue
            had = dict(parse_qsl(parameters, keep_blank_values=True))
            if had in (dict(query), bare):
                return _answer(entry)
            if int(entry.get("status", OK)) >= FAILED and had.items() <= query.items():
                close = close or entry
        return _answer(close) if close else None

    @cached_property
    def _entries(self) -> tuple[Mapping[str, Any], ...]:
        value = self.bundle.json("kubewhy/api.json")
        return tuple(e for e in value if isinstance(e, Mapping)) if isinstance(value, list) else ()

    def _optional(self, kind: Resource) -> tuple[Mapping[str, Any], ...] | None:
        try:
            return self.objects.select(kind)
        except (NotRecorded, Denied):
            return None


def _spec(item: Mapping[str, Any]) -> Mapping[str, Any]:
    return item.get("spec") or {}


def available(service: Mapping[str, Any]) -> bool:
    """Whether an APIService says Available; without a status it has not been judged and passes."""
    conditions = (service.get("status") or {}).get("conditions") or ()
    return all(c.get("status") == "True" for c in conditions if c.get("type") == "Available")


def _answer(entry: Mapping[str, Any]) -> Response:
    body = entry.get("body", "")
    data = body.encode() if isinstance(body, str) else encode(body)
    headers = {str(k).lower(): str(v) for k, v in (entry.get("headers") or {}).items()}
    headers["content-type"] = str(entry.get("content_type") or "application/json")
    return Response(status=int(entry.get("status", OK)), body=data, headers=headers)
