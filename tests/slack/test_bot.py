"""The bot as people meet it: commands, mentions, buttons, over signed HTTP, against a strict Slack."""

from __future__ import annotations

import json
import threading
import time
from typing import Any

import pytest

from bot.diagnose import Progress
from bot.model.command import Question
from bot.model.report import Report
from tests.slack import fake
from tests.slack.conftest import Office, until
from tests.slack.reports import diagnose, report


def parts(messages: list[dict[str, Any]]) -> list[str]:
    """The kinds of the messages, from their marks; a file by its name."""
    names = [m["files"][0]["name"].partition("-")[0] if "files" in m else m["blocks"][0]["block_id"] for m in messages]
    return [name.rpartition(":")[2] for name in names]


def test_a_command_is_answered_by_a_verdict_and_a_thread(office: Office) -> None:
    """The root carries the verdict; findings, chain, fixes, evidence and summary hang below it, in this order."""
    assert {} == office.command("C1", "node-3")
    messages = office.ended("C1")
    assert ["root", "findings", "chain", "fixes", "evidence", "summary"] == parts(messages)
    assert "CRITICAL" in json.dumps(messages[0])
    assert {messages[0]["ts"]} == {m["thread_ts"] for m in messages[1:]}


def test_data_of_the_cluster_never_becomes_a_mention(office: Office) -> None:
    """A node that calls itself <!channel> wakes nobody."""
    office.command("C2", "node-3")
    assert "<!channel>" not in json.dumps(office.ended("C2"))


def test_a_wrong_command_gets_a_private_answer_and_a_button_that_runs_it_right(office: Office) -> None:
    """Nothing is run; the nearest match, an example and a button are offered, and the button works."""
    said = office.command("C3", "node-3 cluster=prod-eux")
    assert "ephemeral" == said["response_type"]
    assert "prod-eu" in said["text"]
    assert "/node-why node-3" in said["text"]
    assert [] == office.slack.thread("C3")
    button = said["blocks"][-1]["elements"][0]
    office.press("C3", button["action_id"], button["value"])
    assert 6 == len(office.ended("C3"))
    assert "prod-eu" == office.asked[-1].cluster


def test_an_unknown_command_names_the_nearest_one(office: Office) -> None:
    """/kubewhy nodewhy is no command, node-why is."""
    assert "node-why" in office.command("C4", "nodewhy node-3", name="/kubewhy")["text"]


def test_every_command_can_be_reached_through_the_alias(office: Office) -> None:
    """/kubewhy dns-check x is /dns-check x."""
    office.command("C5", "dns-check example.com", name="/kubewhy")
    office.ended("C5")
    assert ("dns-check", "example.com") == (office.asked[-1].command, office.asked[-1].target)


@pytest.mark.parametrize(("name", "text"), [("/kubewhy", ""), ("/kubewhy", "help"), ("/node-why", "help")])
def test_help_is_private_and_lists_commands_by_symptom(office: Office, name: str, text: str) -> None:
    """Help runs nothing."""
    said = office.command("C6", text, name=name)
    assert "why a node is not ready" in json.dumps(said["blocks"])
    assert [] == office.slack.thread("C6")


def test_the_same_question_is_not_answered_twice_unless_one_insists(office: Office) -> None:
    """Asked again at once: a private link to the run that is there, and a button that runs it anyway."""
    office.command("C7", "node-3")
    office.ended("C7")
    said = office.command("C7", "node-3", user="UBOB")
    assert "C7" in json.dumps(said)
    button = said["blocks"][-1]["elements"][0]
    office.press("C7", "rerun", button["value"])
    assert 12 == len(office.ended("C7", 12))


def test_the_same_question_in_another_channel_is_another_question(office: Office) -> None:
    """What one channel asked is not told in another."""
    office.command("C8", "node-3")
    assert {} == office.command("C8B", "node-3")
    assert [6, 6] == [len(office.ended(channel)) for channel in ("C8", "C8B")]


def test_a_mention_is_answered_in_the_thread_of_its_message(office: Office) -> None:
    """Slack's own links and escapes are taken off before the command is read."""
    assert 200 == office.mention("C9", "dns-check <http://example.com|example.com>", ts="77.7")
    messages = office.ended("C9")
    assert {"77.7"} == {m["thread_ts"] for m in messages}
    assert "example.com" == office.asked[-1].target


