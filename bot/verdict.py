"""The verdict in three sentences: what is wrong, why, what to do next."""

from __future__ import annotations

from bot.chain import RANK, Story
from bot.errors import SourceError
from bot.model.finding import Finding, Severity, Stage
from bot.model.report import Role, Skipped, Status, Summary
from bot.model.text import T, Text
from bot.rows import matches


def summarise(
    status: Status,
    story: Story,
    skipped: tuple[Skipped, ...],
    *,
    unreachable: SourceError | None,
    headlines: tuple[str, ...] = (),
) -> Summary:
    """The summary of a report of this status."""
    if status is Status.CANCELLED:
        return Summary(
            wrong=T("The run was cancelled."), why=T("Somebody stopped it."), next=T("Run it again when you need it.")
        )
    if story.roots:
        return _with_roots(story, headlines)
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
        wrong=T("Nothing, as far as these checks can see."),
        why=T("Every mandatory check ran and none of them found a fault."),
        next=T("Nothing to do. If people still see a fault, ask about what they see."),
    )


def _with_roots(story: Story, headlines: tuple[str, ...]) -> Summary:
    told = story.roots[0]
    root, gravest = story.findings[told.root], story.findings[told.chain[-1]]
    symptom = _symptom(story, headlines) or gravest
    if symptom is not gravest and gravest.severity is Severity.CRIT and gravest is not root:
        wrong = T("{symptom}. Gravest effect: {effect}", symptom=symptom.title, effect=gravest.title)
    else:
        wrong = symptom.title
    return Summary(wrong=wrong, why=_why(story), next=_first_step(story, told.chain, root))


def _first_step(story: Story, chain: tuple[int, ...], root: Finding) -> Text:
    """A mitigation of the root or of its next effects, when one brings service back without undoing evidence."""
    near = [story.findings[i] for i in chain[:2]]
    steps = [fix for finding in near for fix in finding.fixes if fix.stage is Stage.MITIGATION]
    return steps[0].what if steps else _next(root)


def _symptom(story: Story, headlines: tuple[str, ...]) -> Finding | None:
    """What people came with: the first row of the command's headlines that was found and is explained by a root."""
    explained = [
        f
        for i, f in enumerate(story.findings)
        if f.confidence.counts and (story.explained_by(i) or story.roles[i] is Role.ROOT)
    ]
    return next((f for pattern in headlines for f in explained if matches(f.code, (pattern,))), None)


def _why(story: Story) -> Text:
    """The causes: one fault in several places is one cause."""
    causes: dict[tuple[str, str], list[Finding]] = {}
    for told in story.roots:
        finding = story.findings[told.root]
        causes.setdefault((finding.code, finding.reason), []).append(finding)
    first, *others = causes.values()
    if others:
        return T("Independent causes: {first}. And: {second}.", first=first[0].title, second=others[0][0].title)
    if len(first) > 1:
        places = tuple(str(f.subject) for f in first[1:])
        return T("{cause}; the same on {others}", cause=first[0].title, others=places)
    return T("{cause} ({confidence})", cause=first[0].title, confidence=_confidence(first[0]))


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
    """What to do first: a mitigation before the repair proper (catalogue C.2, step 8)."""
    if finding.fixes:
        return min(finding.fixes, key=lambda fix: fix.stage).what
    return T("See what explains it in the findings.")


def _hint(hint: str) -> Text:
    return T("{hint}", hint=hint) if hint else T("Make the missing evidence available, then run it again.")


def _confidence(finding: Finding) -> Text:
    return {"confirmed": T("confirmed"), "likely": T("likely")}.get(finding.confidence.value, T("possible"))
