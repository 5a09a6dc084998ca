"""Goes on with the jobs of a replica that died and does not come back, where several replicas share a Postgres.

A replica that comes back under its name goes on with its own jobs. For one that does not (scaled down, or slow to be
scheduled), each replica holds an advisory lock under its name for as long as it lives; whoever can take the lock of
another knows that it is gone. Needs a session: no PgBouncer in transaction mode in between.
"""

from __future__ import annotations

import hashlib
import threading
from collections.abc import Callable, Iterable

import sqlalchemy as sa
import structlog

from bot.runs.store import open_database

log = structlog.get_logger()
SWEEP_SECONDS = 15.0


class Survivors:
    """The watch that one replica keeps over the others."""

    def __init__(
        self,
        url: str,
        name: str,
        *,
        owners: Callable[[], Iterable[str]],
        recover: Callable[[str], None],
        adopt: Callable[[], None],
    ) -> None:
        """Hold the lock of ``name`` in the database ``url``.

        Args:
            url: a Postgres.
            name: of this replica.
            owners: names of all replicas that have begun jobs which are not done.
            recover: go on with the jobs of the replica of that name; called only while it is surely gone.
            adopt: take over jobs that were accepted and never begun; harmless when their replica lives.
        """
        self._database = open_database(url)
        self._name = name
        self._owners = owners
        self._recover = recover
        self._adopt = adopt
        self._stopped = threading.Event()
        self._thread = threading.Thread(target=self._watch, name="survivors", daemon=True)

    def start(self) -> None:
        """Begin to watch."""
        self._thread.start()

    def stop(self) -> None:
        """Give the lock back."""
        self._stopped.set()
        self._thread.join(timeout=SWEEP_SECONDS)
        self._database.dispose()

    def _watch(self) -> None:
        while not self._stopped.is_set():
            try:
                with self._database.connect() as session:
                    _lock(session, self._name, wait=True)
                    while not self._stopped.wait(SWEEP_SECONDS):
                        self._sweep(session)
            except Exception:
                log.exception("the watch over other replicas was interrupted")
                self._stopped.wait(SWEEP_SECONDS)

    def _sweep(self, session: sa.Connection) -> None:
        """Go on with the jobs of every replica that is gone."""
        self._adopt()
        for name in set(self._owners()) - {self._name}:
            if _lock(session, name, wait=False):
                try:
                    log.warning("going on with the jobs of a replica that is gone", replica=name)
                    self._recover(name)
                finally:
                    session.execute(sa.text("select pg_advisory_unlock(:key)"), {"key": _key(name)})
        session.commit()


def _lock(session: sa.Connection, name: str, *, wait: bool) -> bool:
    """Take the lock of a replica for this session; without ``wait``, whether it was free."""
    call = "pg_advisory_lock" if wait else "pg_try_advisory_lock"
    taken = session.execute(sa.text(f"select {call}(:key)"), {"key": _key(name)}).scalar()
    session.commit()
    return wait or bool(taken)


def _key(name: str) -> int:
    """The number under which Postgres knows the lock of a replica."""
    return int.from_bytes(hashlib.sha256(f"kubewhy {name}".encode()).digest()[:8], signed=True)
