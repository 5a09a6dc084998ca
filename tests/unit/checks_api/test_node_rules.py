"""Which nodes a pod may use, by nodeSelector and required node affinity (POD-02)."""

from __future__ import annotations

from typing import Any

import pytest

from bot.checks.pod.pod_pinned_to_unusable_node import _matches
from bot.model.k8s import Meta, Node, PodSpec

NODE = Node(metadata=Meta(name="node-3", labels={"disk": "ssd", "cores": "8"}))


def required(*expressions: dict[str, Any], fields: tuple[dict[str, Any], ...] = ()) -> PodSpec:
    """A pod with one required term."""
    term = {"matchExpressions": list(expressions), "matchFields": list(fields)}
    return PodSpec(
        affinity={"nodeAffinity": {"requiredDuringSchedulingIgnoredDuringExecution": {"nodeSelectorTerms": [term]}}}
    )


@pytest.mark.parametrize(
    ("key", "operator", "values", "expected"),
    [
        ("disk", "In", ["ssd", "nvme"], True),
        ("disk", "In", ["hdd"], False),
        ("disk", "NotIn", ["hdd"], True),
        ("disk", "Exists", [], True),
        ("gpu", "Exists", [], False),
        ("gpu", "DoesNotExist", [], True),
        ("cores", "Gt", ["4"], True),
        ("cores", "Lt", ["8"], False),
        ("disk", "Gt", ["4"], False),
        ("gpu", "Lt", ["4"], False),
        ("disk", "Unheard", [], False),
    ],
)
def test_each_operator(key: str, operator: str, values: list[str], expected: bool) -> None:
    """As the scheduler judges them; what is no number compares as false."""
    assert expected == _matches(NODE, required({"key": key, "operator": operator, "values": values}))


def test_a_node_named_by_field() -> None:
    """DaemonSets bind their pods so."""
    named = required(fields=({"key": "metadata.name", "operator": "In", "values": ["node-3"]},))

    assert _matches(NODE, named)


def test_selector_and_terms_must_both_hold() -> None:
    """An empty term matches nothing; no term matches everything."""
    assert (True, False, False) == (
        _matches(NODE, PodSpec(node_selector={"disk": "ssd"})),
        _matches(NODE, PodSpec(node_selector={"disk": "hdd"})),
        _matches(NODE, required()),
    )
