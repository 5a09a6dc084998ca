"""What the messages of a run say, beyond how they look."""

from __future__ import annotations

import json
from dataclasses import replace

from bot.model.command import Question
from bot.model.report import Report, Status
from bot.render.blocks import Outgoing
from bot.render.limits import lint, size
from bot.render.mrkdwn import Profile
from bot.render.slack import root_final, root_running, thread
from tests.unit.render.reports import AT, REPORTS, crowded, hostile, metrics_incident, unproven

QUESTION = Question(command="node-why", target="node-3")


def running(done: int, profile: Profile = Profile.BASELINE, lang: str = "en") -> Outgoing:
    """The root while 31 things are read."""
    return root_running(
        QUESTION, run="node-1", cluster="prod-eu", started=AT, done=done, total=31, now="the nodes", by="U1",
        profile=profile, lang=lang,
    )  # fmt: skip


def part(report: Report, kind: str, profile: Profile = Profile.BASELINE) -> str:
    """All text of one message of the thread."""
    return next(json.dumps(m.blocks, ensure_ascii=False) for m in thread(report, profile=profile) if m.kind == kind)


def test_the_running_root_says_how_far_it_is_and_can_be_cancelled() -> None:
    """Counted in words, not only as a bar."""
    written = json.dumps(running(12).blocks, ensure_ascii=False)
    assert ("12 of 31 readings" in written, '"run_cancel"' in written) == (True, True)


def test_edits_of_the_running_root_do_not_jump() -> None:
    """The slots and their ids stay the same from the first reading to the last."""
    ids = {tuple(b["block_id"] for b in running(n).blocks) for n in (1, 12, 31)}
    assert len(ids) == 1


def test_the_running_root_is_small() -> None:
    """At most four blocks and 600 characters of text, in every profile and language."""
    all_ = [running(12, p, lang) for p in (Profile.BASELINE, Profile.RICH, Profile.LOCAL) for lang in ("en", "zh-CN")]
    assert [(len(m.blocks) <= 4, size(m.blocks)[0] <= 600, lint(m)) for m in all_] == [(True, True, [])] * 6


def test_the_fallback_carries_the_verdict() -> None:
    """Screen readers and notifications read nothing else."""
    said = root_final(metrics_incident()).text
    assert said.startswith("Metrics API check on prod-eu: CRITICAL. shop/mysql-0 is down")


def test_every_root_cause_has_its_confidence_and_evidence() -> None:
    """No cause is named without saying how sure it is."""
    said = part(metrics_incident(), "chain")
    assert ("`F1` is confirmed, evidence `E1`, `E2`" in said, "`F2` is likely, evidence `E3`" in said) == (True, True)


def test_several_roots_are_said_to_be_independent() -> None:
    """So that nobody stops after the first repair."""
    assert "fixing `F1` will probably reveal `F2`" in part(metrics_incident(), "chain")


def test_a_chain_runs_from_the_symptom_to_the_cause_by_because() -> None:
    """Numbered sentences, no arrows."""
    said = part(metrics_incident(), "chain")
    assert said.index("1. `shop/mysql-0` is down") < said.index("2. because no Deployment") < said.index("8. because")


def test_an_unproven_cause_is_not_named_as_one() -> None:
    """What is likely, and what would decide it."""
    said = part(unproven(), "chain")
    shown = (
        "Cause not proven." in said,
        "Most likely: `F1`" in said,
        "What would decide it: `the links of node-2`" in said,
    )
    assert shown == (True, True, True)


def test_incomplete_is_not_an_all_clear() -> None:
    """And the root says so itself, with what was not checked."""
    said = json.dumps(root_final(REPORTS["incomplete"]).blocks, ensure_ascii=False)
    assert ("This is not an all-clear." in said, "no route to host" in said) == (True, True)


def test_a_stopped_run_keeps_its_findings() -> None:
    """Cancelled is no reason to hide what was seen."""
    stopped = replace(metrics_incident(), status=Status.CANCELLED)
    assert next(m.kind.value for m in thread(stopped)) == "findings"


def test_what_does_not_fit_is_counted() -> None:
    """Never dropped silently: 40 findings, 5 in full."""
    assert "more in the evidence file" in part(crowded(), "findings")


def test_the_evidence_file_holds_every_finding_exhibit_and_fix() -> None:
    """Whatever the messages had no room for."""
    file = next(m.files[0] for m in thread(crowded()) if m.kind == "evidence")
    missing = [i for n in range(1, 41) for i in (f"**F{n} ", f"### E{n} ", f"**X{n}**") if i not in file.content]
    assert missing == []


def test_the_evidence_file_is_redacted_and_says_so() -> None:
    """Also what a client forgot."""
    message = next(m for m in thread(hostile()) if m.kind == "evidence")
    content = message.files[0].content
    assert ("hunter2" in content, "abcdefgh12345678" in content, "redacted: 2" in message.text) == (False, False, True)


def test_the_requester_is_mentioned_only_after_a_long_run() -> None:
    """One mention, at the end, and only when people went away."""
    quick = "<@U1>" in json.dumps(thread(metrics_incident(), by="U1")[-1].blocks)
    slow = "<@U1>" in json.dumps(thread(crowded(), by="U1")[-1].blocks)
    assert (quick, slow) == (False, True)


def test_data_is_never_parsed_by_slack() -> None:
    """No mention of a channel, no link, in any message of any report, profile or fallback."""
    for profile in Profile:
        for report in (hostile(), crowded()):
            for m in (root_final(report, profile=profile), *thread(report, profile=profile)):
                written = json.dumps([m.text, m.blocks], ensure_ascii=False)
                assert not any(mark in written for mark in ("<!channel", "<!here", "<http", "\u202e", "\x1b"))


def test_rendering_is_pure() -> None:
    """The same report gives the same messages."""
    assert thread(crowded()) == thread(crowded())
