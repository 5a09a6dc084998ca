"""The table of node commands: nothing but validated values reaches a shell."""

from __future__ import annotations

import re

import pytest

from bot.collect.commands import TABLE
from bot.collect.sections import VALID, section

HOSTILE = ("2; rm -rf /", "$(id)", "`id`", "a b", "-rf", "x\ny", "../etc/shadow", "'", '"', "", "a|b", "${IFS}")
GOOD = {
    "DST": "fd00::7",
    "PODIP": "10.244.1.2",
    "SERVER": "10.96.0.10",
    "HOST": "example.com",
    "NAME": "_dns._udp.example.com.",
    "TYPE": "A",
    "PORT": "6443",
    "PID": "812",
    "TABLE": "2",
    "IFACE": "eth1",
    "LINES": "400",
    "SINCE": "@1795260012",
    "CONTAINER": "a" * 64,
    "COMPONENT": "etcd",
    "RESOLVCONF": "/var/lib/containerd/sandboxes/a/resolv.conf",
    "FILE": "/etc/kubernetes/pki/ca.crt",
    "FILES": "/etc/a /etc/b",
    "ENDPOINT": "[fd00::7]:6443",
}


@pytest.mark.parametrize("name", sorted(VALID))
@pytest.mark.parametrize("value", HOSTILE)
def test_hostile_values_are_refused(name: str, value: str) -> None:
    """No parameter takes a value that a shell would act on."""
    accepted = VALID[name](value)
    assert not (accepted and re.search(r"[;|&$`'\"<>\n\\(){}*?!#~]", value))
    assert not (accepted and (not value or value.startswith("-r")))


@pytest.mark.parametrize("key", sorted(TABLE))
def test_every_command_can_be_made(key: str) -> None:
    """Every parameter of the table has a form, and every placeholder is filled in."""
    values = {name.lower(): GOOD[name] for name in TABLE[key].parameters if name in GOOD}
    made = section(key, **{n.lower(): values.get(n.lower(), GOOD.get(n, "x")) for n in TABLE[key].parameters})
    assert re.search(r"<[A-Z]{3,}>", made.command) is None
    assert made.key.partition(":")[0] == key


@pytest.mark.parametrize("key", sorted(TABLE))
def test_commands_that_need_root_stand_alone(key: str) -> None:
    """One refusal of sudo must not take an unprivileged answer with it."""
    assert TABLE[key].root == ("sudo -n" in TABLE[key].text)


def test_a_missing_or_superfluous_value_is_an_error() -> None:
    """The call says what the command takes."""
    with pytest.raises(ValueError, match="RULES_T takes TABLE, not nothing"):
        section("RULES_T")
    with pytest.raises(ValueError, match="ID takes nothing, not TABLE"):
        section("ID", table="2")
    with pytest.raises(ValueError, match="is no valid table"):
        section("RULES_T", table="2; reboot")


@pytest.mark.parametrize("key", sorted(TABLE))
def test_nothing_in_the_table_writes(key: str) -> None:
    """No command changes a node, and none writes a file."""
    text = re.sub(r"'[^']*'|<[A-Z]{3,}>|2>&1|2?>\s*/dev/null", "", TABLE[key].text)
    forbidden = r"\b(rm|mv|cp|tee|kill|mkdir|touch|chmod|systemctl (start|stop|restart|reload)|sysctl -w|sed -i)\b|>"
    assert re.search(forbidden, text) is None
