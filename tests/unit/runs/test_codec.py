"""What is stored comes back unchanged."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.model.command import Question
from bot.model.report import Report, Status
from bot.model.text import T, Text, Value
from bot.runs.codec import build, pack, plain, unpack
from tests.slack.reports import report

VALUES: st.SearchStrategy[Value] = st.one_of(
    st.text(),
    st.integers(-(2**53), 2**53),
    st.datetimes(timezones=st.just(UTC)),
    st.integers(0, 10**9).map(lambda s: timedelta(seconds=s)),
    st.lists(st.text(), max_size=3).map(tuple),
    st.text().map(lambda t: Text("because {x}", (("x", t),))),
)


@pytest.mark.parametrize("status", list(Status))
def test_a_report_survives_storage(status: Status) -> None:
    """Findings, messages with their values, proofs, times: all equal to what was stored."""
    stored = report(Question(command="node-why", target="node-3", options={"since": "1h"}, lang="zh-CN"), status)
    assert stored == unpack(Report, pack(stored))


@given(st.dictionaries(st.sampled_from(["node", "at", "$at", "$message"]), VALUES))
def test_a_message_with_any_values_survives_storage(values: dict[str, Value]) -> None:
    """Also when a value's name looks like one of our tags."""
    text = Text("{node}", tuple(values.items()))
    assert text == build(Text, plain(text))


def test_what_a_newer_release_added_is_ignored() -> None:
    """An unknown key does not make a stored run unreadable."""
    assert Question(command="x") == unpack(Question, b'{"command": "x", "colour": "red"}')


def test_what_is_no_stored_question_is_refused() -> None:
    """Garbage is an error with a name, not a half-built object."""
    with pytest.raises(ValueError, match="a stored Question cannot be read"):
        unpack(Question, b'{"target": "x"}')
    with pytest.raises(ValueError, match="cannot be read"):
        unpack(Question, b"{")


def test_only_data_can_be_stored() -> None:
    """A function in a report is a mistake of ours, found at once."""
    with pytest.raises(TypeError, match="is no data"):
        pack({"f": len})


def test_a_time_keeps_its_zone() -> None:
    """UTC stays UTC."""
    moment = datetime(2026, 11, 21, 4, 58, 50, tzinfo=UTC)
    assert T("{at}", at=moment) == build(Text, plain(T("{at}", at=moment)))
