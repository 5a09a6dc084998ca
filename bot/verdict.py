"""The verdict in three sentences: what is wrong, why, what to do next."""

from __future__ import annotations

from bot.chain import RANK, Story
from bot.errors import SourceError
from bot.model.finding import Finding
from bot.model.report import Role, Skipped, Status, Summary
from bot.model.text import T, Text


def summarise(status: Status, story: Story, skipped: tuple[Skipped, ...], unreachable: SourceError | None) -> Summary:
    """The summary of a report of this status."""
    if status is Status.CANCELLED:
        return Summary(
            wrong=T("The run was cancelled."), why=T("Somebody stopped it."), next=T("Run it again when you need it.")
        )
    if story.roots:
        return _with_roots(story)
    counted = [
        f for f, r in zip(story.findings, story.roles, strict=True) if f.confidence.counts and r is not Role.NOISE
    ]
    if counted and status in {Status.CRITICAL, Status.WARNING}:
        return _without_cause(counted, skipped)
    if unreachable is not None:
        return Summary(
            wrong=T("The cluster could not be checked."),
            why=T("{what}: {detail}", what=unreachable.what, detail=unreachable.detail or unreachable.kind.value),
            next=_hint(unreachable.hint),
        )
    if status is Status.INCOMPLETE:
        return _incomplete(skipped)
    return Summary(
        wrong=T("Nothing is wrong that these checks can see."),
        why=T("Every mandatory check ran and none of them found a fault."),
        next=T("Nothing to do. If people still see a fault, ask about what they see."),
    )


def _with_roots(story: Story) -> Summary:
    told = story.roots[0]
    root, symptom = story.findings[told.root], story.findings[told.chain[-1]]
    if len(story.roots) > 1:
        second = story.findings[story.roots[1].root]
        why = T("Two or more independent causes: {first}. And: {second}.", first=root.title, second=second.title)
    else:
        why = T("{cause} ({confidence})", cause=root.title, confidence=_confidence(root))
    wrong = symptom.title if symptom is not root else T("{what}", what=root.title)
    return Summary(wrong=wrong, why=why, next=_next(root))


def _without_cause(counted: list[Finding], skipped: tuple[Skipped, ...]) -> Summary:
    worst = min(counted, key=lambda f: RANK[f.severity])
    missing = skipped[0].missing[0] if skipped else ""
    why = (
        T("Cause not proven: {missing} could not be read.", missing=missing)
        if missing
        else T("Cause not proven by what these checks can see.")
    )
    return Summary(wrong=worst.title, why=why, next=_next(worst))


def _incomplete(skipped: tuple[Skipped, ...]) -> Summary:
    mandatory = [s for s in skipped if s.mandatory]
    first = (mandatory or list(skipped))[:1]
    if not first:
        return Summary(
            wrong=T("Nothing was found, but this is not an all-clear."),
            why=T("Some checks did not come to their end."),
            next=T("Run it again."),
        )
    return Summary(
        wrong=T("Nothing was found, but this is not an all-clear."),
        why=T(
            "{count} mandatory checks could not run: {missing} ({because})",
            count=len(mandatory),
            missing=first[0].missing[0],
            because=first[0].because,
        ),
        next=_hint(first[0].hint),
    )


def _next(finding: Finding) -> Text:
    if finding.fixes:
        return finding.fixes[0].what
    return T("See what explains it in the findings.")


def _hint(hint: str) -> Text:
    return T("{hint}", hint=hint) if hint else T("Make the missing evidence available, then run it again.")


def _confidence(finding: Finding) -> Text:
    return {"confirmed": T("confirmed"), "likely": T("likely")}.get(finding.confidence.value, T("possible"))
