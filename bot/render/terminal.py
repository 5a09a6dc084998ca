"""Writes a report for a terminal: verdict first, then the findings, the chain, the fixes, and what was not checked.

Commands stand alone on unbroken lines, so that they can be copied. Colour is used only where it is wanted; no
meaning hangs on it.
"""

from __future__ import annotations

from collections.abc import Mapping
from io import StringIO
from typing import TextIO

from rich.cells import cell_len
from rich.console import Console
from rich.text import Text as Rich

from bot.model.report import Entry, Remedy, Report, Role, Root
from bot.model.text import T, Text
from bot.redact import clean
from bot.render import compose, story, thread, words
from bot.render.blocks import Icon, Line, Span, Style
from bot.render.i18n import Voice

NARROW, WIDE = 60, 110
PROOFS = 5
_FAINT = "dim"


def terminal(report: Report, *, lang: str = "en", width: int = 80, color: bool = False) -> str:
    """The report as text, text ending in a newline.

    Args:
        report: what to write.
        lang: ``en`` or ``zh-CN``.
        width: columns; lines other than commands are wrapped to it, wide characters counted as two.
        color: whether to use ANSI colours.
    """
    page = _Page(Voice(lang), max(NARROW, min(width, WIDE)), color=color)
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


class _Page:
    """Collects wrapped lines."""

    def __init__(self, voice: Voice, width: int, *, color: bool) -> None:
        self.voice = voice
        self.width = width
        self._file = StringIO()
        self._console = Console(
            file=self._file,
            width=width,
            force_terminal=color,
            color_system="standard" if color else None,
            no_color=not color,
            highlight=False,
            markup=False,
            emoji=False,
            legacy_windows=False,
        )

    def text(self) -> str:
        return "\n".join(line.rstrip() for line in self._file.getvalue().strip("\n").split("\n")) + "\n"

    def gap(self) -> None:
        self._file.write("\n")

    def heading(self, text: Text) -> None:
        self.gap()
        self.put(Rich(self.voice.text(text).upper(), style="bold"))

    def put(self, body: Rich, *, label: str = "", style: str = "", indent: int = 0) -> None:
        """Write a paragraph with a label before its first line; the lines below hang under the text."""
        room = max(20, self.width - indent)
        shown = Rich(label, style=style)
        shown.append(" " * max(0, indent - cell_len(label)))
        for n, line in enumerate(body.wrap(self._console, room)):
            line.rstrip()
            before = shown if n == 0 else Rich(" " * indent)
            self._console.print(Rich.assemble(before, line), soft_wrap=True)

    def raw(self, line: str, *, indent: int, style: str = "") -> None:
        """Write a line that is never wrapped."""
        self._console.print(Rich(" " * indent + line, style=style), soft_wrap=True)


def rich(line: Line) -> Rich:
    """Spans as styled text: data is told apart by colour only where there is colour."""
    styles = {Style.PLAIN: "", Style.STRONG: "bold", Style.CODE: "cyan"}
    written = Rich()
    for span in line:
        if isinstance(span, Span):
            written.append(span.text, style=styles[span.style])
        elif not isinstance(span, Icon):
            written.append(span.plain)
    return written


def _verdict(page: _Page, report: Report) -> None:
    voice, word = page.voice, words.STATUS[report.status]
    head = Rich(voice.text(word.text), style=word.style)
    named = voice.text(words.command(report.question.command))
    place = Rich(f"  {named}  ").append_text(rich(compose.where(report.cluster, report.question.target)))
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


def _findings(page: _Page, report: Report) -> None:
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


def _title(page: _Page, entry: Entry) -> None:
    word = words.SEVERITY[entry.finding.severity]
    label = Rich(f"{page.voice.text(word.text)}  ", style=word.style)
    page.put(label.append_text(rich(page.voice(entry.finding.title))), label=entry.id, style="bold", indent=5)


def _finding(page: _Page, report: Report, entry: Entry, room: int) -> None:
    voice = page.voice
    _title(page, entry)
    if entry.finding.detail is not None:
        page.put(rich(voice(entry.finding.detail)), indent=5)
    proof, left = compose.excerpt(report, entry, room)
    for line in proof.splitlines():
        shown, _ = clean(line, line=page.width - 7)
        page.put(Rich(shown, style=_FAINT, no_wrap=True, overflow="ellipsis"), label="     |", style=_FAINT, indent=7)
    about = rich(compose.about(entry, voice))
    if left and room:
        about.append("  ·  ").append(voice.text(T("{count} more lines", count=left)))
    about.stylize(_FAINT)
    page.put(about, indent=5)


def _chain(page: _Page, report: Report) -> None:
    voice = page.voice
    several = story.several(report)
    for number, root in enumerate(report.roots, 1):
        page.heading(story.heading(report, number))
        _root(page, report, root)
    if several is not None:
        page.gap()
        page.put(rich(voice(several)))
    if report.entries and not report.roots:
        page.heading(T("Root cause"))
        for line in thread.no_root(report, voice):
            page.put(rich(line))
    possible = story.unproven(report)
    if possible:
        page.heading(T("Possible, not proven"))
        for edge in possible:
            page.put(rich(voice(story.doubt(report, edge))), indent=2)


def _root(page: _Page, report: Report, root: Root) -> None:
    voice, entry = page.voice, report.entry(root.finding)
    page.put(rich(voice(entry.finding.title)).append(f"  ({voice.text(story.sureness(entry))})", style=_FAINT))
    steps = story.sentences(report, root)
    for n, because in enumerate(steps if len(steps) > 1 else (), 1):
        page.put(rich(thread.said(because, voice)), label=f"{n}.", indent=4)
    for finding_id in root.exposed_by:
        page.put(rich(voice(story.exposed(report, finding_id))))
    more = tuple(e.id for e in story.beside(report, root) if e.role is not Role.NOISE)
    if more:
        page.put(rich(voice(T("It also explains {findings}.", findings=more))))
    for line in thread.caution(entry, voice):
        page.put(rich(line))


def _ruled_out(page: _Page, report: Report) -> None:
    if report.ruled_out:
        page.heading(T("Ruled out"))
    for item in report.ruled_out:
        page.put(rich(page.voice(story.ruled_out(item))), indent=2)


def _fixes(page: _Page, report: Report) -> None:
    if not report.remedies:
        return
    page.heading(T("Fixes, in the order of repair: {count}", count=len(report.remedies)))
    for remedy in report.remedies:
        _fix(page, report, remedy)
    page.put(rich(page.voice(T("kubewhy has no write permission: it prints commands and never runs them."))))


def _fix(page: _Page, report: Report, remedy: Remedy) -> None:
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


def _not_checked(page: _Page, report: Report) -> None:
    groups = story.not_checked(report.skipped)
    if groups:
        page.heading(T("Not checked"))
    for group in groups:
        page.put(rich(page.voice(group.text())), indent=2)
        if group.hint:
            page.put(rich(page.voice(T("To make it possible: {hint}", hint=group.hint))), indent=4)
    for item in report.failed:
        said = T("{code} failed (ref {reference})", code=item.code, reference=item.reference)
        page.put(rich(page.voice(said)), indent=2)


def _end(page: _Page, report: Report) -> None:
    page.gap()
    page.put(rich(page.voice(words.counts(report))))
    if report.exhibits:
        ask = T("Look closer: {example}", example=f"kubewhy show {report.run} {report.exhibits[0].id}")
        page.put(rich(page.voice(ask)))
