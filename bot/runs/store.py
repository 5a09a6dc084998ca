"""Remembers runs, their reports and what was posted of them, in a SQLite file or in Postgres.

The durable engine knows how far a run came; this store knows what a person sees of it. Both survive a kill at any
moment, and the delivery rows say which posts may already be there although their checkpoint was never written.
"""

from __future__ import annotations

import contextlib
import enum
import secrets
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import sqlalchemy as sa

from bot.model.command import Question
from bot.model.report import Report, Status
from bot.runs.codec import pack, unpack
from bot.runs.run import Run, State, fingerprint

_tables = sa.MetaData()
_runs = sa.Table(
    "kubewhy_runs",
    _tables,
    sa.Column("id", sa.String(80), primary_key=True),
    sa.Column("run", sa.LargeBinary, nullable=False),
    sa.Column("fingerprint", sa.String(20), nullable=False, index=True),
    sa.Column("channel", sa.String(80), nullable=False),
    sa.Column("thread", sa.String(40), nullable=False, index=True, default=""),
    sa.Column("root", sa.String(40), nullable=False, default=""),
    sa.Column("state", sa.String(20), nullable=False),
    sa.Column("created", sa.Float, nullable=False, index=True),
    sa.Column("finished", sa.Float),
    sa.Column("status", sa.String(20), nullable=False, default=""),
    sa.Column("link", sa.Text, nullable=False, default=""),
    sa.Column("report", sa.LargeBinary),
)
_deliveries = sa.Table(
    "kubewhy_deliveries",
    _tables,
    sa.Column("run", sa.String(80), primary_key=True),
    sa.Column("part", sa.String(80), primary_key=True),
    sa.Column("ts", sa.String(40), nullable=False, default=""),
)
_offers = sa.Table(
    "kubewhy_offers",
    _tables,
    sa.Column("id", sa.String(40), primary_key=True),
    sa.Column("run", sa.LargeBinary, nullable=False),
    sa.Column("created", sa.Float, nullable=False),
)


class Sent(enum.Enum):
    """What is known about one part of a run's messages."""

    NOT_YET = "not yet"
    PERHAPS = "perhaps"  # a process died, or an answer was lost, between asking Slack and hearing from it
    YES = "yes"


@dataclass(frozen=True, slots=True, kw_only=True)
class Record:
    """A stored run with what became of it.

    Attributes:
        thread: the ts of the message that its thread hangs on; root: the ts of the message that shows its verdict.
        link: where people find it; may be empty.
        finished: seconds since the epoch, None while it goes on.
    """

    run: Run
    state: State
    thread: str
    root: str
    status: Status | None
    link: str
    finished: float | None


