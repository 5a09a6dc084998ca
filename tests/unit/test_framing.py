"""The framing of a round trip: what a real shell prints is read back, and no output can forge a frame."""

import os
import shlex
import subprocess
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bot import framing
from bot.source import Output, Section

MARK = "5f0c9a1e7b3d2c48"


def section(
    key: str, command: str, *, timeout: int = 5, root: bool = False, arguments: tuple[str, ...] = ()
) -> Section:
    """A section of the given key and command."""
    return Section(key=key, command=command, timeout=timeout, root=root, arguments=arguments)


def run_in_shell(sections: list[Section], mark: str = MARK) -> dict[str, Output]:
    """What a real shell answers to the sections."""
    done = subprocess.run(["sh", "-s"], input=framing.script(sections, mark).encode(), capture_output=True, check=False)
    assert b"" == done.stderr
    return framing.outputs(done.stdout, sections, mark)


def test_a_real_shell_answers_each_section_with_its_own_status_and_both_streams() -> None:
    """stdout, stderr and the exit status of each command arrive, whatever the one before it did."""
    got = run_in_shell(
        [
            section("OK", "echo out; echo err >&2"),
            section("FAILS", "printf partial; exit 3"),
            section("GONE", "no-such-program-here"),
            section("QUOTES", """printf '%s' "it's $((1 + 1))" """),
            section("EMPTY", "true"),
        ]
    )
    assert {"OK": "out\nerr\n", "FAILS": "partial", "QUOTES": "it's 2", "EMPTY": ""} == {
        k: v.text for k, v in got.items() if k != "GONE"
    }
    assert [0, 3, 127, 0, 0] == [v.rc for v in got.values()]


def test_a_command_that_hangs_is_ended_and_the_next_one_still_runs() -> None:
    """The timeout is the section's, status 124, and what was printed before it is kept."""
    got = run_in_shell([section("HANGS", "echo before; sleep 30", timeout=1), section("NEXT", "echo after")])
    assert (framing.TIMED_OUT, "before\n") == (got["HANGS"].rc, got["HANGS"].text)
    assert 900 <= got["HANGS"].duration_ms <= 5000
    assert "after\n" == got["NEXT"].text


@pytest.mark.parametrize(("took", "expected"), [("7.00", (124, "before\n")), ("5.50", (143, "before\nTerminated\n"))])
def test_the_time_limit_of_busybox_is_told_apart_from_a_signal(took: str, expected: tuple[int, str]) -> None:
    """Its timeout ends with 143 and a line of the shell, but never before the time is over."""
    raw = f"\n@@BEGIN-{MARK} A up=5.00\nbefore\nTerminated\n\n@@END-{MARK} A rc=143 up={took}\n".encode()
    found = framing.outputs(raw, [section("A", "true", timeout=2)], MARK)["A"]
    assert expected == (found.rc, found.text)


def test_more_output_than_the_cap_is_cut_and_said_to_be() -> None:
    """64 KiB arrive, the rest is dropped on the node."""
    got = run_in_shell([section("BIG", "yes | head -c 300000"), section("NEXT", "echo after")])
    assert (True, framing.LIMIT) == (got["BIG"].truncated, len(got["BIG"].text))
    assert (False, "after\n") == (got["NEXT"].truncated, got["NEXT"].text)


def test_a_command_cannot_read_the_rest_of_the_script() -> None:
    """Standard input of a command is empty, so it cannot swallow the sections behind it."""
    got = run_in_shell([section("READS", "cat"), section("NEXT", "echo after")])
    assert ("", "after\n") == (got["READS"].text, got["NEXT"].text)


def test_a_command_never_learns_the_mark() -> None:
    """Neither the environment nor the arguments of a command hold it, so it cannot print a frame."""
    got = run_in_shell([section("ENV", "env; tr '\\0' ' ' </proc/self/cmdline; echo $M")])
    assert MARK not in got["ENV"].text


@pytest.mark.parametrize(
    ("text", "rc", "expected"),
    [
        ("sudo: a password is required\n", 1, True),
        ("sudo: a terminal is required to read the password; either use the -S option", 1, True),
        ("Sorry, user kubewhy is not allowed to execute '/usr/bin/crictl info' as root on node-3.", 1, True),
        ("kubewhy is not in the sudoers file.\n", 1, True),
        ("sh: 1: sudo: not found\n", 127, True),
        ("bash: line 1: sudo: command not found\n", 127, True),
        ("sh: 1: crictl: not found\n", 127, False),
        ("sudo: sorry, you must have a tty to run sudo\n", 1, True),
        ("sudo: CAP is not allowed on this node: /usr/local/sbin/kubewhy-capture is not installed\n", 1, True),
        ("operation is not allowed here", 1, False),
        ("sudo: a password is required\n0\n", 0, True),
        ("sh: 1: sudo: not found\n0\n", 0, True),
        ("sh: 1: sudo: not found\n0\n", 1, True),
        ("Nov 21 sshd: hello\nsudo: a password is required\n", 0, False),
        ("Nov 21 sshd: hello\nsh: 1: sudo: not found\n", 1, False),
    ],
)
def test_a_refusal_of_sudo_is_told_apart_from_an_answer(text: str, rc: int, *, expected: bool) -> None:
    """Only what sudo itself says about rights counts, and in an answer that did not fail only as the first word."""
    assert expected == framing.output(text.encode(), rc, root=True).denied
    assert not framing.output(text.encode(), rc, root=False).denied


