"""Nothing in a bundle is trusted: whatever it holds, a question ends in an answer or in a SourceError."""

from __future__ import annotations

import json
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.errors import SourceError
from bot.source import TABLE, Right
from tests.unit.playground_api.world import User, kube, named

FIELDS = """
name namespace labels annotations creationTimestamp deletionTimestamp ownerReferences metadata spec status
conditions type reason phase containers initContainers containerStatuses initContainerStatuses state lastState
terminated waiting exitCode finishedAt restartCount ports port addresses endpoints subjects roleRef rules
verbs kind group version service names versions
""".split()  # noqa: SIM905 - a list of words
SCALARS = (
    st.none() | st.booleans() | st.integers() | st.text(max_size=5) | st.sampled_from(["2026-11-21T04:58:50Z", "True"])
)
JSON = st.recursive(
    SCALARS,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.sampled_from(FIELDS), inner, max_size=4),
    max_leaves=25,
)
QUESTIONS = [
    ("pods", "/api/v1/pods"),
    ("nodes", "/api/v1/nodes"),
    ("services", "/api/v1/services"),
    ("events", "/api/v1/events"),
    ("custom-resource-definitions", "/apis/apiextensions.k8s.io/v1/customresourcedefinitions"),
    ("apiservices", "/apis"),
]


@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@pytest.mark.parametrize(("file", "path"), QUESTIONS)
@given(items=st.lists(st.dictionaries(st.sampled_from(FIELDS), JSON, max_size=5), max_size=3))
def test_every_question_ends_in_an_answer_or_an_error_of_ours(file: str, path: str, items: list[Any]) -> None:
    """Lists, tables, selectors, logs and reviews of random objects."""
    content = {"items": items}
    files = {f"cluster-resources/{file}.json": content, f"cluster-resources/{file}/shop.json": content}
    files |= {f"kubewhy/cluster-resources/{file}.json": content, "cluster-resources/clusterrolebindings.json": content}
    found = kube(files, user=User(name="ann", groups=("system:masters",)), clusterroles=[])
    other = kube(files, user=User(name="ann"), clusterroles=[])
    questions = [
        lambda: found.raw(path),
        lambda: found.raw(path, {"limit": "1"}, accept=TABLE),
        lambda: found.raw(path, {"labelSelector": "a=b", "fieldSelector": "metadata.name!=x"}),
        lambda: found.raw("/api/v1/namespaces/shop/pods/x/log"),
        lambda: other.review(Right(verb="list", resource="pods")),
    ]
    for question in questions:
        try:
            question()
        except SourceError:
            continue


def test_half_a_character_does_not_hide_a_list() -> None:
    """A lone surrogate cannot be written as UTF-8: it becomes a question mark."""
    text = '{"items": [{"metadata": {"name": "a", "annotations": {"x": "\\ud800"}}}]}'
    body = kube({"cluster-resources/nodes.json": text}).get("/api/v1/nodes").body
    assert json.loads(body)["items"][0]["metadata"]["annotations"]["x"] == "?"


def test_names_are_never_paths() -> None:
    """A container's name cannot lead out of its pod's folder to another file of the bundle."""
    pod = named("web", spec={"nodeName": "n", "containers": [{"name": "../../../../../kubewhy/recorded-at"}]})
    with pytest.raises(SourceError):
        kube(pods__shop=[pod]).get("/api/v1/namespaces/shop/pods/web/log")
