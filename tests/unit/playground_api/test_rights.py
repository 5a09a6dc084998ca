"""RBAC of the bundle: who may do what, what a refusal says, what the reviews answer."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.bundle.api import Cluster, Request, User, answer
from bot.bundle.api.rbac import Action, covers
from bot.source import Response
from tests.unit.playground_api.world import named, world

RULES = [
    {"apiGroups": [""], "resources": ["pods", "pods/log"], "verbs": ["get", "list"]},
    {"apiGroups": ["apps"], "resources": ["*"], "resourceNames": ["web"], "verbs": ["get"]},
]
BINDING = named(
    "b",
    roleRef={"kind": "Role", "name": "look"},
    subjects=[{"kind": "ServiceAccount", "name": "sa"}, {"kind": "Group", "name": "devs"}],
)
ACCOUNT = User(name="system:serviceaccount:shop:sa")
REVIEWS = "/apis/authorization.k8s.io/v1"


def ask(user: User, path: str, method: str = "GET", body: Any = None) -> Response:
    """Send one request to a cluster with one Role in ``shop``."""
    bundle = world(
        roles__shop=[named("look", rules=RULES)],
        rolebindings__shop=[BINDING],
        clusterroles=[],
        clusterrolebindings=[],
        pods__shop=[named("web")],
        nodes=[],
    )
    data = b"" if body is None else json.dumps(body).encode()
    return answer(Cluster(bundle), Request(method=method, path=path, user=user, body=data))


def test_a_binding_counts_in_its_namespace_only() -> None:
    """A Role allows its namespace; the cluster-wide list stays forbidden."""
    assert ask(ACCOUNT, "/api/v1/namespaces/shop/pods").status == 200
    refused = ask(ACCOUNT, "/api/v1/pods")
    words = f'pods is forbidden: User "{ACCOUNT.name}" cannot list resource "pods" in API group "" at the cluster scope'
    assert (refused.status, json.loads(refused.body)["message"]) == (403, words)


def test_a_group_counts_as_a_subject() -> None:
    """Every group of the user is looked at."""
    assert ask(User(name="x", groups=("devs",)), "/api/v1/namespaces/shop/pods/web").status == 200
    assert ask(User(name="x"), "/api/v1/namespaces/shop/pods/web").status == 403


def test_forbidden_is_said_before_not_found() -> None:
    """Who may not look does not learn what exists."""
    assert ask(User(name="x"), "/api/v1/namespaces/shop/pods/gone").status == 403


def test_anybody_may_see_health_and_version() -> None:
    """The bindings that every cluster makes at its start."""
    anonymous = User(name="system:anonymous", groups=("system:unauthenticated",))
    assert json.loads(ask(anonymous, "/version").body)["reason"] == "NotRecorded"
    assert ask(anonymous, "/apis").status == 403
    assert ask(User(name="x"), "/apis").status == 200


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE"])
def test_nothing_can_be_written(method: str) -> None:
    """405 for the reader, 403 for everybody else."""
    path = "/api/v1/namespaces/shop/pods"
    reader = ask(User(name="root", groups=("system:masters",)), path, method)
    assert (reader.status, json.loads(reader.body)["reason"]) == (405, "MethodNotAllowed")
    assert ask(ACCOUNT, path, method).status == 403


@pytest.mark.parametrize(
    ("attributes", "allowed"),
    [
        ({"verb": "list", "resource": "pods", "namespace": "shop"}, True),
        ({"verb": "get", "resource": "pods", "subresource": "log", "namespace": "shop"}, True),
        ({"verb": "get", "resource": "pods", "subresource": "exec", "namespace": "shop"}, False),
        ({"verb": "get", "group": "apps", "resource": "deployments", "namespace": "shop", "name": "web"}, True),
        ({"verb": "get", "group": "apps", "resource": "deployments", "namespace": "shop", "name": "db"}, False),
        ({"verb": "list", "resource": "pods"}, False),
    ],
)
def test_access_reviews(attributes: dict[str, str], allowed: bool) -> None:
    """A SelfSubjectAccessReview says what a request would be told."""
    body = {"kind": "SelfSubjectAccessReview", "spec": {"resourceAttributes": attributes}}
    found = ask(ACCOUNT, f"{REVIEWS}/selfsubjectaccessreviews", "POST", body)
    assert (found.status, json.loads(found.body)["status"]["allowed"]) == (201, allowed)


def test_rules_review_and_identity() -> None:
    """What may I in a namespace; who am I."""
    rules = ask(ACCOUNT, f"{REVIEWS}/selfsubjectrulesreviews", "POST", {"spec": {"namespace": "shop"}})
    assert [r for r in json.loads(rules.body)["status"]["resourceRules"] if "create" not in r["verbs"]] == RULES
    who = ask(ACCOUNT, "/apis/authentication.k8s.io/v1/selfsubjectreviews", "POST", {})
    assert json.loads(who.body)["status"]["userInfo"]["username"] == ACCOUNT.name


@pytest.mark.parametrize("body", [b"{", b"[1]", b"k8s\x00", b"k8s\x00\x12\xff"])
def test_a_body_that_is_no_review_is_refused(body: bytes) -> None:
    """JSON or protobuf that does not parse is the client's error."""
    path = f"{REVIEWS}/selfsubjectaccessreviews"
    found = answer(Cluster(world()), Request(method="POST", path=path, body=body))
    assert found.status in (400, 422)


@pytest.mark.parametrize(
    ("rule", "action", "expected"),
    [
        ({"verbs": ["*"], "apiGroups": ["*"], "resources": ["*"]}, Action(verb="get", group="x", resource="y/z"), True),
        ({"verbs": ["get"], "apiGroups": [""], "resources": ["*/log"]}, Action(verb="get", resource="pods/log"), True),
        ({"verbs": ["get"], "apiGroups": [""], "resources": ["pods"]}, Action(verb="get", resource="pods/log"), False),
        ({"verbs": ["get"], "apiGroups": ["apps"], "resources": ["pods"]}, Action(verb="get", resource="pods"), False),
        ({"verbs": ["get"], "nonResourceURLs": ["/healthz/*"]}, Action(verb="get", path="/healthz/etcd"), True),
        ({"verbs": ["get"], "nonResourceURLs": ["/healthz"]}, Action(verb="get", path="/healthz/etcd"), False),
        ({"verbs": ["get"], "nonResourceURLs": ["*"]}, Action(verb="get", resource="pods"), False),
    ],
)
def test_rules_cover(rule: dict[str, Any], action: Action, expected: bool) -> None:
    """Stars, subresources, groups and paths."""
    assert covers(rule, action) is expected
