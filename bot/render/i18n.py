"""The two languages, and the step from a message with values to spans that a writer can quote each in its own way.

Messages come from the compiled catalogue beside the package. A translation that is missing, or that names a value which
the message does not have, falls back to English: a report is never lost to a slip in a translation.
"""

from __future__ import annotations

import gettext
from collections.abc import Callable
from datetime import datetime
from functools import cache
from importlib.resources import files
from string import Formatter

from bot.model.text import T, Text, Value, plain
from bot.redact import clean
from bot.render.blocks import Inline, Line, Moment, Span, Style

LANGUAGES = ("en", "zh-CN")
VALUE_CHARS = 300


def known(lang: str) -> str:
    """The supported language nearest to a tag such as ``zh_CN.UTF-8`` or ``zh-Hans``."""
    return "zh-CN" if lang.replace("_", "-").lower().startswith("zh") else "en"


@cache
def translator(lang: str) -> Callable[[str], str]:
    """The function from an English message to its wording in ``lang``."""
    if known(lang) == "en":
        return str
    path = files("bot") / "locale" / "zh_CN" / "LC_MESSAGES" / "kubewhy.mo"
    if not path.is_file():
        return str
    with path.open("rb") as stream:
        catalogue = gettext.GNUTranslations(stream)
    return lambda msgid: catalogue.gettext(msgid) if msgid else ""


class Voice:
    """Speaks one language: turns messages into lines of spans."""

    def __init__(self, lang: str) -> None:
        self.lang = known(lang)
        self._translate = translator(self.lang)

    def __call__(self, text: Text) -> Line:
        """Return the message as spans: our words plain, values quoted as what they are."""
        translated = self._translate(text.msgid)
        values = dict(text.values)
        if not _fields(translated) <= values.keys():
            translated = text.msgid
        spans: list[Inline] = []
        for literal, field in _parsed(translated):
            if literal:
                spans.append(Span(literal))
            if field is not None:
                spans.extend(self._value(values[field]) if field in values else (Span("{" + field + "}"),))
        return tuple(spans)

    def text(self, text: Text) -> str:
        """Return the message as one plain string, without quoting; cleaned, for JSON and for fallbacks."""
        return "".join(span.plain for span in self(text))

    def word(self, english: str) -> str:
        """Translate the name of evidence, also where it names its node: ``the pods of node-3``; itself if unknown."""
        whole = self._translate(english)
        what, of, node = english.rpartition(" of ")
        if whole != english or not of or self._translate(what) == what:
            return whole
        return self.text(T("{what} of {node}", what=Text(what), node=node))

    def _value(self, value: Value) -> Line:
        if isinstance(value, Text):
            return self(value)
        if isinstance(value, datetime):
            return (Moment(value),)
        if isinstance(value, tuple):
            codes = [code(item) for item in value]
            return tuple(part for item in codes for part in (Span(", "), item))[1:]
        return (code(value),) if isinstance(value, str) else (Span(plain(value)),)


def code(data: str) -> Span:
    """Data of the cluster, or an id, as one quoted span: cleaned, on one line, at most 300 characters."""
    shown, _ = clean(data, line=VALUE_CHARS, total=VALUE_CHARS)
    return Span(" ".join(shown.split()), Style.CODE)


def strong(line: Line) -> Line:
    """The same line with our own words emphasised."""
    return tuple(
        Span(s.text, Style.STRONG) if isinstance(s, Span) and s.style is Style.PLAIN and s.text.strip() else s
        for s in line
    )


def _parsed(template: str) -> list[tuple[str, str | None]]:
    """Literals, each with the field after it; a template with a stray brace is all literal."""
    try:
        return [(literal, field) for literal, field, _, _ in Formatter().parse(template)]
    except ValueError:
        return [(template, None)]


def _fields(template: str) -> set[str]:
    return {field for _, field in _parsed(template) if field is not None}
