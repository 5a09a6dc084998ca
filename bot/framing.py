r"""One script for many commands: how a round trip to a node is written and how its answer is read back.

Each section is framed by lines that carry a random mark of this run, so no command output can forge the end of its own
section or the beginning of another. The mark stays in the shell that reads the script; the commands never see it::

    @@BEGIN-5f0c9a1e7b3d2c48 UNITS up=5970.12
    …at most 64 KiB of stdout and stderr…
    @@END-5f0c9a1e7b3d2c48 UNITS rc=0 up=5970.15

The exit status never discards a section's text (catalogue D). Pure: the live client and the playground's SSH servers
share it.

Two dialects have the same frames: a script for a login shell, and for nodes that have kubewhy-shell a list of keys and
values, so that no shell text travels at all.
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
CAPTURE = "/usr/local/sbin/kubewhy-capture"  # not installed by default
CAPTURE_KEYS = frozenset({"PODSS", "CAP"})  # they look into pods
KEYS = "/usr/local/sbin/kubewhy-shell --keys"
SHELL = "LC_ALL=C PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin sh -s"

# The group systemd-journal reads the journal without sudo. A login as root on a machine without sudo still runs what is
# written for sudo. /proc/uptime needs no further process.
_HEAD = r"""M={mark}
P=
J=
case " $(id -nG) " in *' systemd-journal '*) J=1 ;; esac
[ "$(id -u)" = 0 ] && ! command -v sudo >/dev/null 2>&1 && P='sudo() {{ shift; "$@"; }}; '
exec 4>&1
s() {{
u=; [ -r /proc/uptime ] && read -r u _ </proc/uptime
printf '\n@@BEGIN-%s %s up=%s\n' "$M" "$1" "$u"
c=$P$3
case $J$3 in "1sudo -n journalctl "*) c=${{3#sudo -n }} ;; esac
w=${{4#sudo -n }}
[ -n "$4" ] && [ -x "${{w%% *}}" ] && c=$P$4
r=$( {{ {{ timeout "$2" sh -c "$c" </dev/null 2>&1; echo "$?" >&3; }} | head -c {cap} >&4; }} 3>&1 )
u=; [ -r /proc/uptime ] && read -r u _ </proc/uptime
printf '\n@@END-%s %s rc=%s up=%s\n' "$M" "$1" "$r" "$u"
}}
"""
_MARK = re.compile(r"[0-9a-f]{16}")
_SCRIPT_MARK = re.compile(r"\AM=([0-9a-f]{16})\n")
_DENIED = re.compile(
    r"^(?:sudo: (?:a password is required|a terminal is required|sorry, you must have a tty"
    r"|.*(?:not allowed|not permitted|no new privileges))"
    r"|Sorry, user \S+ (?:is not allowed|may not run)|\S+ is not in the sudoers file)",
    re.MULTILINE,
)
_NO_SUDO = re.compile(r"^(?:\S+: )*(?:\d+: |line \d+: )?sudo: (?:command )?not found", re.MULTILINE)
# of a machine that does not find its own name: sudo says so before every answer, and goes on
_WARNING = re.compile(r"^sudo: unable to resolve host .*\n", re.MULTILINE)
_COMMAND_MISSING = 127
_TERMINATED = 143  # what the timeout of busybox returns instead of 124; its shell says so in a line
_REFUSED = 64  # by the collector, in one line: a key or a value that its own table does not have
_REFUSAL = re.compile(r"kubewhy-(?:collect|capture): .*\n?")
_VALUE = re.compile(r"[A-Za-z0-9._:/@+\[\]-]+")
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
    head = _HEAD.format(mark=mark, cap=LIMIT + 1)
    return head + "".join(f"{_call(section)}\n" for section in sections)


def request(sections: Sequence[Section], mark: str) -> str:
    """The keys and values for the standard input of :data:`KEYS`; its answer names each section by its number.

    Raises:
        ValueError: a value holds what no value of the table may hold.
    """
    lines = [" ".join((_table_key(s), *s.arguments)) for s in sections]
    if not _MARK.fullmatch(mark) or not all(_VALUE.fullmatch(word) for line in lines for word in line.split(" ")):
        raise ValueError("only keys of the table and their values may be sent")
    return "\n".join((f"# kubewhy keys {mark}", *lines, ""))


def _table_key(section: Section) -> str:
    return section.key.partition(":")[0]


def _call(section: Section) -> str:
    key = _table_key(section)
    wrapper = CAPTURE if key in CAPTURE_KEYS else COLLECTOR
    wrapped = ["sudo", "-n", wrapper, key, *section.arguments] if section.root else []
    return shlex.join(["s", section.key, str(section.timeout), section.command, shlex.join(wrapped)])


def outputs(raw: bytes, sections: Iterable[Section], mark: str, *, numbered: bool = False) -> dict[str, Output]:
    """Read an answer; a section whose frame is incomplete was lost on the way and is absent.

    Args:
        raw: what came back.
        sections: what was asked.
        mark: the mark of this run.
        numbered: whether frames carry the number of the section, as answers to :func:`request` do.
    """
    found: dict[str, Output] = {}
    for number, section in enumerate(sections, 1):
        label = str(number) if numbered else section.key
        begin = re.search(rb"\n@@BEGIN-%s %s up=([0-9.]*)\n" % (mark.encode(), re.escape(label.encode())), raw)
        end_line = rb"\n@@END-%s %s rc=(\d{1,3}) up=([0-9.]*)\n" % (mark.encode(), re.escape(label.encode()))
        end = re.compile(end_line).search(raw, begin.end()) if begin else None
        if begin and end:
            text = raw[begin.end() : end.start()]
            rc, took = int(end[1]), _took(begin[1], end[2])
            if rc == _TERMINATED and took >= section.timeout * 1000:
                text, rc = text.removesuffix(b"Terminated\n"), TIMED_OUT
            found[section.key] = output(text, rc, root=section.root, took=took)
    return found


def output(text: bytes, rc: int, *, root: bool, took: int = 0) -> Output:
    """What a section printed, held to the cap, with a refusal of sudo or the collector told apart from an answer."""
    shown = text[:LIMIT].decode("utf-8", "replace")
    shown = _WARNING.sub("", shown) if root else shown
    if rc == _REFUSED and _REFUSAL.fullmatch(shown):
        rc = _COMMAND_MISSING  # the node has no such command, which is no answer to it
    return Output(rc=rc, text=shown, truncated=len(text) > LIMIT, denied=root and denied(shown, rc), duration_ms=took)


def denied(text: str, rc: int) -> bool:
    """Whether sudo refused, or is not there: the text is no evidence then.

    The status of a pipe is that of its last command, so a refusal that is the first thing said counts at any status.
    """
    if rc == 0:
        return bool(_DENIED.match(text) or _NO_SUDO.match(text))
    missing = _NO_SUDO.match(text) or (rc == _COMMAND_MISSING and _NO_SUDO.search(text))
    return bool(_DENIED.search(text) or missing)


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
    head = _HEAD.format(mark=mark[1], cap=LIMIT + 1)
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
