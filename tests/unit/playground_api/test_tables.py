"""Server-side tables say in one word what is wrong, as ``kubectl get`` shows it."""

from __future__ import annotations

import json
from datetime import timedelta
from typing import Any

import pytest

from bot.bundle.api.tables.cells import human
from bot.source import TABLE
from tests.unit.playground_api.world import apiservice, kube, named

ENDED = {"exitCode": 1, "reason": "Error", "finishedAt": "2026-11-21T04:53:50Z"}


def table(path: str, query: dict[str, str] | None = None, **lists: Any) -> dict[str, Any]:
    """The table of a list."""
    value: dict[str, Any] = json.loads(kube(**lists).get(path, query, accept=TABLE).body)
    return value


def row(path: str, **lists: Any) -> dict[str, Any]:
    """The cells of the first row by column."""
    found = table(path, **lists)
    columns = [c["name"] for c in found["columnDefinitions"]]
    return dict(zip(columns, found["rows"][0]["cells"], strict=True))


def pod(*states: dict[str, Any], phase: str = "Running", **more: Any) -> dict[str, Any]:
    """A pod with a container a state."""
    spec = {"nodeName": "n1", "containers": [{"name": s["name"]} for s in states] or [{"name": "c"}]}
    status = {"phase": phase, "containerStatuses": list(states)}
    head = {k: more.pop(k) for k in ("deletionTimestamp",) if k in more}
    spec |= more.pop("spec", {})
    return named("web", creationTimestamp="2026-11-20T04:58:50Z", spec=spec, status=status | more, **head)


def one(state: dict[str, Any], name: str = "c", **more: Any) -> dict[str, Any]:
    """A container status."""
    return {"name": name, "restartCount": 0, "ready": False, "state": state, **more}


RUNS = one({"running": {}}, ready=True)
CRASHES = one({"waiting": {"reason": "CrashLoopBackOff"}}, restartCount=14, lastState={"terminated": ENDED})
FAILED = one({"terminated": ENDED}, "i")
AT_WORK = one({"running": {}}, "i", started=True, ready=True)
GATED = [{"type": "PodScheduled", "reason": "SchedulingGated"}]
INIT = {"spec": {"initContainers": [{"name": "i"}, {"name": "j"}]}}
SIDECAR = {"spec": {"initContainers": [{"name": "i", "restartPolicy": "Always"}]}}


@pytest.mark.parametrize(
    ("item", "ready", "word", "restarts"),
    [
        (pod(RUNS), "1/1", "Running", "0"),
        (pod(CRASHES), "0/1", "CrashLoopBackOff", "14 (5m ago)"),
        (pod(one({"terminated": {"exitCode": 0, "reason": "Completed"}}), phase="Succeeded"), "0/1", "Completed", "0"),
        (pod(one({"terminated": ENDED}), phase="Failed"), "0/1", "Error", "0"),
        (pod(one({"terminated": {"exitCode": 3}}), phase="Failed"), "0/1", "ExitCode:3", "0"),
        (pod(one({"terminated": {"exitCode": 137, "signal": 9}}), phase="Failed"), "0/1", "Signal:9", "0"),
        (pod(phase="Failed", reason="Evicted"), "0/1", "Evicted", "0"),
        (pod(phase="Pending"), "0/1", "Pending", "0"),
        (pod(RUNS, deletionTimestamp="2026-11-21T04:00:00Z"), "1/1", "Terminating", "0"),
        (pod(RUNS, deletionTimestamp="2026-11-21T04:00:00Z", reason="NodeLost"), "1/1", "Unknown", "0"),
        (pod(initContainerStatuses=[one({"running": {}}, "i")], phase="Pending", **INIT), "0/1", "Init:0/2", "0"),
        (pod(initContainerStatuses=[FAILED], phase="Pending", **INIT), "0/1", "Init:Error", "0"),
        (pod(RUNS, initContainerStatuses=[AT_WORK], **SIDECAR), "2/2", "Running", "0"),
        (pod(phase="Pending", conditions=GATED), "0/1", "SchedulingGated", "0"),
    ],
)  # fmt: skip
def test_pods(item: dict[str, Any], ready: str, word: str, restarts: str) -> None:
    """The words of ``printPod``, sidecars and init containers included."""
    cells = row("/api/v1/pods", pods__shop=[item])
    assert (cells["Ready"], cells["Status"], cells["Restarts"]) == (ready, word, restarts)


