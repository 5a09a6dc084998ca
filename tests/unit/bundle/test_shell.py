"""Recorded nodes answer sections and command lines, whatever tool recorded them; what was not recorded is absent."""

import json
import time
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bot.bundle.lookup import NodeCommands
from bot.bundle.script import Script
from bot.bundle.shell import why_unreachable
from bot.collect.sections import base, section
from bot.errors import Kind, SourceError

SHOW = "MainPID=76\nResult=success\nId=kubelet.service\nLoadState=loaded\nActiveState=active\nSubState=running\n"
STATUS = """\
× containerd.service - containerd container runtime
     Loaded: loaded (/lib/systemd/system/containerd.service; enabled; preset: enabled)
     Active: failed (Result: exit-code) since Sat 2026-11-21 03:12:08 UTC; 1h 40min ago
    Process: 812 ExecStart=/usr/bin/containerd (code=exited, status=1/FAILURE)
   Main PID: 812 (code=exited, status=1/FAILURE)
"""
RESTARTING = """\
● kubelet.service - kubelet
     Loaded: loaded (/lib/systemd/system/kubelet.service; enabled; vendor preset: enabled)
     Active: activating (auto-restart) (Result: exit-code) since Sat 2026-11-21 03:59:50 UTC; 4s ago
   Main PID: 9 (code=exited, status=1/FAILURE)
"""


def test_a_section_is_answered_by_its_key_then_by_its_command(node: Any) -> None:
    """The key wins; without one, sudo, timeout, env, paths and crictl's own time limit do not matter."""
    shell = node(
        [
            {"key": "ID", "command": "whatever", "stdout": "by key\n"},
            {"command": "LC_ALL=C sudo /usr/bin/timeout 9 /usr/local/bin/crictl info", "stdout": "{}\n"},
            {"command": "sudo -n conntrack -S", "exit": 1, "stderr": "sudo: a password is required\n"},
        ]
    )
    got = shell.run("node-3", base("ID", "CRI", "CTSTAT", "DISK"))
    assert {"ID": "by key\n", "CRI": "{}\n"} == {k: v.text for k, v in got.items() if not v.denied}
    assert got["CTSTAT"].denied
    assert "DISK" not in got


def test_a_compound_is_put_together_from_what_was_recorded(node: Any) -> None:
    """``a; b`` from single entries, ``a || b`` as the shell would choose; an unrecorded part says nothing."""
    shell = node(
        [
            {"command": "hostname", "stdout": "node-3\n"},
            {"command": "uname -r", "stdout": "6.1\n"},
            {"command": "timedatectl", "stdout": "Local time: …\n"},
            {"command": "chronyc -c tracking", "exit": 127, "stderr": "not found\n"},
            {"command": "ntpq -pn", "stdout": "remote refid\n"},
        ]
    )
    got = shell.run("node-3", base("ID", "TIME"))
    assert got["ID"].text == "node-3\n6.1\n"
    assert ("Local time: …\nnot found\nremote refid\n", 0) == (got["TIME"].text, got["TIME"].rc)


def test_a_pipe_is_matched_as_a_whole_or_filtered_from_its_source(node: Any) -> None:
    """Filters that are understood are applied; with one that is not, nothing is claimed."""
    shell = node([{"command": "docker ps", "stdout": "a\nb\nc\n"}, {"command": "x | y", "stdout": "whole\n"}])
    line = shell.node("node-3").line
    assert line("sudo -n docker ps | head -2").stdout == "a\nb\n"
    assert line("docker ps | wc -l").stdout == "3\n"
    assert ("2\n", 0) == (line("docker ps | grep -Ec 'a|b'").stdout, line("docker ps | grep -Ec 'a|b'").exit)
    assert line("docker ps | sort -r | head -1").stdout == "c\n"
    assert line("x | y").stdout == "whole\n"
    assert line("docker ps | awk '{print $2}'") is None


def test_units_come_from_whatever_systemctl_recorded(node: Any) -> None:
    """``show`` of one unit and ``status`` of another make the UNITS section, and answer single questions."""
    shell = node(
        [
            {"command": "systemctl show kubelet", "stdout": SHOW},
            {"command": "systemctl status containerd", "exit": 3, "stdout": STATUS},
        ]
    )
    text = shell.run("node-3", base("UNITS"))["UNITS"].text
    assert "MainPID=76\nResult=success\nId=kubelet.service" in text
    assert "Result=exit-code\nExecMainCode=1\nExecMainStatus=1\nId=containerd.service" in text
    assert "ActiveState=failed\nSubState=failed" in text
    line = shell.node("node-3").line
    assert line("systemctl show kubelet -p MainPID --value").stdout == "76\n"
    assert (3, "failed\n") == (
        line("systemctl is-active containerd").exit,
        line("systemctl is-active containerd").stdout,
    )
    assert line("systemctl status etcd") is None


