"""The JSON Schema of the report, generated from the types that the writer fills: ``docs/report.schema.json``."""

from __future__ import annotations

import msgspec

from bot.render.contract import Report


def report_schema() -> str:
    """The JSON Schema (2020-12) of ``kubewhy/report/v1``, text ending in a newline."""
    schema = {
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": "kubewhy/report/v1",
        **msgspec.json.schema(Report),
    }
    return msgspec.json.format(msgspec.json.encode(schema), indent=2).decode() + "\n"