def test_a_pod_row_in_full() -> None:
    """Age against the recorded clock; the wide columns are there."""
    cells = row("/api/v1/pods", pods__shop=[pod(RUNS, podIP="10.1.2.3")])
    assert (cells["Name"], cells["Age"], cells["IP"], cells["Node"]) == ("web", "24h", "10.1.2.3", "n1")


def test_a_node_row() -> None:
    """Ready, cordoned, with its roles."""
    status = {"conditions": [{"type": "Ready", "status": "Unknown"}], "nodeInfo": {"kubeletVersion": "v1.33.2"}}
    labels = {"node-role.kubernetes.io/control-plane": "", "node-role.kubernetes.io/etcd": ""}
    cells = row("/api/v1/nodes", nodes=[named("n", labels=labels, spec={"unschedulable": True}, status=status)])
    assert (cells["Status"], cells["Roles"]) == ("NotReady,SchedulingDisabled", "control-plane,etcd")
    assert (cells["Version"], cells["Internal-IP"]) == ("v1.33.2", "<none>")


def test_an_api_service_row() -> None:
    """What is behind it and why it is not available."""
    files = {"kubewhy/cluster-resources/apiservices.json": [apiservice("metrics.k8s.io", "v1beta1", available=False)]}
    cells = row("/apis/apiregistration.k8s.io/v1/apiservices", files=files)
    assert (cells["Service"], cells["Available"]) == ("kube-system/ms", "False (MissingEndpoints)")


def test_what_comes_with_a_row() -> None:
    """``includeObject``: nothing, the metadata, or the object."""
    with_object = {
        k: table("/api/v1/pods", {"includeObject": k}, pods__shop=[pod(RUNS)]) for k in ("None", "Metadata", "Object")
    }
    objects = {k: v["rows"][0]["object"] for k, v in with_object.items()}
    assert objects["None"] is None
    assert (objects["Metadata"]["kind"], "spec" in objects["Metadata"]) == ("PartialObjectMetadata", False)
    assert (objects["Object"]["kind"], "spec" in objects["Object"]) == ("Pod", True)


def test_other_kinds_have_name_and_creation() -> None:
    """A kind without columns of its own."""
    found = table("/api/v1/limitranges", limitranges__shop=[named("l", creationTimestamp="2026-11-20T04:58:50Z")])
    assert [c["name"] for c in found["columnDefinitions"]] == ["Name", "Created At"]
    assert found["rows"][0]["cells"] == ["l", "2026-11-20T04:58:50Z"]


def test_custom_columns() -> None:
    """A definition's columns are read by their JSON paths."""
    columns = [
        {"name": "Ready", "type": "string", "jsonPath": '.status.conditions[?(@.type=="Ready")].status'},
        {"name": "First", "type": "integer", "jsonPath": ".spec.sizes[0]"},
        {"name": "Age", "type": "date", "jsonPath": ".metadata.creationTimestamp"},
    ]
    version = {"name": "v1", "served": True, "additionalPrinterColumns": columns}
    names = {"plural": "widgets", "kind": "Widget"}
    spec = {"group": "example.com", "scope": "Cluster", "names": names, "versions": [version]}
    item = named(
        "w",
        creationTimestamp="2026-11-20T04:58:50Z",
        spec={"sizes": [4, 5]},
        status={"conditions": [{"type": "Ready", "status": "True"}]},
    )
    files = {"cluster-resources/custom-resources/widgets.example.com.json": [item]}
    cells = row(
        "/apis/example.com/v1/widgets",
        files=files,
        custom_resource_definitions=[named("widgets.example.com", spec=spec)],
    )
    assert cells == {"Name": "w", "Ready": "True", "First": 4, "Age": "24h"}


@pytest.mark.parametrize(
    ("seconds", "words"),
    [(-5, "<invalid>"), (-1, "0s"), (0, "0s"), (119, "119s"), (120, "2m"), (125, "2m5s"), (599, "9m59s"), (600, "10m"),
     (10799, "179m"), (10800, "3h"), (11400, "3h10m"), (28800, "8h"), (172799, "47h"), (172800, "2d"), (180000, "2d2h"),
     (691200, "8d"), (63072000, "2y"), (63158400, "2y1d"), (252288000, "8y")],
)  # fmt: skip
def test_durations(seconds: int, words: str) -> None:
    """Two or three figures, as kubectl counts."""
    assert human(timedelta(seconds=seconds)) == words