def test_a_status_that_is_about_to_restart_is_read_in_full(node: Any) -> None:
    """Both brackets of ``activating (auto-restart) (Result: exit-code)``."""
    shell = node([{"command": "systemctl status kubelet", "exit": 3, "stdout": RESTARTING}])
    text = shell.run("node-3", base("UNITS"))["UNITS"].text
    assert "ActiveState=activating\nSubState=auto-restart" in text
    assert "MainPID=0\nResult=exit-code\nExecMainCode=1" in text


def test_the_journal_of_a_unit_answers_in_order_and_form(node: Any) -> None:
    """KLOG is newest first; a person who asks for text gets text, oldest first."""
    shell = node(
        [
            {"command": "journalctl -u kubelet --no-pager", "stdout": "old\nnew\n"},
            {"key": "RTLOG", "stdout": '{"__REALTIME_TIMESTAMP": "1795233600000000", "MESSAGE": "hi", "_PID": "7"}\n'},
        ]
    )
    assert shell.run("node-3", [section("KLOG", lines="400", since="-30min")])["KLOG"].text == "new\nold\n"
    line = shell.node("node-3").line
    assert line("sudo journalctl -u kubelet -n 1").stdout == "new\n"
    assert line("journalctl -u kubelet -u crio -g x") is None
    asked = line("journalctl -u containerd -u crio -u docker -o short-iso")
    assert asked.stdout == "2026-11-21T04:00:00+0000 node-3 containerd[7]: hi\n"


@pytest.mark.parametrize(
    ("exit_code", "stderr", "expected"),
    [
        (0, "Connection to 10.0.0.1 443 port [tcp/https] succeeded!", "rc=0\n"),
        (1, "nc: connect to 10.0.0.1 port 443 (tcp) failed: Connection refused", "Connection refused\nrc=1\n"),
        (1, "nc: connect to 10.0.0.1 port 443 (tcp) failed: No route to host", "No route to host\nrc=1\n"),
        (1, "nc: connect to 10.0.0.1 port 443 (tcp) timed out", "rc=124\n"),
    ],
)
def test_a_connection_that_nc_tried_answers_the_tcp_section(
    node: Any, exit_code: int, stderr: str, expected: str
) -> None:
    """The outcome is the same fact, in the section's own form."""
    shell = node([{"command": "nc -zv -w 3 10.0.0.1 443", "exit": exit_code, "stderr": stderr}])
    asked = section("TCP", host="10.0.0.1", port="443")
    assert shell.run("node-3", [asked])[asked.key].text.endswith(expected)
    assert {} == shell.run("node-3", [section("TCP", host="10.0.0.2", port="443")])


def test_dig_on_a_node_is_answered_from_what_that_node_was_told(node: Any) -> None:
    """dns.json of ``node/node-3`` answers DIG there, silence included; what the bot was told does not."""
    entry = {"server": "10.96.0.10", "name": "example.com.", "type": "A"}
    shell = node(
        [],
        [
            entry | {"from": "node/node-3", "rcode": "NOERROR", "answers": ["203.0.113.9"], "ms": 3},
            entry | {"from": "node/node-3", "server": "10.0.0.2", "rcode": "timeout"},
            entry | {"from": "bot", "server": "10.0.0.3", "rcode": "NOERROR"},
        ],
    )
    asked = [section("DIG", server=f"10.{a}", name="example.com", type="A") for a in ("96.0.10", "0.0.2", "0.0.3")]
    got = shell.run("node-3", asked)
    assert "status: NOERROR" in got[asked[0].key].text
    assert "IN\tA\t203.0.113.9" in got[asked[0].key].text
    assert (9, True) == (got[asked[1].key].rc, "no servers could be reached" in got[asked[1].key].text)
    assert asked[2].key not in got


def test_a_row_of_several_commands_answers_each_of_them(node: Any) -> None:
    """JSON documents after one another are told apart; several entries of one key are each their own command's."""
    shell = node(
        [
            {
                "key": "CRI",
                "command": "sudo -n crictl --timeout 8s info; sudo -n crictl ps -a -o json; ls -l /run/x.sock",
                "stdout": '{"status": {}}\n{"containers": []}\nsrw /run/x.sock\n',
            },
            {"key": "DISK", "command": "df -PT -B1 -x tmpfs -x overlay -x squashfs", "stdout": "blocks\n"},
            {"key": "DISK", "command": "df -Pi -x tmpfs -x overlay -x squashfs", "stdout": "inodes\n"},
            {"key": "IPT", "command": "sudo iptables -S FORWARD; sudo nft list tables", "stdout": "-P FORWARD DROP\n"},
        ]
    )
    got = shell.run("node-3", base("CRI", "CRI_PS", "CRI_PODS", "DISK", "IPT"))
    assert {k: v.text for k, v in got.items()} == {
        "CRI": '{"status": {}}\n',
        "CRI_PS": '{"containers": []}\n',
        "DISK": "blocks\ninodes\n",
        "IPT": "-P FORWARD DROP\n",
    }
    assert shell.node("node-3").line("ls -l /run/x.sock").stdout == "srw /run/x.sock\n"


