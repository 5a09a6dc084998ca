"""The plan: what would be read, before anything is."""

from __future__ import annotations

import pytest

from bot.app import commands, plan
from bot.ask import parse


@pytest.mark.parametrize("name", sorted(commands()))
def test_every_command_has_a_plan_that_names_its_rights(name: str) -> None:
    """With its own first example."""
    words = commands()[name].examples[0].removeprefix("/").removeprefix(name).strip()
    text = plan(parse(words, name, commands()))
    assert text.startswith(f"/{name}")
    assert "API requests\n" in text
    assert "  list nodes" in text or "  get" in text


def test_without_ssh_no_command_is_planned_for_a_node() -> None:
    """``no-ssh`` takes the whole part away."""
    told, without = (plan(parse(f"node-3{more}", "node-why", commands())) for more in ("", " no-ssh"))
    assert [True, False] == ["over SSH" in text for text in (told, without)]
    assert "systemctl" in told


def test_a_plan_asks_for_no_secret_and_no_write() -> None:
    """Rights in the plan are of reading only."""
    for name, command in commands().items():
        words = command.examples[0].removeprefix("/").removeprefix(name).strip()
        text = plan(parse(words, name, commands()))
        rights = text.partition("API requests\n")[2].partition("\n\n")[0].splitlines()
        verbs = {line.split()[0] for line in rights if line.strip()}
        assert verbs <= {"get", "list", "watch", "create"}
        assert not any("secrets" in line or "exec" in line for line in rights)
