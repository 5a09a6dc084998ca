"""What is generated from the command table is current, complete, and passes every value as a word of its own."""

import re
import subprocess

import pytest

from bot.collect.commands import TABLE, Spec
from bot.framing import CAPTURE_KEYS
from tools import collector
from tools.collector import ROOT


def listed(program: str) -> dict[str, list[str]]:
    """What ``--list`` of a program says: rights, seconds and values, by key."""
    done = subprocess.run([ROOT / "node" / program, "--list"], capture_output=True, text=True, check=True)
    return {words[0]: words[1:] for words in map(str.split, done.stdout.splitlines())}


def test_the_committed_programs_and_their_page_are_those_of_the_table() -> None:
    """``make docs`` was run after the last change of a command."""
    assert 0 == collector.main(["--check"])


def test_every_key_is_in_exactly_one_program_with_its_rights_and_values() -> None:
    """What looks into pods is in kubewhy-capture alone."""
    expected = {k: ["root" if s.root else "user", str(s.timeout), *s.parameters] for k, s in TABLE.items()}
    collect, capture = listed("kubewhy-collect"), listed("kubewhy-capture")
    assert CAPTURE_KEYS == set(capture)
    assert not CAPTURE_KEYS & set(collect)
    assert expected == collect | capture


def test_the_page_names_every_key() -> None:
    """docs/node-commands.md, one row a key."""
    page = (ROOT / "docs" / "node-commands.md").read_text()
    assert list(TABLE) == re.findall(r"^\| ([A-Z0-9_]+) \|", page, re.MULTILINE)


def test_the_forced_command_knows_what_looks_into_pods() -> None:
    """It is written by hand, the table is not."""
    text = (ROOT / "node" / "kubewhy-shell").read_text()
    found = re.search(r"^    ([A-Z |]+)\) program=\$SBIN/kubewhy-capture", text, re.MULTILINE)
    assert found is not None
    assert CAPTURE_KEYS == set(found[1].split(" | "))


def test_no_program_calls_sudo_inside_a_command_or_evaluates_text() -> None:
    """One call of sudo, for the whole key; no eval."""
    for name in ("kubewhy-collect", "kubewhy-capture", "kubewhy-shell"):
        text = (ROOT / "node" / name).read_text()
        assert "eval" not in text
        assert (0 if name == "kubewhy-shell" else 1) == text.count("sudo -n")


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("ip route show table <TABLE>", 'ip route show table "$1"'),
        ("sudo -n tail -n <LINES> -s '<SINCE>' x", 'tail -n "$1" -s "$2" x'),
        ("nslookup <NAME> <SERVER> <NAME>", 'nslookup "$1" "$2" "$1"'),
        ("stat <FILES> 2>&1", 'stat "$@" 2>&1'),
        (
            "timeout 3 bash -c '</dev/tcp/<HOST>/<PORT>'; echo",
            'timeout 3 bash -c \'<"/dev/tcp/$1/$2"\' bash "$1" "$2"; echo',
        ),
    ],
)
def test_a_value_becomes_a_quoted_word(text: str, expected: str) -> None:
    """Whatever stands around it in the command."""
    assert expected == collector.positional(Spec(text=text, timeout=1, trip=1))


@pytest.mark.parametrize("text", ["sh -c 'echo <NAME>'", 'echo "a <NAME>"', "stat <FILES> <NAME>"])
def test_a_value_inside_quotes_is_refused(text: str) -> None:
    """It could become text of another shell, so the generator does not write such a program."""
    with pytest.raises(ValueError, match="cannot be passed as a word of its own"):
        collector.positional(Spec(text=text, timeout=1, trip=1))
