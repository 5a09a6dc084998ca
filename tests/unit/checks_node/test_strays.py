"""CTRL-09: what of a control plane is on a host, how it is seen, and where it belongs."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest

from bot.check import load
from bot.model.cluster import KubernetesEndpoints, Nodes, PodsOnNode
from bot.model.evidence import Evidence
from bot.model.finding import Finding
from bot.model.host import HostUnits, Listener, ListeningPorts, StaticManifests, Unit
from bot.model.k8s import Container, Meta, Node, NodeAddress, NodeStatus, Pod, PodSpec
from bot.model.proof import Proof, Source

NOW = datetime(2026, 11, 21, 4, 0, tzinfo=UTC)
PROOF = Proof(source=Source.NODE, what="test")
HERE = "node-3"
CHECK = load()["CTRL-09"]


def judged(*evidence: Evidence) -> list[Finding]:
    """The findings about the host."""
    values = {need.name: next((e for e in evidence if isinstance(e, need.type)), None) for need in CHECK.needs}
    return [f for f in CHECK.run(**values) if isinstance(f, Finding)]


def said(*evidence: Evidence) -> list[tuple[str, str, str]]:
    """Reason, severity and confidence of each finding."""
    return [(f.reason, f.severity.value, f.confidence.value) for f in judged(*evidence)]


def units(*active: str) -> HostUnits:
    """Units that run since ten minutes."""
    since = NOW - timedelta(minutes=10)

    def made(name: str) -> Unit:
        return Unit(name=name, load="loaded", file_state="enabled", active="active", sub="running", active_since=since)

    return HostUnits(proof=PROOF, node=HERE, by_name={n: made(n) for n in active})


def nodes(*, named: bool = True) -> Nodes:
    """A worker, and a control-plane node unless nobody is called so."""
    labels = {"node-role.kubernetes.io/control-plane": ""} if named else {}
    master = Node(metadata=Meta(name="master-1", labels=labels), status=_status("10.0.0.11"))
    return Nodes(proof=PROOF, items=(master, Node(metadata=Meta(name=HERE), status=_status("10.0.0.14"))))


def _status(address: str) -> NodeStatus:
    return NodeStatus(addresses=(NodeAddress(type="InternalIP", address=address),))


def endpoints(*addresses: str) -> KubernetesEndpoints:
    """Where pods find the API server."""
    return KubernetesEndpoints(proof=PROOF, addresses=addresses, port=6443)


def listening(process: str, port: int) -> ListeningPorts:
    """A process on a port; its name may be cut or unknown."""
    item = Listener(protocol="tcp", address="*", port=port, process=process)
    return ListeningPorts(proof=PROOF, node=HERE, items=(item,))


def manifests(*names: str) -> StaticManifests:
    """Files that the kubelet starts."""
    return StaticManifests(proof=PROOF, node=HERE, files={f"{n}.yaml": None for n in names})


def pod(name: str, *, mirror: bool, component: str = "") -> PodsOnNode:
    """A pod on the host's network, from a manifest or from a controller."""
    meta = Meta(
        name=name,
        namespace="kube-system",
        labels={"component": component} if component else {},
        annotations={"kubernetes.io/config.mirror": "x"} if mirror else {},
    )
    item = Pod(metadata=meta, spec=PodSpec(host_network=True, containers=(Container(name="kube-apiserver"),)))
    return PodsOnNode(proof=PROOF, node=HERE, items=(item,))


@pytest.mark.parametrize(("process", "port"), [("kube-apiserver", 6443), ("kube-controller", 10257), ("etcd", 2379)])
def test_a_process_that_listens_is_seen_without_a_unit(process: str, port: int) -> None:
    """Started by hand, by docker, or from a manifest: systemd knows of nothing."""
    assert [("running", "high", "confirmed")] == said(units(), nodes(), listening(process, port))


def test_a_port_without_a_process_is_nobodys() -> None:
    """Who may not see processes may not guess them from ports."""
    assert [] == said(units(), nodes(), listening("", 6443))
    assert [] == said(units(), nodes(), listening("haproxy", 6443))


def test_a_manifest_that_is_left_is_a_trap_for_the_next_start() -> None:
    """The kubelet runs what is there; the repair puts it aside."""
    (found,) = judged(units(), nodes(), manifests("kube-apiserver", "etcd"))
    assert ("enabled-only", "warn") == (found.reason, found.severity.value)
    assert any("sudo mv /etc/kubernetes/manifests/kube-apiserver.yaml" in c for f in found.fixes for c in f.commands)


def test_an_api_server_of_another_cluster_may_run_as_a_pod() -> None:
    """Hosted control planes on the host's network."""
    assert [] == said(units(), nodes(), listening("kube-apiserver", 6443), pod("tenant-1", mirror=False))


@pytest.mark.parametrize("ports", [listening("kube-apiserver", 6443), listening("", 6443)])
def test_a_control_plane_host_without_its_label_is_no_stray(ports: ListeningPorts) -> None:
    """Its API server runs from a manifest, and pods are sent to it."""
    known = (units(), nodes(), ports, manifests("kube-apiserver"))
    mirror = pod("kube-apiserver-node-3", mirror=True, component="kube-apiserver")
    assert [] == said(*known, mirror, endpoints("10.0.0.11", "10.0.0.14"))
    assert [] == said(*known, mirror)
    assert 1 == len(said(*known, mirror, endpoints("10.0.0.11")))


def test_where_nothing_names_the_control_plane_the_endpoints_do() -> None:
    """Binary installations without labels: possible where pods are sent elsewhere, silent where they are sent here."""
    known = (units("kube-apiserver"), nodes(named=False))
    assert [("running", "high", "possible")] == said(*known, endpoints("10.0.0.11"))
    assert [] == said(*known, endpoints("10.0.0.11", "10.0.0.14"))
    assert [] == said(*known)
    assert [] == said(units("etcd"), nodes(named=False), endpoints("10.0.0.11"))


def test_a_worker_of_k3s_is_a_worker() -> None:
    """Only servers hold a control plane on purpose."""
    assert 1 == len(judged(units("kube-apiserver", "k3s-agent"), nodes()))
    assert [] == judged(units("kube-apiserver", "k3s"), nodes())
