"""A question about one node or about DNS costs the same in a cluster of any size: it never lists all pods."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field, replace

import pytest

from bot import app, ask
from bot.bundle.recorded import sources
from bot.diagnose import diagnose
from bot.playground.demos import demo
from bot.source import JSON, Kube, Response, Right

Asked = tuple[str, Mapping[str, str]]


@dataclass
class Noting:
    """Passes requests on to a recorded API and notes them."""

    inner: Kube
    asked: list[Asked] = field(default_factory=list)

    def get(
        self, path: str, query: Mapping[str, str] | None = None, *, accept: str = JSON, timeout: float | None = None
    ) -> Response:
        """See bot.source.Kube."""
        self.asked.append((path, dict(query or {})))
        return self.inner.get(path, query, accept=accept, timeout=timeout)

    def raw(
        self, path: str, query: Mapping[str, str] | None = None, *, accept: str = JSON, timeout: float | None = None
    ) -> Response:
        """See bot.source.Kube."""
        self.asked.append((path, dict(query or {})))
        return self.inner.raw(path, query, accept=accept, timeout=timeout)

    def review(self, right: Right, namespace: str | None = None) -> bool:
        """See bot.source.Kube."""
        return self.inner.review(right, namespace)


def requests_of(incident: str, question: str) -> list[Asked]:
    """Every GET of a diagnosis of a recorded incident."""
    name, _, rest = question.lstrip("/").partition(" ")
    asked = ask.parse(rest, name, app.commands())
    scenario = demo(incident)
    recorded = sources(scenario.bundle())
    noting = Noting(recorded.kube)
    cluster = app.Cluster.model_validate(dict(scenario.config))
    diagnose(app.order(asked, app.commands()[name], incident, cluster), replace(recorded, kube=noting))
    return noting.asked


def lists_of_pods(asked: list[Asked]) -> Iterator[str]:
    """The namespaces whose pods were listed, ``*`` for a list over all without a node to narrow it down."""
    for path, query in asked:
        if path == "/api/v1/pods" and not query.get("fieldSelector", "").startswith("spec.nodeName="):
            yield "*"
        elif path.startswith("/api/v1/namespaces/") and path.endswith("/pods"):
            yield path.split("/")[4]


@pytest.mark.parametrize("question", ["/node-why node-3", "/node-why node-3 net"])
def test_a_question_about_a_node_lists_no_pods_but_those_of_the_control_plane_and_the_node(question: str) -> None:
    """Pods of the node come by a field selector, which the API server keeps an index for."""
    assert set(lists_of_pods(requests_of("W1", question))) <= {"kube-system"}


@pytest.mark.parametrize(
    ("question", "expected"),
    [
        ("/dns-check", {"kube-system"}),
        ("/dns-check example-api.com from=default/example-app", {"kube-system", "default"}),
    ],
)
def test_a_question_about_dns_lists_the_pods_of_its_namespaces_alone(question: str, expected: set[str]) -> None:
    """Those of cluster DNS, of its user interface when there is one, and of the client that was named."""
    found = set(lists_of_pods(requests_of("W2", question))) - {"kubernetes-dashboard"}

    assert expected == found


def test_a_question_about_the_whole_cluster_does_look_at_every_namespace() -> None:
    """So the other tests can fail: the same notes do see lists of all namespaces."""
    assert {"default", "kube-system", "shop"} <= set(lists_of_pods(requests_of("W1", "/metrics-api")))