def test_a_row_of_several_commands_is_told_apart_in_time_however_long_it_is(node: Any) -> None:
    """Thousands of containers are megabytes; telling them apart once took half a minute."""
    listed = json.dumps({"containers": [{"id": str(n), "labels": {"app": "web"}} for n in range(20_000)]}, indent=1)
    began = time.monotonic()
    command = "sudo -n crictl info; sudo -n crictl ps -a -o json; sudo -n crictl pods -o json"
    shell = node([{"key": "CRI", "command": command, "stdout": f'{{"status": {{}}}}\n{listed}\n{{"items": []}}\n'}])
    assert shell.run("node-3", base("CRI_PODS"))["CRI_PODS"].text == '{"items": []}\n'
    assert time.monotonic() - began < 5


def test_a_file_is_not_answered_with_another_file_of_the_same_key(node: Any) -> None:
    """HOSTLOGS of one path says nothing about another; how many lines were asked for does not matter."""
    shell = node(
        [
            {"key": "HOSTLOGS", "command": "sudo -n tail -n 200 /var/log/a.log", "stdout": "a\n"},
            {"key": "KLOG", "command": "sudo -n journalctl -u kubelet -n 100", "stdout": "k\n"},
        ]
    )
    assert shell.run("node-3", [section("HOSTLOGS", file="/var/log/a.log")])["HOSTLOGS"].text == "a\n"
    assert {} == shell.run("node-3", [section("HOSTLOGS", file="/var/log/b.log")])
    assert shell.run("node-3", [section("KLOG", lines="400", since="-30min")])["KLOG"].text == "k\n"


def test_nesting_without_end_ends() -> None:
    """A script that captures a script that captures a script."""
    commands = NodeCommands("node-3", (), lambda _: None)
    assert Script(commands).run("x=$(" * 400 + ")" * 400).exit == 0


@given(st.text(alphabet="ab'\"$(){};|&\\ \n=<>?#`", max_size=40))
def test_no_text_upsets_the_reader_of_shell_text(text: str) -> None:
    """Whatever is typed at a recorded node is answered; nothing recorded, nothing claimed."""
    commands = NodeCommands("node-3", (), lambda _: None)
    assert commands.line(text) is None
    assert isinstance(Script(commands).run(text).exit, int)


@pytest.mark.parametrize(
    ("words", "kind"),
    [
        ("connection refused", Kind.REFUSED),
        ("ssh: connect to host 10.0.0.7 port 22: Connection timed out", Kind.TIMED_OUT),
        ("timeout", Kind.TIMED_OUT),
        ("No route to host", Kind.UNREACHABLE),
        ("Host key verification failed.", Kind.HOST_KEY_UNKNOWN),
        ("REMOTE HOST IDENTIFICATION HAS CHANGED", Kind.HOST_KEY_CHANGED),
        ("the host key of node-3 differs", Kind.HOST_KEY_CHANGED),
        ("Permission denied (publickey).", Kind.AUTHENTICATION),
        ("Connection reset by peer", Kind.RESET),
    ],
)
def test_the_words_of_a_failed_login_have_a_kind(words: str, kind: Kind) -> None:
    """As OpenSSH and people write them."""
    assert kind == why_unreachable(words)


def test_a_node_of_which_nothing_was_recorded_is_not_recorded(node: Any) -> None:
    """Never an empty answer, never a failure of the node."""
    with pytest.raises(SourceError) as caught:
        node([]).run("node-9", base("ID"))
    assert Kind.NOT_RECORDED == caught.value.kind


def test_a_framing_script_of_another_tool_is_answered(node: Any) -> None:
    """printf, variables, ``$?``, head -c around recorded commands; an unrecorded one is like a missing program."""
    commands = node([{"command": "df -P", "exit": 1, "stdout": "full\n"}]).node("node-3")
    script = """
out=$(timeout 5 df -P 2>&1); rc=$?
printf '\\n@@BEGIN DISK\\n'; printf '%s' "$out" | head -c 65536; printf '\\n@@END DISK rc=%s\\n' "$rc"
printf '\\n@@BEGIN X\\n'; timeout 3 nothing-recorded 2>&1 | head -c 10; printf '\\n@@END X rc=%s\\n' "$?"
"""
    said = Script(commands).run(script)
    assert "\n@@BEGIN DISK\nfull\n@@END DISK rc=1\n" in said.stdout
    assert "@@END X rc=127" in said.stdout
    assert "not recorded: timeout 3 nothing-recorded" in said.stderr
