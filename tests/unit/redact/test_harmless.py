"""Text of a cluster cannot move a cursor, hide, reorder, or flood."""

from __future__ import annotations

import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.redact import clean, harmless

CASES = {
    "colour": ("\x1b[31mred\x1b[0m", "red"),
    "title": ("\x1b]0;owned\x07ok", "ok"),
    "link": ("\x1b]8;;https://evil\x1b\\click\x1b]8;;\x1b\\", "click"),
    "unfinished title": ("\x1b]0;a\nnext line stays", "\nnext line stays"),
    "C1 control sequence": ("\x9b31mred", "red"),
    "carriage return": ("safe\revil", "safe\nevil"),
    "Windows line": ("a\r\nb", "a\nb"),
    "backspace": ("abc\x08\x08", "abc"),
    "bidi override": ("\u202egnp.exe", "gnp.exe"),
    "bidi isolate": ("\u2066x\u2069", "x"),
    "zero width": ("a\u200bb\ufeffc", "abc"),
    "tag letters": ("a\U000e0041b", "ab"),
    "lone surrogate": ("a\ud800b", "a\ufffdb"),
    "line separator": ("a\u2028b", "a\nb"),
    "tab and newline stay": ("a\tb\nc", "a\tb\nc"),
    "other languages stay": ("没有可用节点 é", "没有可用节点 é"),
}
MEGABYTE = 1_000_000
HARD = (
    "a", "eyJ", "-eyJ", 'password="', "password=", "password=\\", '"name":"', "-----BEGIN RSA PRIVATE KEY-----", "://",
    "://a:", "bearer ", "authorization: ", "cookie: [", "--a", "--token ", '"data":{', "kind: Secret data:\n a: b\n",
    '{"kind":"Secret","data":{', "token:", "\x1b[", "\x1b]", "é", "\u202e", "a.", "LS0tLS1CRUdJTi", 'kind:"Secret ',
    "value\\", "name: a\nvalue: ", "@tcp(:", "ghp_", " ",
)  # fmt: skip


@pytest.mark.parametrize("name", list(CASES))
def test_what_deceives_is_taken_out(name: str) -> None:
    """And what informs stays."""
    before, after = CASES[name]
    assert harmless(before) == after


def test_a_long_line_is_cut_with_a_sign() -> None:
    """400 characters, the last of which says that there was more."""
    assert harmless("x" * 1000 + "\ny") == "x" * 399 + "…\ny"


def test_a_long_text_is_cut_with_a_sign() -> None:
    """The whole is capped too."""
    assert harmless("x\n" * 100, total=10) == "x\nx\nx\nx\nx…"


@given(st.text())
def test_what_comes_out_is_always_utf8_without_controls(text: str) -> None:
    """Whatever goes in."""
    shown, _ = clean(text)
    assert (shown.encode() and not any(ord(c) < 32 and c not in "\n\t" for c in shown)) or shown == ""


@pytest.mark.parametrize("pattern", HARD)
def test_a_line_of_a_megabyte_takes_less_than_two_seconds(pattern: str) -> None:
    """Every rule is linear, also in text made against it: a quadratic one would take hours here."""
    text = (pattern * (MEGABYTE // len(pattern) + 1))[:MEGABYTE]
    began = time.process_time()
    clean(text)
    assert time.process_time() - began < 2
