"""A question and the report of a small incident, for tests that need something to post."""

from __future__ import annotations

import time
from datetime import UTC, datetime

from bot.diagnose import Progress
from bot.gather import Step
from bot.model.command import Argument, Command, Option, Question
from bot.model.finding import Confidence, Finding, Fix, Safety, Severity
from bot.model.proof import Proof, Source
from bot.model.refs import Subject
from bot.model.report import (
    Counts,
    Edge,
    Entry,
    Exhibit,
    Remedy,
    Report,
    Role,
    Root,
    Ruled,
    Skipped,
    Status,
    Summary,
)
from bot.model.text import T

AT = datetime(2026, 11, 21, 4, 58, 50, tzinfo=UTC)
COMMANDS = {
    "node-why": Command(
        name="node-why",
        symptom=T("why a node is not ready"),
        owns=("NODE-*",),
        target=Argument.NODE,
        target_name="node",
        examples=("node-why node-3",),
    ),
    "dns-check": Command(
        name="dns-check",
        symptom=T("why a name does not resolve"),
        owns=("DNS-*",),
        target=Argument.NAME,
        target_name="name",
        options=(Option(name="from", type=Argument.ORIGIN, help=T("who asks")),),
        examples=("dns-check example-api.com from=shop/web-1",),
    ),
}


def report(question: Question, status: Status = Status.CRITICAL) -> Report:
    """A node whose kubelet cannot start because its configuration is gone."""
    proof = Proof(
        source=Source.NODE, what="node-3: systemctl show kubelet", at=AT, body="ExecMainStatus=1\nResult=exit-code"
    )
    event = Proof(source=Source.API, what="GET /api/v1/nodes/node-3", at=AT, body="Ready=Unknown <!channel> & `x`")
    fix = Fix(
        what=T("put {path} back", path="/var/lib/kubelet/config.yaml"),
        safety=Safety.REVERSIBLE,
        commands=("sudo cp /var/lib/kubelet/config.yaml.bak /var/lib/kubelet/config.yaml",),
        verify=("kubectl get node node-3",),
    )
    root = Finding(
        code="NODE-04",
        reason="config-file-moved",
        severity=Severity.CRIT,
        confidence=Confidence.CONFIRMED,
        title=T("kubelet on {node} cannot start: {path} is gone", node="node-3", path="/var/lib/kubelet/config.yaml"),
        subject=Subject("Node", "node-3"),
        facts={"node": "node-3", "paths": ("a", "b"), "code": 1},
        onset=AT,
        proofs=(proof,),
        fixes=(fix,),
    )
    effect = Finding(
        code="NODE-01",
        reason="not-ready",
        severity=Severity.HIGH,
        confidence=Confidence.CONFIRMED,
        title=T("{node} is not ready since {onset}", node="node-3", onset=AT),
        subject=Subject("Node", "node-3"),
        proofs=(event,),
    )
    return Report(
        run="",
        question=question,
        cluster="prod-eu",
        observed_at=AT,
        duration_ms=11400,
        status=status,
        summary=Summary(wrong=effect.title, why=T("{cause} (confirmed)", cause=root.title), next=fix.what),
        roots=(Root(finding="F1", chain=("F1", "F2")),),
        entries=(
            Entry(id="F1", finding=root, role=Role.ROOT, evidence=("E1",), fixes=("X1",)),
            Entry(id="F2", finding=effect, role=Role.EFFECT, explained_by=("F1",), evidence=("E2",)),
        ),
        ruled_out=(
            Ruled(code="NODE-10", subject=Subject("Node", "node-3"), because=T("the clock is right"), evidence=("E2",)),
        ),
        skipped=(Skipped(code="NET-02", key="node-3", missing=("routes of node-3",), because="SSH refused"),),
        edges=(Edge(cause="F1", effect="F2", type="causes", state="active"),),
        counts=Counts(found=2, clean=31, skipped=1),
        remedies=(Remedy(id="X1", finding="F1", fix=fix),),
        exhibits=(Exhibit(id="E1", proof=proof), Exhibit(id="E2", proof=event)),
        ran=("NODE-04", "NODE-01"),
    )


def diagnose(question: Question, progress: Progress, *, steps: int = 3, pause: float = 0.02) -> Report:
    """Pretend to read a few things, then report the incident; stops when asked to."""
    for done in range(steps):
        if progress.cancelled():
            break
        progress.step(Step(done=done, total=steps, now="the nodes"))
        time.sleep(pause)
    return report(question)