def test_an_event_that_slack_sends_again_is_answered_once(office: Office) -> None:
    """The id of the event is the id of the run."""
    for _ in range(3):
        office.mention("C10", "node-why node-3", event_id="E10", ts="78.8")
    office.ended("C10")
    time.sleep(0.5)
    assert 6 == len(office.slack.thread("C10"))


@pytest.mark.parametrize(
    ("asked", "answer"),
    [
        ("why F2", "is not ready since"),
        ("show E1", "ExecMainStatus=1"),
        ("show X1", "sudo cp"),
        ("explain NODE-04", "NODE-04"),
        ("explain NODE-99", "There is no check"),
        ("why F9", "This run has no"),
        ("中文", "F1"),
    ],
)
def test_a_follow_up_in_the_thread_is_answered_from_what_was_measured(office: Office, asked: str, answer: str) -> None:
    """One message in the same thread; nothing is measured again."""
    channel = f"CF{abs(hash(asked))}"
    office.command(channel, "node-3")
    root = office.ended(channel)[0]["ts"]
    before = len(office.asked)
    office.mention(channel, asked, thread_ts=root)
    last = office.ended(channel, 7)[-1]
    assert root == last["thread_ts"]
    assert answer in json.dumps(last, ensure_ascii=False)
    assert before == len(office.asked)


def test_rerun_asks_the_same_again_with_what_was_changed(office: Office) -> None:
    """Rerun since=1h keeps target and cluster."""
    office.command("C12", "node-3 cluster=stage")
    root = office.ended("C12")[0]["ts"]
    office.mention("C12", "rerun since=1h", thread_ts=root)
    office.ended("C12", 12)
    last = office.asked[-1]
    assert ("node-3", "stage", "1h") == (last.target, last.cluster, last.options["since"])


def test_a_channel_has_its_own_cluster_and_language(office: Office) -> None:
    """What the settings say about the channel holds unless the command says otherwise."""
    office.command("CZH", "node-3")
    office.ended("CZH")
    assert ("stage", "zh-CN") == (office.asked[-1].cluster, office.asked[-1].lang)


def test_a_stranger_is_refused_and_nothing_runs(office: Office) -> None:
    """Users outside the list, and guests of another company on a button, hear a private no."""
    said = office.command("C13", "node-3", user="UMALLORY")
    assert "slack.allowed_users" in said["text"]
    office.press("C13", "rerun", "whatever", team="T2")
    assert "Only members of this workspace" in office.private("C13")["text"]
    assert [] == office.slack.thread("C13")


def test_the_cancel_button_ends_a_run_and_says_so(office: Office) -> None:
    """The root becomes CANCELLED and the diagnosis is told to stop."""
    started, stopped = threading.Event(), threading.Event()

    def endless(question: Question, progress: Progress) -> Report:
        started.set()
        while not progress.cancelled():
            time.sleep(0.02)
        stopped.set()
        return report(question)

    office.diagnose = endless
    office.command("C14", "node-3")
    assert started.wait(10)
    root = office.slack.thread("C14")[0]
    cancel = root["blocks"][-1]["elements"][0]
    office.press("C14", cancel["action_id"], cancel["value"])
    assert stopped.wait(10)
    office.diagnose = diagnose
    until(lambda: "CANCELLED" in json.dumps(office.slack.thread("C14")))
    assert 1 == len(office.slack.thread("C14"))


def test_a_long_run_shows_how_far_it_is(office: Office) -> None:
    """The root is edited while the diagnosis reads, and keeps its cancel button."""
    office.diagnose = lambda question, progress: diagnose(question, progress, steps=3, pause=0.5)
    office.command("C25", "node-3")
    until(lambda: "2 of 3" in json.dumps(office.slack.thread("C25")))
    assert "run_cancel" in json.dumps(office.slack.thread("C25")[0])
    office.diagnose = diagnose
    office.ended("C25")


def test_a_diagnosis_that_breaks_is_admitted_with_a_reference(office: Office) -> None:
    """No stack trace in the channel; the root never stays on RUNNING."""

    def broken(_: Question, __: Progress) -> Report:
        raise RuntimeError("boom")

    office.diagnose = broken
    office.command("C15", "node-3")
    until(lambda: "COULD NOT CHECK" in json.dumps(office.slack.thread("C15")))
    office.diagnose = diagnose
    assert "boom" not in json.dumps(office.slack.thread("C15"))


