"""kubewhy-collect and kubewhy-shell as they run: under each shell, and held against what must not happen."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot import framing
from bot.collect.commands import Spec
from bot.collect.sections import section
from bot.source import Section
from tests.unit.collector.parts import COLLECT, SHELLS, USAGE, run
from tools.collector import ROOT, branch
from tools.collector import program as written

MARK = "5f0c9a1e7b3d2c48"
each_shell = pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
FEW = settings(max_examples=20, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


@pytest.fixture
def at(tmp_path: Path) -> Path:
    """The programs, installed into a folder of their own."""
    for name in ("kubewhy-collect", "kubewhy-shell"):
        text = (ROOT / "node" / name).read_text().replace("\nSBIN=/usr/local/sbin\n", f"\nSBIN={tmp_path}\n")
        (tmp_path / name).write_text(text)
        (tmp_path / name).chmod(0o755)
    return tmp_path


@each_shell
@pytest.mark.parametrize(
    "words", [("NOPE",), ("",), (), ("id",), ("-c", "id"), ("ID", "x"), ("--check", "NOPE"), ("CAP",)]
)
def test_what_is_no_key_is_status_64_and_one_line(shell: tuple[str, ...], words: tuple[str, ...]) -> None:
    """Nothing is printed but the refusal."""
    done = run(shell, COLLECT, *words)
    assert (USAGE, "") == (done.returncode, done.stdout)
    assert done.stderr.startswith("kubewhy-collect: ")
    assert 1 == done.stderr.count("\n")


@each_shell
def test_a_key_runs_with_a_clean_environment(shell: tuple[str, ...]) -> None:
    """Output and status are the command's; a proxy or a PATH of the caller's does not reach it."""
    done = run(shell, COLLECT, "MEM", PATH="/nowhere:/usr/bin:/bin", http_proxy="http://x", GREP_OPTIONS="-c")
    assert "MemTotal:" in done.stdout
    assert "" == run(shell, COLLECT, "RESOLV").stderr


def altered(folder: Path, text: str, *, timeout: int = 5) -> Path:
    """A collector whose key MEM runs another text."""
    at = folder / "altered"
    spec = Spec(text=text, timeout=timeout, trip=1)
    program = written("kubewhy-collect", {"MEM": spec})
    assert branch("MEM", spec) in program
    at.write_text(program)
    return at


@each_shell
def test_status_time_limit_and_cap_hold(shell: tuple[str, ...], tmp_path: Path) -> None:
    """Both streams arrive, a hanging command ends, too much output is cut, standard input is empty."""
    done = run(shell, altered(tmp_path, "echo out; echo err >&2; cat; env; exit 7"), "MEM", stdin="typed", FOO="bar")
    assert (7, "") == (done.returncode, done.stderr)
    assert "out\nerr\n" == done.stdout[:8]
    assert "typed" not in done.stdout
    assert "bar" not in done.stdout
    limit = 143 if shell[0] == "busybox" else framing.TIMED_OUT
    assert limit == run(shell, altered(tmp_path, "sleep 30", timeout=1), "MEM").returncode
    assert framing.LIMIT + 1 == len(run(shell, altered(tmp_path, "yes | head -c 300000"), "MEM").stdout)


def asked(shell: tuple[str, ...], at: Path, stdin: str) -> tuple[int, str, str]:
    """What the forced command answers."""
    done = run(shell, at / "kubewhy-shell", stdin=stdin, SSH_ORIGINAL_COMMAND=framing.KEYS)
    return done.returncode, done.stdout, done.stderr


@each_shell
def test_keys_are_answered_in_frames_that_the_client_reads(shell: tuple[str, ...], at: Path) -> None:
    """Also a key asked twice with different values, and one that this node's table does not have."""
    sections = [
        section("RESOLV"),
        section("TCP", host="127.0.0.1", port="1"),
        section("TCP", host="127.0.0.1", port="2"),
        section("KCFG_MORE", files="/etc/passwd /etc/group"),
        Section(key="NEWER", command="true", timeout=1),
        section("PODSS", pid="1"),
    ]
    status, out, errors = asked(shell, at, framing.request(sections, MARK))
    found = framing.outputs(out.encode(), sections, MARK, numbered=True)
    assert (0, "") == (status, errors)
    assert [s.key for s in sections] == list(found)
    assert Path("/etc/resolv.conf").read_text() == found["RESOLV"].text
    assert "127.0.0.1/2: Connection refused" in found["TCP:127.0.0.1:2"].text
    assert ["/etc/passwd", "/etc/group"] == [line.split("|")[0] for line in found["KCFG_MORE"].text.splitlines()]
    assert (127, False) == (found["NEWER"].rc, found["NEWER"].denied)
    assert found["PODSS:1"].denied


