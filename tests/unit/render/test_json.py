"""The JSON report keeps the published schema, and the schema is what the code writes."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import jsonschema
import pytest

from bot.render.json import to_json
from bot.render.schema import report_schema
from tests.unit.render.reports import REPORTS

PUBLISHED = Path(__file__).parents[3] / "docs" / "report.schema.json"


def written(name: str, lang: str = "en") -> dict[str, Any]:
    """The report as parsed JSON."""
    parsed: dict[str, Any] = json.loads(to_json(REPORTS[name], lang=lang))
    return parsed


@pytest.mark.parametrize("name", list(REPORTS))
def test_every_report_is_valid(name: str) -> None:
    """By the published schema and a validator that is not ours."""
    jsonschema.validate(written(name), json.loads(PUBLISHED.read_text("utf-8")))


def test_the_published_schema_is_not_stale(request: pytest.FixtureRequest) -> None:
    """``--update-golden`` writes it anew."""
    if request.config.getoption("--update-golden"):
        PUBLISHED.write_text(report_schema(), "utf-8")
    assert PUBLISHED.read_text("utf-8") == report_schema()


def test_an_edge_speaks_of_from_and_to() -> None:
    """The names of the contract, not those of the model."""
    assert written("metrics-incident")["edges"][0] == {"from": "F1", "to": "F3", "type": "causes", "state": "active"}


def test_the_times_are_rfc_3339_in_utc() -> None:
    """With a Z."""
    assert written("metrics-incident")["observed_at"] == "2026-11-21T04:58:50Z"


def test_codes_reasons_and_keys_do_not_follow_the_language() -> None:
    """Whoever routes reports must not care which language a channel speaks."""

    def stable(name: str, lang: str) -> list[tuple[str, ...]]:
        return [(f["code"], f["reason"], f["severity"], f["role"]) for f in written(name, lang)["findings"]]

    assert stable("metrics-incident", "en") == stable("metrics-incident", "zh-CN")
    assert written("metrics-incident").keys() == written("metrics-incident", "zh-CN").keys()


def test_secrets_do_not_leave_by_json() -> None:
    """The excerpt is redacted again, and counted."""
    first = written("hostile")["evidence"][0]
    assert ("hunter2" in first["excerpt"], first["redactions"]) == (False, 2)
