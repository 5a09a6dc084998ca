"""Writes a report for a terminal: verdict first, then the findings, the chain, the fixes, and what was not checked.

Commands stand alone on unbroken lines, so that they can be copied. Colour is used only where it is wanted; no
meaning hangs on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TextIO

from rich.cells import cell_len
from rich.text import Text as Rich

from bot.model.report import Entry, Remedy, Report, Root
from bot.model.text import T, Text
from bot.redact import clean
from bot.render import compose, pieces, story, thread, words
from bot.render.blocks import Span
from bot.render.i18n import Voice, code
from bot.render.page import Page, rich

NARROW, WIDE = 60, 110
PROOFS = 5
FULL_FIXES = 8
_FAINT = "dim"


def terminal(report: Report, *, lang: str = "en", width: int = 80, color: bool = False) -> str:
    """The report as text, text ending in a newline.

    Args:
        report: what to write.
        lang: ``en`` or ``zh-CN``.
        width: columns; lines other than commands are wrapped to it, wide characters counted as two.
        color: whether to use ANSI colours.
    """
    page = Page(Voice(lang), max(NARROW, min(width, WIDE)), color=color)
    _verdict(page, report)
    _findings(page, report)
    _chain(page, report)
    _ruled_out(page, report)
    _fixes(page, report)
    _not_checked(page, report)
    _end(page, report)
    return page.text()


def colored(stream: TextIO, environ: Mapping[str, str]) -> bool:
    """Whether a stream wants colour: it is a terminal, and nobody said ``NO_COLOR``."""
    return stream.isatty() and not environ.get("NO_COLOR") and environ.get("TERM") != "dumb"


def _verdict(page: Page, report: Report) -> None:
    voice, word = page.voice, words.STATUS[report.status]
    head = Rich.assemble((voice.text(word.text), word.style))
    named = voice.text(words.command(report.question.command))
    place = Rich(f"  {named}  ").append_text(rich(pieces.where(report.cluster, report.question.target)))
    page.put(head.append_text(place))
    facts = (("run", report.run), ("at", voice.text(T("{at}", at=report.observed_at))), ("", words.took(report)))
    page.put(Rich("  ".join(f"{k} {v}" if k == "run" else v for k, v in facts), style=_FAINT))
    page.gap()
    summary = report.summary
    rows = [(T("wrong"), summary.wrong), (T("why"), summary.why), (T("next"), summary.next)]
    wide = max(cell_len(voice.text(label)) for label, _ in rows) + 2
    for label, text in rows:
        if text.msgid:
            what = (*voice(text), *compose.fix_id(report)) if text is summary.next else voice(text)
            page.put(rich(what), label=voice.text(label), style="bold", indent=wide)
        if text is summary.why and report.roots:
            page.put(rich(compose.sure(report, voice)), indent=wide)
    for line in compose.caveats(report, voice):
        page.put(rich(line), indent=wide)


def _findings(page: Page, report: Report) -> None:
    acting, remarks = story.needs_action(report), story.remarks(report)
    if acting:
        page.heading(T("Findings that need action: {count}", count=len(acting)))
    full = story.foremost(report, PROOFS)
    for entry in story.foremost(report, len(acting)):
        _finding(page, report, entry, 3 if entry in full else 0)
    if remarks:
        page.heading(T("Good to know, no action needed"))
    for entry in remarks:
        _title(page, entry)


def _title(page: Page, entry: Entry) -> None:
    word = words.SEVERITY[entry.finding.severity]
    label = Rich.assemble((f"{page.voice.text(word.text)}  ", word.style))
    page.put(label.append_text(rich(page.voice(entry.finding.title))), label=entry.id, style="bold", indent=5)


def _finding(page: Page, report: Report, entry: Entry, room: int) -> None:
    voice = page.voice
    _title(page, entry)
    if entry.finding.detail is not None:
        page.put(rich(voice(entry.finding.detail)), indent=5)
    proof, left = pieces.excerpt(report, entry, room)
    for line in proof.splitlines():
        shown, _ = clean(line, line=page.width - 7)
        page.put(Rich(shown, style=_FAINT, no_wrap=True, overflow="ellipsis"), label="     |", style=_FAINT, indent=7)
    about = rich(pieces.about(entry, voice))
    if left and room:
        about.append("  ·  ").append(voice.text(T("more lines: {count}", count=left)))
    about.stylize(_FAINT)
    page.put(about, indent=5)


def _chain(page: Page, report: Report) -> None:
    voice = page.voice
    several = story.several(report)
    for number, group in enumerate(report.causes(), 1):
        page.heading(story.heading(report, number))
        _root(page, report, group[0])
        others = story.elsewhere(report, group)
        if others is not None:
            page.put(rich(voice(others)))
    if several is not None:
        page.gap()
        page.put(rich(voice(several)))
    if story.needs_action(report) and not report.roots:
        page.heading(T("Root cause"))
        for line in thread.no_root(report, voice):
            page.put(rich(line))
    possible = story.unproven(report)
    if possible:
        page.heading(T("Possible, not proven"))
        for edge in possible:
            page.put(rich(voice(story.doubt(report, edge))), indent=2)


def _root(page: Page, report: Report, root: Root) -> None:
    voice, entry = page.voice, report.entry(root.finding)
    page.put(rich(voice(entry.finding.title)).append(f"  ({voice.text(story.sureness(entry))})", style=_FAINT))
    steps = story.sentences(report, root)
    for n, because in enumerate(steps if len(steps) > 1 else (), 1):
        page.put(rich(thread.said(because, voice)), label=f"{n}.", indent=4)
    for finding_id in root.exposed_by:
        page.put(rich(voice(story.exposed(report, finding_id))))
    for line in (*thread.also(report, root, voice, len(report.entries)), *thread.caution(entry, voice)):
        page.put(rich(line))


def _ruled_out(page: Page, report: Report) -> None:
    if report.ruled_out:
        page.heading(T("Ruled out"))
    for item in report.ruled_out:
        page.put(rich(page.voice(story.ruled_out(item))), indent=2)


def _fixes(page: Page, report: Report) -> None:
    if not report.remedies:
        return
    page.heading(T("Fixes, in the order of repair: {count}", count=len(report.remedies)))
    by_need = story.repairs(report)
    for remedy in by_need.now[:FULL_FIXES]:
        _fix(page, report, remedy)
    listed = ""
    for label, others in thread.later_groups(by_need, FULL_FIXES):
        _listed(page, label, others)
        listed = listed or (others[0].id if others else "")
    page.gap()
    if listed:
        ask = T("Their commands: {example}", example=f"kubewhy show {report.run} {listed}")
        page.put(rich(page.voice(ask)))
    page.put(rich(page.voice(T("kubewhy has no write permission: it prints commands and never runs them."))))


def _listed(page: Page, label: Text, remedies: tuple[Remedy, ...]) -> None:
    """Fixes in one line each, with the finding that they are for."""
    if remedies:
        page.gap()
        page.put(Rich(page.voice.text(label), style="bold"))
    for remedy in remedies:
        line = (*page.voice(remedy.fix.what), Span("  ("), code(remedy.finding), Span(")"))
        page.put(rich(line), label=remedy.id, indent=5)


def _fix(page: Page, report: Report, remedy: Remedy) -> None:
    voice = page.voice
    page.put(rich(voice(remedy.fix.what)), label=remedy.id, style="bold", indent=5)
    risk = rich(thread.risk(report, remedy, voice))
    risk.stylize(_FAINT)
    page.put(risk, indent=5)
    for label, commands in thread.purposes(remedy):
        if commands:
            page.put(rich(voice(label)), indent=5)
        for command in commands:
            shown, _ = clean(command, line=4000)
            for line in shown.splitlines():
                page.raw(line, indent=9, style="green")


def _not_checked(page: Page, report: Report) -> None:
    groups, less = story.not_checked(report.skipped), story.judged_without(report)
    if groups or less:
        page.heading(T("Not checked"))
    for group in groups:
        page.put(rich(page.voice(group.text())), indent=2)
        if group.hint:
            page.put(rich(page.voice(T("To make it possible: {hint}", hint=group.hint))), indent=4)
    for line in less:
        page.put(rich(page.voice(line)), indent=2)
    for item in report.failed:
        said = T("{code} failed (ref {reference})", code=item.code, reference=item.reference)
        page.put(rich(page.voice(said)), indent=2)


def _end(page: Page, report: Report) -> None:
    page.gap()
    page.put(rich(page.voice(words.counts(report))))
    if report.exhibits:
        ask = T("Look closer: {example}", example=f"kubewhy show {report.run} {report.exhibits[0].id}")
        page.put(rich(page.voice(ask)))
