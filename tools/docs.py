"""Writes every page that the code can write itself; ``--check`` fails when a committed page is stale.

docs/checks/CODE.md and its index, docs/commands.md, docs/settings.md, docs/rights.md, .env.example, the ClusterRole of
the chart, manifest.json.
"""

from __future__ import annotations

import sys
from collections.abc import Iterator
from pathlib import Path
from typing import get_args

from pydantic import BaseModel
from pydantic_core import PydanticUndefined

from bot import ask, collector
from bot import check as checks
from bot.check import Check
from bot.config import ENVIRONMENT, Cluster, Settings
from bot.edges import LINKS
from bot.model.command import Argument, Command
from bot.model.rows import rows
from bot.rights import ALWAYS, cluster_role
from bot.rows import matches
from bot.slack.manifest import manifest
from handlers import COMMANDS

ROOT = Path(__file__).resolve().parent.parent
NOTE = "<!-- Written by tools/docs.py from the code; edit the code, then run `make docs`. -->\n"
RIGHTS = """Only `get` and `list`. The chart's ClusterRole is the union of these lines and of what is read beside them:
{outside} (the API server's clock, the address of a node before SSH).

A test serves clusters that allow this and nothing else, and asks every question; another takes away one right at a
time: what is missing is named with the rule to add."""


def pages() -> Iterator[tuple[str, str]]:
    """Every generated file: path below the repository, and content."""
    known = checks.load()
    for item in known.values():
        yield f"docs/checks/{item.code}.md", check_page(item)
    yield "docs/checks/README.md", check_index(known)
    yield "docs/commands.md", commands_page()
    yield "docs/settings.md", settings_page()
    yield "docs/rights.md", rights_page()
    yield ".env.example", env_example()
    yield "helm/kubewhy/templates/clusterrole.yaml", cluster_role(collector.load(), templated=True)
    yield "manifest.json", manifest(COMMANDS)


def check_page(item: Check) -> str:
    """The page of one check: its docstring, what it needs, its edges."""
    row = rows()[item.code]
    summary, _, body = item.page.partition("\n")
    commands = ", ".join(f"`/{c.name}`" for c in COMMANDS if matches(item.code, c.owns + c.runs))
    needs = [f"- {n.type.words or n.type.__name__}{'' if n.required else ' (optional)'}" for n in item.needs]
    return "\n".join(
        [
            f"{NOTE}# {item.code}: {row.title}",
            "",
            f"The cluster has **{item.slug.replace('_', ' ')}**. {summary}",
            "",
            f"Usual severity: {row.severity.value}. Shown by: {commands or 'no command yet'}.",
            "",
            *_headed(body),
            "## What it needs",
            "",
            *needs,
            "",
            "## Cause and effect",
            "",
            *_edges(item.code),
            "",
        ]
    )


def _headed(body: str) -> list[str]:
    """The docstring with its headings as Markdown headings, its text unindented."""
    lines: list[str] = []
    for line in body.splitlines():
        if line.rstrip(":") in checks.HEADINGS and line.endswith(":"):
            lines += [f"## {line[:-1]}", ""]
        else:
            lines.append(line.removeprefix("    "))
    return [*"\n".join(lines).strip().splitlines(), ""]


def _edges(code: str) -> list[str]:
    causes = [f"- {e.type.value}: [{e.effect}]({e.effect}.md)" for e in LINKS if e.cause == code]
    effects = [f"- {e.type.value} it: [{e.cause}]({e.cause}.md)" for e in LINKS if e.effect == code]
    linked = [_unlinked(line) for line in dict.fromkeys(causes + effects)]
    return linked or ["- none: the row is an answer of its own"]


def _unlinked(line: str) -> str:
    """Rows without a check have no page yet."""
    code = line.partition("[")[2].partition("]")[0]
    return line if code in checks.load() else f"{line.partition('[')[0]}{code} ({rows()[code].title})"


def check_index(known: dict[str, Check]) -> str:
    """All checks in a table."""
    lines = [f"{NOTE}# Checks", "", "| code | what | severity | commands |", "|---|---|---|---|"]
    for item in known.values():
        commands = ", ".join(c.name for c in COMMANDS if matches(item.code, c.owns + c.runs))
        row = rows()[item.code]
        lines.append(f"| [{item.code}]({item.code}.md) | {row.title} | {row.severity.value} | {commands} |")
    return "\n".join(lines) + "\n"


def commands_page() -> str:
    """The command reference, the same words as /help."""
    lines = [
        f"{NOTE}# Commands",
        "",
        "In Slack with a slash, on the terminal after `kubewhy`.",
        "`key=value`, `--key value` and bare switches mean the same.",
        "",
    ]
    for command in COMMANDS:
        lines += _command(command)
    lines += ["## Options of every command", "", "| option | value | meaning |", "|---|---|---|"]
    lines += [f"| `{o.name}` | {_value(o.type)} | {o.help} |" for o in ask.COMMON]
    return "\n".join(lines) + "\n"


