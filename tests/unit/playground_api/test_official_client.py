"""The official Python client reads a playground as it reads a cluster."""

from __future__ import annotations

import json
from collections.abc import Iterator

import pytest
from kubernetes import client, config
from kubernetes.client.exceptions import ApiException

from bot.bundle.store import open_base
from bot.playground.https import serve


@pytest.fixture(scope="module")
def api() -> Iterator[client.ApiClient]:
    """A client of a playground that serves a base cluster."""
    with serve(open_base("kubeadm-5")) as server:
        yield config.new_client_from_config_dict(json.loads(server.kubeconfig()))


def test_typed_lists(api: client.ApiClient) -> None:
    """Pods and Deployments decode into the client's models."""
    pods = client.CoreV1Api(api).list_pod_for_all_namespaces(limit=5)
    assert (len(pods.items), bool(pods.metadata._continue)) == (5, True)
    names = [d.metadata.name for d in client.AppsV1Api(api).list_namespaced_deployment("kube-system").items]
    assert "coredns" in names


def test_logs_and_selectors(api: client.ApiClient) -> None:
    """A log of a pod that was found by its label."""
    core = client.CoreV1Api(api)
    pod = core.list_namespaced_pod("kube-system", label_selector="k8s-app=kube-dns").items[0]
    assert "CoreDNS" in core.read_namespaced_pod_log(pod.metadata.name, "kube-system")


def test_reviews(api: client.ApiClient) -> None:
    """May I, and who am I."""
    spec = client.V1SelfSubjectAccessReviewSpec(
        resource_attributes=client.V1ResourceAttributes(verb="list", resource="pods")
    )
    review = client.V1SelfSubjectAccessReview(spec=spec)
    assert client.AuthorizationV1Api(api).create_self_subject_access_review(review).status.allowed


def test_errors(api: client.ApiClient) -> None:
    """404 with the object's name; nothing can be deleted."""
    core = client.CoreV1Api(api)
    with pytest.raises(ApiException) as caught:
        core.read_namespaced_pod("gone", "default")
    assert caught.value.status == 404
    with pytest.raises(ApiException) as caught:
        core.delete_namespaced_pod("gone", "default")
    assert caught.value.status == 405
