"""Values are held to their form a second time on the node, by a shell that never reads them as text of its own."""

import shlex
import subprocess
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from bot.collect.commands import TABLE
from bot.collect.sections import VALID, section
from tests.unit.collector.parts import COLLECT, SHELLS, USAGE, run
from tools.collector import REACH, positional

GOOD = {
    "DST": "10.0.0.1",
    "PODIP": "fd00::1",
    "SERVER": "192.168.255.254",
    "HOST": "10.0.0.1",
    "NAME": "kubernetes.default.svc.cluster.local.",
    "TYPE": "AAAA",
    "PORT": "6443",
    "PID": "4711",
    "TABLE": "main",
    "IFACE": "eth0.100@if3",
    "LINES": "400",
    "SINCE": "-30min",
    "CONTAINER": "0123456789ab",
    "COMPONENT": "etcd",
    "RESOLVCONF": "/var/lib/containerd/io.containerd.grpc.v1.cri/sandboxes/0a/resolv.conf",
    "FILE": "/var/log/alicloud/flexvolume_disk.log",
    "FILES": "/etc/kubernetes/a.conf /var/lib/kubelet/b.yaml",
    "ENDPOINT": "[fd00::1]:6443",
}
TAKING = sorted(k for k, s in TABLE.items() if s.parameters and k not in {"PODSS", "CAP"})
KEY = {name: next(k for k in TAKING if name in TABLE[k].parameters) for name in GOOD}
SIGNS = st.sampled_from([*";|&$`<>(){}[]*?!#~'\"\\\n\r\t =%^,", "$(", "${", "&&", "||", ">>", "\x1b", "\x7f", "é"])
OWN = {"FILES": " \n\t", "ENDPOINT": "[]"}
ANY = st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=40)
FEW = settings(max_examples=25, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture])


def checked(shell: tuple[str, ...], key: str, *values: str) -> int:
    """The status of ``kubewhy-collect --check KEY VALUE...``."""
    return run(shell, COLLECT, "--check", key, *values).returncode


def values_of(key: str, **changed: str) -> list[str]:
    """Good values for a key, some of them changed."""
    return [changed.get(name, GOOD[name]) for name in TABLE[key].parameters]


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
@pytest.mark.parametrize("key", TAKING)
def test_good_values_are_taken_and_a_wrong_number_of_them_is_not(shell: tuple[str, ...], key: str) -> None:
    """Under every shell."""
    good = values_of(key)
    assert 0 == checked(shell, key, *good)
    assert USAGE == checked(shell, key)
    assert (0 if TABLE[key].parameters == ("FILES",) else USAGE) == checked(shell, key, *good, "/x")


@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
@FEW
@given(name=st.sampled_from(sorted(KEY)), sign=SIGNS, place=st.integers(0, 60))
def test_a_sign_that_a_shell_could_read_is_never_part_of_a_value(
    shell: tuple[str, ...], name: str, sign: str, place: int
) -> None:
    """Wherever in the value it stands; blanks between files and brackets of an address are part of their form."""
    good = GOOD[name]
    bad = good[:place] + sign + good[place:]
    taken = checked(shell, KEY[name], *values_of(KEY[name], **{name: bad})) == 0
    assert not taken or sign in OWN.get(name, "")
    assert not VALID[name](bad) or sign in OWN.get(name, "")


@FEW
@given(name=st.sampled_from(sorted(KEY)), value=ANY)
def test_text_that_the_bot_would_not_send_is_not_taken_either(name: str, value: str) -> None:
    """What passes on the node has harmless signs only."""
    taken = checked(("sh",), KEY[name], *values_of(KEY[name], **{name: value})) == 0
    assert not taken or set(value) <= set("[]._:/@+- \n\t\r") | {c for c in value if c.isascii() and c.isalnum()}


def _addresses() -> st.SearchStrategy[str]:
    return st.one_of(st.ip_addresses(v=4).map(str), st.ip_addresses(v=6).map(str))


@FEW
@given(address=_addresses(), port=st.integers(1, 65535), table=st.from_regex(r"[a-z][a-z0-9_.-]{0,31}", fullmatch=True))
def test_what_the_bot_sends_is_taken(address: str, port: int, table: str) -> None:
    """Every address, port and table name."""
    bracketed = f"[{address}]" if ":" in address else address
    for key, *values in (
        ("RPATH", address),
        ("DIG", address, "a.example", "A"),
        ("APIPATH", address, str(port), f"{bracketed}:{port}"),
        ("RULES_T", table),
    ):
        assert 0 == checked(("sh",), key, *values), (key, values)


