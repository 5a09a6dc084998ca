"""Lines of the journal as JSON."""

# ruff: noqa: E501 - what a cluster prints is quoted on one line

from __future__ import annotations

import json
from datetime import datetime

from tools.bases.ids import hexid, number
from tools.bases.machine import boot_id
from tools.bases.spec import Host


def record(when: datetime, message: str, process: int, host: Host, salt: str) -> str:
    """A line of ``journalctl -o json``."""
    micros = int(when.timestamp() * 1_000_000)
    up = micros - int(host.boot.timestamp() * 1_000_000)
    boot = boot_id(host).replace("-", "")
    cursor = f"s={hexid(32, 'journal', host.name)};i={number(900_000, salt, micros):x};b={boot};m={up:x};t={micros:x};x={hexid(16, salt, micros)}"
    fields = {
        "__CURSOR": cursor,
        "__REALTIME_TIMESTAMP": str(micros),
        "__MONOTONIC_TIMESTAMP": str(up),
        "_BOOT_ID": boot,
        "PRIORITY": "6",
        "_PID": str(process),
        "MESSAGE": message,
    }
    return json.dumps(fields, separators=(",", ":"))
