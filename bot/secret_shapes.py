"""What a secret looks like: by the key before it, or by its own shape.

Every pattern is linear: it starts at a literal, and what follows cannot run past the next possible start, so one line
of a megabyte costs no more than many short ones.
"""

from __future__ import annotations

import base64
import binascii
import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass

MARK = "[redacted]"
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


_VALUE = (
    r'(?P<open>\\+")(?:[^"\\\n]|\\[^"\n])*'  # \"…\" inside a quoted message
    r'|(?P<quote>")(?:[^"\\\n]|\\.)*'
    r"|(?P<single>')[^'\n]*"
    r"|[^\s\"',;&{}()<>\\]+"
)
_HARMLESS_VALUES = frozenset(
    {"true", "false", "null", "none", "nil", "yes", "no", "masked", "redacted", "***", "xxx", "-", "|", ">", "|-", ">-"}
)
_CERTAIN = (
    r"password|passwd|passphrase|client-key-data|_authtoken|dockerconfigjson|dockercfg|secret_?access_?key"
    r"|client[_-]?secret|api[_-]?key|private[_-]?key|secret[_-]?key|access[_-]?key(?:[_-]?id)?|encryption[_-]?key"
)
_UNSURE = r"token|secret|pwd|credentials?"
_OBJECT_NAME = re.compile(r"[a-z0-9.-]+/[a-z0-9.-]+")
_WORDY = re.compile(r"[a-z]+|[A-Z]?[a-z]+|[A-Z]+", re.ASCII)
_TOKENISH = 16


def _keyed(match: re.Match[str]) -> str | None:
    """``password=…`` always; ``token: word`` in a sentence only when the value does not read like a word."""
    value = match["value"]
    opening = match["open"] or match["quote"] or match["single"] or ""
    bare = value[len(opening) :]
    if not bare or bare.strip("<>[]*").lower() in _HARMLESS_VALUES or bare.startswith(MARK) or bare.isdigit():
        return None
    if match["unsure"]:
        if _OBJECT_NAME.fullmatch(bare):
            return None
        prose = not opening and match["join"].strip(" \t\"'\\") == ":" and match["join"].endswith((" ", "\t"))
        if prose and _WORDY.fullmatch(bare.strip(".!?")) and len(bare) < _TOKENISH:
            return None
    return f"{match['key']}{match['join']}{opening}{MARK}"


def _named(match: re.Match[str]) -> str | None:
    """An environment variable: its name says whether its value is a secret."""
    sensitive = re.search(f"{_CERTAIN}|{_UNSURE}|key$|dsn|connection", match["name"], re.IGNORECASE)
    if not sensitive or match["value"].startswith(MARK):
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


def _secret_map(match: re.Match[str]) -> str | None:
    return match["head"] + re.sub(r'(:\s*")(?!\[redacted\]")(?:[^"\\]|\\.)+"', rf'\g<1>{MARK}"', match["body"])


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
    _rule(["."], r"(?<![\w.-])[a-z0-9]{6}\.[a-z0-9]{16}(?![\w.-])", _bootstrap),
    _rule(
        ["value"],
        r"(?P<head>\\{0,8}[\"']name\\{0,8}[\"']\s{0,4}:\s{0,4}\\{0,8}[\"'](?P<name>[\w.-]{1,200})\\{0,8}[\"']\s{0,40},\s{0,40}"
        r"\\{0,8}[\"']value\\{0,8}[\"']\s{0,4}:\s{0,4}\\{0,8}[\"'])(?P<value>(?:[^\"\\\n]|\\[^\"\n])+)",
        _named,
    ),
    _rule(
        ["value:"],
        r"(?P<head>\bname:[ \t]{0,4}[\"']?(?P<name>[\w.-]{1,200})[\"']?[ \t]{0,40}\n[ \t]{0,40}value:[ \t]{0,4})"
        r"(?P<value>\S[^\n]*)",
        _named,
    ),
    _rule(
        ["--"],
        rf"(?P<key>--(?:[\w]+-){{0,4}}(?:{_CERTAIN}|(?P<unsure>{_UNSURE})))(?P<join>[ \t]+)"
        rf"(?P<value>(?!-)(?:{_VALUE}))",
        _keyed,
        flags=_ANY_CASE,
    ),
    _rule(
        ["pass", "pwd", "token", "secret", "key", "credential", "dockercfg", "dockerconfig", "sig=", "signature="],
        rf"(?P<key>{_CERTAIN}|\b(?:sig|x-amz-signature)(?==)|(?P<unsure>{_UNSURE}))"
        rf"(?P<join>(?:\\{{0,8}}[\"'])?[ \t]{{0,4}}[:=][ \t]{{0,4}})(?P<value>{_VALUE})",
        _keyed,
        flags=_ANY_CASE,
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
    return text, count