@each_shell
@pytest.mark.parametrize(
    "command", ["reboot", "sh -s", framing.SHELL, "", f"{framing.KEYS}; id", "internal-sftp", "id\n"]
)
def test_a_command_is_refused_in_one_line(shell: tuple[str, ...], at: Path, command: str) -> None:
    """Whatever ``ssh NODE command`` asks for; keys on standard input do not help it."""
    done = run(shell, at / "kubewhy-shell", stdin=framing.request([section("ID")], MARK), SSH_ORIGINAL_COMMAND=command)
    assert (USAGE, "") == (done.returncode, done.stdout)
    assert "kubewhy-shell: refused: this login is for kubewhy alone and runs no commands\n" == done.stderr


@each_shell
@pytest.mark.parametrize(
    "text",
    [
        "",
        "id\n",
        framing.script([section("ID")], MARK),
        f"# kubewhy keys {MARK[1:]}\nID\n",
        f"# kubewhy keys {MARK}x\nID\n",
        f"{MARK}\nID\n",
        f"# kubewhy keys {MARK}\nID\n--list\n",
        f"# kubewhy keys {MARK}\nID\nRULES_T $(id)\n",
        f"# kubewhy keys {MARK}\nID\n; id\n",
        f"# kubewhy keys {MARK}\r\nID\r\n",
        f"# kubewhy keys {MARK}\n" + "ID\n" * 251,
    ],
)
def test_standard_input_that_is_no_list_of_keys_runs_nothing(shell: tuple[str, ...], at: Path, text: str) -> None:
    """Not even the good keys before the bad line."""
    status, out, errors = asked(shell, at, text)
    assert (USAGE, "") == (status, out)
    assert errors.startswith("kubewhy-shell: refused: ")


LINES = st.one_of(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=60),
    st.sampled_from(
        ["RULES_T $(: >canary)", "`: >canary`", "ID; : >canary", ": >canary", "ID\t: >canary", "* *", "ID *"]
    ),
    st.sampled_from(["RESOLV", "NOPE x", "TCP a b", "RULES_T -x", "HOSTLOGS /etc/shadow"]),
)


@FEW
@given(lines=st.lists(LINES, max_size=4))
def test_no_line_is_ever_run_as_shell_text(at: Path, lines: list[str]) -> None:
    """Whatever is sent: frames of keys, or a refusal, and no file appears."""
    before = sorted(p.name for p in at.iterdir())
    status, out, _ = asked(("sh",), at, "\n".join([f"# kubewhy keys {MARK}", *lines]))
    assert before == sorted(p.name for p in at.iterdir())
    assert status in {0, USAGE}
    assert status == 0 or out == ""


@pytest.mark.parametrize("value", ["a b;c", "$(id)", "a\nb", "", "a\tb", "é"])
def test_the_client_does_not_send_what_no_value_may_hold(value: str) -> None:
    """A mistake in a collector stops before the wire."""
    bad = Section(key="RULES_T", command="ip", timeout=1, arguments=(value,))
    with pytest.raises(ValueError, match="only keys of the table"):
        framing.request([bad], MARK)
