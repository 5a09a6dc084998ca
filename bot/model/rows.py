"""The rows of the fault catalogue: every code that exists, so that a code is never invented or re-used."""

from __future__ import annotations

import json
from dataclasses import dataclass
from functools import cache
from importlib.resources import files

from bot.model.finding import Severity


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """One row of the catalogue.

    Attributes:
        code: ``NODE-04``.
        title: what it is, in English.
        severity: the usual severity; a check may say otherwise for a case.
        commands: slash commands that show it.
    """

    code: str
    title: str
    severity: Severity
    commands: tuple[str, ...]

    @property
    def family(self) -> str:
        """The part before the dash."""
        return self.code.partition("-")[0]


@cache
def rows() -> dict[str, Row]:
    """Every row by its code, in catalogue order."""
    data = json.loads((files("bot.model") / "rows.json").read_text("utf-8"))
    return {
        r["code"]: Row(
            code=r["code"], title=r["title"], severity=Severity(r["severity"]), commands=tuple(r["commands"])
        )
        for r in data
    }
