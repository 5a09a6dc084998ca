"""Selectors select, and are refused, as a real API server's are (the words are compared with one in tests/real)."""

from __future__ import annotations

import json

import pytest

from tests.unit.playground_api.world import kube, named, names

PODS = [
    named("a", labels={"app": "web", "tier": "1"}, spec={"nodeName": "n1"}, status={"phase": "Running"}),
    named("b", labels={"app": "db"}, spec={"nodeName": "n2"}, status={"phase": "Failed"}),
    named("c", spec={}, status={"phase": "Pending"}),
]


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("app=web", "a"),
        ("app==web", "a"),
        ("app!=web", "bc"),
        ("app", "ab"),
        ("!app", "c"),
        ("app in (web, db)", "ab"),
        ("app notin (web)", "bc"),
        ("tier>0", "a"),
        ("tier<1", ""),
        ("app=web,tier=1", "a"),
        ("app=web,tier=2", ""),
    ],
)
def test_labels_select(selector: str, expected: str) -> None:
    """Equality-based and set-based requirements, joined by commas."""
    found = kube(pods__shop=PODS).get("/api/v1/pods", {"labelSelector": selector})
    assert "".join(names(found)) == expected


@pytest.mark.parametrize(
    ("selector", "expected"),
    [
        ("spec.nodeName=n1", "a"),
        ("spec.nodeName!=n1", "bc"),
        ("spec.nodeName=", "c"),
        ("status.phase!=Running,status.phase!=Failed", "c"),
        ("metadata.name=b", "b"),
        ("metadata.namespace=other", ""),
    ],
)
def test_fields_select(selector: str, expected: str) -> None:
    """An absent field is the empty text."""
    found = kube(pods__shop=PODS).get("/api/v1/pods", {"fieldSelector": selector})
    assert "".join(names(found)) == expected


@pytest.mark.parametrize(
    ("parameter", "value", "message"),
    [
        ("labelSelector", "a in (b", "unable to parse requirement: found '', expected: ',' or ')'"),
        ("labelSelector", "=x", "found '=', expected: !, identifier, or 'end of string'"),
        ("fieldSelector", "spec.foo=1", "field label not supported: spec.foo"),
        ("fieldSelector", "spec.foo", "invalid selector: 'spec.foo'; can't understand 'spec.foo'"),
        ("limit", "abc", 'strconv.ParseInt: parsing "abc": invalid syntax'),
    ],
)
def test_nonsense_is_refused(parameter: str, value: str, message: str) -> None:
    """400 with the server's words."""
    answer = kube(pods__shop=PODS).get("/api/v1/pods", {parameter: value})
    assert (answer.status, json.loads(answer.body)["message"]) == (400, message)
