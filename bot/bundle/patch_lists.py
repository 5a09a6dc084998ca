"""The parts of an overlay about what the bot asked itself: ``dns``, ``probes``, ``api``, ``history``."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from bot.bundle.draft import Draft
from bot.bundle.merge import PatchError, merge
from bot.bundle.times import Clock

DNS, PROBES, API, HISTORY = (f"kubewhy/{name}.json" for name in ("dns", "probes", "api", "history"))
_TEXT = "text/plain; charset=utf-8"


@dataclass(frozen=True, slots=True, kw_only=True)
class Form:
    """The form of one file's entries: which fields make the question, what a field is when not given, what must be."""

    path: str
    question: tuple[str, ...]
    defaults: Mapping[str, Any]
    needed: frozenset[str]

    def key(self, entry: Mapping[str, Any]) -> tuple[str, ...]:
        """What tells the entry's question from others."""
        return tuple(str(entry.get(key, self.defaults.get(key, ""))).rstrip(".").lower() for key in self.question)


_DNS = Form(
    path=DNS,
    question=("from", "server", "name", "type", "tcp"),
    defaults={"from": "bot", "type": "A", "tcp": False, "rcode": "NOERROR", "answers": [], "ms": 2},
    needed=frozenset({"server", "name"}),
)
_PROBES = Form(
    path=PROBES,
    question=("from", "host", "port", "kind"),
    defaults={"from": "bot", "kind": "tcp", "result": "ok", "ms": 1},
    needed=frozenset({"host", "port"}),
)


def dns(draft: Draft, entries: Any) -> None:
    """Put answers in place of what was recorded of the same question; the fields of a question may be lists."""
    _put(draft, entries, _DNS)


def probes(draft: Draft, entries: Any) -> None:
    """Put outcomes in place of what was recorded of the same attempt; the fields of an attempt may be lists."""
    _put(draft, entries, _PROBES)


def api(draft: Draft, changes: Any) -> None:
    """``PATH: {status: 500, body: …}``; null makes it not recorded, a body that is no text is JSON."""
    if not isinstance(changes, dict):
        raise PatchError("api is a map of path to answer")
    there = draft.json(API, [])
    for path, change in changes.items():
        there[:] = [e for e in there if not (isinstance(e, dict) and e.get("path") == path)]
        if change is None:
            continue
        if not isinstance(change, dict) or set(change) - {"status", "body", "content_type"}:
            raise PatchError(f"{path}: an answer has status, body, content_type")
        body = change.get("body", "")
        text = body if isinstance(body, str) else json.dumps(body)
        kind = _TEXT if isinstance(body, str) else "application/json"
        there.append(
            {
                "path": path,
                "status": int(change.get("status", 200)),
                "content_type": change.get("content_type", kind),
                "body": text,
            }
        )


def history(draft: Draft, change: Any, clock: Clock) -> None:
    """Merge into what earlier runs knew."""
    if not isinstance(change, dict):
        raise PatchError("history is a map")
    merged = merge(draft.json(HISTORY, {}), clock.resolve(change))
    draft.json(HISTORY, {}).clear()
    draft.json(HISTORY, {}).update(merged)


def _put(draft: Draft, entries: Any, form: Form) -> None:
    if not isinstance(entries, list):
        raise PatchError("must be a list")
    there = draft.json(form.path, [])
    known = {*form.question, *form.defaults, "forget"}
    for entry in entries:
        if not isinstance(entry, dict) or form.needed - set(entry) or set(entry) - known:
            raise PatchError(f"{entry}: needs {', '.join(sorted(form.needed))}; may have {', '.join(sorted(known))}")
        for one in _each(entry, form.question):
            there[:] = [e for e in there if not (isinstance(e, dict) and form.key(e) == form.key(one))]
            if not one.get("forget"):
                there.append({**form.defaults, **one})


def _each(entry: dict[str, Any], keys: tuple[str, ...]) -> Iterator[dict[str, Any]]:
    """One entry for every combination of the fields that are lists."""
    lists = {key: entry[key] for key in keys if isinstance(entry.get(key), list)}
    for values in itertools.product(*lists.values()):
        yield {**entry, **dict(zip(lists, values, strict=True))}
