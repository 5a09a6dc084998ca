"""A node held to the collector, with the real sshd, sudo and users of this machine: what works, and what never does."""

from __future__ import annotations

import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot import framing
from bot.collect.sections import base, section
from bot.errors import Kind, SourceError
from bot.source import Section
from tests.real.held_nodes import ROOT, Node, node

pytestmark = pytest.mark.real


@pytest.fixture(scope="module")
def held() -> Iterator[Node]:
    """A node on which install.sh has run."""
    with node() as it:
        it.install()
        yield it


@pytest.fixture(scope="module")
def plain() -> Iterator[Node]:
    """A login without any rights: no collector, nothing in sudoers."""
    with node() as it:
        subprocess.run(["useradd", "-M", "-d", str(it.home), "-s", "/bin/sh", "-p", "*", it.user], check=True)
        (it.home / ".ssh").mkdir(parents=True)
        shutil.copy(f"{it.server.key}.pub", it.home / ".ssh" / "authorized_keys")
        yield it


@pytest.fixture
def secret(held: Node) -> Iterator[Path]:
    """A file in a folder that only root may look into."""
    folder = held.prefix / "secret"
    folder.mkdir(mode=0o700)
    (folder / "kubelet.conf").write_text("x" * 7)
    yield folder / "kubelet.conf"
    shutil.rmtree(folder)


def test_keys_run_as_the_user_and_those_that_need_root_through_sudo(held: Node, secret: Path) -> None:
    """One round trip; only the key in sudoers sees what root alone may see."""
    asked = (
        *base("ID", "RESOLV", "PORTS_OWN", "CRI"),
        section("KCFG_MORE", files=f"{secret} /etc/passwd"),
        section("KCFG_ROOT", files=f"{secret} /etc/passwd"),
        section("PODPORTS", pid="1"),
        section("TCP", host="127.0.0.1", port=str(held.server.port)),
        section("CAP", dst="127.0.0.1", podip="127.0.0.1"),
    )
    client = held.shell(collector=True)
    found = client.run("node-1", asked)
    client.close()
    assert {s.key for s in asked} == set(found)
    assert not any(o.denied for key, o in found.items() if not key.startswith("CAP"))
    assert Path("/etc/machine-id").read_text().strip() in found["ID"].text
    assert "Permission denied" in found["KCFG_MORE"].text
    assert f"{secret}|7|" in found["KCFG_ROOT"].text
    assert "local_address" == found["PODPORTS:1"].text.split()[1]
    assert "rc=0" in found[f"TCP:127.0.0.1:{held.server.port}"].text
    assert found["CAP:127.0.0.1:127.0.0.1"].denied


def test_the_collector_also_serves_a_client_that_sends_a_script(held: Node) -> None:
    """A login without forced command: a section that needs root goes through sudo and the collector."""
    collector = held.prefix / "sbin" / "kubewhy-collect"
    asked = [section("PORTS_OWN"), section("KCFG_ROOT", files="/root /etc/passwd")]
    text = framing.script(asked, "5f0c9a1e7b3d2c48").replace(framing.COLLECTOR, str(collector))
    done = subprocess.run(
        ["runuser", "-u", held.user, "--", "sh", "-s"], input=text.encode(), capture_output=True, check=True
    )
    found = framing.outputs(done.stdout, asked, "5f0c9a1e7b3d2c48")
    assert (0, False) == (found["PORTS_OWN"].rc, found["PORTS_OWN"].denied)
    assert ["/root", "/etc/passwd"] == [line.split("|")[0] for line in found["KCFG_ROOT"].text.splitlines()]


@pytest.mark.parametrize(
    "command", ["reboot", "sh -s", "sudo -n ls /root", "/usr/local/sbin/kubewhy-shell --keys; id", "sh -c id"]
)
def test_a_command_is_refused_with_a_clear_line(held: Node, command: str) -> None:
    """``ssh NODE reboot``."""
    done = held.ssh(command, stdin="id\n")
    assert (64, "") == (done.returncode, done.stdout)
    assert "kubewhy-shell: refused: this login is for kubewhy alone and runs no commands\n" == done.stderr


def test_logging_in_to_look_around_is_refused_with_the_line_of_the_guide(held: Node) -> None:
    """``ssh kubewhy@NODE``, as docs/nodes.md says how to verify an installation."""
    done = held.ssh()
    assert 64 == done.returncode
    assert "kubewhy-shell: refused: this login is for kubewhy alone" in done.stderr
    assert "kubewhy-shell: refused: this login is for kubewhy alone" in (ROOT / "docs" / "nodes.md").read_text()


def test_a_script_on_standard_input_is_refused_in_forced_mode(held: Node, tmp_path: Path) -> None:
    """Both our own and another one, whatever command it comes with; the client says what to set."""
    canary = tmp_path / "canary"
    for command in ((framing.SHELL,), (framing.KEYS,), ()):
        done = held.ssh(
            *command, stdin=framing.script([Section(key="A", command=f"touch {canary}", timeout=3)], "0" * 16)
        )
        assert (64, "") == (done.returncode, done.stdout)
    with pytest.raises(SourceError) as caught:
        held.shell(collector=False).run("node-1", base("ID"))
    assert (Kind.MALFORMED, True) == (caught.value.kind, "ssh.collector: true" in caught.value.hint)
    assert not canary.exists()


