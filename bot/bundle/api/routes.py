"""From a request to its answer: which handler a path means, in the order in which an API server looks.

Pure: no socket, no clock of its own. Recorded answers (``api.json``) come first, then what is derived from recorded
objects.
"""

from __future__ import annotations

from dataclasses import dataclass, replace

from bot.bundle.api import discovery, logs, raw, reviews, watch
from bot.bundle.api.accept import discovery as discovery_form
from bot.bundle.api.accept import negotiate
from bot.bundle.api.cluster import Cluster
from bot.bundle.api.lists import page
from bot.bundle.api.objects import Denied, version_of
from bot.bundle.api.rbac import Action, allowed, denied, forbidden
from bot.bundle.api.request import (
    NO_SNIFF,
    NotRecorded,
    Refused,
    Request,
    method_not_allowed,
    not_found,
    text,
    unknown_path,
    unknown_resource,
)
from bot.bundle.api.resources import METRICS, Resource
from bot.bundle.api.selectors import Test, exact_name, fields, labels
from bot.bundle.api.shapes import Shown, show
from bot.errors import BundleError
from bot.source import Response

SHAPES = (AttributeError, KeyError, TypeError, ValueError, RecursionError)
READS = ("GET", "HEAD")
VERBS = {"POST": "create", "PUT": "update", "PATCH": "patch", "DELETE": "delete"}
# kind, since which minor release, what the API server warns of
DEPRECATED = (
    ("endpoints", 33, "v1 Endpoints is deprecated in v1.33+; use discovery.k8s.io/v1 EndpointSlice"),
    ("componentstatuses", 19, "v1 ComponentStatus is deprecated in v1.19+"),
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What a path below ``/api/VERSION`` or ``/apis/GROUP/VERSION`` names."""

    group: str
    version: str
    plural: str = ""
    namespace: str = ""
    name: str = ""
    subresource: str = ""
    rest: str = ""


def respond(cluster: Cluster, request: Request) -> Response:
    """Answer a request; refusals of the API are answers.

    Raises:
        NotRecorded: the bundle does not say.
        BundleError: what the bundle says cannot be read.
    """
    try:
        return _route(cluster, request)
    except Refused as refused:
        return refused.response
    except SHAPES as error:  # recorded objects are somebody else's: a field may hold anything
        raise BundleError(f"{cluster.bundle.name}: {request.path}: an object is malformed ({error})") from error


def _route(cluster: Cluster, request: Request) -> Response:
    target = parse(request.path)
    action = _action(request, target)
    _authorize(cluster, request, action)
    if request.method in READS and not raw.is_health(request.path):
        recorded = cluster.recorded_answer(request.path, request.query)
        if recorded is not None:
            return recorded
    if target is not None:
        return _resource(cluster, request, target, action)
    return _path(cluster, request)


def parse(path: str) -> Target | None:
    """Take a resource path apart; None for every other path."""
    steps = [s for s in path.split("/") if s]
    if steps[:1] == ["api"] and len(steps) > 1:
        group, version, rest = "", steps[1], steps[2:]
    elif steps[:1] == ["apis"] and len(steps) > 2:  # noqa: PLR2004 - /apis/GROUP/VERSION
        group, version, rest = steps[1], steps[2], steps[3:]
    else:
        return None
    namespace = ""
    if rest[:1] == ["namespaces"] and len(rest) > 2 and rest[2] not in ("status", "finalize"):  # noqa: PLR2004
        namespace, rest = rest[1], rest[2:]
    plural, name, sub, *more = [*rest, "", "", ""][: max(3, len(rest))]
    return Target(
        group=group,
        version=version,
        plural=plural,
        namespace=namespace,
        name=name,
        subresource=sub,
        rest="/".join(more),
    )


def action_of(request: Request) -> Action:
    """What a request does, as an authorizer is told."""
    return _action(request, parse(request.path))


def _action(request: Request, target: Target | None) -> Action:
    read = request.method in READS
    if target is None or not target.plural:
        return Action(verb="get" if read else VERBS.get(request.method, request.method.lower()), path=request.path)
    name = target.name
    verb = VERBS.get(request.method, "get")
    if read and not name:
        verb = "watch" if watch.wanted(request.query) else "list"
        name = (
            exact_name(request.query.get("fieldSelector", "")) if "=" in request.query.get("fieldSelector", "") else ""
        )
    elif request.method == "DELETE" and not name:
        verb = "deletecollection"
    resource = f"{target.plural}/{target.subresource}" if target.subresource else target.plural
    namespace = target.namespace
    if target.plural == "namespaces" and not target.group:
        namespace = name
    return Action(verb=verb, group=target.group, resource=resource, namespace=namespace, name=name)


def _authorize(cluster: Cluster, request: Request, action: Action) -> None:
    if allowed(cluster.objects, request.user, action) is None:
        raise forbidden(request.user, action)


def _path(cluster: Cluster, request: Request) -> Response:
    if request.method not in READS:
        raise method_not_allowed()
    path = request.path.rstrip("/") or "/"
    if path == "/version":
        return discovery.version(cluster)
    if path in ("/api", "/apis"):
        return discovery.root(cluster, request, discovery_form(request.accept))
    if path.startswith("/apis/"):
        return discovery.group(cluster, path.removeprefix("/apis/"))
    if raw.is_health(path):
        return raw.health(cluster, request)
    if path.startswith("/openapi"):
        return raw.openapi(request)
    if path == "/metrics":
        raise NotRecorded("/metrics")
    raise unknown_path()


def _resource(cluster: Cluster, request: Request, target: Target, action: Action) -> Response:
    if target.version not in cluster.groups.get(target.group, ()):
        if target.group == METRICS and cluster.apiservices is None:
            raise NotRecorded("apiservices.apiregistration.k8s.io")
        raise unknown_resource() if target.group in cluster.groups else unknown_path()
    if cluster.stale(target.group, target.version):
        raise Refused(text("service unavailable\n", status=503, headers=NO_SNIFF))
    if not target.plural:
        if request.method not in READS:
            raise method_not_allowed()
        return discovery.resources(cluster, target.group, target.version)
    kind = cluster.resource(target.group, target.version, target.plural)
    if kind is None:
        return _unknown_kind(cluster, target)
    if request.method not in READS:
        return _write(cluster, request, target, kind)
    try:
        return _warned(cluster, kind, _read(cluster, request, target, kind))
    except Refused as refused:
        raise Refused(_warned(cluster, kind, refused.response)) from None
    except Denied as error:
        raise denied(action, str(error)) from None


def _warned(cluster: Cluster, kind: Resource, found: Response) -> Response:
    """The answer, with the Warning header of a deprecated kind."""
    words = next((text for plural, since, text in DEPRECATED if plural == kind.title and cluster.minor >= since), "")
    return replace(found, headers={**found.headers, "warning": f'299 - "{words}"'}) if words else found


def _unknown_kind(cluster: Cluster, target: Target) -> Response:
    if cluster.backend(target.group, target.version) is not None:  # a backend whose kinds nobody recorded
        raise NotRecorded(f"{target.plural}.{target.group}")
    raise unknown_resource()


def _write(cluster: Cluster, request: Request, target: Target, kind: Resource) -> Response:
    reviewed = kind.verbs == ("create",) and kind.kind.startswith("SelfSubject")
    if request.method == "POST" and reviewed and not target.name:
        return reviews.review(cluster, request, kind.kind, target.version)
    raise method_not_allowed()


def _read(cluster: Cluster, request: Request, target: Target, kind: Resource) -> Response:
    if "get" not in kind.verbs:
        raise method_not_allowed()
    if kind.namespaced and target.name and not target.namespace:
        raise unknown_resource()
    if target.namespace and not kind.namespaced:
        raise unknown_resource()
    if target.subresource and target.subresource not in kind.subresources:
        raise unknown_resource()
    if target.name:
        return _one(cluster, request, target, kind)
    return _list(cluster, request, target, kind)


def _one(cluster: Cluster, request: Request, target: Target, kind: Resource) -> Response:
    items = cluster.objects.select(kind, target.namespace or None)
    item = next((o for o in items if o["metadata"].get("name") == target.name), None)
    if item is None:
        raise not_found(kind.group, kind.plural, target.name)
    if not target.subresource or target.subresource in ("status", "ephemeralcontainers", "resize", "approval"):
        shown = Shown(kind=kind, version=target.version, items=(item,), now=cluster.now)
        return show(shown, negotiate(request.accept), request.query)
    if target.subresource == "log":
        return logs.log(request, cluster.bundle, item, cluster.now)
    if "get" not in kind.subresources[target.subresource]:
        raise method_not_allowed()
    raise NotRecorded(request.path)


def _list(cluster: Cluster, request: Request, target: Target, kind: Resource) -> Response:
    media = negotiate(request.accept)
    tests = _tests(request, kind)
    items = cluster.objects.select(kind, target.namespace or None)
    version = version_of(items)
    chosen = [o for o in items if all(test(o) for test in tests)] if tests else items
    if watch.wanted(request.query):
        shown = Shown(kind=kind, version=target.version, items=tuple(chosen), now=cluster.now)
        return watch.events(shown, media, request.query, version)
    found = page(chosen, request.query, version)
    shown = Shown(kind=kind, version=target.version, items=tuple(found.items), now=cluster.now, page=found)
    return show(shown, media, request.query)


def _tests(request: Request, kind: Resource) -> list[Test]:
    found: list[Test] = []
    if text_ := request.query.get("labelSelector"):
        found.append(labels(text_))
    if text_ := request.query.get("fieldSelector"):
        found.append(fields(text_, kind))
    return found
