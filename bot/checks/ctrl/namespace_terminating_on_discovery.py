"""CTRL-15: a namespace cannot go because discovery fails."""

from __future__ import annotations

import re
import shlex
from collections.abc import Iterator

from bot.check import check
from bot.model.apis import ApiServices, Namespaces, group_version, is_available
from bot.model.evidence import Clock
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.k8s import Condition, NamespaceObject
from bot.model.refs import Subject
from bot.model.text import T

LONG = 300.0
CONDITION = "NamespaceDeletionDiscoveryFailure"
GROUP_VERSION = re.compile(r"\b([a-z0-9][a-z0-9.-]*)/(v\d+\w*)\b")


@check("CTRL-15")
def namespace_terminating_on_discovery(
    namespaces: Namespaces, clock: Clock, apis: ApiServices | None
) -> Iterator[Finding]:
    """A namespace stays Terminating because an API group cannot be discovered.

    Says:
        "the namespace hangs in Terminating".
    Evidence:
        The namespace's condition NamespaceDeletionDiscoveryFailure; APIServices.
    Rule:
        Terminating for more than 5 min and the condition is True. Confirmed when the APIService it names is down.
    Cause:
        An aggregated API is down, so nobody can tell what is left in the namespace.
    Fix:
        Repair the APIService; never clear the finalizers by hand.
    Verify:
        The namespace is gone within 2 min.
    Must not fire:
        Finalizers that remain (NamespaceFinalizersRemaining) without the discovery condition.
    Reasons:
        - discovery-failed: the condition names the groups
    """
    down = {group_version(a) for a in apis.aggregated if not is_available(a)} if apis else set()
    for namespace in namespaces.items:
        gone = namespace.metadata.deletion_timestamp
        condition = next((c for c in namespace.status.conditions or () if c.type == CONDITION), None)
        if gone is None or clock.age(gone) <= LONG or condition is None or condition.status != "True":
            continue
        named = tuple(dict.fromkeys(f"{g}/{v}" for g, v in GROUP_VERSION.findall(condition.message or "")))
        yield _finding(namespace, condition, named, namespaces, sure=bool(down & set(named)))


def _finding(
    namespace: NamespaceObject, condition: Condition, named: tuple[str, ...], namespaces: Namespaces, *, sure: bool
) -> Finding:
    name = namespace.metadata.name
    return Finding(
        code="CTRL-15",
        reason="discovery-failed",
        title=T("Namespace {name} stays Terminating: discovery of {groups} fails", name=name, groups=named),
        detail=T("Do not clear its finalizers: it goes by itself once the API answers."),
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED if sure else Confidence.LIKELY,
        subject=Subject("Namespace", name),
        facts={"groups": tuple(dict.fromkeys(gv.partition("/")[0] for gv in named)), "namespace": name},
        onset=condition.last_transition_time,
        proofs=(namespaces.proof.quote(f"{name}: {condition.type}={condition.status} {condition.message or ''}"),),
        fixes=(
            Fix(
                what=T("Repair the APIService that the condition names; the namespace then goes by itself."),
                safety=Safety.READ_ONLY,
                commands=("kubectl get apiservices",),
                verify=(f"kubectl get namespace {shlex.quote(name)}",),
            ),
        ),
    )
