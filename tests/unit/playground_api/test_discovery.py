"""What a client learns before it asks: groups, versions, kinds, and which aggregated group is stale."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.errors import Kind, SourceError
from tests.unit.playground_api.world import apiservice, kube, named

AGGREGATED = "application/json;g=apidiscovery.k8s.io;v=v2;as=APIGroupDiscoveryList,application/json"
METRICS = {"kubewhy/cluster-resources/apiservices.json": [apiservice("metrics.k8s.io", "v1beta1", available=False)]}


def groups(files: dict[str, Any]) -> dict[str, Any]:
    """The versions of each group, aggregated."""
    found = json.loads(kube(files).get("/apis", accept=AGGREGATED).body)
    return {g["metadata"]["name"]: g["versions"] for g in found["items"]}


def test_a_broken_aggregated_group_is_stale() -> None:
    """No kinds, freshness Stale; the others are Current."""
    found = groups(METRICS)
    assert found["metrics.k8s.io"] == [{"version": "v1beta1", "freshness": "Stale"}]
    assert found["apps"][0]["freshness"] == "Current"


def test_a_group_that_nobody_serves_is_not_there() -> None:
    """APIServices were recorded, and metrics.k8s.io is none of them."""
    found = kube({"kubewhy/cluster-resources/apiservices.json": []})
    assert found.raw("/apis/metrics.k8s.io/v1beta1/nodes").status == 404
    assert "metrics.k8s.io" not in groups({"kubewhy/cluster-resources/apiservices.json": []})


def test_an_unknown_aggregated_group_may_exist() -> None:
    """Without recorded APIServices nobody knows whether metrics are served."""
    with pytest.raises(SourceError) as caught:
        kube(nodes=[]).get("/apis/metrics.k8s.io/v1beta1/nodes")
    assert caught.value.kind is Kind.NOT_RECORDED


def test_a_definition_adds_its_kind() -> None:
    """A CustomResourceDefinition's served versions are there, with short names."""
    names = {"plural": "widgets", "kind": "Widget", "shortNames": ["wd"]}
    versions = [{"name": "v1", "served": True}, {"name": "v1alpha1", "served": False}]
    spec = {"group": "example.com", "scope": "Namespaced", "names": names, "versions": versions}
    found = kube(custom_resource_definitions=[named("widgets.example.com", spec=spec)])
    assert json.loads(found.get("/apis/example.com").body)["versions"] == [
        {"groupVersion": "example.com/v1", "version": "v1"}
    ]
    kinds = json.loads(found.get("/apis/example.com/v1").body)["resources"]
    assert (kinds[0]["name"], kinds[0]["shortNames"]) == ("widgets", ["wd"])


def test_the_old_form_lists_subresources() -> None:
    """APIResourceList names them as ``pods/log``."""
    found = json.loads(kube().get("/api/v1").body)["resources"]
    assert {"pods", "pods/log", "nodes/proxy"} <= {r["name"] for r in found}


def test_the_version_is_recorded_or_unknown() -> None:
    """A bundle without cluster_version.json does not invent one."""
    files = {"cluster-info/cluster_version.json": {"info": {"gitVersion": "v1.33.2"}}}
    assert json.loads(kube(files).get("/version").body) == {"gitVersion": "v1.33.2"}
    with pytest.raises(SourceError):
        kube().get("/version")
