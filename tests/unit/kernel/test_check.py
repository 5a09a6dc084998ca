"""The kernel of checks: what may be registered, and what becomes of a check that is run."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from bot.check import check, load, run
from bot.model.evidence import Gap, Known, PerNode
from bot.model.finding import Finding
from tests.unit.kernel.parts import PROOF, OnNode, Other, Small, a_check, empty
from tests.unit.kernel.stories import found


def defect(small: Small, other: Other | None) -> Iterator[Finding]:
    """The small thing is bad."""
    if small.value == "bad":
        yield found("NODE-03", reason="with" if other else "without")


def on_a_node(here: OnNode, all_of: PerNode[OnNode]) -> Iterator[Finding]:
    """The node differs from the others."""
    if any(peer.value != here.value for peer in all_of.others(here.node)):
        yield found("NODE-04", f"Node/{here.node}")


def knowing(*pieces: Small | Other | OnNode | Gap) -> Known:
    """A store with these pieces."""
    known = empty()
    for piece in pieces:
        known.put(piece)
    return known


def test_a_code_that_is_no_row_is_refused() -> None:
    """Codes come from the catalogue."""
    with pytest.raises(LookupError, match="NODE-999"):
        check("NODE-999")(defect)


def test_a_second_check_of_a_row_is_refused() -> None:
    """One row, one rule; the message names both modules."""
    load()
    with pytest.raises(LookupError, match=r"bot\.checks"):
        check("NODE-03")(defect)


@pytest.mark.parametrize("slug", ["check_dns", "restart_kubelet", "ensure_files", "fix_it", "should_run"])
def test_a_slug_that_names_an_action_is_refused(slug: str) -> None:
    """It names the defect."""

    def rule(small: Small) -> Iterator[Finding]:
        yield from ()

    rule.__name__, rule.__module__ = slug, load()["NODE-03"].run.__module__
    with pytest.raises(LookupError, match="names an action"):
        check("NODE-03")(rule)


def test_a_parameter_that_is_no_evidence_is_refused() -> None:
    """A check has no client, clock or environment."""

    def peeks(path: str) -> Iterator[Finding]:
        yield from ()

    with pytest.raises(TypeError, match="parameter path is no evidence"):
        a_check("NODE-03", peeks)


def test_the_four_outcomes() -> None:
    """Found, clean, skipped, failed: every check that is run is exactly one of them."""

    def raises(small: Small) -> Iterator[Finding]:
        yield from (found(str(int(small.value))),)

    item, broken = a_check("NODE-03", defect), a_check("NODE-05", raises)
    bad, good = knowing(Small(proof=PROOF, value="bad")), knowing(Small(proof=PROOF, value="good"))
    states = [o.state for k in (bad, good, empty()) for o in run((item,), k, ())]
    assert ["found", "clean", "skipped"] == states
    failed, after = run((broken, item), bad, ())
    assert ("failed", True, "found") == (failed.state, failed.error.startswith("ValueError: "), after.state)


def test_a_skipped_check_says_which_piece_is_missing_and_why() -> None:
    """The gap of the collector, or that nobody collected it."""
    item = a_check("NODE-03", defect)
    gap = Gap(type=Small, because="403", hint="Grant: get")
    assert [(gap,), ("not collected by this command",)] == [
        run((item,), knowing(gap), ())[0].missing,
        tuple(g.because for g in run((item,), empty(), ())[0].missing),
    ]


def test_optional_evidence_is_none_when_it_is_missing() -> None:
    """And the check runs."""
    item = a_check("NODE-03", defect)
    alone = knowing(Small(proof=PROOF, value="bad"))
    together = knowing(Small(proof=PROOF, value="bad"), Other(proof=PROOF))
    assert ["without", "with"] == [run((item,), k, ())[0].findings[0].reason for k in (alone, together)]


def test_a_check_of_nodes_runs_once_a_node_and_sees_the_others() -> None:
    """A node without its piece is skipped by itself."""
    item = a_check("NODE-04", on_a_node)
    known = knowing(
        OnNode(proof=PROOF, node="node-1", value="a"),
        OnNode(proof=PROOF, node="node-2", value="b"),
        Gap(type=OnNode, key="node-3", because="SSH to node-3: refused"),
    )
    outcomes = run((item,), known, ("node-1", "node-2", "node-3"))
    assert [("node-1", "found"), ("node-2", "found"), ("node-3", "skipped")] == [(o.key, o.state) for o in outcomes]
    assert "the thing of node-3" == outcomes[2].missing[0].words


def test_evidence_wins_over_a_gap_of_the_same_piece() -> None:
    """A second way to it succeeded."""
    known = knowing(Gap(type=Small, because="403"), Small(proof=PROOF, value="bad"))
    assert () == known.gaps()
    assert "found" == run((a_check("NODE-03", defect),), known, ())[0].state
