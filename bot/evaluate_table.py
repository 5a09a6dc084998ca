"""The table of ``kubewhy eval`` for people: one line a scenario, then the totals and the rows without cover."""

from __future__ import annotations

from collections.abc import Sequence

from bot.evaluate import Verdict, as_json

WIDTH = 44


def table(verdicts: Sequence[Verdict]) -> str:
    """The table as text."""
    lines = [f"{'':2}{'scenario':<{WIDTH}}{'roots':<26}{'top-1':<7}{'top-3':<7}{'skipped':>8}{'ms':>7}"]
    for verdict in verdicts:
        roots = " ".join(verdict.found_roots) or "-"
        mark = "  " if verdict.passed else "X "
        lines.append(
            f"{mark}{verdict.scenario.id[: WIDTH - 1]:<{WIDTH}}{roots[:25]:<26}{_yes(verdict.top1):<7}"
            f"{_yes(verdict.top3):<7}{len(verdict.skipped):>8}{verdict.ms:>7}"
        )
        lines += [f"    {problem}" for problem in _problems(verdict)]
    return "\n".join([*lines, "", *_totals(verdicts)])


def _yes(value: bool) -> str:
    return "yes" if value else "NO"


def _problems(verdict: Verdict) -> list[str]:
    if verdict.error is not None:
        return [f"error: {verdict.error}"]
    return [f"missing: {m}" for m in verdict.missing] + [f"forbidden: {f}" for f in verdict.forbidden]


def _totals(verdicts: Sequence[Verdict]) -> list[str]:
    result = as_json(verdicts)
    totals = result["totals"]
    half = [code for code, cover in result["rows"].items() if not (cover["positive"] and cover["silent"])]
    lines = [
        f"{totals['passed']} of {totals['scenarios']} scenarios passed",
        f"top-1 {totals['top1']:.0%}, top-3 {totals['top3']:.0%}, false roots {totals['false_roots']}",
        f"{totals['rows']} rows: {totals['rows_positive']} with a positive, {totals['rows_silent']} with a silent case",
    ]
    if half:
        lines.append(f"rows with only one of the two: {' '.join(half)}")
    return lines
