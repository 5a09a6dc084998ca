"""A bundle answers the questions of ``bot.source.Kube``; what it does not hold is never taken for empty."""

from __future__ import annotations

import json
from datetime import UTC, datetime

import pytest

from bot.bundle.api import User
from bot.errors import Kind, SourceError
from bot.source import Right
from tests.unit.playground_api.world import apiservice, kube, named, names

APISERVICES = "kubewhy/cluster-resources/apiservices.json"


def refusal(path: str, kind: Kind, **cluster: object) -> SourceError:
    """The error that a GET ends in, whose kind is checked."""
    with pytest.raises(SourceError) as caught:
        kube(**cluster).get(path)  # type: ignore[arg-type]
    assert caught.value.kind is kind
    return caught.value


def test_an_empty_list_is_an_answer() -> None:
    """A List file without items says that there are none."""
    assert names(kube(nodes=[]).get("/api/v1/nodes")) == []


def test_a_missing_file_is_not_recorded() -> None:
    """No file: the error names what is missing."""
    error = refusal("/api/v1/nodes", Kind.NOT_RECORDED)
    assert error.detail == "not recorded in this bundle: nodes"


def test_a_missing_namespace_file_is_not_recorded() -> None:
    """Other namespaces' files do not answer for a namespace that exists."""
    cluster = {"namespaces": [named("shop"), named("db")], "pods__shop": []}
    error = refusal("/api/v1/namespaces/db/pods", Kind.NOT_RECORDED, **cluster)
    assert error.detail.endswith("pods of namespace db")


def test_a_namespace_that_does_not_exist_is_empty() -> None:
    """As on a real server, the list of an unknown namespace is empty."""
    found = kube(namespaces=[named("shop")], pods__shop=[named("a")])
    assert names(found.get("/api/v1/namespaces/gone/pods")) == []


def test_a_part_of_the_pods_is_not_all_pods() -> None:
    """A namespace with workloads but without its pods' file makes the cluster-wide list unknown."""
    cluster = {
        "namespaces": [named("shop"), named("db")],
        "pods__shop": [named("a")],
        "statefulsets__db": [named("mysql")],
    }
    assert "namespace db" in refusal("/api/v1/pods", Kind.NOT_RECORDED, **cluster).detail


def test_namespaces_without_signs_of_pods_do_not_hide_the_rest() -> None:
    """A namespace in which nothing runs needs no empty file."""
    found = kube(namespaces=[named("shop"), named("empty")], pods__shop=[named("a")])
    assert names(found.get("/api/v1/pods")) == ["a"]


def test_what_the_recorder_was_denied_is_forbidden() -> None:
    """``<kind>-errors.json`` is a 403 with the recorded words."""
    files = {"cluster-resources/nodes-errors.json": ['nodes is forbidden: User "x" cannot list resource "nodes"']}
    error = refusal("/api/v1/nodes", Kind.FORBIDDEN, files=files)
    assert (error.status, error.detail) == (403, 'nodes is forbidden: User "x" cannot list resource "nodes"')


def test_not_found_is_an_answer() -> None:
    """404 is returned, with the body of a real server."""
    answer = kube(pods__shop=[]).get("/api/v1/namespaces/shop/pods/web")
    assert answer.status == 404
    assert json.loads(answer.body)["message"] == 'pods "web" not found'


def test_a_broken_aggregated_api_is_a_server_error() -> None:
    """503 with the aggregator's text; ``raw`` returns it."""
    files = {APISERVICES: {"items": [apiservice("metrics.k8s.io", "v1beta1", available=False)]}}
    error = refusal("/apis/metrics.k8s.io/v1beta1/nodes", Kind.SERVER_ERROR, files=files)
    assert (error.status, error.detail) == (503, "service unavailable")
    assert kube(files).raw("/apis/metrics.k8s.io/v1beta1/nodes").body == b"service unavailable\n"


