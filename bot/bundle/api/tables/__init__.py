"""Server-side tables: what ``kubectl get`` shows, computed here as the API server computes it.

Columns and cells follow k8s.io/kubernetes ``pkg/printers/internalversion/printers.go`` (1.36), one module a family
of kinds.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

from bot.bundle.api.resources import Resource
from bot.bundle.api.tables import cluster, core, workloads
from bot.bundle.api.tables.cells import NAME, Column, Printer

Object = Mapping[str, Any]
PRINTERS: dict[str, Printer] = {**workloads.PRINTERS, **core.PRINTERS, **cluster.PRINTERS}
PLAIN = Printer((NAME, Column("Created At", "date")), lambda o, _: [o["metadata"].get("name"), _created(o)])
DONE = {"Succeeded": "The pod has completed successfully.", "Failed": "The pod failed."}


def _created(item: Object) -> str:
    return str(item["metadata"].get("creationTimestamp") or "")


def table_of(
    kind: Resource, items: Sequence[Object], now: datetime
) -> tuple[list[dict[str, Any]], list[dict[str, Any]]]:
    """Return the column definitions and the rows (cells and conditions) of objects of one kind."""
    printer = PRINTERS.get(kind.title, PLAIN)
    rows = [{"cells": printer.cells(o, now)} | _conditions(kind, o) for o in items]
    return [c.definition() for c in printer.columns], rows


def _conditions(kind: Resource, item: Object) -> dict[str, Any]:
    phase = (item.get("status") or {}).get("phase") if kind.title == "pods" else None
    if phase not in DONE:
        return {}
    done = {"type": "Completed", "status": "True", "reason": phase, "message": DONE[phase]}
    return {"conditions": [done]}
