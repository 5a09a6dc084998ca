"""Evidence about the cluster as a whole, from new and old API servers."""

from __future__ import annotations

from datetime import UTC, datetime

import pytest

from bot.collect.apiservices import discovery, group_probes
from bot.collect.cluster import api_health, heartbeats, kubernetes_endpoints, pods_on_node
from bot.collect.control_plane import leaders
from bot.errors import Kind, SourceError
from bot.model.apis import Discovery, GroupProbes
from bot.model.cluster import ApiHealth, Heartbeats, KubernetesEndpoints, Leaders, Nodes, PodsOnNode
from bot.model.k8s import Condition, Meta, Node, NodeStatus
from bot.model.proof import Proof, Source
from bot.model.refs import NodeName
from bot.source import Response
from tests.unit.collect.fake_kube import FakeKube

PROOF = Proof(source=Source.API, what="GET /api/v1/nodes")
BEAT = datetime(2026, 11, 21, 3, 20, tzinfo=UTC)
LEASES = "/apis/coordination.k8s.io/v1/namespaces/kube-node-lease/leases"
READY = Condition(type="Ready", status="True", last_heartbeat_time=BEAT)
NODES = Nodes(proof=PROOF, items=(Node(metadata=Meta(name="n1"), status=NodeStatus(conditions=(READY,))),))


def test_heartbeats_come_from_leases_where_there_are_any() -> None:
    """The Lease is written every 10 s, the condition every 5 min."""
    kube = FakeKube(
        {LEASES: {"items": [{"metadata": {"name": "n1"}, "spec": {"renewTime": "2026-11-21T03:59:50.1Z"}}]}}
    )

    (found,) = heartbeats(kube, NODES)

    assert isinstance(found, Heartbeats)
    assert (True, 59) == (found.by_lease, found.last["n1"].minute)


def test_before_node_leases_the_condition_tells_the_heartbeat() -> None:
    """Before 1.14 the API group or the namespace does not exist."""
    (found,) = heartbeats(FakeKube({}), NODES)

    assert isinstance(found, Heartbeats)
    assert (False, {"n1": BEAT}) == (found.by_lease, dict(found.last))


def test_forbidden_leases_are_a_gap_and_never_old_heartbeats() -> None:
    """The condition of a node with Leases may be 5 minutes old: it must not stand in."""
    with pytest.raises(SourceError) as caught:
        list(heartbeats(FakeKube({LEASES: Response(status=403, body=b"")}), NODES))
    assert Kind.FORBIDDEN is caught.value.kind


def test_a_leader_is_read_from_the_lease_or_from_the_old_annotation() -> None:
    """A component without any record is absent, not leaderless."""
    record = '{"holderIdentity":"master-1","renewTime":"2026-11-21T03:59:59Z","leaderTransitions":3}'
    annotated = {"metadata": {"annotations": {"control-plane.alpha.kubernetes.io/leader": record}}}
    kube = FakeKube(
        {
            "/apis/coordination.k8s.io/v1/namespaces/kube-system/leases/kube-scheduler": {
                "spec": {"holderIdentity": "m2_uuid", "leaseTransitions": 7, "renewTime": "2026-11-21T03:59:58Z"}
            },
            "/api/v1/namespaces/kube-system/endpoints/kube-controller-manager": annotated,
        }
    )

    (found,) = leaders(kube)

    assert isinstance(found, Leaders)
    assert {"kube-scheduler", "kube-controller-manager"} == set(found.by_component)
    assert ("m2", 7) == (found.by_component["kube-scheduler"].host, found.by_component["kube-scheduler"].transitions)
    assert ("master-1", 3) == (
        found.by_component["kube-controller-manager"].host,
        found.by_component["kube-controller-manager"].transitions,
    )


def test_health_names_the_failed_checks() -> None:
    """A 500 is the answer "not ready"."""
    body = b"[+]ping ok\n[-]etcd failed: reason withheld\nreadyz check failed\n"

    (found,) = api_health(FakeKube({"/readyz": Response(status=500, body=body)}))

    assert isinstance(found, ApiHealth)
    assert (False, ("etcd",)) == (found.ready, found.failed)


def test_forbidden_health_is_no_health() -> None:
    """403 says nothing about etcd."""
    with pytest.raises(SourceError) as caught:
        list(api_health(FakeKube({"/readyz": Response(status=403, body=b"")})))
    assert "readyz" in caught.value.hint


def test_the_endpoints_of_kubernetes_fall_back_to_the_old_object() -> None:
    """Before 1.21 there are no slices."""
    old = {"subsets": [{"addresses": [{"ip": "10.0.0.1"}], "ports": [{"port": 6443}]}]}

    (found,) = kubernetes_endpoints(FakeKube({"/api/v1/namespaces/default/endpoints/kubernetes": old}))

    assert isinstance(found, KubernetesEndpoints)
    assert (("10.0.0.1",), 6443) == (found.addresses, found.port)


def test_pods_of_a_node_are_asked_for_by_field_selector() -> None:
    """A server that ignores the selector does not spoil the answer."""
    kube = FakeKube(
        {
            "/api/v1/pods": {
                "items": [{"metadata": {"name": p}, "spec": {"nodeName": n}} for p, n in (("a", "n1"), ("b", "n2"))]
            }
        }
    )

    (found,) = pods_on_node(kube, NodeName("n1"))

    assert isinstance(found, PodsOnNode)
    assert ("a",) == tuple(p.metadata.name for p in found.items)
    assert "spec.nodeName=n1" == kube.asked[0][1]["fieldSelector"]


def test_discovery_in_both_forms() -> None:
    """Only the aggregated document tells about freshness."""
    new = {
        "items": [{"metadata": {"name": "metrics.k8s.io"}, "versions": [{"version": "v1beta1", "freshness": "Stale"}]}]
    }
    old = {"groups": [{"name": "metrics.k8s.io", "versions": [{"version": "v1beta1"}]}]}

    (aggregated,) = discovery(FakeKube({"/apis": new}))
    (plain,) = discovery(FakeKube({"/apis": old}))

    assert isinstance(aggregated, Discovery)
    assert isinstance(plain, Discovery)
    assert (("metrics.k8s.io/v1beta1",), True) == (aggregated.stale, aggregated.aggregated)
    assert ((), False, ("metrics.k8s.io/v1beta1",)) == (plain.stale, plain.aggregated, plain.group_versions)


def test_a_raw_get_keeps_503_and_404_apart() -> None:
    """Kubectl prints the same words for both; the status tells (captured from 1.36)."""
    down = Response(status=503, body=b"service unavailable\n")

    (found,) = group_probes(FakeKube({"/apis/metrics.k8s.io/v1beta1": down}), None)
    (absent,) = group_probes(FakeKube({}), None)

    assert isinstance(found, GroupProbes)
    assert isinstance(absent, GroupProbes)
    assert [503, 404] == [p.by_group_version["metrics.k8s.io/v1beta1"].status for p in (found, absent)]
