"""The healthy base clusters: valid to a real API server, free of contradictions, as the generator writes them."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Iterator
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import kubernetes_validate
import pytest

from bot.bundle.base import base_path, bases
from bot.bundle.recorded import sources
from bot.bundle.recording import Bundle
from bot.bundle.store import open_base
from bot.collect.sections import TABLE, base

ROOT = Path(__file__).parents[3]
MODERN = ("cloud-cni", "ha", "kubeadm-5", "overlay-cni")
ALL = (*MODERN, "legacy-18")
UNKNOWN_TO_SCHEMAS = {"NodeMetrics", "PodMetrics"}
MINIMUM = ("ID", "UNITS", "KARGS", "KCFG", "CRI", "DISK", "LINKS", "ADDR", "RULES", "RULES_MAIN", "CNI", "PCI", "TIME")
RECORDED = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)

Obj = dict[str, Any]


def objects(bundle: Bundle) -> Iterator[Obj]:
    """Every object of every List."""
    for name in bundle.names():
        value = bundle.json(name) if name.endswith(".json") else None
        if isinstance(value, dict) and str(value.get("kind", "")).endswith("List"):
            yield from value["items"]


def of_kind(bundle: Bundle, kind: str) -> list[Obj]:
    """Every object of a kind."""
    return [o for o in objects(bundle) if o["kind"] == kind]


def entries(bundle: Bundle, node: str) -> dict[str, Obj]:
    """The node's commands by key."""
    value = bundle.json(f"kubewhy/nodes/{node}/commands.json")
    assert value is not None
    return {e["key"]: e for e in value}


def test_the_bases_that_scenarios_may_name_are_there() -> None:
    """Scenarios name these five."""
    assert set(ALL) <= set(bases())


