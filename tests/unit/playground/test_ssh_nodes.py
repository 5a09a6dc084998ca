"""The playground's SSH servers, asked by a real SSH client: logins, scripts, and every way not to get in."""

import io
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import paramiko
import pytest

from bot import framing
from bot.bundle.names import RecordedNames
from bot.bundle.recording import Bundle
from bot.bundle.shell import RecordedShell
from bot.clients.reach import Reach
from bot.clients.ssh import LiveShell
from bot.clients.ssh_connect import Connector, Target
from bot.collect.sections import base
from bot.errors import Kind, SourceError
from bot.playground.sshd import USER, NodeServers
from bot.source import Section

ENTRIES = (
    b'[{"key": "ID", "command": "hostname", "stdout": "node-1\\n", "duration_ms": 40},'
    b' {"command": "sudo crictl info", "exit": 1, "stderr": "sudo: a password is required\\n"},'
    b' {"command": "df -P", "exit": 1, "stdout": "full\\n", "stderr": "oops\\n"}]'
)
REASONS = {
    "refused": Kind.REFUSED,
    "no-route": Kind.UNREACHABLE,
    "host-key-changed": Kind.HOST_KEY_CHANGED,
    "host-key-not-known": Kind.HOST_KEY_UNKNOWN,
    "permission-denied": Kind.AUTHENTICATION,
}
WORDS = {
    "refused": "connection refused",
    "no-route": "no route to host",
    "host-key-changed": "host key changed",
    "host-key-not-known": "host key not in known_hosts",
    "permission-denied": "permission denied (publickey)",
    "silent": "timed out",
    "reset": "connection reset by peer",
}


@pytest.fixture(scope="module")
def servers() -> Iterator[NodeServers]:
    """Nodes with commands, without any recording, and with every reason not to be reached."""
    files: dict[str, Any] = {"kubewhy/nodes/node-1/commands.json": ENTRIES}
    files |= {f"kubewhy/nodes/{node}/unreachable": words.encode() for node, words in WORDS.items()}
    bundle = Bundle("test", files)
    running = NodeServers(RecordedShell(bundle, RecordedNames(bundle)), (*bundle.nodes(), "unrecorded"))
    yield running
    running.close()


@pytest.fixture
def shell(servers: NodeServers, tmp_path: Path) -> Iterator[LiveShell]:
    """The bot's own client with the playground's key and pinned hosts."""
    (tmp_path / "key").write_text(servers.client_key)
    pins = "".join(f"{a.node} {a.host_key}\n" for a in servers.addresses if a.host_key)
    (tmp_path / "known").write_text(pins)
    connector = Connector(
        keys=(tmp_path / "key",), known_hosts=(tmp_path / "known",), use_agent=False, reach=Reach.of({})
    )
    found = {a.node: Target(host=a.host, port=a.port, user=USER, names=(a.node,)) for a in servers.addresses}
    client = LiveShell(found.__getitem__, connector)
    yield client
    client.close()


def exec_command(servers: NodeServers, command: str, stdin: bytes = b"") -> tuple[str, str, int]:
    """Run one command line on node-1 as any SSH client would."""
    at = next(a for a in servers.addresses if a.node == "node-1")
    client = paramiko.SSHClient()
    client.set_missing_host_key_policy(paramiko.AutoAddPolicy())
    key = paramiko.Ed25519Key(file_obj=io.StringIO(servers.client_key))
    client.connect(at.host, at.port, USER, pkey=key, allow_agent=False, look_for_keys=False)
    try:
        send, out, errors = client.exec_command(command)
        send.write(stdin)
        send.channel.shutdown_write()
        return out.read().decode(), errors.read().decode(), out.channel.recv_exit_status()
    finally:
        client.close()


def test_the_bots_own_client_gets_what_was_recorded_and_nothing_else(shell: LiveShell) -> None:
    """Keys, commands, statuses, refusals of sudo and durations arrive; an unrecorded section is absent."""
    sections = [*base("ID", "CRI", "MEM"), Section(key="DF", command="df -P", timeout=3)]
    got = shell.run("node-1", sections)
    assert {"ID", "CRI", "DF"} == set(got)
    assert ("node-1\n", 40) == (got["ID"].text, got["ID"].duration_ms)
    assert got["CRI"].denied
    assert ("full\noops\n", 1) == (got["DF"].text, got["DF"].rc)


