"""Walks over the small causal graph of one case: reach, the path worth telling, and the breaking of cycles."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

MAX_DEPTH = 8
Pairs = set[tuple[int, int]]


def reach(start: int, causes: Pairs) -> set[int]:
    """Everything that ``start`` explains, directly or not."""
    seen: set[int] = set()
    todo = [start]
    while todo:
        here = todo.pop()
        for c, e in causes:
            if c == here and e not in seen:
                seen.add(e)
                todo.append(e)
    return seen - {start}


def best_path(start: int, causes: Pairs, worth: Callable[[int], tuple[bool, bool]]) -> tuple[int, ...]:
    """The path from a root to its gravest end, by the most steps (the full story), at most 8 edges.

    Args:
        start: the root.
        causes: active edges.
        worth: of an end: whether it is critical, and whether it is of the command's own rows.
    """
    best: tuple[tuple[bool, int, bool], tuple[int, ...]] | None = None
    todo: list[tuple[int, ...]] = [(start,)]
    while todo:
        path = todo.pop()
        following = sorted(e for c, e in causes if c == path[-1] and e not in path)
        if following and len(path) <= MAX_DEPTH:
            todo += [(*path, e) for e in following]
            continue
        critical, owned = worth(path[-1])
        score = (critical, len(path), owned)
        if best is None or score > best[0]:
            best = (score, path)
    return best[1] if best else (start,)


def break_cycles(causes: Pairs, onsets: Sequence[datetime | None], layers: Sequence[int]) -> Pairs:
    """Drop edges until no cycle is left: first those whose cause began later, then those that go down a layer.

    Cycles in the model are meant (a webhook and its own backend); in a case one came first (catalogue C.2, step 6).
    """
    kept = set(causes)
    while members := _cyclic(kept):
        inside = [(c, e) for c, e in kept if c in members and e in members]
        kept.discard(max(inside, key=lambda pair: _wrongness(pair, onsets, layers)))
    return kept


def _cyclic(causes: Pairs) -> set[int]:
    """The members of one cycle group; empty when there is none."""
    for start in sorted({c for c, _ in causes}):
        forward = reach(start, causes) | {start}
        group = {i for i in forward if start in reach(i, causes) or i == start}
        if len(group) > 1 or (start, start) in causes:
            return group
    return set()


def _wrongness(
    pair: tuple[int, int], onsets: Sequence[datetime | None], layers: Sequence[int]
) -> tuple[float, int, int]:
    cause, effect = pair
    began, followed = onsets[cause], onsets[effect]
    later = (began - followed).total_seconds() if began and followed else 0.0
    return later, layers[cause] - layers[effect], cause
