"""Server-side tables and what is fetched in full after them."""

from __future__ import annotations

import pytest

from bot.collect.tables import ago, chosen, fraction, glance, seconds
from bot.model.k8s import Pod
from bot.source import TABLE, Response, Right
from tests.unit.collect.fake_kube import FakeKube

PODS = Right(verb="list", resource="pods")
PATH = "/api/v1/namespaces/shop/pods"
COLUMNS = [{"name": n} for n in ("Name", "Ready", "Status", "Restarts", "Age")]


def table(*rows: list[str]) -> dict[str, object]:
    """A table as the API server prints it with includeObject=None."""
    return {"kind": "Table", "columnDefinitions": COLUMNS, "rows": [{"cells": r, "object": None} for r in rows]}


@pytest.mark.parametrize(
    ("text", "expected"), [("86s", 86), ("3m32s", 212), ("5h", 18_000), ("2d3h", 183_600), ("<unknown>", None)]
)
def test_an_age_as_kubectl_prints_it(text: str, expected: float | None) -> None:
    """Two units at most; what is unknown stays unknown."""
    assert expected == seconds(text)


def test_the_time_of_the_last_restart() -> None:
    """Before 1.22 the cell holds the number alone."""
    assert (68.0, None) == (ago("3 (68s ago)"), ago("3"))


def test_a_ready_cell() -> None:
    """What is no fraction counts as nothing."""
    assert ((1, 2), (0, 0)) == (fraction("1/2"), fraction("-"))


def test_rows_are_asked_for_without_objects() -> None:
    """A row costs some bytes, an object some kilobytes."""
    kube = FakeKube({PATH: table(["web-1", "1/1", "Running", "0", "3m"])})

    seen = glance(kube, PATH, Pod, PODS)

    assert ("shop", "web-1", None) == (seen.namespace, seen.rows[0]["Name"], seen.full)
    assert (PATH, {"includeObject": "None", "limit": "500"}, TABLE) == kube.asked[0]


def test_a_server_without_tables_is_asked_for_the_list() -> None:
    """Before 1.10 the answer is 406."""

    def answer(query: dict[str, str]) -> object:
        if "includeObject" in query:
            return Response(status=406, body=b"{}")
        return {"kind": "PodList", "items": [{"metadata": {"name": "web-1", "namespace": "shop"}}]}

    seen = glance(FakeKube({PATH: answer}), PATH, Pod, PODS)

    assert ("web-1",) == tuple(p.metadata.name for p in seen.full or ())


def test_few_wrong_objects_are_fetched_by_name() -> None:
    """One that has gone in between is left out."""
    kube = FakeKube(
        {
            PATH: table(
                ["a", "0/1", "Error", "0", "1m"], ["b", "1/1", "Running", "0", "1m"], ["c", "0/1", "Error", "0", "1m"]
            ),
            f"{PATH}/a": {"metadata": {"name": "a"}},
        }
    )
    seen = glance(kube, PATH, Pod, PODS)

    found = chosen(kube, seen, lambda row: row["Status"] == "Error", Pod, PODS)

    assert ("a",) == tuple(p.metadata.name for p in found)
    assert [PATH, f"{PATH}/a", f"{PATH}/c"] == [path for path, _, _ in kube.asked]


def test_many_wrong_objects_are_fetched_with_one_list() -> None:
    """Twenty-one single requests would cost more than the namespace's list."""
    names = [f"p{n}" for n in range(21)]

    def answer(query: dict[str, str]) -> object:
        if "includeObject" in query:
            return table(*([n, "0/1", "Error", "0", "1m"] for n in names))
        return {"kind": "PodList", "items": [{"metadata": {"name": n}} for n in [*names, "well"]]}

    kube = FakeKube({PATH: answer})
    found = chosen(kube, glance(kube, PATH, Pod, PODS), lambda _: True, Pod, PODS)

    assert (21, 2) == (len(found), len(kube.asked))
