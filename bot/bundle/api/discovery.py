"""What a client asks before it asks anything: /version, /api, /apis, in the old form and aggregated.

Shapes: k8s.io/apiserver ``pkg/endpoints/discovery``; ``apidiscovery.k8s.io/v2``. A group version whose APIService is
not Available is Stale and has no resources, as the aggregator shows it.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from bot.bundle.api.accept import Media
from bot.bundle.api.cluster import Cluster
from bot.bundle.api.objects import Denied
from bot.bundle.api.request import NotRecorded, Request, reply, unknown_path
from bot.bundle.api.resources import BUILT_IN, SUBRESOURCES, Resource
from bot.source import Response

ENDPOINTS = next(r for r in BUILT_IN if r.plural == "endpoints")
FOREIGN = {"eviction": "policy/v1", "scale": "autoscaling/v1", "token": "authentication.k8s.io/v1"}
AGGREGATED = "apidiscovery.k8s.io"


def version(cluster: Cluster) -> Response:
    """``GET /version``.

    Raises:
        NotRecorded: the bundle does not know it.
    """
    if cluster.version is None:
        raise NotRecorded("the API server's version")
    return reply(cluster.version)


def root(cluster: Cluster, request: Request, media: Media) -> Response:
    """``GET /api`` or ``/apis``."""
    core = request.path == "/api"
    if media.kind == "APIGroupDiscoveryList":
        return _aggregated(cluster, media, core=core)
    if core:
        return reply({"kind": "APIVersions", "versions": ["v1"], "serverAddressByClientCIDRs": _addresses(cluster)})
    groups = [_group(name, versions) for name, versions in cluster.groups.items() if name]
    return reply({"kind": "APIGroupList", "apiVersion": "v1", "groups": groups})


def _addresses(cluster: Cluster) -> list[dict[str, str]]:
    """Where clients find the API server: the endpoint of ``default/kubernetes``, when it is recorded."""
    try:
        found = cluster.objects.select(ENDPOINTS, "default")
    except (NotRecorded, Denied):
        return []
    own = [o for o in found if o["metadata"].get("name") == "kubernetes"]
    subsets = [s for o in own for s in o.get("subsets") or ()]
    places = [f"{a.get('ip')}:{p.get('port')}" for s in subsets for a in s.get("addresses") or () for p in s["ports"]]
    return [{"clientCIDR": "0.0.0.0/0", "serverAddress": place} for place in places[:1]]


def group(cluster: Cluster, name: str) -> Response:
    """``GET /apis/GROUP``.

    Raises:
        Refused: 404.
    """
    versions = cluster.groups.get(name)
    if not versions:
        raise unknown_path()
    return reply({"kind": "APIGroup", "apiVersion": "v1"} | _group(name, versions))


def _group(name: str, versions: Iterable[str]) -> dict[str, Any]:
    served = [{"groupVersion": f"{name}/{v}", "version": v} for v in versions]
    return {"name": name, "versions": served, "preferredVersion": served[0]}


def resources(cluster: Cluster, group_name: str, version_name: str) -> Response:
    """``GET /api/v1`` or ``/apis/GROUP/VERSION``: the APIResourceList.

    Raises:
        Refused: 404, no such group version.
    """
    if version_name not in cluster.groups.get(group_name, ()):
        raise unknown_path()
    head: dict[str, Any] = {"kind": "APIResourceList"} | ({"apiVersion": "v1"} if group_name else {})
    full = f"{group_name}/{version_name}" if group_name else version_name
    found = [entry for kind in _of(cluster, group_name, version_name) for entry in _legacy(kind)]
    return reply(head | {"groupVersion": full, "resources": found})


def _of(cluster: Cluster, group_name: str, version_name: str) -> list[Resource]:
    return [k for k in cluster.kinds if k.group == group_name and version_name in cluster.versions(k)]


def _legacy(kind: Resource) -> list[dict[str, Any]]:
    entry: dict[str, Any] = {
        "name": kind.plural,
        "singularName": kind.singular,
        "namespaced": kind.namespaced,
        "kind": kind.kind,
        "verbs": list(kind.verbs),
    }
    entry |= {"shortNames": list(kind.short)} if kind.short else {}
    entry |= {"categories": list(kind.categories)} if kind.categories else {}
    parts = [
        {"name": f"{kind.plural}/{name}", "singularName": "", "namespaced": kind.namespaced}
        | _foreign(name)
        | {"kind": _kind_of(kind, name), "verbs": list(verbs)}
        for name, verbs in kind.subresources.items()
    ]
    return [entry, *parts]


def _foreign(subresource: str) -> dict[str, str]:
    """Group and version of what a subresource answers with, when they are not its parent's."""
    group_name, _, version_name = FOREIGN.get(subresource, "").partition("/")
    return {"group": group_name, "version": version_name} if group_name else {}


def _kind_of(kind: Resource, subresource: str) -> str:
    if subresource == "proxy" and kind.plural != "pods":
        return f"{kind.kind}ProxyOptions"
    if subresource == "proxy":
        return "PodProxyOptions"
    return SUBRESOURCES[subresource][0] or kind.kind


def _aggregated(cluster: Cluster, media: Media, *, core: bool) -> Response:
    wanted = {n: v for n, v in cluster.groups.items() if (not n) == core}
    items = [
        {"metadata": {"name": n} if n else {}, "versions": [_version(cluster, n, v) for v in versions]}
        for n, versions in wanted.items()
    ]
    body = {"kind": media.kind, "apiVersion": f"{AGGREGATED}/{media.version}", "metadata": {}, "items": items}
    kind = f"application/json;g={AGGREGATED};v={media.version};as={media.kind}"
    return reply(body, headers={"content-type": kind, "cache-control": "public", "vary": "Accept"})


def _version(cluster: Cluster, group_name: str, version_name: str) -> dict[str, Any]:
    if cluster.stale(group_name, version_name):
        return {"version": version_name, "freshness": "Stale"}
    found = [_resource(k, version_name) for k in _of(cluster, group_name, version_name)]
    return {"version": version_name, "resources": found, "freshness": "Current"}


def _resource(kind: Resource, version_name: str) -> dict[str, Any]:
    own = {"group": kind.group, "version": version_name} if kind.custom else {"group": "", "version": ""}
    entry: dict[str, Any] = {
        "resource": kind.plural,
        "responseKind": own | {"kind": kind.kind},
        "scope": "Namespaced" if kind.namespaced else "Cluster",
        "singularResource": kind.singular,
        "verbs": list(kind.verbs),
    }
    entry |= {"shortNames": list(kind.short)} if kind.short else {}
    entry |= {"categories": list(kind.categories)} if kind.categories else {}
    parts = [
        {
            "subresource": name,
            "responseKind": {"group": "", "version": ""} | _foreign(name) | {"kind": _kind_of(kind, name)},
            "verbs": list(verbs),
        }
        for name, verbs in kind.subresources.items()
    ]
    return entry | ({"subresources": parts} if parts else {})
