"""The Chinese catalogue is complete, names the same values, holds nothing stale, and is compiled."""

from __future__ import annotations

import gettext
import importlib.util
import io
from pathlib import Path
from types import ModuleType

import pytest

from bot.model.text import T
from bot.render import i18n
from bot.render.i18n import Voice, known

ROOT = Path(__file__).parents[3]


@pytest.fixture(scope="module")
def tool() -> ModuleType:
    """The tool, which is called as a standard module is and cannot be imported by name."""
    spec = importlib.util.spec_from_file_location("kubewhy_messages", ROOT / "tools" / "messages.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_every_message_has_a_translation_and_every_translation_a_message(tool: ModuleType) -> None:
    """English and Chinese are written together."""
    merged, _ = tool.translations()
    assert tool.problems(tool.messages(), merged) == []


def test_every_translation_names_the_same_values(tool: ModuleType) -> None:
    """And no message has two translations."""
    assert tool.translations()[1] == []


def test_the_compiled_catalogue_is_not_stale(tool: ModuleType) -> None:
    """``python -m tools.messages`` writes it."""
    merged, _ = tool.translations()
    assert tool.COMPILED.read_bytes() == tool.compiled(merged)


def test_the_standard_library_reads_what_the_tool_compiles(tool: ModuleType) -> None:
    """With letters beyond ASCII in both."""
    content = tool.compiled({"a … {x}": "甲 {x}", "b": "乙"})
    catalogue = gettext.GNUTranslations(io.BytesIO(content))
    assert [catalogue.gettext(m) for m in ("a … {x}", "b", "c")] == ["甲 {x}", "乙", "c"]


def test_messages_are_found_where_they_are_written(tool: ModuleType, tmp_path: Path) -> None:
    """Also in both branches of a condition, and in the names of evidence; not in other calls."""
    (tmp_path / "bot").mkdir()
    (tmp_path / "handlers").mkdir()
    source = 'T("a {x}", x=1)\n_("b")\nT("c" if y else "d")\nother("e")\nclass E:\n    words: ClassVar[str] = "f"\n'
    (tmp_path / "bot" / "m.py").write_text(source, "utf-8")
    assert set(tool.messages(tmp_path)) == {"a {x}", "b", "c", "d", "f"}


def test_a_translation_with_other_values_is_not_used(monkeypatch: pytest.MonkeyPatch) -> None:
    """English is better than a report that cannot be written."""
    monkeypatch.setattr(i18n, "translator", lambda _: lambda _: "坏 {nothing}")
    assert Voice("zh-CN").text(T("node {node}", node="n1")) == "node n1"


@pytest.mark.parametrize(("tag", "lang"), [("zh_CN.UTF-8", "zh-CN"), ("zh", "zh-CN"), ("en_GB", "en"), ("", "en")])
def test_a_language_tag_leads_to_the_nearest_language(tag: str, lang: str) -> None:
    """There are two."""
    assert known(tag) == lang


@pytest.mark.parametrize(
    ("english", "chinese"),
    [
        ("kubelet's log", "kubelet 的日志"),
        ("kubelet's log of node-3", "node-3 的 kubelet 的日志"),
        ("the pods of kube-system", "kube-system 的 Pod"),
        ("something nobody named of node-3", "something nobody named of node-3"),
    ],
)
def test_the_name_of_evidence_is_translated_with_its_node(english: str, chinese: str) -> None:
    """Progress and gaps speak the language of the run."""
    assert Voice("zh-CN").word(english) == chinese


def test_a_stray_brace_is_no_reason_to_lose_a_report() -> None:
    """The message is shown as it is written."""
    assert Voice("en").text(T("jsonpath {.status is {node}", node="n1")) == "jsonpath {.status is {node}"
