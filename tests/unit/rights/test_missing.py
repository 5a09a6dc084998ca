"""A missing right is told with the rule to add; it never becomes "all is well", nor a fault of the cluster."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from functools import cache
from typing import Any

import pytest
import yaml

from bot import app, collector
from bot.bundle.store import open_base
from bot.collect.read import grant
from bot.model.report import Report, Status
from bot.render.terminal import terminal
from bot.rights import rules
from tests.unit.rights.account import Asked, asked_for, bound, diagnose

DNS = "/dns-check kubernetes.default from=shop/mysql-0"
METRICS = "/metrics-api"
NODE = "/node-why node-3"
NET = "/node-why node-3 net"
BASE = "ha"  # nothing at all is found in it with all rights, not even a remark

# Question, right, and the rule to add: what a serious check of the command cannot do without.
MANDATORY = [
    (DNS, "list pods", '{apiGroups: [""], resources: [pods], verbs: [list]}'),
    (DNS, "list services", '{apiGroups: [""], resources: [services], verbs: [list]}'),
    (DNS, "get pods/log", '{apiGroups: [""], resources: [pods/log], verbs: [get]}'),
    (DNS, "get configmaps", "[configmaps], verbs: [get], resourceNames: [coredns, kube-dns, kubelet-config]}"),
    (METRICS, "list nodes", '{apiGroups: [""], resources: [nodes], verbs: [list]}'),
    (METRICS, "list pods", '{apiGroups: [""], resources: [pods], verbs: [list]}'),
    (METRICS, "list apiservices.apiregistration.k8s.io",
     '{apiGroups: ["apiregistration.k8s.io"], resources: [apiservices], verbs: [list]}'),
    (NODE, "list pods", '{apiGroups: [""], resources: [pods], verbs: [list]}'),
]  # fmt: skip
ABSENT = ("there is no", "there are no", "does not exist", "not installed", "nothing is wrong")


def without(right: str) -> list[dict[str, Any]]:
    """The rules of the role without one right."""
    kept = [replace(c, rights=tuple(r for r in c.rights if str(r) != right)) for c in collector.load()]
    return rules(kept)


@cache
def allowed_everything(question: str) -> frozenset[tuple[str, str, str]]:
    """What is found in the same cluster with every right."""
    return found(diagnose(bound(open_base(BASE), rules(collector.load())), question))


def found(report: Report) -> frozenset[tuple[str, str, str]]:
    """Row, reason and subject of every finding."""
    return frozenset((e.finding.code, e.finding.reason, str(e.finding.subject)) for e in report.entries)


@pytest.mark.parametrize(("question", "right", "rule"), MANDATORY)
def test_the_missing_rule_is_named_and_nothing_is_called_well(
    question: str, right: str, rule: str, asked: Asked
) -> None:
    """The report is incomplete, says which rule to add in words that can be pasted, and claims nothing."""
    report = diagnose(bound(open_base(BASE), without(right)), question)
    screen = " ".join(terminal(report, width=10_000).split())
    assert asked.refused != []
    assert report.status is Status.INCOMPLETE
    assert [s for s in report.skipped if s.mandatory and rule in s.hint] != []
    assert rule in screen
    assert [words for words in ABSENT if words in screen.lower()] == []
    assert report.roots == ()


def sweep() -> Iterator[tuple[str, str]]:
    """Every right, with the first question whose plan has it."""
    plans = {question: app.plan(asked_for(question)).splitlines() for question in (DNS, METRICS, NODE, NET)}
    for right in sorted({str(r) for c in collector.load() for r in c.rights if not r.path}):
        yield next(q for q, lines in plans.items() if f"  {right}" in lines), right


@pytest.mark.parametrize(("question", "right"), list(sweep()))
def test_a_refusal_never_becomes_a_finding(question: str, right: str, asked: Asked) -> None:
    """Whatever is refused: nothing is found that is not found with all rights, nothing breaks, and hints are exact."""
    report = diagnose(bound(open_base(BASE), without(right)), question)
    assert report.failed == ()
    assert found(report) - allowed_everything(question) == frozenset()
    hints = {s.hint for s in report.skipped if s.hint.startswith("Grant")}
    if hints:
        assert asked.refused != []
        assert hints <= {grant(r) for c in collector.load() for r in c.rights if str(r) == right}


@pytest.mark.parametrize("right", ["list pods", "get configmaps", "list leases.coordination.k8s.io"])
def test_the_hint_is_a_rule_that_can_be_pasted(right: str) -> None:
    """What is asked to be granted is YAML of a rule, and the role has that rule."""
    declared = next(r for c in collector.load() for r in c.rights if str(r) == right)
    (hint,) = yaml.safe_load(grant(declared).removeprefix("Grant: "))
    granted = [
        rule
        for rule in rules(collector.load())
        if set(hint["resources"]) <= set(rule.get("resources", ()))
        and hint["apiGroups"] == rule["apiGroups"]
        and set(hint["verbs"]) <= set(rule["verbs"])
        and hint.get("resourceNames") == rule.get("resourceNames")
    ]
    assert granted != []
