"""How collectors read lists and objects."""

from __future__ import annotations

import pytest

from bot.collect.read import grant, listing, one, together
from bot.errors import Kind, SourceError
from bot.model.k8s import Node, Pod
from bot.source import Response, Right
from tests.unit.collect.fake_kube import FakeKube

NODES = Right(verb="list", resource="nodes")


def page(names: list[str], token: str = "") -> dict[str, object]:
    """A page of a NodeList."""
    return {"items": [{"metadata": {"name": n}} for n in names], "metadata": {"continue": token} if token else {}}


def test_a_list_is_read_page_by_page_with_a_limit() -> None:
    """The continue token of each page asks for the next; every request has limit=500."""
    kube = FakeKube({"/api/v1/nodes": lambda q: page(["b"]) if q.get("continue") == "t1" else page(["a"], "t1")})

    found = listing(kube, "/api/v1/nodes", Node, NODES)

    assert ("a", "b") == tuple(n.name for n in found.items)
    assert [{"limit": "500"}, {"limit": "500", "continue": "t1"}] == [q for _, q, _ in kube.asked]


def test_a_list_that_breaks_off_midway_raises() -> None:
    """A part is never taken for the whole."""
    broken = SourceError(Kind.RESET, "GET /api/v1/nodes")

    def answer(query: dict[str, str]) -> object:
        if "continue" in query:
            raise broken
        return page(["a"], "t1")

    with pytest.raises(SourceError) as caught:
        listing(FakeKube({"/api/v1/nodes": answer}), "/api/v1/nodes", Node, NODES)
    assert Kind.RESET is caught.value.kind


def test_an_expired_list_is_read_once_more_from_the_start() -> None:
    """410 in the middle means that the version of the list is gone."""
    seen: list[dict[str, str]] = []

    def answer(query: dict[str, str]) -> object:
        seen.append(query)
        if "continue" in query and len(seen) == 2:
            raise SourceError(Kind.GONE, "GET /api/v1/nodes", status=410)
        return page(["b"]) if "continue" in query else page(["a"], "t1")

    found = listing(FakeKube({"/api/v1/nodes": answer}), "/api/v1/nodes", Node, NODES)

    assert ("a", "b") == tuple(n.name for n in found.items)
    assert 4 == len(seen)


def test_a_403_names_the_one_rule_that_is_missing() -> None:
    """The hint can be pasted under ``rules:`` of a ClusterRole."""
    right = Right(verb="list", resource="leases", group="coordination.k8s.io")
    kube = FakeKube({"/x": Response(status=403, body=b"{}")})

    with pytest.raises(SourceError) as caught:
        listing(kube, "/x", Node, right)

    assert 'Grant: - {apiGroups: ["coordination.k8s.io"], resources: [leases], verbs: [list]}' == caught.value.hint
    assert 'Grant: - {nonResourceURLs: ["/readyz*"], verbs: [get]}' == grant(Right(verb="get", path="/readyz*"))


def test_null_counts_as_left_out() -> None:
    """Some servers send null where the API says that a field is left out."""
    kube = FakeKube({"/p": {"items": [{"metadata": {"name": "a"}, "status": {"phase": None}, "spec": None}]}})

    found = listing(kube, "/p", Pod, NODES)

    assert ("", "a") == (found.items[0].status.phase, found.items[0].metadata.name)


def test_an_answer_that_is_no_list_is_malformed() -> None:
    """It is not taken for an empty list."""
    with pytest.raises(SourceError) as caught:
        listing(FakeKube({"/p": {"items": "no"}}), "/p", Pod, NODES)
    assert Kind.MALFORMED is caught.value.kind


def test_one_object_that_does_not_exist_is_none() -> None:
    """404 is the answer "there is none"; every other failure is raised."""
    found, proof = one(FakeKube({}), "/api/v1/nodes/x", Node, NODES)

    assert (None, "404: there is none") == (found, proof.body)


def test_proofs_hold_no_environment_and_no_applied_configuration() -> None:
    """What kubectl stored of the manifest may hold secrets."""
    meta = {
        "name": "a",
        "namespace": "s",
        "annotations": {"kubectl.kubernetes.io/last-applied-configuration": "PASSWORD=x", "k": "v"},
    }
    pod = {"metadata": meta, "spec": {"containers": [{"name": "c", "env": [{"name": "TOKEN", "value": "hunter2"}]}]}}
    proof = listing(FakeKube({"/p": {"items": [pod]}}), "/p", Pod, NODES).proof

    assert "hunter2" not in proof.body
    assert "PASSWORD" not in proof.body
    assert '"k":"v"' in proof.body


def test_reading_together_keeps_the_order() -> None:
    """Results come in the order of what was asked, however long each takes."""
    assert [0, 1, 4, 9] == together(lambda n: n * n, [0, 1, 2, 3])
