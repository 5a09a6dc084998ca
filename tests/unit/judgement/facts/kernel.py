"""The facts that the rules about kernel, disks and joining a cluster join by AND."""

from __future__ import annotations

from typing import Any

from bot.model.cluster import Nodes, SystemPods
from bot.model.host import HostUnits, KernelLog, KubeletArguments, KubeletLog, Links, Mounts, NodeIdentity
from bot.model.host_agents import ProblemDetectors
from bot.model.host_net import Link
from bot.model.k8s import Condition
from tests.unit.judgement import undo
from tests.unit.judgement.fact import Fact, Scene, each, put, swap, to

HANG = r"blocked for more|unregister_netdevice|BUG: |self-detected stall"
DISK = r"EXT4-fs|I/O error|XFS|nvme|EDAC"


def without_condition(*kinds: str) -> Any:
    """A node of whose conditions those of node-problem-detector are False."""

    def change(node: Any, scene: Scene) -> Any:
        for kind in kinds:
            if node.condition(kind):
                node = undo.condition(node, kind, status="False", last_transition_time=scene.ago(days=2))
        return node

    return undo.of_node(change)


def of_a_floppy(line: Any, _: Scene) -> Any:
    """The same error of a floppy drive."""
    return swap(line, text=line.text.replace("dev sdb", "dev fd0").replace("dev sda", "dev fd0"))


def writable(mount: Any, _: Scene) -> Any:
    """The same mount, rw."""
    return swap(mount, options=tuple("rw" if o == "ro" else o for o in mount.options))


def one_interface_has(address: Any) -> Any:
    """The host has an interface with this address, in the network of the others."""

    def change(links: Any, scene: Scene) -> Any:
        return swap(links, items=(*links.items, Link(name="ens999", up=True, addresses=(f"{scene.fact(address)}/24",))))

    return change


def known_node(nodes: Any, scene: Scene) -> Any:
    """One node more: the host of the finding."""
    return swap(nodes, items=(*nodes.items, put(nodes.items[0], "metadata.name", scene.key)))


def joined(seconds: float) -> Any:
    """A node whose taint was added so long ago."""

    def change(node: Any, scene: Scene) -> Any:
        taints = tuple(swap(t, time_added=scene.ago(seconds=seconds)) for t in node.spec.taints or ())
        return put(put(node, "spec.taints", taints), "metadata.creation_timestamp", scene.ago(seconds=seconds))

    return undo.of_node(change)


def reporting(nodes: Any, _: Scene) -> Any:
    """One node has a condition that Kubernetes itself does not set, and it is False."""
    first = nodes.items[0]
    more = (*first.status.conditions, Condition(type="KernelDeadlock", status="False"))
    return swap(nodes, items=(put(first, "status.conditions", more), *nodes.items[1:]))


def in_gke(node: Any, _: Scene) -> Any:
    """A node of a pool of GKE."""
    return put(node, "metadata.labels", {"cloud.google.com/gke-nodepool": "default-pool"})


FACTS: dict[str, tuple[Fact, ...]] = {
    "NODE-27": (
        Fact(
            "neither the condition nor the kernel says so",
            {Nodes: without_condition("KernelDeadlock"), KernelLog: undo.not_saying(HANG)},
        ),
        Fact(
            "the lines of the kernel are of two hours ago and the condition is False",
            {Nodes: without_condition("KernelDeadlock"), KernelLog: undo.older(HANG, hours=2)},
        ),
        Fact("the kernel is silent", {KernelLog: undo.not_saying(HANG)}, left="likely"),
        Fact("the condition is False", {Nodes: without_condition("KernelDeadlock")}, left="likely"),
    ),
    "NODE-28": (
        Fact(
            "the mount is rw",
            {Mounts: each("items", writable), KernelLog: undo.not_saying(DISK)},
            reasons=("read-only",),
        ),
        Fact(
            "nobody says that it was writable",
            {KernelLog: undo.not_saying(DISK), KubeletLog: undo.not_saying("[Rr]ead-only file system")},
            reasons=("read-only",),
        ),
        Fact("the errors are of two hours ago", {KernelLog: undo.older(DISK, hours=2)}, reasons=("io-errors",)),
        Fact("they are of a drive without a medium", {KernelLog: each("lines", of_a_floppy)}, reasons=("io-errors",)),
    ),
    "NODE-29": (
        Fact("the DaemonSet is there", {ProblemDetectors: to(names=("kube-system/node-problem-detector",))}),
        Fact("it runs as a unit", {HostUnits: undo.with_unit("node-problem-detector", active="active", sub="running")}),
        Fact("the kernel is silent", {KernelLog: undo.not_saying(DISK)}),
        Fact("the line is of two hours ago", {KernelLog: undo.older(DISK, hours=2)}),
        Fact("a node has a condition of an agent", {Nodes: reporting}),
        Fact("its cloud has an agent", {Nodes: each("items", in_gke)}),
        Fact("there is one node only", {Nodes: lambda nodes, _: swap(nodes, items=nodes.items[:1])}),
    ),
    "NODE-33": (
        Fact("the cluster has such a node", {Nodes: known_node}),
        Fact("the kubelet was started a minute ago", {HostUnits: undo.kubelet_runs(1)}),
        Fact("no kubelet runs there", {HostUnits: undo.with_unit("kubelet", active="inactive", sub="dead")}),
    ),
    "NODE-34": (
        Fact("the taint is gone", {Nodes: undo.of_node(lambda n, s: put(n, "spec.taints", ()))}),
        Fact("the cloud has named it", {Nodes: undo.of_node(lambda n, s: put(n, "spec.provider_id", "aws:///a/i-1"))}),
        Fact("it joined a minute ago", {Nodes: joined(60)}),
        Fact(
            "a pod of it is there",
            {SystemPods: each("items", lambda p, s: put(p, "metadata.name", "cloud-controller-manager-x"))},
            reasons=("controller-missing",),
            left="likely",
        ),
    ),
    "NODE-35": (
        Fact("an interface has the address", {Links: one_interface_has("address")}, reasons=("not-on-host",)),
        Fact(
            "the other nodes are elsewhere",
            {Nodes: each("items", lambda n, s: n if n.name == s.key else put(n, "status.addresses", ()))},
            reasons=("wrong-network",),
        ),
        Fact(
            "the systemUUIDs differ",
            {Nodes: undo.of_node(lambda n, s: put(n, "status.node_info.system_uuid", "another"))},
            reasons=("duplicate-machine",),
        ),
        Fact(
            "the host is called as its kubelet registered",
            {NodeIdentity: lambda e, s: swap(e, hostname=s.key)},
            reasons=("hostname-changed",),
        ),
        Fact(
            "a flag gives it its name",
            {KubeletArguments: lambda e, s: swap(e, flags={**e.flags, "hostname-override": s.key})},
            reasons=("hostname-changed",),
        ),
        Fact(
            "the other nodes have other addresses",
            {Nodes: each("items", lambda n, s: n if n.name == s.key else put(n, "status.addresses", ()))},
            reasons=("registered-twice", "shared-address"),
        ),
    ),
}
