"""The single place where secrets and hostile text are taken out of what a cluster said.

Clients call :func:`clean` when they capture an answer, renderers call it again on everything they show: names, logs and
command output are data from somebody else's machine. What a secret looks like is in :mod:`bot.secret_shapes`.
"""

from __future__ import annotations

import re

from bot.secret_shapes import hide

LINE_CHARS = 400
TOTAL_CHARS = 65_536

_ESCAPES = re.compile(
    r"\x1b\[[0-?]*[ -/]*[@-~]?"  # CSI: colours, cursor movement
    r"|\x9b[0-?]*[ -/]*[@-~]?"  # the same, as one C1 character
    r"|\x1b[\]PX^_][^\x07\x1b\n]*(?:\x07|\x1b\\)?"  # OSC, DCS, SOS, PM, APC: titles, links, clipboard
    r"|\x1b[ -/]*[0-~]?"
)
_INVISIBLE = re.compile(
    "[\x00-\x08\x0b-\x1f\x7f-\x9f"  # C0 except tab and newline, DEL, C1
    "\xad\u061c\u115f\u1160\u180e\u200b-\u200f\u202a-\u202e\u2060-\u206f\u3164\ufeff\uffa0\ufff9-\ufffb"
    "\U000e0000-\U000e007f]"  # zero width, bidi controls, fillers, tags
)
_BREAKS = re.compile("\r\n?|[\x85\u2028\u2029]")
_SURROGATES = re.compile("[\ud800-\udfff]")


def harmless(text: str, *, line: int = LINE_CHARS, total: int = TOTAL_CHARS) -> str:
    """Take out what can move a cursor, hide or reorder text, and cut what is too long.

    Args:
        text: anything.
        line: the most characters of a line; the rest becomes ``…``.
        total: the most characters of all.
    """
    return _clip(_strip(text), line, total)


def redact(text: str) -> tuple[str, int]:
    """Replace every secret, by its key or its shape, with ``[redacted]``; return the text and how many there were."""
    return hide(text)


def clean(text: str, *, line: int = LINE_CHARS, total: int = TOTAL_CHARS) -> tuple[str, int]:
    """Strip, redact and cut, in this order, so that no secret hides behind an invisible letter or a cut.

    Returns:
        The text, and how many secrets were taken out.
    """
    stripped, count = redact(_strip(text))
    return _clip(stripped, line, total), count


def _strip(text: str) -> str:
    if text.isascii() and text.isprintable():
        return text
    if "\x1b" in text or "\x9b" in text:
        text = _ESCAPES.sub("", text)
    text = _BREAKS.sub("\n", text)
    return _SURROGATES.sub("\N{REPLACEMENT CHARACTER}", _INVISIBLE.sub("", text))


def _clip(text: str, line: int, total: int) -> str:
    if len(text) > line:
        text = "\n".join(one if len(one) <= line else one[: line - 1] + "…" for one in text.split("\n"))
    return text if len(text) <= total else text[: total - 1] + "…"
