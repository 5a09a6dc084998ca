"""Secrets that are known by the key before them: ``password=…``, ``"token": "…"``, ``--api-key …``.

Keys are looked for from the sign that follows them: there are few ``=`` and ``:`` in a text, and many letters. A key
that is always a secret hides any value; a word such as *token*, which sentences use too, hides only what is no word.
"""

from __future__ import annotations

import re

MARK = "[redacted]"
ALWAYS = (
    "password", "passwd", "passphrase", "client-key-data", "_authtoken", "dockerconfigjson", "dockercfg",
    "client_secret", "client-secret", "clientsecret", "api_key", "api-key", "apikey", "private_key", "private-key",
    "privatekey", "secret_key", "secret-key", "secretkey", "access_key", "access-key", "accesskey", "access_key_id",
    "access-key-id", "accesskeyid", "encryption_key", "encryption-key", "encryptionkey", "x-amz-signature",
)  # fmt: skip
SOMETIMES = ("token", "secret", "pwd", "credential", "credentials")
IN_ADDRESSES = ("?sig", "&sig")
KEYS = (*ALWAYS, *SOMETIMES, *IN_ADDRESSES)
HINTS = ("pass", "pwd", "token", "secret", "key", "credential", "dockerc", "sig=", "signature")

_KEY_CHARS = 40
_WORD_CHARS = 16
_SIGN = re.compile(r"[:=]")
_FLAG = re.compile(r"--[\w-]{1,60}[ \t]+(?!-)")
_SPACE = re.compile(r"[ \t]{0,4}")
_VALUE = re.compile(
    r'(?P<open>\\+")(?:[^"\\\n]|\\[^"\n])*'  # \"…\" inside a quoted message
    r'|(?P<quote>")(?:[^"\\\n]|\\.)*'
    r"|(?P<single>')[^'\n]*"
    r"|[^\s\"',;&{}()<>\\]+"
)
_NO_SECRET = frozenset(
    {"true", "false", "null", "none", "nil", "yes", "no", "masked", "redacted", "***", "xxx", "-", "|", ">", "|-", ">-"}
)
_OBJECT_NAME = re.compile(r"[a-z0-9.-]+/[a-z0-9.-]+")
_WORD = re.compile(r"[a-z]+|[A-Z]?[a-z]+|[A-Z]+", re.ASCII)


def secret_name(name: str) -> bool:
    """Whether the value of a variable of this name is a secret."""
    lowered = name.lower()
    return lowered.endswith(("key", "dsn")) or any(key in lowered for key in (*ALWAYS, *SOMETIMES, "connection"))


def hide_values(text: str) -> tuple[str, int]:
    """Replace the value behind every secret key; return the text and how many there were."""
    text, flags = _hide(text, _FLAG)
    text, signs = _hide(text, _SIGN)
    return text, flags + signs


def _hide(text: str, joins: re.Pattern[str]) -> tuple[str, int]:
    parts: list[str] = []
    done = 0
    for join in joins.finditer(text):
        if join.start() < done:
            continue
        flag = joins is _FLAG
        before = join[0] if flag else text[max(done, join.start() - _KEY_CHARS) : join.start()]
        key = before.rstrip(" \t\"'\\").lower()
        if not key.endswith(KEYS):
            continue
        space = _SPACE.match(text, join.end())
        assert space is not None
        value = _VALUE.match(text, space.end())
        prose = not flag and join[0] == ":" and space.end() > join.end()
        if value is None or not _secret(key, value, prose=prose):
            continue
        opening = value["open"] or value["quote"] or value["single"] or ""
        parts += [text[done : value.start()], opening, MARK]
        done = value.end()
    return "".join((*parts, text[done:])), len(parts) // 3


def _secret(key: str, value: re.Match[str], *, prose: bool) -> bool:
    """Whether what stands behind a key is a secret and not a word, a switch, a number or the name of an object."""
    opening = value["open"] or value["quote"] or value["single"] or ""
    bare = value[0][len(opening) :]
    if not bare or bare.startswith(MARK) or bare.strip("<>[]*").lower() in _NO_SECRET:
        return False
    if key.endswith((*ALWAYS, *IN_ADDRESSES)):
        return True
    if bare.isdigit() or _OBJECT_NAME.fullmatch(bare):
        return False
    return not (prose and not opening and len(bare) < _WORD_CHARS and _WORD.fullmatch(bare.strip(".!?")))