class Store:
    """The runs of one installation."""

    def __init__(self, url: str) -> None:
        """Open the database at ``url`` (``sqlite:///…`` or ``postgresql+psycopg://…``) and create what it lacks."""
        self._engine = open_database(url)
        with self._engine.begin() as connection:
            _tables.create_all(connection)

    def close(self) -> None:
        """Give back the connections."""
        self._engine.dispose()

    def _write(self) -> contextlib.AbstractContextManager[sa.Connection]:
        return self._engine.begin()

    def _rows(self, query: sa.Select[Any]) -> list[Any]:
        with self._engine.connect() as connection:
            return list(connection.execute(query))

    # -- runs ---------------------------------------------------------------------------------------------------------

    def begin(self, run: Run) -> None:
        """Note that the run was accepted; a second time changes nothing."""
        row = {
            "id": run.id, "run": pack(run), "fingerprint": fingerprint(run.question, run.channel),
            "channel": run.channel, "thread": run.thread_ts, "root": "", "state": State.RUNNING.value,
            "created": run.created, "status": "", "link": "",
        }  # fmt: skip
        with contextlib.suppress(sa.exc.IntegrityError), self._write() as connection:
            connection.execute(sa.insert(_runs).values(row))

    def change(self, run_id: str, **values: str | float | bytes | None) -> None:
        """Set columns of a run: ``thread``, ``root``, ``link``, ``status``, ``state``, ``finished``."""
        with self._write() as connection:
            connection.execute(sa.update(_runs).where(_runs.c.id == run_id).values(**values))

    def cancel(self, run_id: str) -> bool:
        """Ask that the run be stopped; False when it is over or unknown."""
        going = (State.QUEUED.value, State.RUNNING.value)
        change = (
            sa.update(_runs).where(_runs.c.id == run_id, _runs.c.state.in_(going)).values(state=State.CANCELLED.value)
        )
        with self._write() as connection:
            return connection.execute(change).rowcount > 0

    def get(self, run_id: str) -> Record | None:
        """The run of this id."""
        return self._first(sa.select(_runs).where(_runs.c.id == run_id))

    def in_thread(self, channel: str, thread_ts: str) -> Record | None:
        """The latest run whose messages hang in this thread."""
        query = sa.select(_runs).where(_runs.c.channel == channel, _runs.c.thread == thread_ts)
        return self._first(query.order_by(_runs.c.created.desc()))

    def same(self, run: Run, *, within: float) -> Record | None:
        """Another run of this question in this channel that goes on, or ended less than ``within`` seconds ago."""
        oldest = run.created - (run.deadline - run.created)
        going = sa.and_(_runs.c.state == State.RUNNING.value, _runs.c.created > oldest)
        recent = _runs.c.finished > run.created - within
        alike = _runs.c.fingerprint == fingerprint(run.question, run.channel)
        query = sa.select(_runs).where(alike, _runs.c.id != run.id, sa.or_(going, recent))
        return self._first(query.order_by(_runs.c.created.desc()))

    def recent(self, limit: int = 10) -> list[Record]:
        """The latest runs, newest first."""
        return [_record(row) for row in self._rows(sa.select(_runs).order_by(_runs.c.created.desc()).limit(limit))]

    def late(self, before: float) -> list[Record]:
        """Runs that should have ended: accepted, not over, and their deadline lies before ``before``."""
        query = sa.select(_runs).where(_runs.c.finished.is_(None), _runs.c.created < before).limit(200)
        return [record for record in map(_record, self._rows(query)) if record.run.deadline < before]

    def _first(self, query: sa.Select[Any]) -> Record | None:
        rows = self._rows(query.limit(1))
        return _record(rows[0]) if rows else None

    # -- reports ------------------------------------------------------------------------------------------------------

    def save_report(self, run_id: str, report: Report) -> None:
        """Keep the report of a run that :meth:`begin` knows."""
        self.change(run_id, report=pack(report), status=report.status.value)

    def report(self, run_id: str) -> Report | None:
        """The report of a run; None when there is none (yet).

        Raises:
            ValueError: it was written by a release whose format this one cannot read.
        """
        rows = self._rows(sa.select(_runs.c.report).where(_runs.c.id == run_id))
        return unpack(Report, rows[0].report) if rows and rows[0].report is not None else None

    # -- deliveries ---------------------------------------------------------------------------------------------------

    def delivery(self, run_id: str, part: str) -> tuple[Sent, str]:
        """Whether a part was sent, and the ts of its message where that is known."""
        query = sa.select(_deliveries.c.ts).where(_deliveries.c.run == run_id, _deliveries.c.part == part)
        rows = self._rows(query)
        if not rows:
            return Sent.NOT_YET, ""
        return (Sent.YES, rows[0].ts) if rows[0].ts else (Sent.PERHAPS, "")

    def sending(self, run_id: str, part: str) -> None:
        """Note, before asking Slack, that a part is about to be sent."""
        with contextlib.suppress(sa.exc.IntegrityError), self._write() as connection:
            connection.execute(sa.insert(_deliveries).values(run=run_id, part=part, ts=""))

    def sent(self, run_id: str, part: str, ts: str) -> None:
        """Note that a part is in Slack, as the message ``ts``."""
        with self._write() as connection:
            change = sa.update(_deliveries).where(_deliveries.c.run == run_id, _deliveries.c.part == part)
            connection.execute(change.values(ts=ts))

    # -- offers -------------------------------------------------------------------------------------------------------

    def offer(self, run: Run) -> str:
        """Keep a question behind a button and return the opaque id that the button carries."""
        offer_id = f"q:{secrets.token_hex(8)}"
        with self._write() as connection:
            connection.execute(sa.insert(_offers).values(id=offer_id, run=pack(run), created=run.created))
        return offer_id

    def offered(self, offer_id: str) -> Question | None:
        """The question behind a button; None when it is forgotten."""
        rows = self._rows(sa.select(_offers.c.run).where(_offers.c.id == offer_id))
        return unpack(Run, rows[0].run).question if rows else None

    def purge(self, before: float) -> int:
        """Forget runs and offers older than ``before`` (seconds since the epoch); return how many runs that were."""
        old = sa.select(_runs.c.id).where(_runs.c.created < before)
        with self._write() as connection:
            connection.execute(sa.delete(_offers).where(_offers.c.created < before))
            connection.execute(sa.delete(_deliveries).where(_deliveries.c.run.in_(old)))
            return connection.execute(sa.delete(_runs).where(_runs.c.created < before)).rowcount


def _record(row: Any) -> Record:
    return Record(
        run=unpack(Run, row.run),
        state=State(row.state),
        thread=row.thread,
        root=row.root,
        status=Status(row.status) if row.status else None,
        link=row.link,
        finished=row.finished,
    )


def database_url(configured: str, state: Path, name: str) -> str:
    """The configured database, or the SQLite file ``name`` in the state directory (created, for the owner only)."""
    if configured:
        return configured.replace("postgresql://", "postgresql+psycopg://", 1).replace(
            "postgres://", "postgresql+psycopg://", 1
        )
    state.mkdir(mode=0o700, parents=True, exist_ok=True)
    return f"sqlite:///{state / name}"


def open_database(url: str) -> sa.Engine:
    """An engine whose SQLite files allow one writer beside many readers and lose nothing when the process is killed."""
    engine = sa.create_engine(url, pool_pre_ping=not url.startswith("sqlite"))
    if url.startswith("sqlite"):

        @sa.event.listens_for(engine, "connect")
        def prepare(connection: Any, _: object) -> None:
            connection.isolation_level = "IMMEDIATE"
            for pragma in ("journal_mode=WAL", "synchronous=NORMAL", "busy_timeout=30000", "foreign_keys=ON"):
                connection.execute(f"PRAGMA {pragma}")

    return engine