def test_where_the_bot_may_not_speak_the_asker_is_told_privately(office: Office) -> None:
    """Not in the channel: how to invite it, and a button to run the question then."""
    office.slack.closed["C16"] = "not_in_channel"
    office.command("C16", "node-3")
    said = office.private("C16")
    assert "/invite" in json.dumps(said)
    del office.slack.closed["C16"]
    button = said["blocks"][-1]["elements"][0]
    office.press("C16", button["action_id"], button["value"])
    assert 6 == len(office.ended("C16"))


@pytest.mark.parametrize("method", ["chat.postMessage", "files.completeUploadExternal", "chat.update"])
def test_an_answer_that_is_lost_doubles_nothing(office: Office, method: str) -> None:
    """Slack did it and said 500: the bot looks before it sends again."""
    office.slack.fail(method, fake.LOST)
    channel = f"CL{method}"
    office.command(channel, "node-3")
    assert ["root", "findings", "chain", "fixes", "evidence", "summary"] == parts(office.ended(channel))


@pytest.mark.parametrize("fault", [fake.LIMITED, "internal_error", "service_unavailable"])
def test_slack_in_trouble_loses_nothing(office: Office, fault: str) -> None:
    """A 429 is waited out, an error that means nothing is tried again."""
    channel = f"CT{fault}"
    office.slack.fail("chat.postMessage", fault, fault)
    office.command(channel, "node-3")
    assert 6 == len(office.ended(channel))


def test_refused_blocks_become_text_with_the_whole_as_a_file(office: Office) -> None:
    """A finding is never lost because Slack refuses a form."""
    office.slack.fail("chat.update", "invalid_blocks")
    office.command("C19", "node-3")
    messages = office.ended("C19", 7)
    assert "CRITICAL" in messages[0]["text"]
    assert any(f["name"].startswith("root-node-") for m in messages for f in m.get("files", []))


def test_a_file_that_may_not_be_uploaded_is_replaced_by_words(office: Office) -> None:
    """The thread goes on."""
    office.slack.fail("files.getUploadURLExternal", "file_uploads_disabled")
    office.command("C20", "node-3")
    assert ["root", "findings", "chain", "fixes", "evidence", "summary"] == parts(office.ended("C20"))


def test_a_root_that_was_deleted_does_not_take_the_verdict_with_it(office: Office) -> None:
    """It is posted in a message of its own."""
    office.slack.fail("chat.update", "message_not_found")
    office.command("C21", "node-3")
    until(lambda: "CRITICAL" in json.dumps(office.slack.thread("C21")))


def test_the_home_shows_recent_runs_to_whoever_opens_it(office: Office) -> None:
    """Published once, to that person."""
    office.command("C22", "node-3")
    office.ended("C22")
    opened = {"type": "app_home_opened", "user": "UALICE", "tab": "home"}
    fake.send(office.app.port, {"type": "event_callback", "event_id": "EH", "team_id": "T1", "event": opened})
    view = until(lambda: next((v for v in office.slack.views if v.get("user_id") == "UALICE"), None))
    assert "/node-why node-3" in json.dumps(view)


def test_what_was_checked_opens_as_a_dialog(office: Office) -> None:
    """Good news has no thread; the button shows what stands behind it."""
    office.command("C23", "node-3")
    root = office.ended("C23")[0]
    run = root["blocks"][0]["block_id"].split(":")[1]
    office.press("C23", "details", run)
    until(lambda: any("trigger_id" in v and "NODE-04" in json.dumps(v) for v in office.slack.views))


@pytest.mark.parametrize(("secret", "age"), [("wrong", 0), (fake.SECRET, 600)])
def test_a_request_that_slack_did_not_sign_now_is_refused(office: Office, secret: str, age: int) -> None:
    """A wrong signature, and a right one that is ten minutes old."""
    body = {"command": "/node-why", "text": "node-3", "channel_id": "C24", "user_id": "UALICE", "trigger_id": "x"}
    status, _ = fake.send(office.app.port, body, form=True, secret=secret, at=time.time() - age)
    assert 401 == status
    assert [] == office.slack.thread("C24")
