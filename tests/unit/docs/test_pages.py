"""Pages and generated files: fresh, complete, with links that lead somewhere and words that we may use."""

from __future__ import annotations

import json
import re
import shlex
import subprocess
import tomllib
from collections.abc import Iterator
from pathlib import Path

import pytest
from pydantic import BaseModel
from typer.main import get_group

from bot import ask
from bot.check import load
from bot.cli import application
from bot.config import ENVIRONMENT, Cluster, Settings
from bot.model.rows import rows
from handlers import COMMANDS
from tools import docs

ROOT = Path(__file__).resolve().parents[3]
WRITTEN = [
    *("README.md", "SECURITY.md", "CONTRIBUTING.md", "CHANGELOG.md"),
    *(f"docs/{name}.md" for name in ("README", "architecture", "why", "install", "slack", "nodes", "scenarios")),
]
LINK = re.compile(r"\[[^\]]*\]\(([^)\s]+)\)")
FENCE = re.compile(r"```(?:sh|console)?\n(.*?)```", re.DOTALL)
# What a public repository must not speak of: where it was built, and whose mirror was used.
REGISTRIES = (
    r"pypi\.org",
    r"pythonhosted",
    r"npmjs",
    r"proxy\.golang",
    r"files\.python",
    r"(?<![*\w])/work/",
    r"/opt/kw",
    r"catalogue\.md",
)
FORBIDDEN = re.compile("|".join(REGISTRIES), re.IGNORECASE)


def text(name: str) -> str:
    """A page."""
    return (ROOT / name).read_text("utf-8")


def anchors(page: str) -> set[str]:
    """The headings of a page as a link names them."""
    heads = re.findall(r"^#+ (.+)$", page, re.MULTILINE)
    return {re.sub(r"[^\w\- ]", "", head.lower()).replace(" ", "-") for head in heads}


def tracked() -> list[str]:
    """Files of the repository, those not yet added included."""
    command = ["git", "ls-files", "--cached", "--others", "--exclude-standard"]
    listed = subprocess.run(command, cwd=ROOT, check=True, capture_output=True, text=True).stdout.splitlines()
    return [name for name in listed if (ROOT / name).is_file()]


def test_generated_files_are_fresh() -> None:
    """``make docs`` writes them."""
    stale = [n for n, wanted in docs.pages() if not (ROOT / n).is_file() or text(n) != wanted]
    assert stale == []


def test_no_page_is_left_of_a_check_that_is_gone() -> None:
    """Pages of checks are those of the code."""
    pages = {path.stem for path in (ROOT / "docs" / "checks").glob("*.md")} - {"README"}
    assert set(load()) == pages


@pytest.mark.parametrize("name", WRITTEN)
def test_links_lead_somewhere(name: str) -> None:
    """Files exist, and so do the headings that a link names."""
    broken = []
    for target in LINK.findall(text(name)):
        if target.startswith(("http://", "https://")):
            continue
        path, _, anchor = target.partition("#")
        at = (ROOT / name).parent / path if path else ROOT / name
        if not at.exists() or (anchor and anchor not in anchors(at.read_text("utf-8"))):
            broken.append(target)
    assert broken == []


def test_every_page_is_in_the_index() -> None:
    """docs/README.md names each page of docs/."""
    index = text("docs/README.md")
    pages = [p.name for p in (ROOT / "docs").glob("*.md") if p.name != "README.md"]
    assert [name for name in pages if f"]({name})" not in index] == []


def test_every_command_is_documented() -> None:
    """With its options and examples."""
    page = text("docs/commands.md")
    wanted = [f"## /{c.name}" for c in COMMANDS] + [f"/{e.lstrip('/')}" for c in COMMANDS for e in c.examples]
    wanted += [f"| `{o.name}` |" for o in (*ask.COMMON, *(o for c in COMMANDS for o in c.options))]
    assert [words for words in wanted if words not in page] == []


def keys(model: type[BaseModel]) -> Iterator[str]:
    """The last part of each key, with that of nested settings."""
    for name, field in model.model_fields.items():
        yield name
        assert field.description, f"{model.__name__}.{name} has no description"


@pytest.mark.parametrize("model", [Settings, Cluster])
def test_every_setting_is_documented(model: type[BaseModel]) -> None:
    """With a default and a meaning."""
    page = text("docs/settings.md")
    assert [key for key in keys(model) if not re.search(rf"`([\w.\[\]]*\.)?{key}[`.\[]", page)] == []