def test_what_is_committed_is_what_the_generator_writes() -> None:
    """A change by hand, or of the generator without its output, is refused."""
    tool = [sys.executable, str(ROOT / "tools" / "make_bases.py"), "--check"]
    done = subprocess.run(tool, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")


def shape(value: object) -> object:
    """A value without its content: what a schema says about fields it says about all objects of one shape."""
    if isinstance(value, dict):
        return frozenset((key, shape(v)) for key, v in value.items())
    return frozenset(map(shape, value)) if isinstance(value, list) else type(value)


def test_every_object_satisfies_the_schema_of_its_release() -> None:
    """A misspelt field would make a scenario prove nothing; strict schemas refuse unknown fields."""
    everything = [item for name in MODERN for item in objects(open_base(name))]
    shapes = {(item["kind"], shape(item)): item for item in everything if item["kind"] not in UNKNOWN_TO_SCHEMAS}
    assert len(everything) > 600
    for item in shapes.values():
        kubernetes_validate.validate(item, "1.34.0", strict=True)


@pytest.mark.parametrize("name", ALL)
def test_references_lead_to_objects_that_exist(name: str) -> None:
    """Owners, nodes, endpoints and volumes that point nowhere would be faults of their own."""
    bundle = open_base(name)
    everything = list(objects(bundle))
    uids = {o["metadata"]["uid"] for o in everything if "uid" in o["metadata"]}
    nodes = {o["metadata"]["name"] for o in everything if o["kind"] == "Node"}
    owners = [r["uid"] for o in everything for r in o["metadata"].get("ownerReferences", [])]
    targets = [
        e["targetRef"]["uid"]
        for s in everything
        if s["kind"] == "EndpointSlice"
        for e in s["endpoints"]
        if "targetRef" in e
    ]
    placed = {p["spec"]["nodeName"] for p in everything if p["kind"] == "Pod"}
    assert set(owners) - uids == set()
    assert set(targets) - uids == set()
    assert placed - nodes == set()
    assert set(bundle.nodes()) == nodes


@pytest.mark.parametrize("name", ALL)
def test_no_two_objects_share_an_identity_or_an_address(name: str) -> None:
    """Duplicate addresses are a fault that a base must not have."""
    bundle = open_base(name)
    everything = [o for o in objects(bundle) if "uid" in o["metadata"]]
    pods = [p["status"]["podIP"] for p in everything if p["kind"] == "Pod" and not p["spec"].get("hostNetwork")]
    services = [
        s["spec"]["clusterIP"] for s in everything if s["kind"] == "Service" and s["spec"]["clusterIP"] != "None"
    ]
    assert len({o["metadata"]["uid"] for o in everything}) == len(everything)
    assert len(set(pods)) == len(pods)
    assert len(set(services)) == len(services)


@pytest.mark.parametrize("name", ALL)
def test_nothing_in_a_base_happens_after_it_was_recorded(name: str) -> None:
    """The clock of a diagnosis is the recording's."""
    bundle = open_base(name)
    made = [datetime.fromisoformat(o["metadata"]["creationTimestamp"]) for o in objects(bundle)]
    assert bundle.recorded_at == RECORDED
    assert max(made) <= RECORDED


@pytest.mark.parametrize("name", MODERN)
def test_every_node_renewed_its_lease_seconds_ago(name: str) -> None:
    """A stale Lease is the first sign of a dead node."""
    bundle = open_base(name)
    leases = {
        lease["metadata"]["name"]: RECORDED - datetime.fromisoformat(lease["spec"]["renewTime"])
        for lease in of_kind(bundle, "Lease")
        if lease["metadata"]["namespace"] == "kube-node-lease"
    }
    assert set(leases) == set(bundle.nodes())
    assert all(timedelta() <= age < timedelta(seconds=20) for age in leases.values())


def test_the_old_cluster_has_no_leases_and_its_leaders_in_annotations() -> None:
    """Before 1.14 the leader was an annotation on Endpoints, and nodes had no Lease."""
    bundle = open_base("legacy-18")
    mark = "control-plane.alpha.kubernetes.io/leader"
    leaders = {
        e["metadata"]["name"]: json.loads(e["metadata"]["annotations"][mark])["holderIdentity"]
        for e in of_kind(bundle, "Endpoints")
        if mark in e["metadata"].get("annotations", {})
    }
    assert of_kind(bundle, "Lease") == []
    assert leaders == {"kube-controller-manager": "master-1", "kube-scheduler": "master-1"}


@pytest.mark.parametrize("name", ALL)
def test_every_pod_is_ready_and_every_node_too(name: str) -> None:
    """Healthy means healthy."""
    bundle = open_base(name)
    kinds = [*of_kind(bundle, "Pod"), *of_kind(bundle, "Node")]
    ready = [next(c["status"] for c in o["status"]["conditions"] if c["type"] == "Ready") for o in kinds]
    restarts = [s["restartCount"] for p in of_kind(bundle, "Pod") for s in p["status"]["containerStatuses"]]
    available = [a["status"]["conditions"][0]["status"] for a in of_kind(bundle, "APIService")]
    assert set(ready) == {"True"}
    assert set(restarts) == {0}
    assert set(available) == {"True"}


@pytest.mark.parametrize("name", ALL)
def test_nodes_answer_the_commands_that_a_diagnosis_runs_word_for_word(name: str) -> None:
    """An entry whose text differs from the section's would never be found by its command."""
    bundle = open_base(name)
    for node in bundle.nodes():
        found = entries(bundle, node)
        plain = {s.key: s.command for s in base(*(k for k, spec in TABLE.items() if not spec.parameters))}
        assert {k: e["command"] for k, e in found.items() if k in plain and e["command"] != plain[k]} == {}
        assert [k for k in MINIMUM if k not in found] == []


@pytest.mark.parametrize("name", MODERN)
def test_the_runtime_of_each_node_runs_the_pods_that_the_api_puts_there(name: str) -> None:
    """Containers that only one side knows are findings."""
    bundle = open_base(name)
    for node in bundle.nodes():
        listed = json.loads(entries(bundle, node)["CRI_PS"]["stdout"])["containers"]
        running = {c["id"] for c in listed if c["state"] == "CONTAINER_RUNNING"}
        wanted = {
            s["containerID"].removeprefix("containerd://")
            for p in of_kind(bundle, "Pod")
            if p["spec"]["nodeName"] == node
            for s in p["status"]["containerStatuses"]
        }
        assert running == wanted


def test_pods_of_the_cloud_network_leave_by_the_second_card() -> None:
    """A rule for each pod, a table with a default route, two cards: the incidents of the second NIC start from this."""
    bundle = open_base("cloud-cni")
    found = entries(bundle, "node-a")
    rules = json.loads(found["RULES"]["stdout"])
    table = json.loads(found["RULES_T:2"]["stdout"])
    assert {"priority": 1536, "src": "10.176.98.29", "table": "2"} in rules
    assert table[0] == {"dst": "default", "gateway": "10.176.98.1", "dev": "eth1", "flags": []}
    assert [line.rsplit(":,", 1)[1] for line in found["PCI"]["stdout"].splitlines()] == ["eth0,", "eth1,"]


@pytest.mark.parametrize("name", ALL)
def test_dns_answers_service_names_and_external_names_alike_from_everywhere(name: str) -> None:
    """The bot's own questions are answered as recorded."""
    bundle = open_base(name)
    resolver = sources(bundle).resolver
    dns = next(s for s in of_kind(bundle, "Service") if s["metadata"]["name"] == "kube-dns")["spec"]["clusterIP"]
    api = next(s for s in of_kind(bundle, "Service") if s["metadata"]["name"] == "kubernetes")["spec"]["clusterIP"]
    inside = resolver.ask(dns, "kubernetes.default.svc.cluster.local")
    outside = resolver.ask(dns, "example-api.com")
    assert (inside.rcode, inside.addresses) == ("NOERROR", (api,))
    assert (outside.rcode, outside.addresses) == ("NOERROR", ("203.0.113.20",))


@pytest.mark.parametrize("name", ALL)
def test_a_base_holds_no_secret(name: str) -> None:
    """Bases ship to everybody."""
    text = "".join(p.read_text(encoding="utf-8") for p in base_path(name, asked_by="test").rglob("*") if p.is_file())
    assert "PRIVATE KEY" not in text
    assert "client-key-data" not in text
