"""How fast the bot speaks, and how it reads Slack's no."""

from __future__ import annotations

import pytest

from bot.slack.client import web_client
from bot.slack.failures import ClosedError, FilesError, GoneError, RefusedError, UnsureError, classify
from bot.slack.outbox import Bucket, Letter, Outbox
from tests.slack.fake import StrictSlack


class Clock:
    """A clock that only sleeping moves."""

    def __init__(self) -> None:
        self.now = 0.0
        self.naps: list[float] = []

    def __call__(self) -> float:
        """Tell the time."""
        return self.now

    def sleep(self, seconds: float) -> None:
        """Let time pass."""
        self.naps.append(round(seconds, 3))
        self.now += seconds


@pytest.mark.parametrize(
    ("code", "kind"),
    [
        ("invalid_blocks", RefusedError),
        ("msg_blocks_too_long", RefusedError),
        ("message_not_found", GoneError),
        ("not_in_channel", ClosedError),
        ("file_uploads_disabled", FilesError),
        ("internal_error", UnsureError),
        ("a word that is new", UnsureError),
    ],
)
def test_a_no_is_told_from_a_perhaps(code: str, kind: type[Exception]) -> None:
    """What Slack refused is said otherwise; what nobody knows is looked up."""
    assert kind is type(classify(code))


def test_messages_in_one_channel_keep_a_distance() -> None:
    """Slack may silently drop what comes faster than once a second; another channel does not wait."""
    slack, clock = StrictSlack(), Clock()
    outbox = Outbox(web_client("xoxb", slack.url), pace=1.1, clock=clock, sleep=clock.sleep)
    for part in ("root", "findings", "chain"):
        outbox.post("C1", Letter(text=part, blocks=[], run="r", part=part))
    outbox.post("C2", Letter(text="root", blocks=[], run="s", part="root"))
    slack.stop()
    assert [1.1, 1.1] == clock.naps
    assert ["root", "findings", "chain"] == [m["text"] for m in slack.thread("C1")]


def test_progress_stops_when_too_many_edits_were_made_and_the_verdict_does_not() -> None:
    """Forty edits in any minute; the last word jumps the queue."""
    slack, clock = StrictSlack(), Clock()
    outbox = Outbox(web_client("xoxb", slack.url), pace=0, edits=2, clock=clock, sleep=clock.sleep)
    ts = outbox.post("C1", Letter(text="0", blocks=[], run="r", part="root"))

    def edit(text: str, *, final: bool = False) -> bool:
        return outbox.edit("C1", ts, Letter(text=text, blocks=[], run="r", part="root"), final=final)

    assert [True, True, False] == [edit("1"), edit("2"), edit("3")]
    assert edit("verdict", final=True)
    slack.stop()
    assert "verdict" == slack.thread("C1")[0]["text"]


def test_a_bucket_fills_again_with_time() -> None:
    """In any window, not in each minute of the clock."""
    clock = Clock()
    bucket = Bucket(2, 60.0, clock)
    assert [True, True, False] == [bucket.take() for _ in range(3)]
    clock.now = 59.0
    assert not bucket.take()
    clock.now = 61.0
    assert bucket.take()


def test_a_message_is_found_again_by_its_mark_without_blocks() -> None:
    """The mark stands in the metadata, too."""
    slack = StrictSlack()
    outbox = Outbox(web_client("xoxb", slack.url), pace=0)
    letter = Letter(text="bare", blocks=[], run="r", part="root")
    ts = outbox.post("C1", letter)
    assert ts == outbox.find("C1", letter.mark, thread_ts="", since=0)
    assert "" == outbox.find("C1", "run:r:chain", thread_ts="", since=0)
    slack.stop()
