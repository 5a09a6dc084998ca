"""What an installation of the bot must have, what it is called, and that nobody else works on its state."""

from __future__ import annotations

import fcntl
import os
from pathlib import Path

from bot.config import Settings
from bot.errors import SettingsError


def require(settings: Settings) -> None:
    """See that the tokens are there that the chosen mode needs.

    Raises:
        SettingsError: names the ones that are missing.
    """
    slack = settings.slack
    needed = {"slack.bot_token": slack.bot_token}
    if slack.mode == "socket":
        needed["slack.app_token"] = slack.app_token
    else:
        needed["slack.signing_secret"] = slack.signing_secret
    missing = [name for name, value in needed.items() if not value]
    if missing:
        raise SettingsError(f"{', '.join(missing)}: missing; the Slack app's pages show it")


def executor_id(settings: Settings) -> str:
    """One name for the only process on a SQLite file; on a shared database the replica's (a StatefulSet's pod)."""
    return os.environ.get("HOSTNAME", "kubewhy-0") if settings.database_url else "kubewhy-0"


def claim(settings: Settings) -> int | None:
    """Keep a second bot off the same state directory; the claim ends with the process, however it ends.

    Raises:
        SettingsError: another one is there.
    """
    if settings.database_url:
        return None
    settings.state.mkdir(mode=0o700, parents=True, exist_ok=True)
    lock = os.open(Path(settings.state) / "serve.lock", os.O_CREAT | os.O_RDWR | os.O_CLOEXEC, 0o600)
    try:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
    except OSError:
        os.close(lock)
        raise SettingsError(f"state: another kubewhy serve uses {settings.state}") from None
    return lock
