"""The Slack bot as a whole: built from settings, commands and a way to diagnose; started, and stopped.

``build(settings, commands, diagnose).serve()`` is everything that ``kubewhy serve`` needs.
"""

from __future__ import annotations

import os
import signal
import threading
import time
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import Any

import structlog
from slack_bolt import App
from slack_bolt.adapter.socket_mode import SocketModeHandler
from slack_bolt.response import BoltResponse

from bot.config import Settings
from bot.errors import SettingsError
from bot.model.command import Command
from bot.runs.codec import plain
from bot.runs.engine import Engine
from bot.runs.run import Run
from bot.runs.store import Record, Store, database_url
from bot.runs.workflow import Conductor, Diagnose, Work
from bot.slack import web
from bot.slack.access import Access, Home
from bot.slack.arguments import FollowUp
from bot.slack.clerk import Clerk
from bot.slack.client import web_client
from bot.slack.delivery import Delivery
from bot.slack.front import Desk, Front, Request
from bot.slack.installation import claim, executor_id, require
from bot.slack.lately import Lately
from bot.slack.listener import Hands, Listener
from bot.slack.look import SlackLook
from bot.slack.outbox import PACE_SECONDS, Outbox
from bot.slack.thread import SlackDesk

log = structlog.get_logger()
HOUSEKEEPING_SECONDS = 3600.0
LATE_SECONDS = 600.0
STOP_SECONDS = 20


@dataclass(frozen=True, slots=True, kw_only=True)
class Parts:
    """What a running bot consists of."""

    store: Store
    engine: Engine
    pool: ThreadPoolExecutor
    listener: Listener
    bolt: App
    front: Front


