"""The SSH client against real OpenSSH servers.

Every kind of failure has a name, and none costs more than its deadline.
"""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Iterator
from pathlib import Path

import pytest

from bot.clients.reach import Reach
from bot.clients.ssh import LiveShell
from bot.clients.ssh_connect import Connector, Target
from bot.errors import Kind, SettingsError, SourceError
from bot.source import Section
from tests.real.sshds import Sshd, free_port, keygen, sshd

pytestmark = pytest.mark.real

HELLO = Section(key="HELLO", command="echo hello; echo there >&2", timeout=3)
FALSE = Section(key="FALSE", command="echo partly; exit 3", timeout=3)
SLOW = Section(key="SLOW", command="echo begun; sleep 30", timeout=1)


@pytest.fixture
def server(tmp_path: Path) -> Iterator[Sshd]:
    """A server with the defaults."""
    with sshd(tmp_path / "sshd") as running:
        yield running


def shell(
    server: Sshd, *, port: int = 0, known: Path | None = None, key: Path | None = None, jump: Target | None = None
) -> LiveShell:
    """A client for the server, as node ``node-1``."""
    connector = Connector(
        keys=(key or server.key,), known_hosts=(known or server.known_hosts,), use_agent=False, reach=Reach()
    )
    target = Target(host="127.0.0.1", port=port or server.port, user=server.user, jump=jump)
    return LiveShell(lambda _: target, connector)


def failure(client: LiveShell, *sections: Section, deadline: float = 8.0) -> tuple[SourceError, float]:
    """The error of a round trip, and how long it took in seconds."""
    began = time.monotonic()
    with pytest.raises(SourceError) as caught:
        client.run("node-1", sections or (HELLO,), deadline=deadline)
    return caught.value, time.monotonic() - began


def test_a_round_trip_brings_every_section_with_its_status(server: Sshd) -> None:
    """Both streams, the exit status, and what was printed before a timeout."""
    client = shell(server)
    found = client.run("node-1", (HELLO, FALSE, SLOW))
    assert {"HELLO": 0, "FALSE": 3, "SLOW": 124} == {key: output.rc for key, output in found.items()}
    assert ["hello\nthere\n", "partly\n", "begun\n"] == [found[k].text for k in ("HELLO", "FALSE", "SLOW")]
    client.close()


def test_an_open_connection_is_used_again(server: Sshd) -> None:
    """The second visit does not log in anew."""
    client = shell(server)
    client.run("node-1", (HELLO,))
    first = client._open["node-1"]
    client.run("node-1", (HELLO,))
    assert client._open["node-1"] is first
    client.close()


def test_a_closed_port_is_refused() -> None:
    """The host is up, sshd is not."""
    with sshd_free() as (port, server):
        error, _ = failure(shell(server, port=port))
        assert error.kind is Kind.REFUSED


def sshd_free() -> object:
    """A server and a port where nothing listens."""
    import contextlib  # noqa: PLC0415
    import tempfile  # noqa: PLC0415

    @contextlib.contextmanager
    def both() -> Iterator[tuple[int, Sshd]]:
        with tempfile.TemporaryDirectory() as home, sshd(Path(home) / "s") as running:
            yield free_port(), running

    return both()


def test_a_silent_server_costs_its_deadline_and_nothing_else(server: Sshd) -> None:
    """It accepts and says nothing."""
    with socket.socket() as silent:
        silent.bind(("127.0.0.1", 0))
        silent.listen()
        error, took = failure(shell(server, port=silent.getsockname()[1]), deadline=1.5)
    assert error.kind is Kind.TIMED_OUT
    assert took < 3.5


def test_an_unknown_host_key_says_how_to_pin_it(server: Sshd, tmp_path: Path) -> None:
    """Never trust on first use."""
    (tmp_path / "empty").write_text("")
    error, _ = failure(shell(server, known=tmp_path / "empty"))
    assert error.kind is Kind.HOST_KEY_UNKNOWN
    assert "ssh-keyscan" in error.hint


def test_a_changed_host_key_stops_the_visit(server: Sshd, tmp_path: Path) -> None:
    """Reinstalled, or somebody in between: an operator decides."""
    keygen(tmp_path / "other")
    known = tmp_path / "known"
    known.write_text(f"[127.0.0.1]:{server.port} {(tmp_path / 'other.pub').read_text()}")
    error, _ = failure(shell(server, known=known))
    assert error.kind is Kind.HOST_KEY_CHANGED


