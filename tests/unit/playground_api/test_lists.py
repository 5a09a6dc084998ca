"""Lists in pages."""

from __future__ import annotations

import base64
import json
from typing import Any

import pytest

from bot.bundle.api import RecordedKube
from bot.errors import Kind, SourceError
from tests.unit.playground_api.world import kube, named, names


@pytest.fixture
def five() -> RecordedKube:
    """Five nodes."""
    return kube(nodes=[named(f"n{i}", resourceVersion=str(70 + i)) for i in range(5)])


def meta(found: Any) -> dict[str, Any]:
    """ListMeta of an answer."""
    value: dict[str, Any] = json.loads(found.body)["metadata"]
    return value


def test_pages_hold_every_object_once(five: RecordedKube) -> None:
    """Each page says how many follow; the last has no token."""
    first = five.get("/api/v1/nodes", {"limit": "2"})
    assert (names(first), meta(first)["remainingItemCount"]) == (["n0", "n1"], 3)
    second = five.get("/api/v1/nodes", {"limit": "2", "continue": meta(first)["continue"]})
    assert (names(second), meta(second)["remainingItemCount"]) == (["n2", "n3"], 1)
    last = five.get("/api/v1/nodes", {"limit": "2", "continue": meta(second)["continue"]})
    assert (names(last), meta(last)) == (["n4"], {"resourceVersion": "74"})


def test_a_selector_hides_how_many_follow(five: RecordedKube) -> None:
    """As with storage, what a selector leaves over is not counted."""
    found = meta(five.get("/api/v1/nodes", {"limit": "2", "labelSelector": "!x"}))
    assert found["continue"]
    assert "remainingItemCount" not in found


def test_an_old_token_is_gone(five: RecordedKube) -> None:
    """410 Expired, with a token for the inconsistent rest, which works."""
    token = base64.urlsafe_b64encode(b'{"v":"meta.k8s.io/v1","rv":3,"start":"n2\\u0000"}').decode().rstrip("=")
    with pytest.raises(SourceError) as caught:
        five.get("/api/v1/nodes", {"continue": token})
    assert caught.value.kind is Kind.GONE
    body = json.loads(five.raw("/api/v1/nodes", {"continue": token}).body)
    assert body["reason"] == "Expired"
    assert names(five.get("/api/v1/nodes", {"continue": body["metadata"]["continue"]})) == ["n3", "n4"]


@pytest.mark.parametrize("token", ["xyz", "e30", "eyJ2IjoibWV0YS5rOHMuaW8vdjEifQ", "!!!", "bnVsbA"])
def test_a_token_that_is_none_is_refused(five: RecordedKube, token: str) -> None:
    """400, never a list from the beginning."""
    answer = five.get("/api/v1/nodes", {"continue": token})
    assert answer.status == 400
    assert json.loads(answer.body)["message"].startswith("invalid continue token")
