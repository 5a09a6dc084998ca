"""Naming roots: catalogue C.2, step by step."""

from __future__ import annotations

import pytest

from bot.chain import Story, explain
from bot.model.finding import Confidence, Finding, Severity
from bot.model.report import Role
from tests.unit.kernel.stories import found, known


def story(*findings: Finding, owns: tuple[str, ...] = ()) -> Story:
    """The story of these findings."""
    return explain(findings, known(), owns)


def roots(told: Story) -> list[str]:
    """The codes of the roots, best first."""
    return [told.findings[t.root].code for t in told.roots]


def chain(told: Story, number: int = 0) -> list[str]:
    """The codes of a root's chain."""
    return [told.findings[i].code for i in told.roots[number].chain]


def role(told: Story, code: str) -> Role:
    """The role of the first finding of a row."""
    return next(r for f, r in zip(told.findings, told.roles, strict=True) if f.code == code)


def test_the_moved_file_explains_the_stopped_kubelet_and_everything_above() -> None:
    """The modern form of the first incident: one root, the chain up to the person's symptom."""
    told = story(
        found("NODE-04", minutes=40, active=False, at_start=True),
        found("NODE-03", minutes=40, active=False),
        found(
            "METRICS-02", "Deployment/kube-system/metrics-server", node="node-3", minutes=39, service="kube-system/ms"
        ),
        found(
            "APISVC-01",
            "APIService/v1beta1.metrics.k8s.io",
            service="kube-system/ms",
            group="metrics.k8s.io",
            minutes=38,
        ),
        owns=("APISVC-*", "METRICS-*"),
    )
    assert roots(told) == ["NODE-04"]
    assert chain(told) == ["NODE-04", "NODE-03", "METRICS-02", "APISVC-01"]


def test_two_faults_on_one_node_that_do_not_explain_each_other_are_two_roots() -> None:
    """A stray control plane beside a missing file: repairing one leaves the other."""
    told = story(found("NODE-04", active=False, at_start=True), found("NODE-03", active=False), found("CTRL-09"))
    assert sorted(roots(told)) == ["CTRL-09", "NODE-04"]


def test_a_reboot_that_exposed_a_latent_fault_is_named_as_trigger_and_never_as_root() -> None:
    """Catalogue C.2, step 4."""
    told = story(found("NODE-30", minutes=40), found("NODE-04", minutes=39, active=False))
    assert roots(told) == ["NODE-04"]
    assert role(told, "NODE-30") is Role.TRIGGER
    assert [told.findings[i].code for i in told.roots[0].exposed_by] == ["NODE-30"]


def test_a_reboot_long_before_the_fault_is_no_trigger() -> None:
    """Exposed by is said only when the order holds."""
    told = story(found("NODE-30", minutes=600), found("NODE-04", minutes=39, active=False))
    assert told.roots[0].exposed_by == () or roots(told)[0] == "NODE-30"
    assert all(t.exposed_by == () for t in told.roots)


def test_a_fault_on_another_node_explains_nothing() -> None:
    """Edges join on the same node."""
    told = story(found("NODE-04", active=False, at_start=True), found("NODE-03", "Node/node-4", active=False))
    assert sorted(roots(told)) == ["NODE-03", "NODE-04"]


def test_an_effect_that_began_before_its_cause_is_not_explained_by_it() -> None:
    """Onsets decide, with 120 seconds of slack."""
    told = story(found("NODE-04", minutes=10, active=False), found("NODE-03", minutes=60, active=False))
    assert sorted(roots(told)) == ["NODE-03", "NODE-04"]


def test_a_possible_finding_is_no_root_and_explains_nothing() -> None:
    """Only confirmed and likely findings count."""
    told = story(found("NODE-04", confidence=Confidence.POSSIBLE, active=False), found("NODE-03", active=False))
    assert roots(told) == ["NODE-03"]


def test_a_guard_that_cannot_be_decided_leaves_the_edge_possible_and_unfollowed() -> None:
    """NODE-03 without the fact whether the kubelet is active: the edge is shown, both are roots."""
    told = story(found("NODE-04"), found("NODE-03"))
    assert [a.active for a in told.arrows] == [False]
    assert sorted(roots(told)) == ["NODE-03", "NODE-04"]


def test_noise_and_posture_are_never_roots() -> None:
    """ETCD-04 is noise, CTRL-10 and HYG-03 are posture."""
    told = story(found("ETCD-04"), found("CTRL-10"), found("HYG-03"))
    assert roots(told) == []
    assert (role(told, "ETCD-04"), role(told, "CTRL-10"), role(told, "HYG-03")) == (
        Role.NOISE,
        Role.CONTRIBUTING,
        Role.CONTRIBUTING,
    )


def test_an_agent_that_only_fails_to_repair_is_contributing() -> None:
    """NET-04 with a clean log amplifies NET-02; the restart that removed the routes is the root."""
    told = story(
        found("NET-05", minutes=25),
        found("NET-02", minutes=25),
        found("NET-04", minutes=25, reason="does-not-reconcile"),
    )
    assert roots(told) == ["NET-05"]
    assert role(told, "NET-04") is Role.CONTRIBUTING


def test_a_cycle_is_cut_where_the_cause_began_later() -> None:
    """A webhook and its own backend: the backend failed first."""
    told = story(
        found("SVC-01", "Service/ns/hook", service="ns/hook", minutes=30),
        found("CTRL-14", "ValidatingWebhookConfiguration/hook", service="ns/hook", webhook="hook", minutes=29),
    )
    assert roots(told) == ["SVC-01"]


def test_the_root_with_a_path_to_the_symptom_comes_first() -> None:
    """Two roots: the one that explains the row of the person's command leads."""
    told = story(
        found("CTRL-09", "Node/node-1"),
        found("NET-06", "Node/node-b"),
        found("DNS-03", "Deployment/kube-system/coredns", node="node-b"),
        owns=("DNS-*",),
    )
    assert roots(told) == ["NET-06", "CTRL-09"]


def test_info_and_warnings_are_no_roots() -> None:
    """A cordoned node is context."""
    assert roots(story(found("NODE-32", severity=Severity.INFO), found("DNS-21", severity=Severity.WARN))) == []


@pytest.mark.parametrize(
    ("at", "peers", "expected"),
    [
        ("node-3", ("node-1",), ["NET-07"]),
        ("node-1", ("node-1",), ["NET-07"]),
        ("node-1", ("node-1", "node-2"), ["NET-07", "NET-09"]),
        ("node-2", ("node-1",), ["NET-07", "NET-09"]),
    ],
)
def test_a_broken_way_is_explained_by_either_end_of_it(at: str, peers: tuple[str, ...], expected: list[str]) -> None:
    """One node that forwards nothing does not explain that the pods of two are out of reach."""
    told = story(
        found("NET-07", f"Node/{at}", node=at), found("NET-09", node="node-3", nodes=("node-3", *peers), peers=peers)
    )
    assert expected == sorted(roots(told))


def test_a_cause_whose_effect_is_merely_possible_is_a_root() -> None:
    """A missing card; that the empty table was the pods' way out is not certain."""
    told = story(found("NET-01", node="node-3"), found("NET-02", node="node-3", confidence=Confidence.POSSIBLE))
    assert ["NET-01"] == roots(told)