def test_a_key_that_is_not_accepted_is_an_authentication_error(server: Sshd, tmp_path: Path) -> None:
    """Never retried, never a finding about the node."""
    error, _ = failure(shell(server, key=keygen(tmp_path / "stranger")))
    assert error.kind is Kind.AUTHENTICATION
    assert "authorized_keys" in error.hint


def test_a_hundred_megabytes_are_cut_off_and_the_rest_arrives(server: Sshd) -> None:
    """One greedy section takes neither memory nor the other sections."""
    greedy = Section(key="GREEDY", command="head -c 100000000 /dev/zero | tr '\\0' x", timeout=10)
    found = shell(server).run("node-1", (greedy, HELLO), deadline=20)
    assert found["GREEDY"].truncated
    assert len(found["GREEDY"].text) == 64 * 1024
    assert found["HELLO"].text == "hello\nthere\n"


def test_binary_output_and_forged_frames_do_no_harm(server: Sshd) -> None:
    """What a node prints is data."""
    binary = Section(key="BINARY", command="head -c 3000 /dev/urandom", timeout=3)
    forged = Section(key="FORGED", command="printf '\\n@@END-0000000000000000 FORGED rc=0 up=\\n'; echo on", timeout=3)
    found = shell(server).run("node-1", (binary, forged, HELLO))
    assert found["HELLO"].text == "hello\nthere\n"
    assert found["FORGED"].text.endswith("on\n")


def test_a_banner_and_a_server_with_one_session_are_fine(tmp_path: Path) -> None:
    """Each round trip uses one channel at a time."""
    (tmp_path / "banner").write_text("Authorised use only\n" * 20)
    with sshd(tmp_path / "s", f"Banner {tmp_path}/banner", "MaxSessions 1") as running:
        client = shell(running)
        assert client.run("node-1", (HELLO,))["HELLO"].rc == 0
        assert client.run("node-1", (HELLO,))["HELLO"].rc == 0
        client.close()


def test_a_forced_command_that_is_no_shell_is_said(tmp_path: Path) -> None:
    """The login does not run what was asked."""
    with sshd(tmp_path / "s", "ForceCommand /bin/echo no shell for you") as running:
        error, _ = failure(shell(running))
    assert error.kind is Kind.MALFORMED


@pytest.mark.parametrize("program", ["/bin/cat", "/usr/bin/env python3 -"])
def test_a_login_shell_that_is_no_sh_is_said(tmp_path: Path, program: str) -> None:
    """Something else reads what was meant for a shell: no answer, and never an empty one."""
    with sshd(tmp_path / "s", f"ForceCommand {program}") as running:
        error, took = failure(shell(running), HELLO, FALSE)
    assert error.kind is Kind.MALFORMED
    assert took < 8


def test_a_slow_and_talkative_login_costs_time_and_nothing_else(tmp_path: Path) -> None:
    """Profiles print greetings and take their time."""
    slow = 'echo Welcome to node-1; echo @@BEGIN; sleep 1.5; exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"'
    with sshd(tmp_path / "s", f"ForceCommand {slow}") as running:
        client = shell(running)
        found = client.run("node-1", (HELLO, FALSE))
        client.close()
    assert {"HELLO": "hello\nthere\n", "FALSE": "partly\n"} == {key: output.text for key, output in found.items()}


def test_a_login_that_is_slower_than_the_deadline_is_a_timeout(tmp_path: Path) -> None:
    """A home directory on a dead file server, for instance."""
    with sshd(tmp_path / "s", 'ForceCommand sleep 30; exec /bin/sh -c "$SSH_ORIGINAL_COMMAND"') as running:
        error, took = failure(shell(running), deadline=2)
    assert error.kind is Kind.TIMED_OUT
    assert took < 5


def test_a_locale_that_the_node_does_not_have_changes_no_answer(tmp_path: Path) -> None:
    """Perl and bash complain about it on every start; numbers and months stay as in C."""
    pattern = Section(key="MONTH", command="date -u -d @0 +%b; printf '%.1f\\n' 1.5", timeout=3)
    with sshd(tmp_path / "s", "SetEnv LC_ALL=xx_YY.UTF-8 LANG=de_DE.UTF-8") as running:
        client = shell(running)
        found = client.run("node-1", (pattern,))
        client.close()
    assert "Jan\n1.5\n" == found["MONTH"].text


