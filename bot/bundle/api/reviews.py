"""SelfSubjectReview, SelfSubjectAccessReview and SelfSubjectRulesReview: who am I, what may I.

Answered from the bundle's roles and bindings for the user who asks. The unlimited reader may do all that the
recorder could: a kind that could not be recorded (``<kind>-errors.json``), or that ``auth-cani-list`` does not
allow, is not allowed to it either.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from typing import Any

from bot.bundle.api import protobuf
from bot.bundle.api.cluster import Cluster
from bot.bundle.api.rbac import OPEN_PATHS, PUBLIC_PATHS, SELF_REVIEWS, Action, allowed, covers, rules
from bot.bundle.api.request import AUTHENTICATED, Refused, Request, User, bad_request, failure, reply
from bot.source import Response

AUTHORIZATION, AUTHENTICATION = "authorization.k8s.io", "authentication.k8s.io"
CAN_I = "cluster-resources/auth-cani-list/"


def review(cluster: Cluster, request: Request, kind: str, version: str) -> Response:
    """Answer the POST of a review of that kind.

    Raises:
        Refused: 400, the body is no such review.
        NotRecorded: roles or bindings are not in the bundle.
    """
    spec = _spec(request.body, kind)
    group = AUTHENTICATION if kind == "SelfSubjectReview" else AUTHORIZATION
    head: dict[str, Any] = {"kind": kind, "apiVersion": f"{group}/{version}", "metadata": {}}
    if kind == "SelfSubjectReview":
        head["metadata"] = {"creationTimestamp": f"{cluster.now:%Y-%m-%dT%H:%M:%SZ}"}
        return reply(head | {"status": {"userInfo": _identity(request.user)}}, status=201)
    if kind == "SelfSubjectRulesReview":
        return reply(head | {"spec": {}, "status": _rules(cluster, request.user, spec)}, status=201)
    reason = judge(cluster, request.user, _action(spec))
    status: dict[str, Any] = {"allowed": reason is not None}
    return reply(head | {"spec": spec, "status": status | ({"reason": reason} if reason else {})}, status=201)


def judge(cluster: Cluster, user: User, action: Action) -> str | None:
    """Why the user may do that ("" without a reason), or None when nothing allows it."""
    if user.unlimited and not _recorder_could(cluster, action):
        return None
    return allowed(cluster.objects, user, action)


def _recorder_could(cluster: Cluster, action: Action) -> bool:
    plural = action.resource.partition("/")[0]
    kind = next((r for r in cluster.kinds if (r.group, r.plural) == (action.group, plural)), None)
    names = () if kind is None or "/" in action.resource else kind.files
    if any(cluster.bundle.json(f"{name}-errors.json") for name in names):
        return False
    lists = list(_can_i(cluster, action.namespace))
    return not lists or all(any(covers(rule, action) for rule in each) for each in lists)


def _can_i(cluster: Cluster, namespace: str) -> Iterator[list[Mapping[str, Any]]]:
    """The recorder's own rules in the namespace asked about, or in every one; none when they are not complete."""
    for path in cluster.bundle.names(CAN_I):
        if not path.endswith(".json") or (namespace and path != f"{CAN_I}{namespace}.json"):
            continue
        value = cluster.bundle.json(path)
        if isinstance(value, Mapping):
            value = value.get("status", value)
            if value.get("incomplete"):
                continue
            value = [*(value.get("resourceRules") or ()), *(value.get("nonResourceRules") or ())]
        if isinstance(value, list) and value:
            yield [rule for rule in value if isinstance(rule, Mapping)]


def _spec(body: bytes, kind: str) -> Mapping[str, Any]:
    try:
        is_protobuf = body.startswith(protobuf.MAGIC)
        value = protobuf.review(body, kind) if is_protobuf else json.loads(body or b"{}")
    except ValueError as error:
        raise bad_request(f"the object provided is unrecognized (must be of type {kind}): {error}") from None
    if not isinstance(value, Mapping):
        raise bad_request(f"the object provided is unrecognized (must be of type {kind})")
    spec = value.get("spec")
    return spec if isinstance(spec, Mapping) else {}


def _action(spec: Mapping[str, Any]) -> Action:
    path = spec.get("nonResourceAttributes")
    if isinstance(path, Mapping):
        return Action(verb=str(path.get("verb", "")), path=str(path.get("path", "")))
    wanted = spec.get("resourceAttributes")
    if not isinstance(wanted, Mapping):
        raise Refused(_invalid())
    value = {k: str(wanted.get(k) or "") for k in ("verb", "group", "resource", "subresource", "namespace", "name")}
    sub = value.pop("subresource")
    return Action(**value | {"resource": f"{value['resource']}/{sub}" if sub else value["resource"]})


def _invalid() -> Response:
    """422, as the validation of an empty SelfSubjectAccessReview words it."""
    words = "Invalid value: null: exactly one of nonResourceAttributes or resourceAttributes must be specified"
    cause = {"reason": "FieldValueInvalid", "message": words, "field": "spec.resourceAttributes"}
    message = f'.{AUTHORIZATION} "" is invalid: spec.resourceAttributes: {words}'
    return failure(422, "Invalid", message, {"group": AUTHORIZATION, "causes": [cause]})


def _identity(user: User) -> dict[str, Any]:
    found: dict[str, Any] = {"username": user.name}
    if user.uid:
        found["uid"] = user.uid
    found["groups"] = list(user.groups)
    if user.extra:
        found["extra"] = {k: list(v) for k, v in user.extra.items()}
    return found


def _rules(cluster: Cluster, user: User, spec: Mapping[str, Any]) -> dict[str, Any]:
    namespace = str(spec.get("namespace") or "")
    if not namespace:
        raise bad_request("no namespace on request")
    found = [rule for rule, _ in rules(cluster.objects, user, namespace)]
    if AUTHENTICATED in user.groups:
        always = [*SELF_REVIEWS, {"verbs": ["get"], "nonResourceURLs": sorted([*OPEN_PATHS, *PUBLIC_PATHS])}]
        found += [rule for rule in always if rule not in found]
    resource = [dict(r) for r in found if r.get("resources")]
    paths = [dict(r) for r in found if r.get("nonResourceURLs")]
    return {"resourceRules": resource, "nonResourceRules": paths, "incomplete": False}
