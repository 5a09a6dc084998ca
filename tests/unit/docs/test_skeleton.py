"""``kubewhy new-check``: what it writes is right from the start, and what it leaves to say cannot be forgotten."""

from __future__ import annotations

import ast
import re
import subprocess
import sys
from pathlib import Path

import pytest

from bot import check as checks
from bot.bundle import overlay
from bot.check import HEADINGS, load
from bot.errors import UsageError
from bot.model.rows import rows
from bot.scenario import find, read
from bot.skeleton import CHECK, COMMANDS, SILENT, write

ROOT = Path(__file__).resolve().parents[3]
SLUG = "defect_of_a_test"


def free() -> str:
    """A row without a check that a command shows."""
    return next(c for c, row in rows().items() if c not in load() and set(COMMANDS) & set(row.commands))


@pytest.fixture
def written(tmp_path: Path) -> tuple[Path, ...]:
    """The files of a new check, in an empty tree."""
    return write(tmp_path, free(), SLUG)


def test_it_writes_a_check_and_two_scenarios(written: tuple[Path, ...], tmp_path: Path) -> None:
    """Five files, and the package of a family that has none yet."""
    names = [path.relative_to(tmp_path).as_posix() for path in written]
    family, words = rows()[free()].family.lower(), SLUG.replace("_", "-")
    assert names[0] == f"bot/checks/{family}/{SLUG}.py"
    assert [n for n in names if n.endswith("expected.yaml")] == [
        f"tests/scenarios/{free()}-{words}/expected.yaml",
        f"tests/scenarios/{free()}-not-{words}/expected.yaml",
    ]


def test_the_check_passes_the_linters(written: tuple[Path, ...]) -> None:
    """Nothing has to be repaired before the first thought about the rule."""
    for command in (["check", "--no-cache"], ["format", "--check", "--no-cache"]):
        result = subprocess.run(
            [sys.executable, "-m", "ruff", *command, "--config", str(ROOT / "pyproject.toml"), str(written[0])],
            check=False,
            capture_output=True,
            text=True,
        )
        assert result.returncode == 0, result.stdout


def test_the_check_has_every_heading(written: tuple[Path, ...]) -> None:
    """The page is complete but for its words."""
    function = next(n for n in ast.parse(written[0].read_text("utf-8")).body if isinstance(n, ast.FunctionDef))
    lines = (ast.get_docstring(function) or "").splitlines()
    assert [line[:-1] for line in lines if line[:-1] in HEADINGS] == list(HEADINGS)


def test_the_scenarios_can_be_read(written: tuple[Path, ...]) -> None:
    """One expects the row, the other its silence; both bundles open."""
    positive, silent = (read(path.parent) for path in written if path.name == "expected.yaml")
    assert [x.code for x in positive.find] == [free()]
    assert list(silent.silent) == [free()]
    assert positive.bundle().text(overlay.FILE) is None
    assert silent.bundle().nodes() == positive.bundle().nodes()


def test_a_family_without_a_package_gets_one(tmp_path: Path) -> None:
    """A first check of a family needs no further file."""
    write(tmp_path, free(), SLUG)
    assert (tmp_path / "bot" / "checks" / rows()[free()].family.lower() / "__init__.py").is_file()


@pytest.mark.parametrize(
    ("code", "slug", "words"),
    [
        ("NODE-99", SLUG, "no row of the catalogue"),
        ("NODE-04", SLUG, "has a check already"),
        ("", "check_the_node", "must name the defect"),
        ("", "Wrong Name", "must name the defect"),
    ],
)
def test_what_cannot_be_a_check_is_refused(code: str, slug: str, words: str, tmp_path: Path) -> None:
    """With a reason, and nothing is written."""
    with pytest.raises(UsageError, match=words):
        write(tmp_path, code or free(), slug)
    assert list(tmp_path.iterdir()) == []


def test_nothing_that_exists_is_touched(written: tuple[Path, ...], tmp_path: Path) -> None:
    """A second time is refused."""
    written[0].write_text("mine", "utf-8")
    with pytest.raises(UsageError, match="exists already"):
        write(tmp_path, free(), SLUG)
    assert written[0].read_text("utf-8") == "mine"


def placeholders() -> set[str]:
    """The sentences of the skeleton that the author has to replace."""
    found = set(re.findall(r"^        (\S.*\.)$", CHECK, re.MULTILINE))
    return found | {"say in one line what", "say what the commands do", "first-case", '"ReplaceMe"'}


def test_no_check_still_says_what_the_skeleton_says() -> None:
    """Each check has words of its own."""
    paths = (ROOT / "bot" / "checks").rglob("*.py")
    left = [(p.name, words) for p in paths for words in placeholders() if words in p.read_text("utf-8")]
    assert len(placeholders()) > len(HEADINGS)
    assert left == []


def test_no_scenario_still_says_what_the_skeleton_says() -> None:
    """The fact on which silence turns is named."""
    assert "say which fact" in SILENT
    scenarios = find(ROOT / "tests" / "scenarios")
    words = {s.id: [s.title, *s.silent.values()] for s in scenarios}
    assert [name for name, said in words.items() if any("say wh" in w for w in said)] == []


def test_the_kernel_refuses_the_same_slugs() -> None:
    """What new-check refuses would stop start-up anyway."""
    assert checks.FORBIDDEN_SLUG.match("fix_the_node")