def test_a_jump_host_carries_the_connection(server: Sshd, tmp_path: Path) -> None:
    """direct-tcpip through a host with its own pinned key."""
    with sshd(tmp_path / "jump") as bastion:
        known = tmp_path / "both"
        known.write_text(server.known_hosts.read_text() + bastion.known_hosts.read_text())
        connector = Connector(keys=(server.key, bastion.key), known_hosts=(known,), use_agent=False, reach=Reach())
        jump = Target(host="127.0.0.1", port=bastion.port, user=bastion.user)
        target = Target(host="127.0.0.1", port=server.port, user=server.user, jump=jump)
        client = LiveShell(lambda _: target, connector)
        assert client.run("node-1", (HELLO,))["HELLO"].rc == 0
        client.close()


def test_a_jump_behind_a_jump_carries_the_connection(server: Sshd, tmp_path: Path) -> None:
    """Two hops, each with its own pinned key and a key of its own to log in with."""
    with sshd(tmp_path / "outer") as outer, sshd(tmp_path / "inner") as inner:
        known = tmp_path / "all"
        known.write_text("".join(s.known_hosts.read_text() for s in (server, outer, inner)))
        connector = Connector(keys=(), known_hosts=(known,), use_agent=False, reach=Reach())
        way: Target | None = None
        for hop in (outer, inner, server):
            way = Target(host="127.0.0.1", port=hop.port, user=hop.user, keys=(hop.key,), jump=way)
        assert way is not None
        client = LiveShell(lambda _: way, connector)
        assert client.run("node-1", (HELLO,))["HELLO"].rc == 0
        client.close()


def test_a_certificate_lets_the_bot_in_and_the_key_alone_where_it_does_not(tmp_path: Path) -> None:
    """``KEY-cert.pub`` beside the key; a server that trusts no authority still knows the key."""
    authority = keygen(tmp_path / "authority")
    trust = f"TrustedUserCAKeys {authority}.pub"
    with sshd(tmp_path / "trusting", trust) as server, sshd(tmp_path / "other") as other:
        (tmp_path / "trusting" / "authorized_keys").write_text("")
        for each in (server, other):
            sign = ["ssh-keygen", "-q", "-s", str(authority), "-I", "kubewhy", "-n", each.user, f"{each.key}.pub"]
            subprocess.run(sign, check=True)
        for each in (server, other):
            client = shell(each)
            assert client.run("node-1", (HELLO,))["HELLO"].rc == 0
            client.close()


def test_a_usual_key_with_a_passphrase_is_passed_over(server: Sshd, tmp_path: Path) -> None:
    """It is the agent's; nobody is ever asked. One that was asked for by name is an error instead."""
    locked = tmp_path / "locked"
    subprocess.run(["ssh-keygen", "-q", "-t", "ed25519", "-N", "secret", "-f", str(locked)], check=True)
    known = (server.known_hosts,)
    connector = Connector(keys=(), usual=(locked, server.key), known_hosts=known, use_agent=False, reach=Reach())
    target = Target(host="127.0.0.1", port=server.port, user=server.user)
    client = LiveShell(lambda _: target, connector)
    assert client.run("node-1", (HELLO,))["HELLO"].rc == 0
    client.close()
    with pytest.raises(SettingsError, match="passphrase"):
        Connector(keys=(locked,), known_hosts=known, use_agent=False, reach=Reach())


def test_more_keys_than_the_node_allows_is_said(tmp_path: Path) -> None:
    """An agent full of keys: MaxAuthTries ends the connection, which is no fault of the network."""
    with sshd(tmp_path / "sshd", "MaxAuthTries 2") as server:
        strangers = tuple(keygen(tmp_path / f"stranger-{n}") for n in range(4))
        connector = Connector(keys=strangers, known_hosts=(server.known_hosts,), use_agent=False, reach=Reach())
        target = Target(host="127.0.0.1", port=server.port, user=server.user)
        error, _ = failure(LiveShell(lambda _: target, connector))
    assert (Kind.AUTHENTICATION, True) == (error.kind, "IdentityFile" in error.hint)


def test_a_node_that_freezes_costs_its_deadline_and_is_dropped(server: Sshd) -> None:
    """SIGSTOP to the session's processes would hang a naive reader for ever."""
    client = shell(server)
    client.run("node-1", (HELLO,))
    hung = Section(key="HUNG", command="kill -STOP $PPID $$", timeout=60)
    error, took = failure(client, hung, deadline=2)
    assert error.kind is Kind.TIMED_OUT
    assert took < 4
    assert "node-1" not in client._open
