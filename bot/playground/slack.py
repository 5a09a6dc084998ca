"""Starts a local Slack for people without a workspace: the playground's ``--slack``.

It is local-slack, one binary, from npm. It listens on every interface and asks for no password, so people are told
before it starts; run it in a container or a network namespace where that matters.
"""

from __future__ import annotations

import json
import os
import shutil
import socket
import subprocess
import tempfile
import time
import urllib.error
import urllib.request
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from pathlib import Path

from bot.errors import SettingsError

PACKAGE = "local-slack-linux-x64"
VARIABLE = "KUBEWHY_LOCAL_SLACK"
INSTALLED = f"node_modules/{PACKAGE}/bin/local-slack"
BOT_TOKEN, APP_TOKEN, SIGNING_SECRET = "xoxb-playground", "xapp-playground", "playground"
START_SECONDS = 20.0
BOT = "U0KUBEWHY"
PEOPLE = {"U00ALICE": "Alice", "U00BOB": "Bob"}
WARNING = (
    "The local Slack listens on ALL interfaces of this machine, without authentication: whoever can reach its port\n"
    "can read and write in it. Run it in a container or a network namespace if you do not want that."
)
HOW_TO_GET_IT = (
    f"local-slack was not found. Get it with `npm install --prefix .parts {PACKAGE}`, or set {VARIABLE} to its binary."
)


@dataclass(frozen=True, slots=True, kw_only=True)
class LocalSlack:
    """A running local Slack.

    Attributes:
        url: of its pages; ``url + "/api/"`` is the Web API's base.
        folder: its configuration and files, removed by :meth:`stop`.
    """

    process: subprocess.Popen[bytes]
    port: int
    folder: Path

    @property
    def url(self) -> str:
        """Where a browser finds it."""
        return f"http://localhost:{self.port}"

    @property
    def environment(self) -> dict[str, str]:
        """The settings that connect the bot to it."""
        return {
            "SLACK_BOT_TOKEN": BOT_TOKEN,
            "SLACK_APP_TOKEN": APP_TOKEN,
            "SLACK_SIGNING_SECRET": SIGNING_SECRET,
            "SLACK_BASE_URL": f"{self.url}/api/",
            "SLACK_FLAVOR": "local",
        }

    def stop(self) -> None:
        """End it and remove what it kept."""
        self.process.terminate()
        try:
            self.process.wait(timeout=5)
        except subprocess.TimeoutExpired:
            self.process.kill()
            self.process.wait()
        shutil.rmtree(self.folder, ignore_errors=True)


def find() -> Path:
    """The binary: named by the environment, installed beside the project, or on the PATH.

    Raises:
        SettingsError: it is nowhere; the message says how to get it.
    """
    named = os.environ.get(VARIABLE)
    if named:
        if os.access(named, os.X_OK):
            return Path(named)
        raise SettingsError(f"{VARIABLE}: {named} is no program")
    parts = os.environ.get("KUBEWHY_PARTS")
    cache = Path(os.environ.get("XDG_CACHE_HOME") or Path.home() / ".cache") / "kubewhy" / "parts"  # of `make parts`
    for folder in (Path(parts).parent if parts else cache, cache, Path(".parts"), Path()):
        if os.access(folder / INSTALLED, os.X_OK):
            return (folder / INSTALLED).resolve()
    found = shutil.which("local-slack")
    if found is None:
        raise SettingsError(HOW_TO_GET_IT)
    return Path(found)


def start(
    commands: Iterable[str] = (),
    *,
    port: int = 0,
    channels: Sequence[str] = ("incidents", "platform"),
    request_url: str = "",
) -> LocalSlack:
    """Start it with the people alice and bob and some channels (ids ``C00INCIDENTS`` …); wait until it answers.

    Args:
        commands: slash commands to offer.
        port: 0 takes a free one.
        channels: names.
        request_url: empty for Socket Mode, else where events are posted.

    Raises:
        SettingsError: the binary is not there, or it did not start.
    """
    binary = find()
    port = port or _free_port()
    folder = Path(tempfile.mkdtemp(prefix="kubewhy-slack-"))
    path = folder / "config.json"
    path.write_text(json.dumps(_config(commands, channels, request_url)), "utf-8")
    with (folder / "log").open("wb") as log:
        process = subprocess.Popen(  # noqa: S603 - the binary that the person chose
            [str(binary), "--config", str(path), "--port", str(port), "--files-dir", str(folder / "files")],
            stdout=log, stderr=log, stdin=subprocess.DEVNULL,
        )  # fmt: skip
    slack = LocalSlack(process=process, port=port, folder=folder)
    if not _answers(slack):
        said = (folder / "log").read_text("utf-8", "replace")[-500:]
        slack.stop()
        raise SettingsError(f"local-slack did not start: {said.strip() or 'it said nothing'}")
    return slack


def _config(commands: Iterable[str], channels: Sequence[str], request_url: str) -> dict[str, object]:
    app: dict[str, object] = {"appId": "A0KUBEWHY", "botUserId": BOT, "botName": "kubewhy", "botToken": BOT_TOKEN}
    app |= {"appToken": APP_TOKEN, "signingSecret": SIGNING_SECRET, "mode": "events" if request_url else "socket"}
    app |= {"commands": [{"command": f"/{name}"} for name in commands]}
    app |= {"requestUrl": request_url} if request_url else {}
    return {
        "workspace": {"name": "kubewhy playground", "domain": "playground", "teamId": "T0PLAY"},
        "app": app,
        "users": [{"id": user, "name": name.lower(), "real_name": name} for user, name in PEOPLE.items()],
        "channels": [{"id": channel_id(name), "name": name, "members": [*PEOPLE, BOT]} for name in channels],
    }


def channel_id(name: str) -> str:
    """The id of a channel of that name."""
    return "C00" + "".join(c for c in name.upper() if c.isalnum())


def _answers(slack: LocalSlack) -> bool:
    end = time.monotonic() + START_SECONDS
    while time.monotonic() < end and slack.process.poll() is None:
        try:
            with urllib.request.urlopen(f"{slack.url}/_control/state", timeout=1):  # noqa: S310 - our own address
                return True
        except (urllib.error.URLError, OSError):
            time.sleep(0.05)
    return False


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("", 0))
        return int(probe.getsockname()[1])
