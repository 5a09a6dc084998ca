"""The facts that the rules about traffic of a node (NET-09 to NET-17) join by AND."""

from __future__ import annotations

from typing import Any

from bot.model.cluster import PodsOnNode, SystemPods
from bot.model.host import AddressLeases, HostUnits, KernelLog, KubeletLog, Links, ProxyMode, Sysctls
from bot.model.host_traffic import Conntrack, CrossNode, ReversePath, ServiceProxy, ServiceRules
from bot.model.workloads import PodEvents
from tests.unit.judgement import undo
from tests.unit.judgement.fact import Fact, Scene, each, put, swap, to

FULL = "table full"
NO_NETWORK = "failed to setup network"
ANSWER = '"Failed to delete endpoint|error looking for path of conntrack'


def reached(pods: bool) -> Any:
    """Every leg to a pod (or to a node) is answered, or no leg is."""

    def change(leg: Any, _: Scene) -> Any:
        return swap(leg, result="ok" if pods else "timeout") if bool(leg.pod) == pods else leg

    return each("legs", change)


def logs(change: Any) -> Any:
    """A change of the logs of kube-proxy."""
    return lambda proxy, scene: swap(proxy, logs={k: change(v, scene) for k, v in proxy.logs.items()})


def one_card(links: Any, _: Scene) -> Any:
    """A machine with one network card."""
    cards = [link for link in links.items if link.physical]
    return swap(links, items=tuple(link for link in links.items if link not in cards[1:]))


def loose(sysctls: Any, _: Scene) -> Any:
    """No interface filters strictly."""
    return swap(sysctls, values={k: "2" if k.endswith("rp_filter") else v for k, v in sysctls.values.items()})


def seen(**span: float) -> Any:
    """Events that were seen first so long ago, and last just now."""

    def change(event: Any, scene: Scene) -> Any:
        return swap(event, first_timestamp=scene.ago(**span), last_timestamp=scene.ago(seconds=5))

    return each("items", change)


def over(event: Any, scene: Scene) -> Any:
    """An event that was seen last an hour ago."""
    return swap(event, first_timestamp=scene.ago(hours=2), last_timestamp=scene.ago(hours=1), series=None)


PROGRAMMED = {ServiceRules: to(iptables=29)}
FACTS: dict[str, tuple[Fact, ...]] = {
    "NET-09": (
        Fact("pods of the other nodes answer", {CrossNode: reached(pods=True)}),
        Fact("the other nodes do not answer either", {CrossNode: reached(pods=False)}),
    ),
    "NET-11": (
        Fact("there is room, and the kernel is silent", {Conntrack: to(count=9), KernelLog: undo.not_saying(FULL)}),
        Fact("there is room, and the lines are old", {Conntrack: to(count=9), KernelLog: undo.older(FULL, hours=2)}),
        Fact("there is room", {Conntrack: to(count=9)}, left="likely"),
        Fact("the kernel is silent", {KernelLog: undo.not_saying(FULL)}, left="likely"),
    ),
    "NET-12": (
        Fact("kube-proxy does not miss it", {ServiceProxy: logs(undo.not_saying(ANSWER))}),
        Fact("the lines are of two hours ago", {ServiceProxy: logs(undo.older(ANSWER, hours=2))}),
    ),
    "NET-13": (
        Fact("healthz is 200 and Services are programmed", {ProxyMode: to(healthz=200), **PROGRAMMED}),
        Fact(
            "the cluster has no kube-proxy",
            {
                ServiceProxy: to(pods=(), logs={}),
                SystemPods: to(items=()),
                HostUnits: undo.with_unit("kube-proxy", active="inactive", sub="dead", file_state="disabled"),
            },
        ),
    ),
    "NET-16": (
        Fact("the pods have addresses", {PodsOnNode: each("items", lambda p, s: put(p, "status.pod_ip", "10.9.9.9"))}),
        Fact("it began forty seconds ago", {PodEvents: seen(seconds=40)}),
        Fact("the events are over", {PodEvents: each("items", over)}),
        Fact(
            "the kubelet does not say so, and nothing is leaked",
            {KubeletLog: undo.not_saying(NO_NETWORK), AddressLeases: to(files={})},
            left="likely",
        ),
    ),
    "NET-17": (
        Fact("the count stands still", {ReversePath: to(readings=(7, 7))}),
        Fact("there is one network card", {Links: one_card}),
        Fact("no interface filters strictly", {Sysctls: loose}),
        Fact("the kernel names no such packet", {KernelLog: undo.not_saying("martian")}, left="likely"),
    ),
}
