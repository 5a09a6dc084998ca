r"""One script for many commands: how a round trip to a node is written and how its answer is read back.

Each section is framed by lines that carry a random mark of this run, so no command output can forge the end of its own
section or the beginning of another. The mark stays in the shell that reads the script; the commands never see it::

    @@BEGIN-5f0c9a1e7b3d2c48 UNITS up=5970.12
    …at most 64 KiB of stdout and stderr…
    @@END-5f0c9a1e7b3d2c48 UNITS rc=0 up=5970.15

The exit status never discards a section's text (catalogue D). Pure: the live client and the playground's SSH servers
share it.
"""

from __future__ import annotations

import re
import secrets
import shlex
from collections.abc import Callable, Iterable, Sequence

from bot.source import Output, Section

LIMIT = 64 * 1024
TIMED_OUT = 124
COLLECTOR = "/usr/local/sbin/kubewhy-collect"
SHELL = "LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh -s"

# A login as root on a machine without sudo still runs what is written for sudo. /proc/uptime needs no further process.
_HEAD = r"""M={mark}
W={collector}
P=
[ "$(id -u)" = 0 ] && ! command -v sudo >/dev/null 2>&1 && P='sudo() {{ shift; "$@"; }}; '
exec 4>&1
s() {{
u=; [ -r /proc/uptime ] && read -r u _ </proc/uptime
printf '\n@@BEGIN-%s %s up=%s\n' "$M" "$1" "$u"
c=$P$3
[ -n "$4" ] && [ -x "$W" ] && c=$P$4
r=$( {{ {{ timeout "$2" sh -c "$c" </dev/null 2>&1; echo "$?" >&3; }} | head -c {cap} >&4; }} 3>&1 )
u=; [ -r /proc/uptime ] && read -r u _ </proc/uptime
printf '\n@@END-%s %s rc=%s up=%s\n' "$M" "$1" "$r" "$u"
}}
"""
_MARK = re.compile(r"[0-9a-f]{16}")
_SCRIPT_MARK = re.compile(r"\AM=([0-9a-f]{16})\n")
_DENIED = re.compile(
    r"^(?:sudo: (?:a password is required|a terminal is required|.*(?:not allowed|not permitted|no new privileges))"
    r"|Sorry, user \S+ (?:is not allowed|may not run)|\S+ is not in the sudoers file)",
    re.MULTILINE,
)
_NO_SUDO = re.compile(r"^(?:\S+: )*(?:\d+: |line \d+: )?sudo: (?:command )?not found", re.MULTILINE)
_COMMAND_MISSING = 127
_WORDS = 5  # s KEY TIMEOUT COMMAND WRAPPED
_WRAPPER_WORDS = 4  # sudo -n COLLECTOR KEY


def new_mark() -> str:
    """A mark that no output can guess: 64 random bits."""
    return secrets.token_hex(8)


def script(sections: Sequence[Section], mark: str) -> str:
    """The script for the standard input of :data:`SHELL` (POSIX sh).

    A section that needs root goes through the root-owned collector where the node has it.

    Raises:
        ValueError: two sections share a key, or a key holds a line break.
    """
    keys = [s.key for s in sections]
    if len(set(keys)) != len(keys) or any("\n" in key or not key for key in keys) or not _MARK.fullmatch(mark):
        raise ValueError("the sections of one round trip need a mark and different one-line keys")
    head = _HEAD.format(mark=mark, collector=COLLECTOR, cap=LIMIT + 1)
    return head + "".join(f"{_call(section)}\n" for section in sections)


def _call(section: Section) -> str:
    wrapped = ["sudo", "-n", COLLECTOR, section.key.partition(":")[0], *section.arguments] if section.root else []
    return shlex.join(["s", section.key, str(section.timeout), section.command, shlex.join(wrapped)])


def outputs(raw: bytes, sections: Iterable[Section], mark: str) -> dict[str, Output]:
    """Read an answer; a section whose frame is incomplete was lost on the way and is absent."""
    found: dict[str, Output] = {}
    for section in sections:
        begin = re.search(rb"\n@@BEGIN-%s %s up=([0-9.]*)\n" % (mark.encode(), re.escape(section.key.encode())), raw)
        end_line = rb"\n@@END-%s %s rc=(\d{1,3}) up=([0-9.]*)\n" % (mark.encode(), re.escape(section.key.encode()))
        end = re.compile(end_line).search(raw, begin.end()) if begin else None
        if begin and end:
            text = raw[begin.end() : end.start()]
            found[section.key] = output(text, int(end[1]), root=section.root, took=_took(begin[1], end[2]))
    return found


def output(text: bytes, rc: int, *, root: bool, took: int = 0) -> Output:
    """What a section printed, held to the cap, with a refusal of sudo told apart from an answer."""
    shown = text[:LIMIT].decode("utf-8", "replace")
    return Output(rc=rc, text=shown, truncated=len(text) > LIMIT, denied=root and denied(shown, rc), duration_ms=took)


def denied(text: str, rc: int) -> bool:
    """Whether sudo refused, or is not there: the text is no evidence then."""
    return rc != 0 and bool(_DENIED.search(text) or (rc == _COMMAND_MISSING and _NO_SUDO.search(text)))


def _took(begin: bytes, end: bytes) -> int:
    """Milliseconds between two readings of the uptime; 0 when one is missing."""
    try:
        return max(0, round((float(end) - float(begin)) * 1000))
    except ValueError:
        return 0


def asked(text: str) -> tuple[str, tuple[Section, ...]] | None:
    """Read a script of :func:`script` back: its mark and sections; None when it is no such script."""
    mark = _SCRIPT_MARK.match(text)
    if mark is None:
        return None
    head = _HEAD.format(mark=mark[1], collector=COLLECTOR, cap=LIMIT + 1)
    if not text.startswith(head):
        return None
    words = shlex.split(text[len(head) :])
    calls = [words[i : i + _WORDS] for i in range(0, len(words), _WORDS)]
    if any(len(call) != _WORDS or call[0] != "s" or not call[2].isdigit() for call in calls):
        return None
    return mark[1], tuple(
        Section(
            key=key,
            command=command,
            timeout=int(seconds),
            root=bool(wrapped),
            arguments=tuple(shlex.split(wrapped)[_WRAPPER_WORDS:]),
        )
        for _, key, seconds, command, wrapped in calls
    )


def answer(mark: str, sections: Iterable[Section], look: Callable[[Section], Output | None]) -> bytes:
    """The answer of a node to a script, each section's output from ``look``; None leaves the section out."""
    parts: list[bytes] = []
    up = 0.0
    for section in sections:
        result = look(section)
        if result is None:
            continue
        parts.append(f"\n@@BEGIN-{mark} {section.key} up={up:.3f}\n".encode())
        parts.append(result.text.encode()[: LIMIT + 1])
        up += result.duration_ms / 1000
        parts.append(f"\n@@END-{mark} {section.key} rc={result.rc} up={up:.3f}\n".encode())
    return b"".join(parts)
