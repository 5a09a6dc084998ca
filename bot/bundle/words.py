"""Reads shell text well enough to recognise a recorded command in it: lists, pipes, what may stand before a program.

Nothing is ever run. Text that is too clever for this reader stays one piece and is matched as a whole or not at all.
"""

from __future__ import annotations

import re
import shlex
from functools import lru_cache

_TOKEN = re.compile(
    r"""(?P<space>[^\S\n]+)
    | (?P<redirect>\d*(?:>>?&?|<)[\d-]?)
    | (?P<open>\$?\()
    | (?P<operator>&&|\|\||;;|[;|&)\n])
    | (?P<word>(?:'[^']*'|"(?:\\.|[^"\\])*"|\\.|\$(?!\()|[^\s'"\\;|&()<>$])+)
    | (?P<other>.)""",
    re.VERBOSE | re.DOTALL,
)
_OPENS = frozenset({"for", "while", "until", "if", "case", "{"})
_CLOSES = frozenset({"done", "fi", "esac", "}"})
_BEFORE_COMMAND = frozenset({"do", "then", "else", "elif"})
_ASSIGNMENT = re.compile(r"[A-Za-z_][A-Za-z0-9_]*=.*", re.DOTALL)
_REDIRECTION = re.compile(r"\d?(?:>>?&?|<)(?:[\d-]|/dev/null|/dev/stderr)?")
_WITH_VALUE = {"sudo": {"-u", "-g", "-p"}, "timeout": {"-k", "-s"}, "env": {"-u"}, "nice": {"-n"}, "ionice": {"-c"}}
# Options that change how a program pages, never what it says.
_IDLE = frozenset({"--no-pager"})
_KNOWN = 4096  # the same few hundred commands are read again for every node of every recording


def split_list(text: str) -> list[tuple[str, str]]:
    """Cut a list into its commands: ``a; b || c`` → ``[("", "a"), (";", "b"), ("||", "c")]``.

    Separators inside quotes, ``$(…)``, loops and conditions do not count.
    """
    return _cut(text, frozenset({"&&", "||", ";", "\n", "&"}))


def split_pipe(text: str) -> list[str]:
    """Cut a pipeline into its commands; at least one, which may be empty."""
    return [piece for _, piece in _cut(text, frozenset({"|"}))] or [""]


def _cut(text: str, separators: frozenset[str]) -> list[tuple[str, str]]:
    pieces: list[tuple[str, str]] = []
    operator, start, depth, brackets, first = "", 0, 0, 0, True
    for token in _TOKEN.finditer(text):
        value = token.group()
        if token.lastgroup == "open":
            brackets, first = brackets + 1, True
        elif value == ")":
            brackets = max(0, brackets - 1)  # a bracket of a ``case`` opens with none
        elif token.lastgroup == "operator":
            if depth == brackets == 0 and value in separators:
                pieces.append((operator, text[start : token.start()].strip()))
                operator, start = (";" if value == "\n" else value), token.end()
            first = True
        elif token.lastgroup == "word" and first:
            depth = max(0, depth + (value in _OPENS) - (value in _CLOSES))
            first = value in _OPENS | _BEFORE_COMMAND
        elif token.lastgroup != "space":
            first = False
    pieces.append((operator, text[start:].strip()))
    return [(op, piece) for op, piece in pieces if piece]


@lru_cache(_KNOWN)
def words(command: str) -> tuple[str, ...]:
    """The program and arguments of one command, without what only changes as whom, how long or where it runs.

    ``LC_ALL=C sudo -n /usr/bin/timeout 8 crictl info 2>&1`` → ``("crictl", "info")``. Empty for what is no command.
    """
    try:
        found = [w for w in shlex.split(command) if not _REDIRECTION.fullmatch(w) and w not in _IDLE]
    except ValueError:
        return ()
    rest = _without_prefix(found)
    return (rest[0].rpartition("/")[2] or rest[0], *rest[1:]) if rest else ()


def _without_prefix(found: list[str]) -> list[str]:
    while found:
        program = found[0].rpartition("/")[2]
        if _ASSIGNMENT.fullmatch(found[0]):
            found = found[1:]
        elif program in {"sudo", "timeout", "env", "nice", "ionice", "command", "exec", "nohup", "stdbuf"}:
            found = _after_options(found[1:], _WITH_VALUE.get(program, set()))
            if program == "timeout":
                found = found[1:]
        else:
            break
    return found


def _after_options(found: list[str], with_value: set[str]) -> list[str]:
    while found and found[0].startswith("-"):
        found = found[2:] if found[0] in with_value else found[1:]
    return found
