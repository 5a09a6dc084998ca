"""Nothing from a cluster is parsed by Slack, and marks stand where Slack sees them as marks."""

from __future__ import annotations

import pytest

from bot.model.text import T
from bot.render.blocks import Span, Style
from bot.render.i18n import Voice, code, strong
from bot.render.mrkdwn import NBSP, Profile, fence, line
from tests.unit.render.reports import AT, EVIL

BASELINE, LOCAL = Profile.BASELINE, Profile.LOCAL
DATE = "<!date^1795237130^{date_short_pretty} {time_secs}|2026-11-21 04:58:50 UTC>"


def test_data_stands_in_a_code_span_and_is_escaped() -> None:
    """No mention, no link, no code span that ends early."""
    written = line(Voice("en")(T("{name} is down", name=EVIL)), BASELINE)
    shown = "`'; &lt;!channel&gt; *bold* _it_ ~s~ &lt;https://evil|click&gt; red gnp.exe \ufffd '''` is down"
    assert written == shown


def test_a_message_with_a_comparison_is_escaped_too() -> None:
    """Our own words may hold a sign that Slack would parse."""
    assert line(Voice("en")(T("load < 1 & rising")), BASELINE) == "load &lt; 1 &amp; rising"


@pytest.mark.parametrize(
    ("message", "written"),
    [
        ("节点{node}上的kubelet", "节点 `n1` 上的kubelet"),
        ("{node}，下一个", "`n1` ，下一个"),
        ("node {node}, next", "node `n1`, next"),
        ("({node})", "(`n1`)"),
        ("v{node}x", "v `n1` x"),
    ],
)
def test_a_mark_never_touches_a_letter(message: str, written: str) -> None:
    """Slack shows the marks themselves where a letter stands beside them."""
    values = {"node": "n1"}
    assert line(Voice("en")(T(message, **values)), BASELINE) == written  # type: ignore[arg-type]


def test_stressed_chinese_is_set_apart() -> None:
    """The same holds for bold."""
    assert line((Span("是"), Span("严重", Style.STRONG), Span("的")), BASELINE) == "是 *严重* 的"


def test_a_time_is_local_to_the_reader() -> None:
    """With UTC for clients that cannot."""
    assert line(Voice("en")(T("at {at}", at=AT)), BASELINE) == f"at {DATE}"


def test_the_playground_gets_the_time_in_utc() -> None:
    """Local-slack would show the token."""
    assert line(Voice("en")(T("at {at}", at=AT)), LOCAL) == "at 2026-11-21 04:58:50 UTC"


def test_a_fence_cannot_be_closed_by_what_stands_in_it() -> None:
    """Three backticks of data become three quotes."""
    assert fence("a\n```\n<!here>", BASELINE) == "```\na\n'''\n&lt;!here&gt;\n```"


def test_a_line_of_proof_is_cut_at_160_characters_and_a_command_is_not() -> None:
    """A cut command would be a wrong command."""
    long = "x" * 300
    assert (len(fence(long, BASELINE)), len(fence(long, BASELINE, commands=True))) == (168, 308)


def test_the_playground_gets_one_code_line_a_line() -> None:
    """With the indentation of YAML kept by spaces that do not collapse."""
    assert fence("a:\n  b: 1", LOCAL) == f"`a:`\n`{NBSP}{NBSP}b: 1`"


def test_the_playground_is_not_given_mentions_either() -> None:
    """It escapes by itself, and must not see a mention before."""
    assert line((code("<!channel> a<b"),), LOCAL) == "`< !channel> a< b`"


def test_strong_leaves_data_as_data() -> None:
    """A title may be stressed, a name in it stays quoted."""
    written = line(strong(Voice("en")(T("node {node} is gone", node="n1"))), BASELINE)
    assert written == "*node* `n1` *is gone*"
