"""A strict Slack in this process: the Web API over HTTP with the limits of the real one, and faults on demand.

It refuses what Slack refuses (sizes, unknown blocks, empty table cells), forgets blocks when an edit has none, counts
what comes too fast, and signs what it sends. A test can make the next call of a method fail, or carry it out and lose
the answer.
"""

from __future__ import annotations

import hashlib
import hmac
import json
import threading
import time
import urllib.parse
import urllib.request
from collections import defaultdict
from collections.abc import Iterator
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

SECRET = "secret"
LOST = "carried out, but the answer is lost"
LIMITED = "ratelimited"
KNOWN = {"section", "context", "actions", "divider", "header", "image", "rich_text", "container", "plan", "table"}
MOST_BLOCKS, MOST_CHARS = 50, 12_000
LIMITS = {"section": 3000, "mrkdwn": 3000, "header": 150, "button": 75}

Json = dict[str, Any]


class StrictSlack:
    """The workspace ``T1`` with the bot ``UBOT``, which is in every channel unless ``closed`` says not."""

    def __init__(self) -> None:
        self.channels: dict[str, list[Json]] = defaultdict(list)
        self.private: list[Json] = []
        self.views: list[Json] = []
        self.calls: list[tuple[str, Json]] = []
        self.closed: dict[str, str] = {}
        self.refused_types: set[str] = set()
        self._faults: dict[str, list[str]] = defaultdict(list)
        self._files: dict[str, Json] = {}
        self._lock = threading.RLock()
        self._clock = 0
        self._server = ThreadingHTTPServer(("127.0.0.1", 0), _handler(self))
        self._server.daemon_threads = True
        threading.Thread(target=self._server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True).start()

    @property
    def url(self) -> str:
        """The base of the Web API."""
        return f"http://127.0.0.1:{self._server.server_address[1]}/api/"

    def stop(self) -> None:
        """Close the port."""
        self._server.shutdown()
        self._server.server_close()

    def fail(self, method: str, *faults: str) -> None:
        """Let the next calls of a method fail: with an error code, or :data:`LOST`, or :data:`LIMITED`."""
        self._faults[method] += faults

    def thread(self, channel: str) -> list[Json]:
        """The messages of a channel, oldest first."""
        with self._lock:
            return list(self.channels[channel])

    # -- what the bot calls -------------------------------------------------------------------------------------------

    def call(self, method: str, arguments: Json) -> tuple[int, Json]:
        """Carry out a Web API call: HTTP status and body."""
        with self._lock:
            self.calls.append((method, arguments))
            fault = self._faults[method].pop(0) if self._faults[method] else ""
            if fault == LIMITED:
                return 429, {"ok": False, "error": LIMITED}
            if fault and fault != LOST:
                return 200, {"ok": False, "error": fault}
            answer = self._carry_out(method, arguments)
            return (500, {"ok": False, "error": "internal_error"}) if fault == LOST else (200, answer)

    def _carry_out(self, method: str, arguments: Json) -> Json:
        handler = getattr(self, "_" + method.replace(".", "_").lower(), None)
        if handler is None:
            return {"ok": False, "error": "unknown_method"}
        channel = str(arguments.get("channel") or arguments.get("channel_id") or "")
        if channel in self.closed and method != "chat.postEphemeral":
            return {"ok": False, "error": self.closed[channel]}
        wrong = self._lint(arguments)
        return {"ok": False, "error": wrong} if wrong else {"ok": True, **handler(arguments)}

    def _lint(self, arguments: Json) -> str:
        blocks = arguments.get("blocks") or []
        if len(blocks) > MOST_BLOCKS or any(b["type"] not in KNOWN - self.refused_types for b in blocks):
            return "invalid_blocks"
        if len({b.get("block_id", n) for n, b in enumerate(blocks)}) < len(blocks):
            return "invalid_blocks"
        if any(len(text) > LIMITS.get(kind, 3000) for kind, text in _texts(blocks)):
            return "invalid_blocks"
        return "msg_blocks_too_long" if len(json.dumps(blocks, ensure_ascii=False)) > MOST_CHARS else ""

    def _auth_test(self, _: Json) -> Json:
        return {
            "team_id": "T1",
            "user_id": "UBOT",
            "bot_id": "BBOT",
            "team": "t",
            "user": "kubewhy",
            "url": "https://t",
        }

    def _chat_postmessage(self, arguments: Json) -> Json:
        assert arguments.get("unfurl_links") is False
        assert "none" == arguments.get("parse")
        message = self._message(arguments)
        self.channels[arguments["channel"]].append(message)
        return {"ts": message["ts"], "channel": arguments["channel"]}

    def _message(self, arguments: Json) -> Json:
        kept = {k: arguments[k] for k in ("text", "blocks", "thread_ts", "metadata") if k in arguments}
        self._clock += 1
        return {"ts": f"{self._clock}.000000", "user": "UBOT", "bot_id": "BBOT", **kept}

    def _chat_update(self, arguments: Json) -> Json:
        assert "none" == arguments.get("parse")
        for message in self.channels[arguments["channel"]]:
            if message["ts"] == arguments["ts"]:
                message.update(text=arguments["text"], blocks=arguments.get("blocks") or [])
                return {"ts": message["ts"]}
        return {"ok": False, "error": "message_not_found"}

    def _chat_postephemeral(self, arguments: Json) -> Json:
        self.private.append(arguments)
        return {"message_ts": "0"}

    def _chat_getpermalink(self, arguments: Json) -> Json:
        return {"permalink": f"https://t.slack.example/{arguments['channel']}/{arguments['message_ts']}"}

    def _conversations_replies(self, arguments: Json) -> Json:
        ts = arguments["ts"]
        found = [m for m in self.channels[arguments["channel"]] if ts in {m["ts"], m.get("thread_ts")}]
        return {"messages": found}

    def _conversations_history(self, arguments: Json) -> Json:
        return {"messages": [m for m in self.channels[arguments["channel"]] if not m.get("thread_ts")][::-1]}

    def _files_getuploadurlexternal(self, arguments: Json) -> Json:
        file = f"F{len(self._files)}"
        self._files[file] = {"id": file, "name": arguments["filename"], "size": int(arguments["length"])}
        return {"file_id": file, "upload_url": self.url + f"upload/{file}"}

    def _files_completeuploadexternal(self, arguments: Json) -> Json:
        files = json.loads(arguments["files"]) if isinstance(arguments["files"], str) else arguments["files"]
        shared = [self._files[f["id"]] for f in files]
        comment = arguments.get("initial_comment") or ""
        message = self._message({"text": comment, "thread_ts": arguments["thread_ts"]}) | {"files": shared}
        self.channels[arguments["channel_id"]].append(message)
        return {"files": shared}

    def _views_publish(self, arguments: Json) -> Json:
        self.views.append(arguments)
        return {"view": {}}

    _views_open = _views_publish


