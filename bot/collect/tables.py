"""Reads server-side tables: one short row an object, so that a cluster of any size can be looked over.

Without the objects in it (``includeObject=None``) a row does not tell its namespace, so each namespace is asked for by
itself, in parallel. A server that has no tables (before 1.10) answers 406 or with the plain list: then that is used.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from typing import Generic, TypeVar

from bot.collect.read import NOT_ACCEPTABLE, NOT_FOUND, PAGE, Items, ask, decode, listing, proof_of, together
from bot.errors import Kind, SourceError
from bot.model.k8s import Object
from bot.model.k8s_more import Table
from bot.model.proof import Proof
from bot.source import TABLE, Kube, Right

O = TypeVar("O", bound=Object)  # noqa: E741 - an object
R = TypeVar("R")
PARTIAL = frozenset({Kind.FORBIDDEN, Kind.NOT_RECORDED, Kind.NOT_FOUND})
_AGE = re.compile(r"(\d+)([ydhms])")
_UNIT = {"y": 31_536_000, "d": 86_400, "h": 3600, "m": 60, "s": 1}
_AGO = re.compile(r"\(([0-9ydhms]+) ago\)")


FEW = 20
AT_ONCE = 4
SHOWN = 40
REPEATED = 4096  # the cells of a large cluster repeat a few values: ages, 1/1


@dataclass(frozen=True, slots=True, kw_only=True)
class Glance(Generic[O]):
    """A collection at a glance: rows (column name → cell), or the objects themselves where there are no tables."""

    path: str
    namespace: str
    rows: tuple[dict[str, str], ...]
    full: tuple[O, ...] | None
    proof: Proof

    @property
    def total(self) -> int:
        """How many objects there are."""
        return len(self.rows if self.full is None else self.full)


@lru_cache(REPEATED)
def seconds(text: str) -> float | None:
    """The seconds of an age such as ``3m32s``; None for ``<unknown>``."""
    found = _AGE.findall(text)
    return float(sum(int(n) * _UNIT[u] for n, u in found)) if found else None


@lru_cache(REPEATED)
def ago(text: str) -> float | None:
    """The seconds of ``3 (68s ago)``; None when it does not say."""
    found = _AGO.search(text)
    return seconds(found[1]) if found else None


@lru_cache(REPEATED)
def fraction(text: str) -> tuple[int, int]:
    """``1/2`` as numbers; (0, 0) when it is none."""
    left, slash, right = text.partition("/")
    return (int(left), int(right)) if slash and left.isdigit() and right.isdigit() else (0, 0)


def glance(kube: Kube, path: str, kind: type[O], right: Right) -> Glance[O]:
    """Look over one collection: ``/api/v1/namespaces/NS/pods``.

    Raises:
        SourceError: as :func:`bot.collect.read.listing`.
    """
    namespace = path.split("/namespaces/")[1].split("/", maxsplit=1)[0] if "/namespaces/" in path else ""
    rows: list[dict[str, str]] = []
    token: str | None = ""
    proof: Proof | None = None
    while token is not None:
        query = {"includeObject": "None", "limit": str(PAGE)} | ({"continue": token} if token else {})
        response = ask(kube, path, query, right, accept=TABLE)
        if response.status == NOT_FOUND:
            raise SourceError(Kind.NOT_FOUND, f"GET {path}", "HTTP 404", status=NOT_FOUND)
        table = decode(response.body, Table, f"GET {path}") if response.ok else Table()
        if response.status == NOT_ACCEPTABLE or table.kind != "Table":
            found: Items[O] = listing(kube, path, kind, right)
            return Glance(path=path, namespace=namespace, rows=(), full=found.items, proof=found.proof)
        columns = [c.name for c in table.column_definitions or ()]
        rows += [dict(zip(columns, map(str, r.cells or ()), strict=False)) for r in table.rows or ()]
        text = "\n".join("  ".join(row.values()) for row in rows[:SHOWN])
        proof = proof or proof_of(f"{path} (table)", response, text)
        token = table.metadata.continue_ or None
    assert proof is not None
    return Glance(path=path, namespace=namespace, rows=tuple(rows), full=None, proof=proof)


def attempt(read: Callable[[], R]) -> R | SourceError:
    """Read; what one namespace refuses or a recording lacks is returned as the error, so that the others still count.

    Raises:
        SourceError: everything else: the connection, the server, a malformed answer.
    """
    try:
        return read()
    except SourceError as error:
        if error.kind not in PARTIAL:
            raise
        return error


def sorted_out(tried: Sequence[tuple[str, R | SourceError]]) -> tuple[list[R], dict[str, str]]:
    """What was read, and what was not, by name.

    Raises:
        SourceError: nothing was read at all.
    """
    read = [result for _, result in tried if not isinstance(result, SourceError)]
    failed = [(name, result) for name, result in tried if isinstance(result, SourceError)]
    if failed and not read:
        raise failed[0][1]
    return read, {name: str(error) for name, error in failed}


def chosen(
    kube: Kube, seen: Glance[O], wrong: Callable[[dict[str, str]], bool], kind: type[O], right: Right
) -> tuple[O, ...]:
    """The objects of a collection whose rows are wrong, in full: by name when few, else the whole collection.

    An object that has gone in between is left out.
    """
    names = [row.get("Name", "") for row in seen.rows if wrong(row)]
    if len(names) > FEW:
        wanted = set(names)
        return tuple(o for o in listing(kube, seen.path, kind, right).items if o.metadata.name in wanted)
    paths = [f"{seen.path}/{name}" for name in names]
    # Few at a time: several collections are looked at in parallel already.
    answers = together(lambda path: ask(kube, path, None, right), paths, parallel=AT_ONCE)
    return tuple(decode(a.body, kind, f"GET {at}") for at, a in zip(paths, answers, strict=True) if a.ok)