@pytest.mark.parametrize(
    ("key", "value"),
    [
        ("HOSTLOGS", "/etc/shadow"),
        ("HOSTLOGS", "/var/log/../../etc/shadow"),
        ("HOSTLOGS", "/var/log/"),
        ("CERTS", "/etc/./x"),
        ("CERTS", "etc/x"),
        ("CERTS", "-in"),
        ("KCFG_ROOT", "/a /b/../c"),
        ("PODRESOLV", "/var/lib/kubelet/../../etc/resolv.conf"),
        ("PODRESOLV", "/var/lib/kubelet/pki/kubelet-client-current.pem"),
        ("PODRESOLV", "/var/lib/containerd/x/snapshots/7/fs/resolv.conf"),
        ("PODRESOLV", "/var/lib/postgresql/resolv.conf"),
        ("PODRESOLV", "/run/systemd/resolv.conf"),
        ("RPATH", "fe80::1%eth0"),
        ("RPATH", "10.0.0.256"),
        ("RPATH", "10.0.0.1.1"),
        ("RPATH", "010.0.0.1"),
        ("RPATH", "10.0.0."),
        ("NSLOOKUP", "-A"),
        ("PODPORTS", "0"),
        ("PODPORTS", "self"),
        ("MANIFEST_FILE", "kube-proxy"),
    ],
)
@pytest.mark.parametrize("shell", SHELLS, ids=" ".join)
def test_a_value_that_points_elsewhere_is_refused(shell: tuple[str, ...], key: str, value: str) -> None:
    """Any path for root would be any file."""
    name = TABLE[key].parameters[0]
    assert USAGE == checked(shell, key, *values_of(key, **{name: value}))


@pytest.fixture(scope="module")
def bench(tmp_path_factory: pytest.TempPathFactory) -> Callable[[str, list[str]], list[str]]:
    """Run a command's text with every program of the table replaced by one that writes its arguments down."""
    at = tmp_path_factory.mktemp("bench")
    record, programs = at / "record", at / "programs"
    programs.mkdir()
    words = {w for s in TABLE.values() for w in shlex.split(s.text.replace(";", " ").replace("|", " "))}
    for word in words:
        if word.isalnum() and word.islower():
            (programs / word).write_text(f"#!/bin/sh\nprintf '%s\\0' \"$@\" >>{shlex.quote(str(record))}\n")
            (programs / word).chmod(0o755)

    def ask(text: str, values: list[str]) -> list[str]:
        record.write_bytes(b"")
        environment = {"PATH": str(programs)}
        subprocess.run(["/bin/sh", "-c", text, "x", *values], env=environment, capture_output=True, check=False, cwd=at)
        assert {"record", "programs"} == {p.name for p in at.iterdir()}, "a value was run"
        return record.read_bytes().decode("utf-8", "surrogateescape").split("\0")

    return ask


HOSTILE = st.one_of(
    ANY,
    st.sampled_from(
        [
            "$(: >canary)",
            "`: >canary`",
            "; : >canary",
            "a\n: >canary\n",
            "'; : >canary; '",
            '"; : >canary; "',
            "*",
            "-x",
        ]
    ),
)


@pytest.mark.parametrize("key", TAKING)
@settings(FEW, max_examples=8)
@given(data=st.data())
def test_even_a_value_that_was_not_held_to_its_form_stays_one_word(
    bench: Callable[[str, list[str]], list[str]], key: str, data: st.DataObject
) -> None:
    """The second line of defence: programs get it as it is, whatever it holds, and nothing in it is run."""
    values = [data.draw(HOSTILE) for _ in TABLE[key].parameters]
    seen = bench(positional(TABLE[key]), values)
    for value in values:
        assert any(value in word for word in seen), (value, seen)


@pytest.mark.parametrize("key", sorted(k for k, s in TABLE.items() if REACH not in s.text and k != "PID"))
def test_the_collector_runs_what_a_script_would_run(bench: Callable[[str, list[str]], list[str]], key: str) -> None:
    """The same programs with the same arguments; only sudo is gone, which is asked for the whole key.

    PID counts processes, ours among them; the text for HOST and PORT is held by the generator's own test.
    """
    good = {name.lower(): GOOD[name] for name in TABLE[key].parameters}
    values = good["files"].split() if "files" in good else list(good.values())
    expected = bench(section(key, **good).command.replace("sudo -n ", ""), [])
    assert sorted(expected) == sorted(bench(positional(TABLE[key]), values))


def test_a_log_that_is_a_link_out_of_the_logs_is_refused_for_root(tmp_path: Path) -> None:
    """A service that owns a folder below /var/log cannot lend root's eyes to itself."""
    text = COLLECT.read_text().replace("/var/log", str(tmp_path / "log"))
    program = tmp_path / "collect"
    program.write_text(text.replace("$(id -u)", "0"))
    (tmp_path / "log").mkdir()
    (tmp_path / "secret").write_text("x")
    (tmp_path / "log" / "a.log").write_text("x")
    (tmp_path / "log" / "b.log").symlink_to(tmp_path / "secret")
    assert 0 == run(("sh",), program, "--check", "HOSTLOGS", tmp_path / "log" / "a.log").returncode
    assert USAGE == run(("sh",), program, "--check", "HOSTLOGS", tmp_path / "log" / "b.log").returncode