def test_recorded_metrics_are_served_when_their_api_is_available() -> None:
    """Metrics come from their own files."""
    files = {
        APISERVICES: {"items": [apiservice("metrics.k8s.io", "v1beta1", available=True)]},
        "kubewhy/cluster-resources/nodemetrics.json": {"items": [named("node-1", usage={"cpu": "1"})]},
    }
    assert names(kube(files).get("/apis/metrics.k8s.io/v1beta1/nodes")) == ["node-1"]


def test_recorded_answers_come_first() -> None:
    """``api.json`` holds any GET, with its status, for the same parameters only."""
    entry = {"path": "/api/v1/nodes/n/proxy/healthz", "status": 200, "content_type": "text/plain", "body": "ok"}
    limited = {"path": "/api/v1/pods?limit=1", "status": 500, "content_type": "text/plain", "body": "etcd is slow"}
    found = kube({"kubewhy/api.json": [entry, limited]}, pods__shop=[])
    assert found.get("/api/v1/nodes/n/proxy/healthz").body == b"ok"
    assert found.raw("/api/v1/pods", {"limit": "1"}).status == 500
    assert found.raw("/api/v1/pods").status == 200


def test_a_recorded_failure_answers_whatever_options() -> None:
    """A log that the kubelet could not give is missing for every number of lines, but not for another container."""
    path = "/api/v1/namespaces/shop/pods/web/log"
    words = (
        'Get "https://10.0.0.12:10250/containerLogs/shop/web/c": dial tcp 10.0.0.12:10250: connect: connection refused'
    )
    body = {"kind": "Status", "status": "Failure", "message": words, "code": 500}
    entry = {"path": f"{path}?container=c", "status": 500, "content_type": "application/json", "body": body}
    found = kube({"kubewhy/api.json": [entry]}, pods__shop=[])
    with pytest.raises(SourceError) as caught:
        found.get(path, {"container": "c", "tailLines": "120", "timestamps": "true"})
    assert (caught.value.status, caught.value.detail) == (500, words)
    assert found.raw(path, {"container": "d"}).status == 404


def test_health_is_never_assumed() -> None:
    """Without a recording nobody knows whether the API server was ready."""
    refusal("/readyz", Kind.NOT_RECORDED)


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/readyz", 500, "[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n"),
        ("/readyz/ping", 200, "ok"),
        ("/readyz/etcd", 500, "[-]etcd failed: reason withheld\nreadyz check failed\n"),
        ("/readyz/nope", 404, "404 page not found\n"),
    ],
)
def test_health_is_taken_from_the_verbose_recording(path: str, status: int, body: str) -> None:
    """One verbose recording answers the whole and its single checks."""
    text = "[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n"
    entry = {"path": "/readyz?verbose", "status": 500, "content_type": "text/plain", "body": text}
    answer = kube({"kubewhy/api.json": [entry]}).raw(path)
    assert (answer.status, answer.body.decode()) == (status, body)


def test_the_clock_is_the_recorded_one() -> None:
    """Every answer carries the bundle's time."""
    assert kube(nodes=[]).get("/api/v1/nodes").date == datetime(2026, 11, 21, 4, 58, 50, tzinfo=UTC)


def test_a_malformed_object_is_an_error_of_the_bundle() -> None:
    """Somebody else's JSON never ends in an exception that no caller expects."""
    bad = named("a", status={"containerStatuses": [7]})
    with pytest.raises(SourceError) as caught:
        kube(pods__shop=[bad]).get("/api/v1/pods", accept="application/json;as=Table;g=meta.k8s.io;v=v1")
    assert caught.value.kind is Kind.MALFORMED


@pytest.mark.parametrize(
    "content", ["[", '{"items": [1]}', '{"items": {"a": 1}}', '[{"metadata": []}, {"metadata": "x"}]']
)
def test_a_file_that_is_no_list_is_malformed(content: str) -> None:
    """Garbage is not an empty cluster."""
    refusal("/api/v1/nodes", Kind.MALFORMED, files={"cluster-resources/nodes.json": content})


