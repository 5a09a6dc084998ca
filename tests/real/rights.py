"""What users without all rights ask of a real API server and of the playground."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

from tests.real.questions import PODS, Question

REVIEWS = "/apis/authorization.k8s.io/v1"
ASKED = """
/api/v1/pods
/api/v1/namespaces/zoo/pods
/api/v1/namespaces/zoo/pods/crash
/api/v1/namespaces/zoo/pods/none
/api/v1/nodes
/api/v1/nodes/node-1
/api/v1/nodes/node-1/proxy/healthz
/apis/apps/v1/namespaces/zoo/deployments/web
/apis/apps/v1/namespaces/zoo/deployments
/metrics
/logs
/version
/livez
/readyz
/api
/apis/apps
/api/v1/namespaces/zoo
/api/v1/namespaces/zoo/pods/half/log
/apis/metrics.k8s.io/v1beta1/nodes
""".strip().splitlines()
SPECS: tuple[dict[str, Any], ...] = (
    {"resourceAttributes": {"verb": "list", "resource": "pods"}},
    {"resourceAttributes": {"verb": "list", "resource": "pods", "namespace": "zoo"}},
    {"resourceAttributes": {"verb": "get", "resource": "pods", "subresource": "log", "namespace": "zoo"}},
    {"resourceAttributes": {"verb": "get", "resource": "pods", "subresource": "exec", "namespace": "zoo"}},
    {
        "resourceAttributes": {
            "verb": "get",
            "group": "apps",
            "resource": "deployments",
            "namespace": "zoo",
            "name": "web",
        }
    },
    {
        "resourceAttributes": {
            "verb": "get",
            "group": "apps",
            "resource": "deployments",
            "namespace": "zoo",
            "name": "x",
        }
    },
    {"resourceAttributes": {"verb": "list", "resource": "nodes"}},
    {"nonResourceAttributes": {"verb": "get", "path": "/metrics"}},
    {"nonResourceAttributes": {"verb": "get", "path": "/healthz"}},
    {"nonResourceAttributes": {"verb": "get", "path": "/apis/apps"}},
    {
        "resourceAttributes": {
            "verb": "create",
            "group": "authorization.k8s.io",
            "resource": "selfsubjectaccessreviews",
        }
    },
)


def rights() -> Iterator[Question]:
    """What users without all rights are told, and what they are told that they may."""
    for token in ("alice-token", "bob-token", "", "wrong-token"):
        for path in ASKED:
            if path != "/metrics" or token != "bob-token":  # whom a real server tells its metrics
                yield Question(path=path, token=token)
        yield Question(path="/api/v1/secrets", token=token)
        yield Question(path=PODS, query={"watch": "true"}, token=token)
        yield Question(path=PODS, query={"fieldSelector": "metadata.name=x"}, token=token)
        yield Question(path="/api/v1/namespaces/zoo/pods", method="POST", body={}, token=token)
        yield Question(path="/api/v1/namespaces/zoo/pods/crash", method="DELETE", token=token)
        yield Question(path="/api/v1/namespaces/zoo/pods", method="DELETE", token=token)
        for spec in SPECS:
            yield _review("SelfSubjectAccessReview", spec, token)
        yield _review("SelfSubjectRulesReview", {"namespace": "zoo"}, token)
    yield _review("SelfSubjectAccessReview", {}, "bob-token")
    yield _review("SelfSubjectRulesReview", {}, "bob-token")


def _review(kind: str, spec: Mapping[str, Any], token: str) -> Question:
    body = {"apiVersion": "authorization.k8s.io/v1", "kind": kind, "spec": spec}
    return Question(path=f"{REVIEWS}/{kind.lower()}s", method="POST", body=body, token=token)
