"""A report in the form that a person on the command line asked for."""

from __future__ import annotations

import json
import os
import shutil
import sys
from enum import StrEnum

from bot.model.report import Report
from bot.render.json import to_json
from bot.render.markdown import markdown
from bot.render.slack import root_final, thread
from bot.render.terminal import colored, terminal


class Output(StrEnum):
    """How a report is printed."""

    TEXT = "text"
    JSON = "json"
    MARKDOWN = "markdown"
    SLACK = "slack"


def printed(report: Report, output: Output, lang: str) -> str:
    """The report in the form that was asked for."""
    if output is Output.JSON:
        return to_json(report, lang=lang)
    if output is Output.MARKDOWN:
        return markdown(report, lang=lang).rstrip("\n")
    if output is Output.SLACK:
        messages = [root_final(report, lang=lang), *thread(report, lang=lang)]
        return json.dumps(
            [{"part": m.kind.value, "text": m.text, "blocks": m.blocks} for m in messages], indent=2, ensure_ascii=False
        )
    width = shutil.get_terminal_size((100, 24)).columns
    return terminal(report, lang=lang, width=width, color=colored(sys.stdout, os.environ)).rstrip("\n")