class SlackApp:
    """One bot in one workspace."""

    def __init__(
        self, settings: Settings, commands: Mapping[str, Command], diagnose: Diagnose, *, pace: float = PACE_SECONDS
    ) -> None:
        """Prepare; nothing is opened before :meth:`start`.

        Args:
            settings: of the installation.
            commands: every command by name.
            diagnose: looks at the cluster.
            pace: seconds between two messages in one channel.

        Raises:
            SettingsError: a token is missing.
        """
        self._settings = settings
        self._commands = commands
        self._diagnose = diagnose
        self._pace = pace
        self._client = web_client(settings.slack.bot_token, settings.slack.base_url)
        self._outbox = Outbox(self._client, pace=pace)
        self._look = SlackLook(settings)
        self._lock: int | None = None
        self._parts: Parts | None = None
        self._socket: Any = None
        self._http: Any = None
        self._stopped = threading.Event()
        require(settings)

    def start(self) -> None:
        """Open the database, go on with what was left, and listen; returns when Slack can be answered.

        Raises:
            SettingsError: Slack refuses the token, or another bot uses the state directory.
        """
        self._lock = claim(self._settings)
        self._parts = self._assemble()
        self._parts.front.home = self._who_we_are()
        self._parts.engine.start()
        threading.Thread(target=self._keep_house, name="housekeeping", daemon=True).start()
        if self._settings.slack.mode == "socket":
            client = web_client(self._settings.slack.app_token, self._settings.slack.base_url)
            self._socket = SocketModeHandler(self._parts.bolt, self._settings.slack.app_token, web_client=client)
            self._socket.connect()
        else:
            self._http = web.server(self._parts.bolt, self._settings.slack.port)
            threading.Thread(target=self._http.serve_forever, name="http", daemon=True).start()
        log.info("listening to slack", mode=self._settings.slack.mode)

    def serve(self) -> None:
        """Start, and block until :meth:`stop` is called or the process is told to end; then stop in order."""
        for number in (signal.SIGTERM, signal.SIGINT):
            signal.signal(number, lambda *_: self._stopped.set())
        self.start()
        try:
            self._stopped.wait()
        finally:
            self.stop()

    def stop(self) -> None:
        """Stop listening, give running work a moment, and close; what is not done is done after the next start."""
        self._stopped.set()
        if self._socket is not None:
            self._socket.close()
        if self._http is not None:
            self._http.shutdown()
            self._http.server_close()
        if self._parts is not None:
            self._parts.listener.stop()
            self._parts.engine.stop(grace=STOP_SECONDS if self._parts.engine.waiting() else 0)
            self._parts.pool.shutdown(wait=False, cancel_futures=True)
            self._parts.store.close()
            self._parts = None
        if self._lock is not None:
            os.close(self._lock)
            self._lock = None

    @property
    def port(self) -> int:
        """The listening port in HTTP mode."""
        return int(self._http.server_address[1])

    # -- assembly -----------------------------------------------------------------------------------------------------

    def _assemble(self) -> Parts:
        settings = self._settings
        store = Store(database_url(settings.database_url, settings.state, "runs.db"))
        pool = ThreadPoolExecutor(settings.concurrency, thread_name_prefix="diagnose")
        delivery = Delivery(self._outbox, store, settings.slack.flavor)
        clerk = Clerk(
            settings=settings,
            commands=self._commands,
            store=store,
            client=self._client,
            outbox=self._outbox,
            look=self._look,
        )
        desk = SlackDesk(delivery, store, self._look, clerk.closed)
        conductor = Conductor(Work(store=store, desk=desk, diagnose=self._diagnose, pool=pool))
        engine = Engine(
            database_url(settings.database_url, settings.state, "engine.db"),
            database_url(settings.database_url, settings.state, "inbox.db"),
            executor_id=executor_id(settings),
            parallel=settings.concurrency,
        )
        engine.flow("run", lambda payload: conductor.flow(engine, payload))
        engine.flow("answer", lambda payload: engine.step("answer", lambda: clerk.answer(desk, payload)))
        engine.flow("late", lambda payload: conductor.expire(engine, payload))
        front = self._front(store, engine)
        hands = Hands(
            outbox=self._outbox, write=self._look.write, stop=conductor.stop, details=clerk.details, home=clerk.home
        )
        listener = Listener(front, hands)
        bolt = App(
            signing_secret=settings.slack.signing_secret or None,
            request_verification_enabled=settings.slack.mode == "http",
            client=self._client,
            token_verification_enabled=False,
        )

        def intake(body: dict[str, Any]) -> BoltResponse:
            return listener.receive(body)

        bolt.use(intake)
        return Parts(store=store, engine=engine, pool=pool, listener=listener, bolt=bolt, front=front)

    def _front(self, store: Store, engine: Engine) -> Front:
        slack = self._settings.slack

        def submit(run: Run) -> None:
            engine.submit("run", run.id, plain(run))

        def answer(record: Record, request: Request, asked: FollowUp) -> None:
            payload = {
                "run": record.run.id, "verb": asked.verb, "subject": asked.subject, "key": request.key,
                "channel": request.caller.channel, "thread": record.thread,
            }  # fmt: skip
            engine.submit("answer", request.key, payload)

        return Front(
            settings=self._settings,
            commands=self._commands,
            store=store,
            desk=Desk(submit=submit, answer=answer),
            access=Access(
                channels=frozenset(slack.allowed_channels),
                users=frozenset(slack.allowed_users),
                external=slack.allow_external,
            ),
            lately=Lately(store, shared=bool(self._settings.database_url)),
        )

    def _who_we_are(self) -> Home:
        try:
            known = self._client.auth_test()
        except Exception as error:
            raise SettingsError(f"slack.bot_token: Slack does not accept it ({error})") from error
        return Home(team=str(known.get("team_id") or ""), enterprise=str(known.get("enterprise_id") or ""))

    def _keep_house(self) -> None:
        """Forget what is old, and end what was left over, once an hour."""
        while not self._stopped.is_set():
            try:
                parts = self._running()
                oldest = time.time() - self._settings.retention_days * 86400
                parts.engine.purge(oldest)
                parts.store.purge(oldest)
                for record in parts.store.late(time.time() - LATE_SECONDS):
                    key = f"{record.run.id}:{int(time.time() // HOUSEKEEPING_SECONDS)}"
                    parts.engine.submit("late", key, plain(record.run))
            except Exception:
                log.exception("housekeeping failed")
            self._stopped.wait(HOUSEKEEPING_SECONDS)

    def _running(self) -> Parts:
        if self._parts is None:
            raise RuntimeError("the bot is not started")
        return self._parts


def build(settings: Settings, commands: Mapping[str, Command], diagnose: Diagnose) -> SlackApp:
    """The bot for these settings; see :class:`SlackApp`."""
    return SlackApp(settings, commands, diagnose)
