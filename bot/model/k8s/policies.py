"""NetworkPolicies, as far as kubewhy reads them: what they select."""

from __future__ import annotations

from bot.model.k8s.meta import Object, Struct


class Requirement(Struct):
    """One expression of a label selector."""

    key: str = ""
    operator: str = ""
    values: tuple[str, ...] | None = None


class Selector(Struct):
    """A label selector; an empty one selects everything."""

    match_labels: dict[str, str] | None = None
    match_expressions: tuple[Requirement, ...] | None = None

    def selects(self, labels: dict[str, str]) -> bool:
        """Whether these labels are meant; an operator that is not known selects, so that nothing is overlooked."""
        if any(labels.get(k) != v for k, v in (self.match_labels or {}).items()):
            return False
        return all(_holds(r, labels) for r in self.match_expressions or ())


def _holds(requirement: Requirement, labels: dict[str, str]) -> bool:
    value, values = labels.get(requirement.key), requirement.values or ()
    known = {
        "In": value in values,
        "NotIn": value not in values,
        "Exists": value is not None,
        "DoesNotExist": value is None,
    }
    return known.get(requirement.operator, True)


class PolicySpec(Struct):
    """NetworkPolicy.spec, without its rules."""

    pod_selector: Selector = Selector()
    policy_types: tuple[str, ...] | None = None


class NetworkPolicyObject(Object):
    """A NetworkPolicy."""

    spec: PolicySpec = PolicySpec()
