"""Server-side tables: what ``kubectl get`` shows, computed here as the API server computes it.

Columns and cells follow k8s.io/kubernetes ``pkg/printers/internalversion/printers.go`` (1.36), one module a family
of kinds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.bundle.api.resources import Resource
from bot.bundle.api.tables import cluster, core, custom, rare, workloads
from bot.bundle.api.tables.cells import NAME, Column, Printer

Object = Mapping[str, Any]
PRINTERS: dict[str, Printer] = {**workloads.PRINTERS, **core.PRINTERS, **cluster.PRINTERS, **rare.PRINTERS}
PLAIN = Printer((NAME, Column("Created At", "date")), lambda o, _: [o["metadata"].get("name"), _created(o)])
DONE = {"Succeeded": "The pod has completed successfully.", "Failed": "The pod failed."}


def _created(item: Object) -> str:
    return str(item["metadata"].get("creationTimestamp") or "")


def table_of(
    kind: Resource, version: str, items: Sequence[Object], now: datetime
) -> tuple[list[dict[str, Any]], list[tuple[Object, dict[str, Any]]] | None]:
    """Return the column definitions, and each object with its row (cells and conditions).

    Rows are None for an empty list of a kind without columns of its own: there an API server writes ``null``.
    """
    printer = custom.printer(kind, version) if kind.custom else PRINTERS.get(kind.title, PLAIN)
    ordered = sorted(items, key=printer.order) if printer.order else items
    rows = [(o, {"cells": printer.cells(o, now)} | _conditions(kind, o)) for o in ordered]
    return [c.definition() for c in printer.columns], rows if rows or printer is not PLAIN else None


def _conditions(kind: Resource, item: Object) -> dict[str, Any]:
    phase = (item.get("status") or {}).get("phase") if kind.title == "pods" else None
    if phase not in DONE:
        return {}
    done = {"type": "Completed", "status": "True", "reason": phase, "message": DONE[phase]}
    return {"conditions": [done]}