def _command(command: Command) -> list[str]:
    target = f" {command.target_name.upper()}" if command.target else ""
    target = target if command.target_required or not target else f" [{target.strip()}]"
    lines = [f"## /{command.name}{target}", "", f"{command.symptom}", ""]
    if command.options:
        lines += ["| option | value | meaning |", "|---|---|---|"]
        lines += [f"| `{o.name}` | {_value(o.type)} | {o.help} |" for o in command.options]
        lines.append("")
    lines += ["```", *(f"/{example.lstrip('/')}" for example in command.examples), "```", ""]
    owned = [c for c in checks.load() if matches(c, command.owns)]
    lines += [f"Rows it owns: {', '.join(f'[{c}](checks/{c}.md)' for c in owned)}.", ""]
    return lines


def _value(kind: Argument) -> str:
    return "(switch)" if kind is Argument.SWITCH else kind.value


def settings_page() -> str:
    """Every setting of kubewhy.yaml with its type, default and meaning."""
    lines = [f"{NOTE}# Settings", "", "`kubewhy.yaml`; the environment wins over the file.", ""]
    lines += ["| key | default | meaning |", "|---|---|---|", *_rows(Settings, "")]
    lines += [
        "",
        "## A cluster (`clusters.NAME`)",
        "",
        "| key | default | meaning |",
        "|---|---|---|",
        *_rows(Cluster, ""),
    ]
    return "\n".join(lines) + "\n"


def _rows(model: type[BaseModel], prefix: str) -> Iterator[str]:
    for name, field in model.model_fields.items():
        inner = [
            t
            for t in (field.annotation, *get_args(field.annotation))
            if isinstance(t, type) and issubclass(t, BaseModel)
        ]
        if inner and inner[0] is not Cluster:
            nested = (
                "NAME."
                if str(field.annotation).startswith("dict")
                else "[]."
                if str(field.annotation).startswith("list")
                else ""
            )
            yield from _rows(inner[0], f"{prefix}{name}.{nested}")
            continue
        default = _default(field.get_default(call_default_factory=True), name)
        yield f"| `{prefix}{name}` | {default} | {field.description} |"


def _default(value: object, name: str) -> str:
    if name == "state":
        return "`$XDG_STATE_HOME/kubewhy`"
    if value in (PydanticUndefined, None, "", [], {}):
        return "(none)"
    return f"`{str(value).lower() if isinstance(value, bool) else value}`"


def env_example() -> str:
    """Every environment variable, commented, with its meaning."""
    lines = ["# Copy to .env and fill in what you use. Written by tools/docs.py.", ""]
    slack = Settings.model_fields["slack"].annotation
    assert isinstance(slack, type) and issubclass(slack, BaseModel)  # noqa: PT018 - one fact
    for name, variables in ENVIRONMENT.items():
        lines += [f"# {slack.model_fields[name].description}", f"#{variables[0]}=", ""]
    lines += ["# the settings file", "#KUBEWHY_CONFIG=kubewhy.yaml", ""]
    for name in ("state", "lang", "database_url", "retention_days", "timeout", "default_cluster"):
        lines += [f"# {Settings.model_fields[name].description}", f"#KUBEWHY_{name.upper()}=", ""]
    lines += ["# proxies are honoured", "#HTTPS_PROXY=", "#NO_PROXY="]
    return "\n".join(lines) + "\n"


def rights_page() -> str:
    """What is read from the cluster, by which collector."""
    outside = ", ".join(f"`{right}`" for right in ALWAYS)
    lines = [f"{NOTE}# Rights", "", *RIGHTS.format(outside=outside).splitlines(), ""]
    lines += ["| evidence | needs |", "|---|---|"]
    for item in sorted(collector.load(), key=lambda c: c.name):
        if item.rights:
            words = ", ".join(dict.fromkeys(kind.words or kind.__name__ for kind in item.provides))
            lines.append(f"| {words} | {', '.join(f'`{right}`' for right in item.rights)} |")
    return "\n".join(lines) + "\n"


def main() -> int:
    """Write, or with ``--check`` compare; the exit code says whether something is stale."""
    wanted = {ROOT / name: text for name, text in pages()}
    stale = [p for p, text in wanted.items() if not p.exists() or p.read_text("utf-8") != text]
    orphans = [p for p in (ROOT / "docs" / "checks").glob("*.md") if p not in wanted]
    if "--check" in sys.argv:
        for path in stale + orphans:
            print(f"stale: {path.relative_to(ROOT)} (run `make docs`)")  # noqa: T201 - a tool's output
        return 1 if stale or orphans else 0
    for path in orphans:
        path.unlink()
    for path in stale:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_text(wanted[path], "utf-8")
    return 0


if __name__ == "__main__":
    sys.exit(main())
