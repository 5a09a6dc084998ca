"""May this user do that: the bundle's roles and bindings, evaluated as the RBAC authorizer does, and the 403 bodies.

Rules: k8s.io/kubernetes ``plugin/pkg/auth/authorizer/rbac``; words: k8s.io/apiserver
``pkg/endpoints/handlers/responsewriters/errors.go``.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.bundle.api.objects import Objects
from bot.bundle.api.request import NO_SNIFF, NotRecorded, Refused, User, failure, qualified
from bot.bundle.api.resources import BUILT_IN

Object = Mapping[str, Any]
GROUP = "rbac.authorization.k8s.io"
_KINDS = {r.plural: r for r in BUILT_IN if r.group == GROUP}
# system:discovery and system:public-info-viewer, which every cluster binds at start
OPEN_PATHS = ("/api", "/api/*", "/apis", "/apis/*", "/openapi", "/openapi/*")
PUBLIC_PATHS = ("/healthz", "/livez", "/readyz", "/version", "/version/")
SELF_REVIEWS = (
    {
        "verbs": ["create"],
        "apiGroups": ["authorization.k8s.io"],
        "resources": ["selfsubjectaccessreviews", "selfsubjectrulesreviews"],
    },
    {"verbs": ["create"], "apiGroups": ["authentication.k8s.io"], "resources": ["selfsubjectreviews"]},
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Action:
    """What is asked for.

    Attributes:
        resource: plural, with subresource: ``pods/log``; empty for a path.
        namespace: empty for cluster scope.
        path: the non-resource URL.
    """

    verb: str
    group: str = ""
    resource: str = ""
    namespace: str = ""
    name: str = ""
    path: str = ""


def rules(objects: Objects, user: User, namespace: str) -> Iterator[tuple[Object, str]]:
    """Yield the rules that bind ``user`` in ``namespace`` (empty: cluster-wide), and by which binding.

    Raises:
        NotRecorded: roles or bindings are not in the bundle.
    """
    if user.unlimited:
        yield {"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}, "system:masters"
        yield {"verbs": ["*"], "nonResourceURLs": ["*"]}, "system:masters"
        return
    for binding in objects.select(_KINDS["clusterrolebindings"]):
        if subject := _bound(binding, user, ""):
            yield from _of_role(objects, binding, "", f'ClusterRoleBinding "{binding["metadata"]["name"]}"', subject)
    if not namespace:
        return
    for binding in objects.select(_KINDS["rolebindings"], namespace):
        if subject := _bound(binding, user, namespace):
            name = f"{binding['metadata']['name']}/{namespace}"
            yield from _of_role(objects, binding, namespace, f'RoleBinding "{name}"', subject)


def _bound(binding: Object, user: User, namespace: str) -> str:
    """The subject by which a binding means the user; empty when it does not."""
    for subject in binding.get("subjects") or ():
        kind, name = subject.get("kind"), subject.get("name")
        if kind == "User" and name == user.name:
            return f'User "{name}"'
        if kind == "Group" and name in user.groups:
            return f'Group "{name}"'
        where = subject.get("namespace") or namespace
        if kind == "ServiceAccount" and f"system:serviceaccount:{where}:{name}" == user.name:
            return f'ServiceAccount "{name}/{where}"'
    return ""


def _of_role(objects: Objects, binding: Object, namespace: str, by: str, subject: str) -> Iterator[tuple[Object, str]]:
    ref = binding.get("roleRef") or {}
    local = ref.get("kind") == "Role"
    roles = objects.select(_KINDS["roles"], namespace) if local else objects.select(_KINDS["clusterroles"])
    reason = f'RBAC: allowed by {by} of {ref.get("kind")} "{ref.get("name")}" to {subject}'
    for role in roles:
        if role["metadata"].get("name") == ref.get("name"):
            for rule in role.get("rules") or ():
                yield rule, reason


def allowed(objects: Objects, user: User, action: Action) -> str | None:
    """Return why ``user`` may do that ("" when it needs no reason), or None when nothing allows it.

    Raises:
        NotRecorded: roles or bindings are not in the bundle.
    """
    if user.unlimited:
        return ""
    always = "" if _always(user, action) else None
    try:
        found = rules(objects, user, action.namespace)
        return next((by for rule, by in found if covers(rule, action)), always)
    except NotRecorded:
        if always is None:
            raise
        return always


def _always(user: User, action: Action) -> bool:
    """What the bindings that every cluster makes for itself allow."""
    authenticated = "system:authenticated" in user.groups
    if action.path:
        open_to = PUBLIC_PATHS + (OPEN_PATHS if authenticated else ())
        return action.verb == "get" and any(_path(p, action.path) for p in open_to)
    return authenticated and any(covers(rule, action) for rule in SELF_REVIEWS)


def covers(rule: Object, action: Action) -> bool:
    """Whether one PolicyRule allows one action."""
    if not _any(rule.get("verbs"), action.verb):
        return False
    if action.path:
        return any(_path(str(p), action.path) for p in rule.get("nonResourceURLs") or ())
    names = rule.get("resourceNames")
    return (
        _any(rule.get("apiGroups"), action.group)
        and _resource(rule.get("resources") or (), action.resource)
        and (not names or action.name in names)
    )


def _any(values: Any, wanted: str) -> bool:
    return "*" in (values or ()) or wanted in (values or ())


def _resource(values: Any, wanted: str) -> bool:
    _, slash, sub = wanted.partition("/")
    return "*" in values or wanted in values or bool(slash and f"*/{sub}" in values)


def _path(pattern: str, path: str) -> bool:
    return path.startswith(pattern[:-1]) if pattern.endswith("*") else path == pattern


def forbidden(user: User, action: Action, reason: str = "") -> Refused:
    """403 in the words of a real API server."""
    if action.path:
        message = f'forbidden: User "{user.name}" cannot {action.verb} path "{action.path}"'
        return Refused(failure(403, "Forbidden", message, {}, NO_SNIFF))
    plural = action.resource.partition("/")[0]
    where = f'in the namespace "{action.namespace}"' if action.namespace else "at the cluster scope"
    subject = qualified(action.group, plural) + (f' "{action.name}"' if action.name else "")
    message = (
        f'{subject} is forbidden: User "{user.name}" cannot {action.verb} resource "{action.resource}" '
        f'in API group "{action.group}" {where}{f": {reason}" if reason else ""}'
    )
    return denied(action, message)


def denied(action: Action, message: str) -> Refused:
    """403 with a recorded text."""
    plural = action.resource.partition("/")[0]
    details = {"name": action.name, "group": action.group, "kind": plural}
    return Refused(failure(403, "Forbidden", message, {k: v for k, v in details.items() if v}, NO_SNIFF))
