"""Times of log lines, and which lines count."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

from bot.model.cluster import LogLine
from bot.model.evidence import Clock
from bot.model.lines import in_window, is_current, parse_lines
from bot.model.proof import Proof, Source

NOW = datetime(2026, 1, 2, 4, 0, tzinfo=UTC)
CLOCK = Clock(proof=Proof(source=Source.API, what="GET /version"), now=NOW)


def at(minutes: float, text: str = "x") -> LogLine:
    """A line so many minutes ago."""
    return LogLine(text=text, at=NOW - timedelta(minutes=minutes))


def test_each_form_of_line_tells_its_time() -> None:
    """With timestamps=true, as klog, as etcd's JSON, as etcd 3.3; a line without one has none."""
    lines = parse_lines(
        "2026-01-02T03:59:00.123456789Z E said\n"
        "E0102 03:58:00.500000       1 a.go:1] said\n"
        '{"level":"warn","ts":"2026-01-02T03:57:00.000Z","msg":"said"}\n'
        "2026-01-02 03:56:00.100000 I | said\n"
        "said\n",
        NOW,
    )

    assert [59, 58, 57, 56, None] == [line.at.minute if line.at else None for line in lines]
    assert "E said" == lines[0].text


def test_a_klog_line_of_december_read_in_january_is_of_last_year() -> None:
    """Klog writes no year."""
    assert 2025 == parse_lines("E1231 23:59:00.000000 1 a.go:1] x", NOW)[0].at.year  # type: ignore[union-attr]


def test_escaped_quotes_are_unescaped() -> None:
    """Klog escapes quotes inside err="..."."""
    assert 'err="Get "https://x""' == parse_lines('err="Get \\"https://x\\""', NOW)[0].text


def test_only_lines_of_the_window_and_of_this_start_count() -> None:
    """What the container before wrote explains why it ended, never what is now."""
    lines = [at(40), at(20), at(5)]

    assert [lines[1], lines[2]] == list(in_window(lines, CLOCK))
    assert [lines[2]] == list(in_window(lines, CLOCK, started=NOW - timedelta(minutes=10)))


def test_one_line_is_current_for_ten_minutes_and_three_for_the_window() -> None:
    """Freshness, catalogue section 0."""
    assert (True, False, True, False) == (
        is_current([at(9)], CLOCK),
        is_current([at(11)], CLOCK),
        is_current([at(29), at(28), at(11)], CLOCK),
        is_current([], CLOCK),
    )
