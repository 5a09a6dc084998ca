"""Progress: one living line on a terminal, a few plain lines in a log."""

from __future__ import annotations

import io
from dataclasses import dataclass

from bot.render.progress import Progress


@dataclass(frozen=True)
class Event:
    """A step of a diagnosis."""

    done: int
    total: int
    now: str


def run(*, live: bool, lang: str = "en") -> str:
    """What a run of 100 readings writes."""
    stream = io.StringIO()
    with Progress(stream, live=live, lang=lang) as progress:
        for done in range(101):
            progress(Event(done, 100, "the nodes \x1b[31m"))
    return stream.getvalue()


def test_a_log_gets_a_line_every_tenth_of_the_way() -> None:
    """And no escape sequences."""
    lines = run(live=False).splitlines()
    assert (len(lines), lines[0], lines[-1]) == (11, "0 of 100 readings  the nodes", "100 of 100 readings  the nodes")


def test_a_log_speaks_chinese_when_the_run_does() -> None:
    """The progress follows the language of the run."""
    assert run(live=False, lang="zh-CN").startswith("已读取 0/100")


def test_nothing_planned_yet_is_no_error() -> None:
    """The first event may come before anything is planned."""
    stream = io.StringIO()
    with Progress(stream, live=False) as progress:
        progress(Event(0, 0, ""))
    assert stream.getvalue() == "0 of 0 readings\n"


def test_the_living_line_is_gone_before_the_report() -> None:
    """An event that comes late writes nothing."""
    stream = io.StringIO()
    with Progress(stream, live=True) as progress:
        progress(Event(1, 2, "x"))
    before = stream.getvalue()
    progress(Event(2, 2, "x"))
    assert stream.getvalue() == before