def test_tunnels_and_file_transfer_are_refused(held: Node) -> None:
    """``restrict`` and the forced command hold for every kind of channel."""
    client = held.shell(collector=True)
    client.run("node-1", base("ID"))
    transport = client._open["node-1"]
    with pytest.raises(Exception, match=r"prohibited|denied|refused|failed"):
        transport.open_channel("direct-tcpip", ("127.0.0.1", held.server.port), ("127.0.0.1", 0), timeout=5)
    channel = transport.open_session(timeout=5)
    channel.settimeout(5)
    channel.exec_command("/usr/lib/openssh/sftp-server")
    assert 64 == channel.recv_exit_status()
    client.close()


def test_the_user_may_run_nothing_else_as_root_and_cannot_change_its_own_key(held: Node) -> None:
    """Not even the collector's keys that need no root, nor any other program, nor with a library of its own."""
    collector = str(held.prefix / "sbin" / "kubewhy-collect")

    def as_user(*words: str) -> int:
        return subprocess.run(["runuser", "-u", held.user, "--", *words], capture_output=True, check=False).returncode

    assert 0 == as_user("sudo", "-n", collector, "PORTS_OWN")
    assert 64 == as_user("sudo", "-n", collector, "ID")
    assert 64 == as_user("sudo", "-n", collector, "HOSTLOGS", "/etc/shadow")
    assert 1 == as_user("sudo", "-n", "id")
    assert 1 == as_user("sudo", "-n", "sh", collector, "PORTS_OWN")
    assert 1 == as_user("sudo", "-n", "LD_PRELOAD=/tmp/x.so", collector, "PORTS_OWN")
    assert 1 == as_user("test", "-w", str(held.home / ".ssh" / "authorized_keys"))
    assert 1 == as_user("test", "-w", collector)
    assert (
        subprocess.run(["sudo", "-n", "-l", "-U", held.user], capture_output=True, text=True, check=True).stdout.count(
            "NOPASSWD"
        )
        == 1
    )


def test_without_collector_and_sudo_the_bot_gets_what_any_user_may_read(plain: Node) -> None:
    """What needs root is told apart as refused; everything else is there."""
    asked = base("ID", "MEM", "RESOLV", "CRI", "KERN_DMESG", "PORTS_OWN", "INOTIFY_USE", "IPT_SVC", "IPT_AGAIN")
    client = plain.shell(collector=False)
    found = client.run("node-1", asked)
    client.close()
    assert {s.key for s in asked if s.root} == {key for key, output in found.items() if output.denied}
    assert "MemTotal:" in found["MEM"].text
    with pytest.raises(SourceError) as caught:
        plain.shell(collector=True).run("node-1", base("ID"))
    assert (Kind.MALFORMED, True) == (caught.value.kind, "install the collector" in caught.value.hint)


def test_installing_twice_changes_nothing_and_uninstalling_leaves_nothing() -> None:
    """Each says what it does; both may be run again; packet capture comes and goes with its option."""
    with node() as it:
        first = it.install()
        assert f"made user {it.user}" in first
        before = {p: p.read_bytes() for p in sorted(it.prefix.rglob("*")) if p.is_file()}
        assert f"user {it.user} is there" in it.install()
        assert before == {p: p.read_bytes() for p in sorted(it.prefix.rglob("*")) if p.is_file()}
        it.install("--capture")
        assert (it.prefix / "sbin" / "kubewhy-capture").exists()
        rights = subprocess.run(["sudo", "-l", "-U", it.user], capture_output=True, text=True, check=True).stdout
        assert 2 == rights.count("NOPASSWD")
        assert "removing kubewhy-capture" in it.install()
        removed = it.program("uninstall.sh")
        assert (0, 0) == (removed.returncode, it.program("uninstall.sh").returncode)
        assert f"removed user {it.user}" in removed.stdout
        assert [] == [p for p in (*it.prefix.rglob("*"), it.home) if p.is_file() or (p == it.home and p.exists())]
        assert [] == list(Path("/etc/sudoers.d").glob(f"{it.user}*"))


@pytest.mark.parametrize(
    "key",
    ["", "ssh-ed25519 AAAAnonsense", 'command="id" ssh-ed25519 AAAA', "ssh-ed25519 AAAA\nssh-rsa AAAA", "/nowhere"],
)
def test_a_bad_public_key_stops_the_installation_before_anything_is_done(key: str) -> None:
    """No user, no file."""
    with node() as it:
        done = it.program("install.sh", key)
        assert (1, "") == (done.returncode, done.stdout)
        assert "kubewhy install: " in done.stderr
        assert not it.prefix.exists()
        assert 0 != subprocess.run(["id", it.user], capture_output=True, check=False).returncode


def test_a_temporary_folder_that_is_not_there_is_not_blamed_on_the_key(monkeypatch: pytest.MonkeyPatch) -> None:
    """TMPDIR of a login that came along."""
    monkeypatch.setenv("TMPDIR", "/nowhere")
    with node() as it:
        done = it.program("install.sh", f"{it.server.key}.pub")
        assert 1 == done.returncode
        assert "kubewhy install: no temporary file can be made in /nowhere" in done.stderr


@pytest.mark.parametrize("name", ["install.sh", "uninstall.sh"])
def test_without_root_nothing_is_done(plain: Node, name: str) -> None:
    """It says so."""
    text = (ROOT / "node" / name).read_text()
    command = ["runuser", "-u", plain.user, "--", "sh", "-s", "ssh-ed25519 AAAA"]
    done = subprocess.run(command, input=text, capture_output=True, text=True, check=False)
    assert (1, "") == (done.returncode, done.stdout)
    assert done.stderr.endswith("run this as root\n")
