"""The grammar of a question: forgiving to phones, strict to what it lets through."""

from __future__ import annotations

import pytest

from bot.ask import parse, seconds
from bot.errors import UsageError
from bot.model.command import Argument, Command, Option, Question
from bot.model.text import T

DNS = Command(
    name="dns-check",
    symptom=T("a name does not resolve"),
    owns=("DNS-*",),
    target=Argument.NAME,
    target_name="name",
    options=(
        Option(name="from", type=Argument.ORIGIN, help=T("the pod")),
        Option(name="expect", type=Argument.CIDR, help=T("the right answer")),
        Option(name="slow", type=Argument.SWITCH, help=T("slow")),
    ),
    examples=("dns-check example.com from=shop/web-1",),
)
NODE = Command(
    name="node-why",
    symptom=T("a node"),
    owns=("NODE-*",),
    target=Argument.NODE,
    target_name="node",
    target_required=True,
    examples=("node-why node-3",),
)
COMMANDS = {c.name: c for c in (DNS, NODE)}


def ask(text: str, command: str = "dns-check") -> Question:
    """Parse with one configured cluster."""
    return parse(text, command, COMMANDS, ("prod-eu", "staging"))


def test_key_value_and_flags_and_bare_switches_mean_the_same() -> None:
    """Both forms are the contract."""
    expected = Question(command="dns-check", target="example.com", options={"from": "shop/web-1", "slow": "true"})
    assert expected == ask("example.com from=shop/web-1 slow")
    assert expected == ask("example.com --from shop/web-1 --slow")
    assert expected == ask("example.com --from=shop/web-1 slow=true")


def test_quotes_and_dashes_from_a_phone_are_understood() -> None:
    """Curly quotes and an em dash, as mobile keyboards write them."""
    assert ask("“example.com” —from shop/web-1") == ask('"example.com" --from shop/web-1')


def test_a_misspelt_cluster_gets_the_nearest_match() -> None:
    """And nothing is run."""
    with pytest.raises(UsageError) as caught:
        ask("example.com cluster=prod-eux")
    assert caught.value.nearest == ("prod-eu",)


@pytest.mark.parametrize(
    ("text", "command"),
    [
        ("", "node-why"),
        ("node-1 node-2", "node-why"),
        ("node-1; rm -rf /", "node-why"),
        ("$(reboot)", "node-why"),
        ("../../etc/passwd", "node-why"),
        ("<!channel>", "node-why"),
        ("x" * 5000, "node-why"),
        ('"open', "node-why"),
        ("example.com expect=10.0.0.0/99", "dns-check"),
        ("example.com nonsense=1", "dns-check"),
        ("example.com --from", "dns-check"),
        ("example.com since=soon", "dns-check"),
    ],
)
def test_what_does_not_fit_is_refused_with_an_example(text: str, command: str) -> None:
    """No word that is not of its type gets any further."""
    with pytest.raises(UsageError) as caught:
        ask(text, command)
    assert caught.value.example in DNS.examples + NODE.examples


def test_an_unknown_command_gets_the_nearest_one() -> None:
    """A typo in the command's name."""
    with pytest.raises(UsageError) as caught:
        ask("node-3", "node-wy")
    assert caught.value.nearest == ("node-why",)


def test_durations_are_seconds() -> None:
    """The common options use them."""
    assert [seconds(d) for d in ("45s", "30m", "2h", "1d")] == [45, 1800, 7200, 86400]