def test_another_user_has_only_its_rights() -> None:
    """RBAC of the bundle is applied to users that are not the reader."""
    rule = {"apiGroups": [""], "resources": ["pods"], "verbs": ["list"]}
    binding = named("b", roleRef={"kind": "ClusterRole", "name": "look"}, subjects=[{"kind": "User", "name": "ann"}])
    lists = {
        "clusterroles": [named("look", rules=[rule])],
        "clusterrolebindings": [binding],
        "pods__shop": [named("a")],
    }
    ann = kube(user=User(name="ann"), nodes=[], **lists)
    assert names(ann.get("/api/v1/pods")) == ["a"]
    with pytest.raises(SourceError) as caught:
        ann.get("/api/v1/nodes")
    words = 'nodes is forbidden: User "ann" cannot list resource "nodes" in API group "" at the cluster scope'
    assert (caught.value.kind, caught.value.detail) == (Kind.FORBIDDEN, words)


def test_rights_without_recorded_roles_are_unknown() -> None:
    """Without roles and bindings nobody can say what a user may."""
    with pytest.raises(SourceError) as caught:
        kube(user=User(name="ann")).review(Right(verb="list", resource="pods"))
    assert caught.value.kind is Kind.NOT_RECORDED


def test_the_reader_may_what_the_recorder_could() -> None:
    """A kind that could not be recorded is not allowed to the reader; the others are."""
    found = kube({"cluster-resources/nodes-errors.json": ["forbidden"]})
    assert not found.review(Right(verb="list", resource="nodes"))
    assert found.review(Right(verb="list", resource="pods"))


def test_the_recorders_own_rights_count() -> None:
    """``auth-cani-list`` tells what the recorder was allowed to do."""
    rules = {"resourceRules": [{"verbs": ["list"], "apiGroups": [""], "resources": ["pods"]}], "nonResourceRules": []}
    found = kube({"cluster-resources/auth-cani-list/shop.json": rules})
    assert found.review(Right(verb="list", resource="pods"), "shop")
    assert not found.review(Right(verb="get", resource="pods/log"), "shop")


def test_what_is_left_out_of_a_recording_is_filled_in() -> None:
    """uid, resourceVersion, namespace, kind and version are always there."""
    answer = kube(pods__shop=[{"metadata": {"name": "a"}}]).get("/api/v1/namespaces/shop/pods/a")
    item = json.loads(answer.body)
    assert (item["kind"], item["apiVersion"], item["metadata"]["namespace"]) == ("Pod", "v1", "shop")
    assert item["metadata"]["uid"]
    assert item["metadata"]["resourceVersion"]


def test_lists_are_in_the_order_of_storage() -> None:
    """Namespace and name are compared as one key: ``a-b/x`` comes before ``a/x``."""
    found = kube(pods__a=[named("x"), named("b")], **{"pods__a-b": [named("x")]})
    items = json.loads(found.get("/api/v1/pods").body)["items"]
    assert [f"{o['metadata']['namespace']}/{o['metadata']['name']}" for o in items] == ["a-b/x", "a/b", "a/x"]


@pytest.mark.parametrize(
    ("version", "path", "status"),
    [
        ("v1.33.2", "/apis/policy/v1beta1/poddisruptionbudgets", 404),
        ("v1.22.0", "/apis/policy/v1beta1/poddisruptionbudgets", 200),
        ("v1.20.0", "/apis/policy/v1/poddisruptionbudgets", 404),
        ("v1.33.2", "/apis/policy/v1/poddisruptionbudgets", 200),
    ],
)
def test_group_versions_are_those_of_the_release(version: str, path: str, status: int) -> None:
    """An old cluster answers under the old versions, a new one does not."""
    files = {"cluster-info/cluster_version.json": {"info": {"gitVersion": version}}}
    name = "pod-disruption-budgets"
    assert kube(files, **{f"{name}__shop": []}).get(path).status == status
