"""What a secret looks like by its own shape; those known by the key before them are in :mod:`bot.secret_keys`.

Every pattern is linear: it starts at a literal, and what follows cannot run past the next possible start, so one line
of a megabyte costs no more than many short ones.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

from bot.secret_keys import HINTS, MARK, hide_values, secret_name

_Substitute = Callable[[re.Match[str]], str | None]


@dataclass(frozen=True, slots=True)
class _Rule:
    """One kind of secret: ``hints`` are lower-case words that it cannot do without; ``write`` returns None to keep."""

    hints: tuple[str, ...]
    pattern: re.Pattern[str]
    write: _Substitute

    def apply(self, text: str) -> tuple[str, int]:
        count = 0

        def one(match: re.Match[str]) -> str:
            nonlocal count
            written = self.write(match)
            if written is None or written == match[0]:
                return match[0]
            count += written.count(MARK) - match[0].count(MARK)
            return written

        return self.pattern.sub(one, text), count


_TOKENISH = 16


def _named(match: re.Match[str]) -> str | None:
    """An environment variable: its name says whether its value is a secret."""
    if not secret_name(match["name"]) or match["value"].startswith(MARK):
        return None
    return match["head"] + MARK


def _authority(match: re.Match[str]) -> str | None:
    user, colon, password = match[1].partition(":")
    if colon and password and password != MARK:
        return f"://{user}:{MARK}@"
    return f"://{MARK}@" if not colon and len(user) > _TOKENISH else None


def _scheme(match: re.Match[str]) -> str | None:
    token = match["token"]
    if token.startswith(MARK) or token in {"<masked>", "masked"}:
        return None
    return match["head"] + MARK


def _bearer(match: re.Match[str]) -> str | None:
    token = match["token"]
    return match["head"] + MARK if any(c.isdigit() for c in token) or len(token) > _TOKENISH + 8 else None


def _jwt(match: re.Match[str]) -> str | None:
    run = match[0]
    start = run.find("eyJ")
    if start < 0 or "." not in run[start + 8 :]:
        return None
    return run[:start] + MARK


def _encoded_key(match: re.Match[str]) -> str | None:
    head = match[0][:80]
    try:
        shown = base64.b64decode(head[: len(head) // 4 * 4])
    except (binascii.Error, ValueError):
        return None
    return MARK if b"PRIVATE KEY" in shown else None


_MAP_VALUE = re.compile(r'(:\s{0,4}(?:"|\\+"))(?!\[redacted\]|\\|")(?:(?<=\\")[^"\\]+|(?<!\\")(?:[^"\\]|\\.)+)')


def _secret_map(match: re.Match[str]) -> str | None:
    return match["head"] + _MAP_VALUE.sub(rf"\g<1>{MARK}", match["body"])


def _secret_lines(match: re.Match[str]) -> str | None:
    return match["head"] + re.sub(r"(?m)^([ \t]+[\w.-]+:[ \t]*)(?!\[redacted\])\S.*$", rf"\g<1>{MARK}", match["body"])


def _whole(match: re.Match[str]) -> str | None:
    del match
    return MARK


def _bootstrap(match: re.Match[str]) -> str | None:
    secret = match[0].partition(".")[2]
    return MARK if any(c.isdigit() for c in secret) and any(c.isalpha() for c in secret) else None


def _rule(hints: Iterable[str], pattern: str, write: _Substitute, *, flags: int = 0) -> _Rule:
    return _Rule(tuple(hints), re.compile(pattern, flags | re.ASCII), write)


_ANY_CASE = re.IGNORECASE
_RULES = (
    _rule(
        ["private key-----"],
        r"-----BEGIN (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY-----"
        r"(?:Proc-Type:[^\n]*\n|DEK-Info:[^\n]*\n|[^-])*(?:-----END (?:[A-Z0-9]{1,12} ){0,3}PRIVATE KEY-----)?",
        _whole,
    ),
    _rule(["ls0tls1crudjti"], r"LS0tLS1CRUdJTi[A-Za-z0-9+/=]+", _encoded_key),
    _rule(
        ["authorization", "x-auth-token", "x-api-key", "cookie"],
        r"(?P<head>\b(?:proxy-authorization|authorization|x-auth-token|x-api-key|set-cookie|cookie)"
        r"(?:\\{0,8}[\"'])?[ \t]{0,4}[:=][ \t]{0,4}(?:(?!\[redacted)\[|\\{0,8}[\"']){0,2})(?!\[redacted)"
        r"(?P<token>(?:digest|aws4-hmac-sha256)[ \t][^\n\"'\]]*"
        r"|(?:(?:bearer|basic|token|negotiate)[ \t]{1,4})?[^\s{}\[\"'\\,;][^\s\"'\\,;\]]*)",
        _scheme,
        flags=_ANY_CASE,
    ),
    _rule(["bearer"], r"(?P<head>\bbearer[ \t]{1,4})(?P<token>[A-Za-z0-9._~+/=-]{8,})", _bearer, flags=_ANY_CASE),
    _rule(["eyj"], r"[A-Za-z0-9_.-]{24,}", _jwt),
    _rule(["://"], r"://([^\s/\"'<>?#\\]*)@", _authority),
    _rule(
        ["@tcp(", "@unix("], r"(?P<head>:)(?P<token>[^\s:@/\"']{1,200})(?=@(?:tcp|unix)\()", _scheme, flags=_ANY_CASE
    ),
    _rule(["akia", "asia"], r"\b(?:AKIA|ASIA)[A-Z0-9]{16}\b", _whole),
    _rule(["ltai"], r"\bLTAI[A-Za-z0-9]{12,30}\b", _whole),
    _rule(["gh"], r"\bgh[pousr]_[A-Za-z0-9]{30,255}", _whole),
    _rule(["glpat-"], r"\bglpat-[\w-]{20,255}", _whole),
    _rule(["xox", "xapp-"], r"\b(?:xox[abeoprs]|xapp)-[A-Za-z0-9-]{10,255}", _whole),
    _rule(["aiza"], r"\bAIza[0-9A-Za-z_-]{35}", _whole),
    _rule(["token", "kubeadm", "bootstrap"], r"(?<![\w.-])[a-z0-9]{6}\.[a-z0-9]{16}(?![\w.-])", _bootstrap),
    _rule(
        ["value"],
        r"(?P<head>name\\{0,8}[\"']\s{0,4}:\s{0,4}\\{0,8}[\"'](?P<name>[\w.-]{1,200})\\{0,8}[\"']\s{0,40},\s{0,40}"
        r"\\{0,8}[\"']value\\{0,8}[\"']\s{0,4}:\s{0,4}\\{0,8}[\"'])(?P<value>(?:[^\"\\\n]|\\[^\"\n])+)",
        _named,
    ),
    _rule(
        ["value:"],
        r"(?P<head>\bname:[ \t]{0,4}[\"']?(?P<name>[\w.-]{1,200})[\"']?[ \t]{0,40}\n[ \t]{0,40}value:[ \t]{0,4})"
        r"(?P<value>\S[^\n]*)",
        _named,
    ),
)
_SECRET_KIND = re.compile(r"kind\\{0,8}[\"']?\s{0,4}:\s{0,4}\\{0,8}[\"']?Secret(?:List)?\b")
_SECRET_DATA = (
    _rule(
        ["data"],
        r"(?P<head>\\{0,8}\"(?:data|stringData)\\{0,8}\"\s{0,4}:\s{0,4}\{)(?P<body>[^{}]*)",
        _secret_map,
    ),
    _rule(
        ["data:"],
        r"(?P<head>^[ \t]{0,40}(?:data|stringData):[ \t]{0,4}\n)(?P<body>(?:[ \t]+[\w.-]+:[^\n]*\n?)+)",
        _secret_lines,
        flags=re.MULTILINE,
    ),
)


def hide(text: str) -> tuple[str, int]:
    """Replace every secret with ``[redacted]``; return the text and how many there were."""
    count = 0
    lowered = text.lower()
    for rule in (*_SECRET_DATA, *_RULES) if _SECRET_KIND.search(text) else _RULES:
        if any(hint in lowered for hint in rule.hints):
            text, found = rule.apply(text)
            count += found
    if any(hint in lowered for hint in HINTS):
        text, found = hide_values(text)
        count += found
    return text, count
