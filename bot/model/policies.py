"""NetworkPolicies, as far as kubewhy asks of them: whether one holds back what comes to a pod."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar

from bot.model.evidence import Evidence
from bot.model.k8s import Pod
from bot.model.k8s.policies import NetworkPolicyObject


@dataclass(frozen=True, slots=True, kw_only=True)
class NetworkPolicies(Evidence):
    """The NetworkPolicies of the cluster; those of a CNI's own kinds are not among them."""

    words: ClassVar[str] = "network policies"

    items: tuple[NetworkPolicyObject, ...]

    def hold_back(self, pod: Pod) -> bool:
        """Whether a policy selects the pod for what comes in: then it may refuse a node, too."""
        return any(
            p.metadata.namespace == pod.metadata.namespace
            and ("Ingress" in p.spec.policy_types if p.spec.policy_types else True)
            and p.spec.pod_selector.selects(pod.metadata.labels or {})
            for p in self.items
        )