def _texts(node: Any) -> Iterator[tuple[str, str]]:
    if isinstance(node, dict):
        kind = str(node.get("type", ""))
        text = node.get("text")
        if isinstance(text, str):
            yield kind, text
        elif isinstance(text, dict):
            yield kind, str(text.get("text", ""))
        yield from (found for value in node.values() for found in _texts(value))
    elif isinstance(node, list):
        yield from (found for item in node for found in _texts(item))


def _handler(slack: StrictSlack) -> type[BaseHTTPRequestHandler]:
    class Handler(BaseHTTPRequestHandler):
        """The Web API."""

        def do_POST(self) -> None:
            """Carry out a method."""
            raw = self.rfile.read(int(self.headers.get("Content-Length", "0")))
            method = urllib.parse.urlsplit(self.path).path.removeprefix("/api/")
            status, body = (200, {"ok": True}) if method.startswith("upload/") else slack.call(method, self._read(raw))
            text = json.dumps(body).encode()
            self.send_response(status)
            self.send_header("Content-Type", "application/json")
            self.send_header("Content-Length", str(len(text)))
            if status == 429:
                self.send_header("Retry-After", "0")
            self.end_headers()
            self.wfile.write(text)

        def _read(self, raw: bytes) -> Json:
            query = urllib.parse.urlsplit(self.path).query
            if "json" in self.headers.get("Content-Type", ""):
                return dict(json.loads(raw or b"{}"))
            return dict(urllib.parse.parse_qsl(query or raw.decode()))

        def log_message(self, *_: object) -> None:
            """Say nothing."""

    return Handler


def send(
    port: int, body: Json, *, form: bool = False, secret: str = SECRET, at: float | None = None
) -> tuple[int, Json]:
    """Post what Slack posts, signed, and return the bot's answer."""
    raw = urllib.parse.urlencode(body if form else {"payload": json.dumps(body)} if "event" not in body else {})
    text = json.dumps(body) if "event" in body else raw
    stamp = str(int(at or time.time()))
    signature = "v0=" + hmac.new(secret.encode(), f"v0:{stamp}:{text}".encode(), hashlib.sha256).hexdigest()
    kind = "application/json" if "event" in body else "application/x-www-form-urlencoded"
    headers = {"Content-Type": kind, "X-Slack-Request-Timestamp": stamp, "X-Slack-Signature": signature}
    request = urllib.request.Request(f"http://127.0.0.1:{port}/slack/events", text.encode(), headers)
    try:
        with urllib.request.urlopen(request, timeout=3) as answer:
            said = answer.read()
            return answer.status, json.loads(said) if said else {}
    except urllib.error.HTTPError as error:
        return error.code, {}
