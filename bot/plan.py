"""What a diagnosis would read, before anything is read (``--plan``): for those who must say yes first."""

from __future__ import annotations

from collections.abc import Mapping

from bot import check as checks
from bot import collector as collectors
from bot.collect.commands import TABLE
from bot.gather import types_needed
from bot.model.command import Command, Question
from bot.rows import wanted


def plan(question: Question, commands: Mapping[str, Command]) -> str:
    """The plan as text: API requests by right, node commands with their time limit, DNS questions."""
    command = commands[question.command]
    known = collectors.load()
    chosen = wanted(checks.load(), command, question)
    needed = types_needed(chosen, command, known)
    used = sorted((c for c in known if needed.intersection(c.provides)), key=lambda c: c.name)
    senses = {source for c in used for _, source in c.sources}
    lines = [f"/{command.name} {question.target}".rstrip(), f"checks: {len(chosen)}", "", "API requests"]
    rights = sorted({str(right) for c in used for right in c.rights})
    lines += [f"  {right}" for right in rights]
    if "shell" in senses and "no-ssh" not in question.options:
        lines += ["", "Commands on the nodes that look suspicious, over SSH, in at most three round trips a node"]
        lines += [
            f"  {key:<12}{'root  ' if spec.root else '      '}{spec.timeout:>3} s  {_one_line(spec.text)}"
            for key, spec in TABLE.items()
        ]
    if "resolver" in senses:
        target = question.target or "kubernetes.default"
        lines += [
            "",
            "DNS questions",
            f"  {target}, and names of the cluster: at the DNS Service, its pods, their upstreams",
        ]
    if "prober" in senses:
        lines += ["", "Connection attempts", "  to the addresses above, without sending anything"]
    return "\n".join(lines)


def _one_line(text: str) -> str:
    flat = " ".join(text.split())
    return flat if len(flat) <= 140 else f"{flat[:137]}..."  # noqa: PLR2004 - a wide terminal
