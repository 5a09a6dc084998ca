"""What is asked of a large cluster: rows of everything, objects of what matters."""

from __future__ import annotations

from bot.collect.control_plane import system_pods
from bot.model.cluster import SystemPods
from tests.unit.collect.fake_kube import FakeKube

PATH = "/api/v1/namespaces/kube-system/pods"
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
