"""Numbers of a report: findings in reading order, proofs in the order of their citing, fixes in the order of repair."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from bot.chain import Story
from bot.model.finding import Fix
from bot.model.proof import Proof
from bot.model.report import Entry, Exhibit, Remedy, Role


class Exhibits:
    """Numbers proofs in the order in which they are first cited; equal proofs share a number."""

    def __init__(self) -> None:
        self._ids: dict[Proof, str] = {}

    def cite(self, proofs: Iterable[Proof]) -> tuple[str, ...]:
        """The ids of these proofs."""
        return tuple(self._ids.setdefault(proof, f"E{len(self._ids) + 1}") for proof in dict.fromkeys(proofs))

    def all(self) -> tuple[Exhibit, ...]:
        """Every proof that was cited."""
        return tuple(Exhibit(id=i, proof=p) for p, i in self._ids.items())


def reading_ids(story: Story) -> dict[int, str]:
    """F-numbers in the order a person reads: each root and its chain, then the rest as the story has it."""
    order: list[int] = []
    for told in story.roots:
        order += [i for i in told.chain if i not in order]
    rank = {Role.ROOT: 0, Role.EFFECT: 1, Role.TRIGGER: 2, Role.CONTRIBUTING: 3, Role.BYDESIGN: 4, Role.NOISE: 5}
    rest = sorted((i for i in range(len(story.findings)) if i not in order), key=lambda i: (rank[story.roles[i]], i))
    return {i: f"F{n}" for n, i in enumerate(order + rest, 1)}


def repairs(story: Story, ids: dict[int, str]) -> list[Remedy]:
    """Fixes in order of repair: mitigation, roots, stale consumers, posture (catalogue C.2, step 8)."""
    seen: set[tuple[tuple[str, ...], str]] = set()
    ordered: list[tuple[int, int, int, Fix]] = []
    for n, i in enumerate(ids):
        if story.roles[i] in {Role.NOISE, Role.BYDESIGN} or not story.findings[i].confidence.counts:
            continue
        rank = 0 if story.roles[i] is Role.ROOT else 1
        ordered += [(fix.stage, rank, n, fix) for fix in story.findings[i].fixes]
    positions = list(ids)
    remedies: list[Remedy] = []
    for _, _, n, fix in sorted(ordered, key=lambda item: item[:3]):
        mark = (fix.commands, str(fix.what))
        if mark not in seen:
            seen.add(mark)
            remedies.append(Remedy(id=f"X{len(remedies) + 1}", finding=ids[positions[n]], fix=fix))
    return remedies


def entry(story: Story, i: int, ids: dict[int, str], exhibits: Exhibits, remedies: Sequence[Remedy]) -> Entry:
    """A finding with its place in the report."""
    return Entry(
        id=ids[i],
        finding=story.findings[i],
        role=story.roles[i],
        explained_by=tuple(ids[c] for c in story.explained_by(i)),
        evidence=exhibits.cite(story.findings[i].proofs),
        fixes=tuple(r.id for r in remedies if r.finding == ids[i]),
    )
