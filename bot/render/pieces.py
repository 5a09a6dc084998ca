"""The pieces of which messages are built: headlines, a finding in one line, where it comes from, some of its proof."""

from __future__ import annotations

from bot.model.report import Entry, Report
from bot.model.text import T
from bot.render import story, words
from bot.render.blocks import Icon, Line, Span
from bot.render.i18n import Voice, code, strong


def title(voice: Voice, word: words.Word, command: str) -> Line:
    """The status with its emoji, and the command."""
    named = voice(words.command(command))
    return (Icon(word.emoji), *strong((*voice(word.text), Span("  ·  "), *named)), Span("  ·  "))


def where(cluster: str, target: str) -> Line:
    """The cluster, and the target where there is one."""
    return (code(cluster), Span(" / "), code(target)) if target else (code(cluster),)


def one_line(entry: Entry, voice: Voice) -> Line:
    """A finding in one line."""
    word = words.SEVERITY[entry.finding.severity]
    return (
        Icon(word.emoji),
        *strong((Span(f"{entry.id} "), *voice(word.text))),
        Span("  "),
        *voice(entry.finding.title),
    )


def about(entry: Entry, voice: Voice) -> Line:
    """Code, confidence, part, onset, evidence and fixes of a finding."""
    f = entry.finding
    parts: list[Line] = [(code(f.code),), voice(words.CONFIDENCE[f.confidence]), voice(words.role(entry))]
    if f.onset is not None:
        parts.append(voice(T("since {onset}", onset=f.onset)))
    if entry.evidence:
        parts.append(voice(T("evidence {evidence}", evidence=story.cited(entry.evidence))))
    if entry.fixes:
        parts.append(voice(T("fix {fixes}", fixes=entry.fixes)))
    return join(parts)


def join(parts: list[Line], by: str = "  ·  ") -> Line:
    """Put lines side by side."""
    joined: list[Line] = [parts[0]] if parts else []
    for part in parts[1:]:
        joined += [(Span(by),), part]
    return tuple(span for part in joined for span in part)


def excerpt(report: Report, entry: Entry, room: int) -> tuple[str, int]:
    """The most telling lines of a finding's first proofs, and how many of them do not fit."""
    exhibits = {x.id: x.proof for x in report.exhibits}
    found: list[str] = []
    for proof in (exhibits[i] for i in entry.evidence[:2] if i in exhibits):
        found += [one for one in proof.shown.splitlines() if one.strip()]
    return "\n".join(found[:room]), max(0, len(found) - room)


_FUNCTION_WORDS = ("The ", "A ", "An ", "No ", "Nothing ", "Nobody ", "It ", "This ", "All ", "Every ", "Some ", "One ")


def lowered(line: Line) -> Line:
    """A sentence as it stands in the middle of another: its first letter small, unless it begins with a name."""
    if line and isinstance(line[0], Span) and line[0].text.startswith(_FUNCTION_WORDS):
        first = line[0]
        return (Span(first.text[0].lower() + first.text[1:], first.style), *line[1:])
    return line
