"""The causal model as data: every row exists, and the cycles are the six that are meant."""

from __future__ import annotations

from collections import defaultdict

from bot.edges import LINKS
from bot.link import Type
from bot.model.rows import rows

MEANT = {
    ("CTRL-14", "SVC-01"),
    ("CTRL-14", "DNS-07"),
    ("CTRL-14", "DNS-07", "POD-07", "SVC-01"),
    ("APISVC-01", "CTRL-04", "CTRL-05", "SVC-01"),
    ("APISVC-01", "CTRL-04", "CTRL-05", "POD-10", "STOR-01", "POD-05", "SVC-01"),
    ("APISVC-01", "CTRL-04", "CTRL-05", "STOR-15", "STOR-01", "POD-05", "SVC-01"),
}


def test_every_edge_joins_rows_of_the_catalogue() -> None:
    """An edge with a mistyped row would never fire, silently."""
    assert {code for link in LINKS for code in (link.cause, link.effect)} - set(rows()) == set()


def test_no_edge_stands_twice() -> None:
    """Two equal edges with different guards would hide which one holds."""
    seen: dict[tuple[str, str, Type], int] = defaultdict(int)
    for link in LINKS:
        seen[link.cause, link.effect, link.type] += 1
    assert {key: n for key, n in seen.items() if n > 1} == {}


def test_the_elementary_cycles_of_causes_are_the_six_that_are_meant() -> None:
    """Catalogue C.2, step 6: a seventh cycle would be a modelling error."""
    graph: dict[str, set[str]] = defaultdict(set)
    for link in LINKS:
        if link.type is Type.CAUSES:
            graph[link.cause].add(link.effect)
    assert {canonical(c) for c in cycles(graph)} == {canonical(c) for c in MEANT}


def cycles(graph: dict[str, set[str]]) -> set[tuple[str, ...]]:
    """Every elementary cycle, each starting at its smallest member."""
    found: set[tuple[str, ...]] = set()

    def walk(start: str, path: tuple[str, ...]) -> None:
        for following in graph.get(path[-1], ()):
            if following == start:
                found.add(path)
            elif following > start and following not in path:
                walk(start, (*path, following))

    for start in sorted(graph):
        walk(start, (start,))
    return found


def canonical(cycle: tuple[str, ...]) -> tuple[str, ...]:
    """The cycle, turned so that it starts at its smallest member."""
    at = cycle.index(min(cycle))
    return cycle[at:] + cycle[:at]