@pytest.mark.parametrize(
    ("text", "rc", "expected"),
    [
        ("kubewhy-collect: unknown key NEIGH\n", 64, 127),
        ("kubewhy-capture: CAP: a value is no DST\n", 64, 127),
        ("kubewhy-collect: unknown key NEIGH\nand more\n", 64, 64),
        ("kubewhy-collect: unknown key NEIGH\n", 1, 1),
    ],
)
def test_a_collector_without_the_key_is_a_missing_command(text: str, rc: int, expected: int) -> None:
    """An older table on the node is no answer to a newer question."""
    assert expected == framing.output(text.encode(), rc, root=False).rc


texts = st.text(st.characters(codec="utf-8"), max_size=300)
lines = st.one_of(texts, st.just("\n@@END-0000000000000000 A rc=0 up=1.00\n@@BEGIN-0000000000000000 B up=\n"))


@given(texts=st.lists(lines, min_size=1, max_size=5), codes=st.lists(st.integers(0, 255), min_size=5, max_size=5))
def test_any_output_comes_back_as_it_was(texts: list[str], codes: list[int]) -> None:
    """Frames hold for every text, including text that looks like a frame of another run."""
    sections = [section(f"K{i}:a b", "true") for i in range(len(texts))]
    sent = {s.key: Output(rc=rc, text=t) for s, t, rc in zip(sections, texts, codes, strict=False)}
    raw = framing.answer(MARK, sections, lambda s: sent[s.key])
    assert sent == framing.outputs(raw, sections, MARK)


@given(st.lists(lines, min_size=2, max_size=4), st.data())
def test_an_answer_cut_off_anywhere_loses_sections_but_never_changes_one(texts: list[str], data: st.DataObject) -> None:
    """Whatever is left after a cut is exactly what was sent."""
    sections = [section(f"K{i}", "true") for i in range(len(texts))]
    sent = {s.key: Output(rc=0, text=t) for s, t in zip(sections, texts, strict=True)}
    raw = framing.answer(MARK, sections, lambda s: sent[s.key])
    got = framing.outputs(raw[: data.draw(st.integers(0, len(raw)))], sections, MARK)
    assert got.items() <= sent.items()


commands = st.text(st.characters(codec="utf-8", exclude_characters="\0"), min_size=1, max_size=80)


@given(st.lists(commands, min_size=1, max_size=4), st.booleans())
def test_a_script_is_read_back_as_the_sections_it_was_made_of(texts: list[str], root: bool) -> None:
    """The playground recovers keys, commands, timeouts and arguments, whatever the quoting."""
    sections = tuple(
        section(f"K{i}:x y", text, root=root, arguments=("x y",) if root else ()) for i, text in enumerate(texts)
    )
    assert (MARK, sections) == framing.asked(framing.script(sections, MARK))


def test_another_script_is_not_mistaken_for_one_of_ours() -> None:
    """A foreign script, and one of ours with something added, are left to the general reader."""
    ours = framing.script([section("A", "true")], MARK)
    assert framing.asked("uptime\n") is None
    assert framing.asked(ours + "rm -rf /\n") is None
    assert framing.asked(ours.replace("exec 4>&1", "exec 5>&1")) is None


@pytest.mark.parametrize("keys", [("A", "A"), ("A\nB",), ("",)])
def test_keys_that_would_break_frames_are_refused(keys: tuple[str, ...]) -> None:
    """Equal, empty or many-line keys cannot be told apart in an answer."""
    with pytest.raises(ValueError, match="different one-line keys"):
        framing.script([section(k, "true") for k in keys], MARK)


@settings(max_examples=15, deadline=None)
@given(st.text(st.characters(codec="utf-8", exclude_characters="\0\r"), max_size=100))
def test_a_real_shell_prints_any_argument_as_it_is(text: str) -> None:
    """Quoting survives the shell that reads the script and the shell that runs the command."""
    got = run_in_shell([section("A", f"printf %s {shlex.quote(text)}")])
    assert text == got["A"].text


def with_programs(folder: Path, **programs: str) -> str:
    """A PATH on which some programs are these texts."""
    for name, text in programs.items():
        (folder / name).write_text(f"#!/bin/sh\n{text}\n")
        (folder / name).chmod(0o755)
    return f"{folder}:{os.environ['PATH']}"


@pytest.mark.parametrize(("groups", "expected"), [("kubewhy systemd-journal", "journal: -k\n"), ("kubewhy", "sudo\n")])
def test_a_member_of_the_journals_group_reads_it_without_sudo(tmp_path: Path, groups: str, expected: str) -> None:
    """Other commands are asked of sudo as before."""
    programs = {
        "sudo": "echo sudo",
        "journalctl": 'echo journal: "$@"',
        "id": f'[ "$1" = -u ] && echo 7 || echo {groups}',
    }
    sections = [section("J", "sudo -n journalctl -k", root=True), section("O", "sudo -n crictl ps", root=True)]
    path = with_programs(tmp_path, **programs)
    text = framing.script(sections, MARK).encode()
    done = subprocess.run(["sh", "-s"], input=text, capture_output=True, check=True, env={"PATH": path})
    found = framing.outputs(done.stdout, sections, MARK)
    assert (expected, "sudo\n") == (found["J"].text, found["O"].text)


def test_the_warning_of_sudo_about_the_machines_name_is_no_part_of_an_answer() -> None:
    """A machine that cannot resolve its own name gets it before every answer; a refusal is still told."""
    warning = b"sudo: unable to resolve host node1: Name or service not known\n"
    assert "42\n" == framing.output(warning + b"42\n", 0, root=True).text
    assert framing.output(warning + b"sudo: a password is required\n", 1, root=True).denied
