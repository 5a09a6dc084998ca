"""Writes a report as JSON (``-o json``): words in the language of the run; codes, reasons and keys always the same."""

from __future__ import annotations

from datetime import UTC, datetime

import msgspec

from bot.model import refs, report
from bot.model.finding import Finding
from bot.model.text import Text
from bot.redact import clean
from bot.render import contract
from bot.render.i18n import Voice

_DATA_CHARS = 4_000


def to_json(item: report.Report, *, lang: str = "en", indent: int = 2) -> str:
    """The report as one JSON object, text ending in a newline."""
    raw = msgspec.json.encode(as_contract(item, lang=lang))
    return msgspec.json.format(raw, indent=indent).decode() + "\n"


def as_contract(item: report.Report, *, lang: str = "en") -> contract.Report:
    """The report in the shape of the contract, every string redacted and harmless."""
    voice = Voice(lang)
    return contract.Report(
        schema="kubewhy/report/v1",
        run=item.run,
        command=item.question.command,
        cluster=_data(item.cluster),
        target=_data(item.question.target),
        observed_at=_time(item.observed_at),
        duration_ms=item.duration_ms,
        status=item.status.value,
        summary=contract.Summary(
            wrong=voice.text(item.summary.wrong), why=voice.text(item.summary.why), next=voice.text(item.summary.next)
        ),
        note=voice.text(item.note) if item.note is not None else None,
        roots=[_root(item, r) for r in item.roots],
        findings=[_finding(e, voice) for e in item.entries],
        ruled_out=[_ruled(r, voice) for r in item.ruled_out],
        skipped=[_skipped(s) for s in item.skipped],
        unread=[_skipped(s) for s in item.unread],
        failed=[contract.Failed(code=f.code, error=_data(f.error), reference=f.reference) for f in item.failed],
        edges=[_edge(e) for e in item.edges],
        checks=contract.Checks(
            found=item.counts.found, clean=item.counts.clean, skipped=item.counts.skipped, failed=item.counts.failed
        ),
        fixes=[_fix(r, voice) for r in item.remedies],
        evidence=[_evidence(x) for x in item.exhibits],
    )


def _root(item: report.Report, root: report.Root) -> contract.Root:
    found = item.entry(root.finding).finding
    return contract.Root(
        finding=root.finding,
        code=found.code,
        subject=_subject(found.subject),
        confidence=found.confidence.value,
        chain=list(root.chain),
        exposed_by=list(root.exposed_by),
    )


def _finding(entry: report.Entry, voice: Voice) -> contract.Finding:
    found = entry.finding
    return contract.Finding(
        id=entry.id,
        code=found.code,
        reason=found.reason,
        facts=_facts(found),
        title=voice.text(found.title),
        detail=_optional(found.detail, voice),
        severity=found.severity.value,
        confidence=found.confidence.value,
        subject=_subject(found.subject),
        role=entry.role.value,
        onset=_time(found.onset) if found.onset else None,
        explained_by=list(entry.explained_by),
        evidence=list(entry.evidence),
        fixes=list(entry.fixes),
    )


def _facts(found: Finding) -> dict[str, contract.Scalar]:
    facts: dict[str, contract.Scalar] = {}
    for key, value in found.facts.items():
        if isinstance(value, tuple):
            facts[key] = [_data(item) for item in value]
        else:
            facts[key] = _data(value) if isinstance(value, str) else value
    return facts


def _ruled(item: report.Ruled, voice: Voice) -> contract.RuledOut:
    return contract.RuledOut(
        code=item.code, subject=_subject(item.subject), because=voice.text(item.because), evidence=list(item.evidence)
    )


def _skipped(item: report.Skipped) -> contract.Skipped:
    return contract.Skipped(
        code=item.code,
        key=_data(item.key),
        missing=[_data(m) for m in item.missing],
        because=_data(item.because),
        hint=_data(item.hint),
        mandatory=item.mandatory,
    )


def _edge(item: report.Edge) -> contract.Edge:
    return contract.Edge(
        cause=item.cause,
        effect=item.effect,
        type=item.type,
        state="active" if item.state == "active" else "possible",
    )


def _fix(item: report.Remedy, voice: Voice) -> contract.Fix:
    fix = item.fix
    return contract.Fix(
        id=item.id,
        finding=item.finding,
        what=voice.text(fix.what),
        safety=fix.safety.value,
        commands=[_data(c) for c in fix.commands],
        verify=[_data(c) for c in fix.verify],
        undo=[_data(c) for c in fix.undo],
    )


def _evidence(item: report.Exhibit) -> contract.Evidence:
    proof = item.proof
    excerpt, found = clean(proof.shown)
    return contract.Evidence(
        id=item.id,
        source=proof.source.value,
        what=_data(proof.what),
        at=_time(proof.at) if proof.at else None,
        excerpt=excerpt,
        redactions=proof.redactions + found,
    )


def _subject(subject: refs.Subject) -> contract.Subject:
    namespace = _data(subject.namespace) if subject.namespace is not None else None
    return contract.Subject(kind=_data(subject.kind), namespace=namespace, name=_data(subject.name))


def _optional(text: Text | None, voice: Voice) -> str | None:
    return voice.text(text) if text is not None else None


def _data(text: str) -> str:
    shown, _ = clean(text, line=_DATA_CHARS)
    return shown


def _time(at: datetime) -> str:
    moment = at if at.tzinfo else at.replace(tzinfo=UTC)
    return moment.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%SZ")