def test_every_variable_is_in_the_example() -> None:
    """Commented out, so that a copy sets nothing."""
    example = text(".env.example")
    names = {name for names in ENVIRONMENT.values() for name in names} | {"KUBEWHY_CONFIG", "KUBEWHY_STATE"}
    assert [name for name in sorted(names) if f"\n#{name}=" not in example] == []
    assert [line for line in example.splitlines() if line and not line.startswith("#")] == []


def shell_lines(name: str) -> Iterator[str]:
    """Commands of the fenced blocks, without comments."""
    for block in FENCE.findall(text(name)):
        for line in block.splitlines():
            yield re.sub(r"\s{2,}#.*$", "", line.removeprefix("$ ")).strip()


def invocations() -> list[tuple[str, str]]:
    """Every ``kubewhy …`` in the pages, in blocks and in backquotes."""
    found = []
    for name in WRITTEN:
        inline = re.findall(r"`([^`\n]+)`", re.sub(r"```.*?```", "", text(name), flags=re.DOTALL))
        for line in [*shell_lines(name), *inline]:
            match = re.match(r"^(?:\S*/)?(?:kubewhy|kubectl why) ([a-z][\w-]*.*|--.+)$", line.strip())
            if match:
                found.append((name, match.group(1)))
    return found


def test_pages_name_commands_that_exist() -> None:
    """A command in a page can be typed."""
    group = get_group(application)
    known = set(group.commands) | {"help", "COMMAND"}
    assert invocations() != []
    unknown = {(page, words) for page, words in invocations() if words.split()[0].strip("…") not in known}
    flags = {option for parameter in group.params for option in parameter.opts} | {"--install-completion"}
    assert {(p, w) for p, w in unknown if w.split()[0] not in flags and w.strip() not in {"", "…"}} == set()


def test_questions_in_pages_can_be_parsed() -> None:
    """Targets, options and values of every example in the pages are understood."""
    table = {c.name: c for c in COMMANDS}
    for page, words in invocations():
        name, *rest = shlex.split(words)
        if name in table and not any(w in {"-o", "--context", "--plan", "help"} for w in rest):
            ask.question(rest, table[name])
            assert page


def test_make_targets_in_pages_exist() -> None:
    """``make demo`` and the others."""
    targets = set(re.findall(r"^([a-z-]+):", text("Makefile"), re.MULTILINE))
    named = {
        t
        for name in WRITTEN
        for t in re.findall(r"`?\bmake ([a-z-]+)`|^make ([a-z-]+)", text(name), re.MULTILINE)
        for t in t
    }
    assert {name for name in named if name} - targets == set()


def test_rows_in_pages_exist() -> None:
    """A code in a page is a row, and one in the changelog has a check."""
    code = re.compile(r"\b[A-Z]{2,}-\d{2}\b")
    known = set(rows())
    assert [(n, c) for n in WRITTEN for c in code.findall(text(n)) if c not in known] == []
    assert [c for c in code.findall(text("CHANGELOG.md")) if c not in load()] == []


def test_the_architecture_page_shows_the_layers_that_are_enforced() -> None:
    """The same names in the same order as in pyproject.toml."""
    contracts = tomllib.loads(text("pyproject.toml"))["tool"]["importlinter"]["contracts"]
    enforced = next(c["layers"] for c in contracts if c["type"] == "layers")
    block = text("docs/architecture.md").partition("<!-- layers")[2].partition("<!-- /layers")[0]
    shown = re.findall(r"^\| (`[^|]+`) \|", block, re.MULTILINE)
    assert [layer.split(" | ") for layer in enforced] == [re.findall(r"`([^`]+)`", line) for line in shown]


def test_slack_scopes_are_explained() -> None:
    """docs/slack.md has a line for each scope of the manifest."""
    block = text("docs/slack.md").partition("| scope |")[2].partition("\n\n")[0]
    first = [line.split("|")[1] for line in block.splitlines() if line.startswith("| `")]
    asked_for = json.loads(text("manifest.json"))["oauth_config"]["scopes"]["bot"]
    assert set(asked_for) == {scope for cell in first for scope in re.findall(r"`([^`]+)`", cell)}


def test_the_picture_is_small() -> None:
    """A README must open at once."""
    assert (ROOT / "docs" / "thread.png").stat().st_size < 300_000


def test_nothing_says_where_it_was_built() -> None:
    """No registry, no path of a workbench, in any file of the repository."""
    here = Path(__file__).relative_to(ROOT).as_posix()
    found = []
    for name in tracked():
        path = ROOT / name
        if name == here or path.suffix in {".png", ".mo", ".gz"} or path.stat().st_size > 2_000_000:
            continue
        match = FORBIDDEN.search(path.read_text("utf-8", "replace"))
        if match:
            found.append(f"{name}: {match.group()}")
    assert found == []