@pytest.mark.parametrize("node", REASONS)
def test_a_node_that_could_not_be_reached_fails_in_the_same_way(shell: LiveShell, node: str) -> None:
    """The client sees the class of failure that was recorded."""
    with pytest.raises(SourceError) as caught:
        shell.run(node, base("ID"))
    assert REASONS[node] is caught.value.kind


@pytest.mark.parametrize(("node", "kinds"), [("silent", {Kind.TIMED_OUT}), ("reset", {Kind.RESET, Kind.TIMED_OUT})])
def test_a_silent_node_and_one_that_hangs_up_are_not_evidence_of_health(
    shell: LiveShell, node: str, kinds: set[Kind]
) -> None:
    """Neither hangs the client beyond its deadline."""
    with pytest.raises(SourceError) as caught:
        shell.run(node, base("ID"), deadline=2)
    assert caught.value.kind in kinds


def test_a_node_of_which_nothing_was_recorded_lets_nobody_in(shell: LiveShell) -> None:
    """A refused login is never a finding about the node; a closed port might be one."""
    with pytest.raises(SourceError) as caught:
        shell.run("unrecorded", base("ID"))
    assert caught.value.kind is Kind.AUTHENTICATION


def test_a_command_line_has_its_streams_and_status(servers: NodeServers) -> None:
    """As ``ssh node-1 df -P``; what was not recorded is said on stderr."""
    assert ("full\n", "oops\n", 1) == exec_command(servers, "sudo df -P")
    out, errors, status = exec_command(servers, "uptime")
    assert ("", 127) == (out, status)
    assert "not recorded: uptime" in errors


def test_scripts_on_standard_input_are_answered(servers: NodeServers) -> None:
    """Ours with its frames, and the plain framing of catalogue D."""
    ours = framing.script(base("ID"), "5f0c9a1e7b3d2c48")
    out, _, _ = exec_command(servers, framing.SHELL, ours.encode())
    assert framing.outputs(out.encode(), base("ID"), "5f0c9a1e7b3d2c48")["ID"].text == "node-1\n"
    plain = b"printf '\\n@@BEGIN D\\n'; timeout 3 df -P 2>&1 | head -c 9; printf '\\n@@END D rc=%s\\n' \"$?\"\n"
    out, _, _ = exec_command(servers, "sh -s", plain)
    assert "\n@@BEGIN D\nfull\noops\n@@END D rc=0\n" == out


def test_the_root_owned_collector_is_answered_by_key(servers: NodeServers) -> None:
    """``kubewhy-collect KEY``, with or without sudo."""
    assert ("node-1\n", "", 0) == exec_command(servers, f"sudo -n {framing.COLLECTOR} ID")
    assert exec_command(servers, "kubewhy-collect NOPE")[2] == 127


def test_openssh_can_log_in(servers: NodeServers, tmp_path: Path) -> None:
    """The stock client accepts host key, login and command."""
    at = next(a for a in servers.addresses if a.node == "node-1")
    (tmp_path / "known").write_text(f"[{at.host}]:{at.port} {at.host_key}\n")
    key = tmp_path / "key"
    key.touch(mode=0o600)
    key.write_text(servers.client_key)
    options = ["BatchMode=yes", "IdentitiesOnly=yes", f"UserKnownHostsFile={tmp_path / 'known'}"]
    command = ["ssh", "-F", "none", "-p", str(at.port), "-i", str(key), *(f"-o{o}" for o in options)]
    done = subprocess.run(
        [*command, f"{USER}@{at.host}", "df -P"], capture_output=True, text=True, check=False, timeout=20
    )
    assert ("full\n", 1) == (done.stdout, done.returncode)


def test_another_key_is_refused(servers: NodeServers) -> None:
    """Loopback is shared with every user of the machine."""
    at = next(a for a in servers.addresses if a.node == "node-1")
    transport = paramiko.Transport((at.host, at.port))
    try:
        transport.start_client(timeout=5)
        with pytest.raises(paramiko.AuthenticationException):
            transport.auth_publickey(USER, paramiko.ECDSAKey.generate())
    finally:
        transport.close()


def test_many_short_commands_on_one_connection_all_succeed(shell: LiveShell) -> None:
    """An answer that takes no time never overtakes the acceptance of its own command."""
    answers = {shell.run("node-1", base("ID"))["ID"].text for _ in range(100)}
    assert answers == {"node-1\n"}
