"""Routes that nothing sets at boot: they work now, and are gone after the next restart of the network."""

from __future__ import annotations

from collections.abc import Iterator

from bot.model.cluster import Nodes
from bot.model.host import Links, NetworkManager, Route, RoutingRules

NOBODY = frozenset({"", "boot"})  # the protocol of a route that was set without a word who sets it; ip leaves it out
MANAGED = frozenset({"configured"})


def by_hand(routing: RoutingRules, links: Links, manager: NetworkManager, nodes: Nodes) -> Iterator[Route]:
    """Routes of a managed card, by way of a router, that its manager did not set.

    What a CNI sets looks the same, so a way by another node, or to the addresses of pods, is left out.
    """
    ours = {address.address for n in nodes.items for address in n.status.addresses or ()}
    pods = {n.spec.pod_cidr for n in nodes.items}
    for route in routing.main:
        card = links.get(route.device)
        known = card is not None and card.physical and manager.setup.get(card.name, "") in MANAGED
        foreign = route.gateway and route.gateway not in ours and route.destination not in pods
        if known and foreign and route.protocol in NOBODY:
            yield route
