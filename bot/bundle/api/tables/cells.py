"""The bricks of table cells: columns, ages, label selectors, lists that are cut."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta
from typing import Any

Object = Mapping[str, Any]
MINUTE, HOUR, DAY = 60, 3600, 86400
SHOWN = 3


@dataclass(frozen=True, slots=True)
class Column:
    """A column; ``priority`` 1 is shown by ``-o wide`` only."""

    name: str
    type: str = "string"
    priority: int = 0
    format: str = ""

    def definition(self) -> dict[str, Any]:
        """TableColumnDefinition."""
        return {
            "name": self.name,
            "type": self.type,
            "format": self.format,
            "description": "",
            "priority": self.priority,
        }


@dataclass(frozen=True, slots=True)
class Printer:
    """How one kind is shown; ``order`` is set where a table is not in the order of its list."""

    columns: tuple[Column, ...]
    cells: Callable[[Object, datetime], list[Any]]
    order: Callable[[Object], Any] | None = None


NAME = Column("Name", format="name")
AGE = Column("Age")


def spec_of(item: Object) -> Object:
    """The object's spec; empty when it has none."""
    return item.get("spec") or {}


def status_of(item: Object) -> Object:
    """The object's status; empty when it has none."""
    return item.get("status") or {}


def name_of(item: Object) -> Any:
    """The object's name."""
    return item["metadata"].get("name")


def columns(*names: str, wide: Sequence[str] = (), types: Mapping[str, str] | None = None) -> tuple[Column, ...]:
    """Name, the given columns, then those of ``-o wide``."""
    kinds = types or {}
    shown = [Column(n, kinds.get(n, "string")) for n in names]
    return (NAME, *shown, *(Column(n, kinds.get(n, "string"), 1) for n in wide))


def when(value: Any) -> datetime | None:
    """A Kubernetes time, or None."""
    try:
        at = datetime.fromisoformat(str(value))
    except ValueError:
        return None
    return at if at.tzinfo else at.replace(tzinfo=UTC)


def since(value: Any, now: datetime) -> str:
    """How long ago, as kubectl says it; ``<unknown>`` without a time."""
    at = when(value) if value else None
    return human(now - at) if at else "<unknown>"


def age(item: Object, now: datetime) -> str:
    """The age of an object."""
    return since(item["metadata"].get("creationTimestamp"), now)


def human(elapsed: timedelta) -> str:  # noqa: PLR0911 - one return a step of the scale
    """A duration in two or three figures (k8s.io/apimachinery ``pkg/util/duration``)."""
    seconds = int(elapsed.total_seconds())
    if seconds < 0:
        return "0s" if seconds >= -1 else "<invalid>"
    minutes, hours, days, years = seconds // MINUTE, seconds // HOUR, seconds // DAY, seconds // (365 * DAY)
    if seconds < 2 * MINUTE:
        return f"{seconds}s"
    if minutes < 10:  # noqa: PLR2004 - the scale
        return _two(minutes, "m", seconds % MINUTE, "s")
    if hours < 3:  # noqa: PLR2004 - the scale
        return f"{minutes}m"
    if hours < 8:  # noqa: PLR2004 - the scale
        return _two(hours, "h", minutes % 60, "m")
    if hours < 48:  # noqa: PLR2004 - the scale
        return f"{hours}h"
    if days < 8:  # noqa: PLR2004 - the scale
        return _two(days, "d", hours % 24, "h")
    if years < 2:  # noqa: PLR2004 - the scale
        return f"{days}d"
    return _two(years, "y", days % 365, "d") if years < 8 else f"{years}y"  # noqa: PLR2004 - the scale


def _two(large: int, unit: str, small: int, smaller: str) -> str:
    return f"{large}{unit}{small}{smaller}" if small else f"{large}{unit}"


def containers(template: Object | None) -> list[str]:
    """Names and images of a pod template's containers."""
    found = ((template or {}).get("spec") or {}).get("containers") or ()
    return [",".join(str(c.get(key) or "") for c in found) for key in ("name", "image")]


def label_text(labels: Mapping[str, str] | None) -> str:
    """``a=b,c=d`` or ``<none>``."""
    return ",".join(f"{k}={v}" for k, v in sorted((labels or {}).items())) or "<none>"


def selector_text(selector: Mapping[str, Any] | None) -> str:
    """A LabelSelector as text; ``<none>`` when it selects everything."""
    return bare_selector(selector) or "<none>"


def bare_selector(selector: Mapping[str, Any] | None) -> str:
    """A LabelSelector as text; empty when it selects everything."""
    selector = selector or {}
    terms = [(k, f"{k}={v}") for k, v in (selector.get("matchLabels") or {}).items()]
    for expression in selector.get("matchExpressions") or ():
        key, operator = str(expression.get("key")), expression.get("operator")
        values = f"({','.join(sorted(expression.get('values') or ()))})"
        words = {"In": f"{key} in {values}", "NotIn": f"{key} notin {values}", "Exists": key, "DoesNotExist": f"!{key}"}
        terms.append((key, words.get(str(operator), key)))
    return ",".join(text for _, text in sorted(terms))


def cut(values: Iterable[str], shown: int = SHOWN) -> str:
    """The first few and how many more."""
    found = list(values)
    text = ",".join(found[:shown])
    return f"{text} + {len(found) - shown} more..." if len(found) > shown else text


def number(value: Any) -> int:
    """An integer field; absent is 0."""
    return int(value or 0)
