"""Every check's docstring is its page: complete, in one form, and true about its reasons."""

from __future__ import annotations

import ast
import inspect
import re
from collections.abc import Iterator
from functools import cache
from pathlib import Path

import pytest

from bot.check import FORBIDDEN_SLUG, HEADINGS, Check, load
from bot.model.rows import rows

ROOT = Path(__file__).resolve().parents[3]
CHECKS = load()
REASON = re.compile(r"^- `?([a-z0-9]+(?:-[a-z0-9]+)*)`?: \S", re.MULTILINE)
every_check = pytest.mark.parametrize("item", CHECKS.values(), ids=CHECKS)


def sections(item: Check) -> dict[str, str]:
    """The text below each heading."""
    found: dict[str, str] = {}
    heading = ""
    for line in item.page.splitlines()[1:]:
        if line.endswith(":") and line[:-1] in HEADINGS:
            heading = line[:-1]
            found[heading] = ""
        elif heading:
            found[heading] += f"{line.strip()}\n"
    return found


def listed(item: Check) -> set[str]:
    """The reasons that the page explains."""
    return set(REASON.findall(sections(item)["Reasons"]))


def module(item: Check) -> Path:
    """The file of a check."""
    return Path(inspect.getfile(item.run))


def literal_reasons(path: Path) -> Iterator[str]:
    """Reasons that a module gives to findings as they are."""
    for call in ast.walk(ast.parse(path.read_text("utf-8"))):
        if isinstance(call, ast.Call) and isinstance(call.func, ast.Name) and call.func.id == "Finding":
            values = [k.value for k in call.keywords if k.arg == "reason"]
            yield from (v.value for v in values if isinstance(v, ast.Constant) and isinstance(v.value, str))


@cache
def said_in(folder: Path) -> frozenset[str]:
    """Every string of the code below a folder but docstrings, in which reasons are listed anyway."""
    found: set[str] = set()
    for path in sorted(folder.rglob("*.py")):
        tree = ast.parse(path.read_text("utf-8"))
        documented = {ast.get_docstring(n, clean=False) for n in ast.walk(tree) if isinstance(n, ast.FunctionDef)}
        strings = (n.value for n in ast.walk(tree) if isinstance(n, ast.Constant) and isinstance(n.value, str))
        found |= {text for text in strings if text not in documented}
    return frozenset(found)


def of_evidence() -> frozenset[str]:
    """What evidence says, and those who read it."""
    return frozenset().union(*(said_in(ROOT / "bot" / name) for name in ("model", "parse", "collect")))


def can_be_said(reason: str, said: frozenset[str]) -> bool:
    """Whether a reason is a string of the code, or is put together from two: ``networkd`` and ``-restarted``."""
    if reason in said:
        return True
    cuts = (at for at, letter in enumerate(reason) if letter == "-")
    return any(reason[at:] in said and reason[:at] in said for at in cuts)


@every_check
def test_the_page_has_every_heading_in_order_with_text_below(item: Check) -> None:
    """Says, Evidence, Rule, Cause, Fix, Verify, Must not fire, Reasons."""
    found = sections(item)
    assert list(HEADINGS) == list(found)
    assert [heading for heading, text in found.items() if not text.strip()] == []


@every_check
def test_the_page_begins_with_one_sentence(item: Check) -> None:
    """A summary, ended by a full stop, and an empty line."""
    first, second, *_ = item.page.splitlines()
    assert first.endswith(".")
    assert second == ""


@every_check
def test_every_reason_is_explained(item: Check) -> None:
    """A reason that routes a page to somebody must be on the check's page."""
    assert listed(item) != set()
    assert set(literal_reasons(module(item))) - listed(item) == set()


@every_check
def test_every_explained_reason_exists(item: Check) -> None:
    """What the page explains is a word that the family, or the evidence that it judges, can say."""
    said = said_in(module(item).parent) | of_evidence()
    assert [reason for reason in listed(item) if not can_be_said(reason, said)] == []


@every_check
def test_the_slug_names_a_defect_and_the_file(item: Check) -> None:
    """It fits after "the cluster has"."""
    assert FORBIDDEN_SLUG.match(item.slug) is None
    assert module(item).stem == item.slug
    assert module(item).parent.name == rows()[item.code].family.lower()
