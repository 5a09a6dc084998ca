"""``pods/log`` out of recorded files."""

from __future__ import annotations

import json
from typing import Any

import pytest

from bot.errors import Kind, SourceError
from tests.unit.playground_api.world import kube, named

PATH = "/api/v1/namespaces/shop/pods/web/log"
FILE = "cluster-resources/pods/logs/shop/web/c"
STAMPED = (
    "2026-11-21T04:40:00.000000001Z old\n2026-11-21T04:58:00.000000000Z new\n2026-11-21T04:58:40.123456789Z newest\n"
)
KLOG = "I1121 04:40:00.000000       1 a.go:1] old\n  of it\nE1121 04:58:00.000000       1 a.go:1] new\n"


def log(text: str | None, query: dict[str, str] | None = None, *, states: list[Any] | None = None, **spec: Any) -> Any:
    """Ask for the log of a pod whose container ``c`` has written ``text``."""
    files = {} if text is None else {f"{FILE}.log": text, f"{FILE}-previous.log": "before\n"}
    pod = named(
        "web", spec={"nodeName": "n", "containers": [{"name": "c"}]} | spec, status={"containerStatuses": states or []}
    )
    return kube(files, pods__shop=[pod]).get(PATH, query)


def state(**value: Any) -> list[Any]:
    """A container status."""
    return [{"name": "c", **value}]


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ({}, "old\nnew\nnewest\n"),
        ({"tailLines": "1"}, "newest\n"),
        ({"tailLines": "0"}, ""),
        ({"sinceSeconds": "60"}, "new\nnewest\n"),
        ({"sinceTime": "2026-11-21T04:58:30Z"}, "newest\n"),
        ({"limitBytes": "5"}, "old\nn"),
        ({"previous": "true"}, "before\n"),
        ({"timestamps": "true", "tailLines": "1"}, "2026-11-21T04:58:40.123456789Z newest\n"),
    ],
)
def test_options_cut_the_log(query: dict[str, str], expected: str) -> None:
    """Time stamps that the recorder asked for are shown only on demand."""
    assert log(STAMPED, query).body.decode() == expected


def test_a_line_stands_in_with_the_time_it_states() -> None:
    """A klog header says when; a continuation belongs to the line before it."""
    assert log(KLOG, {"sinceSeconds": "300"}).body.decode() == KLOG.splitlines(keepends=True)[2]
    stamped = log(KLOG, {"timestamps": "true"}).body.decode().splitlines()
    assert stamped[1] == "2026-11-21T04:40:00.000000000Z   of it"


def test_lines_without_any_time_are_kept_and_get_none() -> None:
    """Unknown is no reason to leave a line out, and no time is invented."""
    assert log("plain\n", {"sinceSeconds": "1", "timestamps": "true"}).body == b"plain\n"


def test_a_december_line_read_in_january_is_of_last_year() -> None:
    """A klog header has no year: a time far ahead of the recording was the year before."""
    text = "I1231 23:59:00.000000       1 a.go:1] x\n"
    assert log(text, {"timestamps": "true"}).body.decode().startswith("2025-12-31T23:59:00")


@pytest.mark.parametrize(
    ("query", "rest", "message"),
    [
        ({"container": "x"}, {}, "container x is not valid for pod web"),
        (
            {},
            {"containers": [{"name": "c"}, {"name": "d"}], "initContainers": [{"name": "i"}]},
            "a container name must be specified for pod web, choose one of: [c d] or one of the init containers: [i]",
        ),
        ({"previous": "true"}, {"states": state()}, 'previous terminated container "c" in pod "web" not found'),
        (
            {},
            {"states": state(state={"waiting": {"reason": "ContainerCreating"}})},
            'container "c" in pod "web" is waiting to start: ContainerCreating',
        ),
        (
            {},
            {"states": state(state={"waiting": {"reason": "ImagePullBackOff"}})},
            'container "c" in pod "web" is waiting to start: trying and failing to pull image',
        ),
    ],
)
def test_what_no_cluster_has_is_refused(query: dict[str, str], rest: dict[str, Any], message: str) -> None:
    """400 in the words of API server and kubelet."""
    answer = log(None, query, **rest)
    assert (answer.status, json.loads(answer.body)["message"]) == (400, message)


@pytest.mark.parametrize("query", [{}, {"previous": "true"}])
def test_a_log_that_must_exist_is_not_recorded(query: dict[str, str]) -> None:
    """A container that has run has a log; a bundle without it does not know it."""
    ended = {"lastState": {"terminated": {"exitCode": 1}}, "state": {"waiting": {"reason": "CrashLoopBackOff"}}}
    with pytest.raises(SourceError) as caught:
        log(None, query, states=state(**ended))
    assert caught.value.kind is Kind.NOT_RECORDED
