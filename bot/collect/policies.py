"""NetworkPolicies of all namespaces, in one list."""

from __future__ import annotations

from collections.abc import Iterator

from bot.collect.read import listing
from bot.collector import collects
from bot.model.evidence import Evidence
from bot.model.k8s.policies import NetworkPolicyObject
from bot.model.policies import NetworkPolicies
from bot.source import Kube, Right

LIST_POLICIES = Right(verb="list", resource="networkpolicies", group="networking.k8s.io")


@collects(NetworkPolicies, rights=(LIST_POLICIES,))
def network_policies(kube: Kube) -> Iterator[Evidence]:
    """What they select, not what they let through."""
    found = listing(kube, "/apis/networking.k8s.io/v1/networkpolicies", NetworkPolicyObject, LIST_POLICIES)
    yield NetworkPolicies(proof=found.proof, items=found.items)
