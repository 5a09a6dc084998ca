"""Writes a report as Markdown: for tickets and postmortems, and the evidence file of a run.

Everything from the cluster stands in code spans or fences that are longer than any run of backticks inside.
"""

from __future__ import annotations

import hashlib
import re

from bot.model.report import Exhibit, Report
from bot.model.text import T
from bot.redact import clean
from bot.render import compose, thread
from bot.render.blocks import Block, Buttons, Divider, File, Icon, Line, Note, Section, Span, Style, merged
from bot.render.compose import Room
from bot.render.i18n import Voice

_ALL = Room(listed=1_000)
_SPECIAL = re.compile(r"([\\`*_{}\[\]<>#|~])")
_RUNS = re.compile(r"`+")


def markdown(report: Report, *, lang: str = "en") -> str:
    """The whole report: verdict, findings, chain, fixes, and the evidence behind them."""
    voice = Voice(lang)
    parts = [f"# {_line(compose.headline(report, voice))}", _lines(compose.verdict(report, voice))]
    parts.append(_line(compose.provenance(report, voice)))
    if report.entries:
        parts += [f"## {voice.text(T('Findings'))}", *_findings(report, voice)]
    if report.entries or report.ruled_out or report.skipped:
        chain = thread.chain(report, voice, _ALL)
        parts += [f"## {voice.text(T('From the symptom to the cause'))}", *_blocks(chain.blocks)]
    parts += _fixes(report, voice)
    if report.exhibits:
        parts += [f"## {voice.text(T('Evidence'))}", *(_exhibit(x, voice, body=False) for x in report.exhibits)]
    return "\n\n".join(part for part in parts if part) + "\n"


def hidden(report: Report) -> int:
    """How many secrets were taken out of the evidence, when it was read and now."""
    return sum(x.proof.redactions + clean(x.proof.body or x.proof.shown)[1] for x in report.exhibits)


def evidence_file(report: Report, voice: Voice) -> File:
    """The file of a run: every exhibit in full, then everything that the thread had no room for."""
    head = voice.text(T("Evidence of run {run}", run=report.run))
    parts = [f"# {_escape(head)}", _line(compose.headline(report, voice)), _line(compose.provenance(report, voice))]
    parts += [_exhibit(x, voice, body=True) for x in report.exhibits]
    parts += [f"## {voice.text(T('Findings'))}", *_findings(report, voice)]
    parts += [
        f"## {voice.text(T('From the symptom to the cause'))}",
        *_blocks(thread.chain(report, voice, _ALL).blocks),
    ]
    parts += _fixes(report, voice)
    content = "\n\n".join(part for part in parts if part) + "\n"
    return File(
        name=f"evidence-{report.run}.md", title=head, content=content, alt=compose.fallback(report, voice)[:1000]
    )


def _findings(report: Report, voice: Voice) -> list[str]:
    return [part for e in report.entries for part in _blocks(tuple(compose.finding(report, e, voice, _ALL)))]


def _fixes(report: Report, voice: Voice) -> list[str]:
    if not report.remedies:
        return []
    written = [f"## {voice.text(T('Fixes, in the order of repair: {count}', count=len(report.remedies)))}"]
    for remedy in report.remedies:
        written += _blocks(tuple(thread.fix(report, remedy, voice, _ALL)))
    return written


def _exhibit(exhibit: Exhibit, voice: Voice, *, body: bool) -> str:
    """One piece of evidence: what was asked, when, and the answer with its checksum."""
    proof = exhibit.proof
    what, _ = clean(proof.what, line=300, total=300)
    shown, found = clean(proof.body or proof.shown if body else proof.shown)
    rows = [voice(T("source: {source}", source=proof.source.value))]
    if proof.at is not None:
        rows.append(voice(T("read at {at}", at=proof.at)))
    rows.append(voice(T("redacted: {count}", count=proof.redactions + found)))
    if body:
        rows.append(voice(T("sha256 of the text below: {sum}", sum=hashlib.sha256(shown.encode()).hexdigest())))
    parts = [f"### {exhibit.id}  {_code(what)}", "\n".join(f"- {_line(row)}" for row in rows)]
    excerpt, _ = clean(proof.excerpt)
    if body and excerpt and excerpt != shown:
        parts += [_line(voice(T("The lines that matter:"))), _fence(excerpt)]
    parts.append(_fence(shown))
    return "\n\n".join(parts)


def _blocks(blocks: tuple[Block, ...]) -> list[str]:
    written: list[str] = []
    for block in blocks:
        if isinstance(block, Section):
            written.append(_lines(block.lines))
            if block.fence:
                shown, _ = clean(block.fence, line=4000 if block.commands else 400)
                written.append(_fence(shown))
        elif isinstance(block, Note):
            written.append(f"<sub>{_line(block.line)}</sub>")
        elif isinstance(block, Divider):
            written.append("---")
        elif isinstance(block, Buttons):
            continue
    return written


def _lines(lines: tuple[Line, ...]) -> str:
    """Lines with hard breaks."""
    return "  \n".join(_line(one) for one in lines)


def _line(line: Line) -> str:
    written = ""
    for span in merged(line):
        if isinstance(span, Icon):
            continue
        if isinstance(span, Span) and span.style is Style.CODE:
            written += _code(span.text)
        elif isinstance(span, Span) and span.style is Style.STRONG:
            inner = span.text.strip()
            written += span.text.replace(inner, f"**{_escape(inner)}**", 1)
        else:
            written += _escape(span.plain)
    return written


def _escape(text: str) -> str:
    return _SPECIAL.sub(r"\\\1", text)


def _code(data: str) -> str:
    """A code span whose marks are longer than any run of backticks in the data."""
    marks = "`" * (max((len(run) for run in _RUNS.findall(data)), default=0) + 1)
    pad = " " if data.startswith("`") or data.endswith("`") or not data else ""
    return f"{marks}{pad}{data}{pad}{marks}"


def _fence(data: str) -> str:
    marks = "`" * max(3, max((len(run) for run in _RUNS.findall(data)), default=0) + 1)
    return f"{marks}text\n{data.strip(chr(10))}\n{marks}"
