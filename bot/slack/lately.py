"""Recognises a question that is being answered, or was a moment ago, so that five people do not start five runs.

What this process accepted is known from memory, because the answer is needed before the acknowledgement; what other
replicas accepted is asked of the shared database, where there is one.
"""

from __future__ import annotations

import threading
from dataclasses import dataclass

from bot.runs.run import Run, fingerprint
from bot.runs.store import Record, Store

JUST_NOW_SECONDS = 60.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Same:
    """The run that answers the same question; ``link`` may be empty."""

    link: str
    going: bool


class Lately:
    """The questions of the last minutes."""

    def __init__(self, store: Store, *, shared: bool) -> None:
        """Remember what ``store`` knows from before a restart; ``shared``: other processes write to it, too."""
        self._store = store
        self._shared = shared
        self._lock = threading.Lock()
        self._runs = {fingerprint(r.run.question, r.run.channel): r.run for r in reversed(store.recent(50))}

    def note(self, run: Run) -> None:
        """The run was accepted."""
        with self._lock:
            self._runs = {mark: kept for mark, kept in self._runs.items() if kept.deadline > run.created}
            self._runs[fingerprint(run.question, run.channel)] = run

    def same(self, run: Run) -> Same | None:
        """The run that answers the same question in the same channel now, or did less than a minute ago."""
        with self._lock:
            known = self._runs.get(fingerprint(run.question, run.channel))
        if known is not None and known.id != run.id:
            record = self._store.get(known.id)
            if record is None:
                return Same(link="", going=True) if known.deadline > run.created else None
            return _judge(record, run.created)
        other = self._store.same(run, within=JUST_NOW_SECONDS) if self._shared else None
        return _judge(other, run.created) if other is not None else None


def _judge(record: Record, now: float) -> Same | None:
    if record.finished is None:
        return Same(link=record.link, going=True) if record.run.deadline > now else None
    return Same(link=record.link, going=False) if now - record.finished < JUST_NOW_SECONDS else None
