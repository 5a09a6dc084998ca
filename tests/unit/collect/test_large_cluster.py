"""What is asked of a large cluster: rows of everything, objects of what matters."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.collect.control_plane import system_pods
from bot.collect.pods import pods
from bot.errors import Kind, SourceError
from bot.model.apis import Namespaces
from bot.model.cluster import SystemPods
from bot.model.evidence import Clock
from bot.model.k8s import Meta, NamespaceObject
from bot.model.proof import Proof, Source
from bot.model.workloads import PodRows
from bot.source import Response
from tests.unit.collect.fake_kube import FakeKube

PATH = "/api/v1/namespaces/kube-system/pods"
PROOF = Proof(source=Source.API, what="GET /api/v1/namespaces")
COLUMNS = [{"name": n} for n in ("Name", "Ready", "Status", "Restarts", "Age")]


def test_ready_daemon_pods_of_a_large_cluster_are_not_fetched() -> None:
    """600 pods of kube-proxy cost one table; the one that is not ready is fetched by name."""
    daemons = [f"kube-proxy-{n}" for n in range(600)]
    rows = [{"cells": [n, "0/1" if n == "kube-proxy-7" else "1/1", "Running", "0", "1d"]} for n in daemons]

    def answer(query: dict[str, str]) -> object:
        if "includeObject" in query:
            return {"kind": "Table", "columnDefinitions": COLUMNS, "rows": rows}
        assert "labelSelector" in query, "the whole list was asked for"
        names = ["kube-apiserver-m1"] if query["labelSelector"] == "component" else []
        return {"items": [{"metadata": {"name": n, "namespace": "kube-system"}} for n in names]}

    one = {"metadata": {"name": "kube-proxy-7", "namespace": "kube-system"}}
    kube = FakeKube({PATH: answer, f"{PATH}/kube-proxy-7": one})

    (found,) = system_pods(kube)

    assert isinstance(found, SystemPods)
    assert {"kube-proxy-7", "kube-apiserver-m1"} == {p.metadata.name for p in found.items}
    assert 5 == len(kube.asked)


def test_a_namespace_that_may_not_be_read_does_not_hide_the_others() -> None:
    """It is named as unread, so that nothing is concluded from its silence."""
    clock = Clock(proof=PROOF, now=datetime(2026, 11, 21, 4, 0, tzinfo=UTC))
    spaces = Namespaces(proof=PROOF, items=tuple(NamespaceObject(metadata=Meta(name=n)) for n in ("a", "b")))
    rows = [{"cells": ["web-1", "1/1", "Running", "0", "1d"]}]
    table = {"kind": "Table", "columnDefinitions": COLUMNS, "rows": rows}
    kube = FakeKube({"/api/v1/namespaces/a/pods": table, "/api/v1/namespaces/b/pods": Response(status=403, body=b"")})

    found = next(iter(pods(kube, spaces, clock)))

    assert isinstance(found, PodRows)
    assert (["a/web-1"], ["b"]) == ([r.path for r in found.rows], list(found.unread))


def test_a_connection_that_breaks_leaves_no_half_table() -> None:
    """Only what a namespace refuses may be left out."""
    clock = Clock(proof=PROOF, now=datetime(2026, 11, 21, 4, 0, tzinfo=UTC))
    spaces = Namespaces(proof=PROOF, items=tuple(NamespaceObject(metadata=Meta(name=n)) for n in ("a", "b")))
    table = {"kind": "Table", "columnDefinitions": COLUMNS, "rows": []}
    broken = SourceError(Kind.TIMED_OUT, "GET /api/v1/namespaces/b/pods")
    kube = FakeKube({"/api/v1/namespaces/a/pods": table, "/api/v1/namespaces/b/pods": broken})

    with pytest.raises(SourceError) as caught:
        list(pods(kube, spaces, clock))
    assert Kind.TIMED_OUT is caught.value.kind
