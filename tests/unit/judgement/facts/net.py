"""The facts that the rules about the network of nodes and pods join by AND."""

from __future__ import annotations

from typing import Any

from bot.model.cluster import PodsOnNode
from bot.model.host import HostUnits, Iptables, Links, NetworkManager, PciNics, PolicyRouting, Sysctls
from bot.model.host_agents import CniAgent
from bot.model.host_net import AUTOMATIC, Link, Route
from tests.unit.judgement import undo
from tests.unit.judgement.fact import Fact, Scene, each, put, swap, to


def default_routes(routing: Any, _: Scene) -> Any:
    """Every table that a rule names leads somewhere."""
    named = {r.table for r in routing.rules if r.table not in AUTOMATIC} | set(routing.tables)
    route = (Route(destination="default", device="eth1", gateway="10.0.9.253"),)
    return swap(routing, tables=dict.fromkeys(named, route))


def no_rules(routing: Any, _: Scene) -> Any:
    """No rule leads anywhere but to the kernel's own tables."""
    return swap(routing, rules=tuple(r for r in routing.rules if r.table in AUTOMATIC))


def host_network(pod: Any, _: Scene) -> Any:
    """A pod without an address of its own."""
    return put(pod, "spec", lambda spec: swap(spec, host_network=True))


def strangers(routing: Any, scene: Scene) -> Any:
    """Other nodes do not use policy routing; this one is as it was."""
    return routing if routing.node == scene.key else swap(routing, rules=(), tables={})


def interface_there(links: Any, scene: Scene) -> Any:
    """The interface that the finding names is there and holds the pods' addresses."""
    found = scene.known.get(PodsOnNode, scene.key)
    addresses = tuple(f"{p.status.pod_ip}/32" for p in (found.items if found else ()) if p.status.pod_ip)
    return swap(links, items=(*links.items, Link(name=scene.fact("interface"), up=True, addresses=addresses)))


def agent_well(agent: Any, scene: Scene) -> Any:
    """The agent has run for a day and has nothing to say."""
    return swap(agent, pods=tuple(undo.well(p, scene) for p in agent.pods), logs={})


def agent_new(agent: Any, scene: Scene) -> Any:
    """The agent was started twenty seconds ago."""
    now = scene.ago(seconds=20)

    def young(status: Any) -> Any:
        return put(status, "state.running.started_at", now) if status.state.running else status

    pods = (put(p, "status.start_time", now) for p in agent.pods)
    fresh = (put(p, "status.container_statuses", lambda old: tuple(young(s) for s in old or ())) for p in pods)
    return swap(agent, pods=tuple(fresh))


def started_long_ago(units: Any, scene: Scene) -> Any:
    """The network managers have run for two months."""
    names = [n for n in ("systemd-networkd", "NetworkManager") if n in units.by_name]
    old = {n: swap(units.by_name[n], active_since=scene.ago(days=60), started=scene.ago(days=60)) for n in names}
    return swap(units, by_name={**units.by_name, **old})


def accepting(chain: Any, scene: Scene) -> Any:
    """A rule accepts what the CNI forwards."""
    return swap(chain, rules=("-m comment --comment flannel -j FLANNEL-FWD", *chain.rules))


QUIET_MANAGER = to(log=(), upgrades=())

FACTS: dict[str, tuple[Fact, ...]] = {
    "NET-01": (
        Fact("the interface is there", {Links: interface_there}),
        Fact("no pod has an address of it", {PodsOnNode: each("items", host_network)}),
        Fact("no card without an interface is on the bus", {PciNics: to(items=())}, left="likely"),
        Fact(
            "the card is a function that was given to a pod",
            {PciNics: each("items", lambda c, s: c if c.interfaces else swap(c, driver="vfio-pci"))},
            left="likely",
        ),
    ),
    "NET-02": (
        Fact("the tables have a default route", {PolicyRouting: default_routes}),
        Fact("no rule leads to the tables", {PolicyRouting: no_rules}),
        Fact("the pods are on the host's network", {PodsOnNode: each("items", host_network)}),
        Fact("no other node shows how it should be", {PolicyRouting: strangers}, everywhere=True, left="likely"),
    ),
    "NET-04": (
        Fact("nothing is missing, and the agent is well", {CniAgent: agent_well, PolicyRouting: default_routes}),
        Fact("the agent was started just now", {CniAgent: agent_new}),
        Fact("nothing is missing", {PolicyRouting: default_routes}, reasons=("does-not-reconcile",)),
        Fact("the routing tables are in order", {PolicyRouting: default_routes}, left="likely"),
    ),
    "NET-05": (
        Fact("the tables have a default route", {PolicyRouting: default_routes}),
        Fact("it was told to leave routes alone", {NetworkManager: to(settings={"manageforeignroutes": "no"})}),
        Fact("it was neither started nor busy lately", {HostUnits: started_long_ago, NetworkManager: QUIET_MANAGER}),
        Fact(
            "the pods are younger than its start",
            {PodsOnNode: each("items", lambda p, s: put(p, "status.start_time", s.ago(seconds=5)))},
        ),
        Fact(
            "networkd manages no interface",
            {NetworkManager: lambda m, s: swap(m, setup={"eth0": "unmanaged", "eth1": "unmanaged"})},
        ),
        Fact("no log tells of it", {NetworkManager: QUIET_MANAGER}, left="likely"),
    ),
    "NET-06": (
        Fact("the policy accepts", {Iptables: to(policy="ACCEPT")}),
        Fact("no packet meets the policy", {Iptables: to(dropped=(7, 7))}, reasons=("dropping",)),
        Fact("nobody counted the packets", {Iptables: to(dropped=None)}, reasons=("dropping",)),
        Fact("a rule accepts the pods' packets", {Iptables: accepting}, reasons=("dropping",), left="quiet"),
    ),
    "NET-07": (
        Fact(
            "the kernel forwards",
            {Sysctls: lambda e, s: swap(e, values={k: "1" if "forward" in k else v for k, v in e.values.items()})},
        ),
    ),
}
