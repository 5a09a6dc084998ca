"""How fast secrets are found: megabytes of log, of JSON, and of text made against the rules; one JSON line a case.

Run as ``python tests/bench/bench_redact.py``.
"""

from __future__ import annotations

import time

from bot.redact import clean
from tests.bench.figures import Figures

MEGABYTE = 1_000_000
PROMISED_MS = 1000.0
CASES = {
    "kubelet log": (
        'E1121 04:58:41.123456   12345 server.go:206] "failed to load kubelet config file" '
        'err="open /var/lib/kubelet/config.yaml: no such file or directory" path="/var/lib/kubelet/config.yaml"\n'
    ),
    "log with tokens": (
        "I1121 04:58:41 round_trippers.go:553] GET https://10.0.0.1:6443/api/v1/secrets?limit=500 401 in 3 ms "
        "Authorization: Bearer eyJhbGciOiJSUzI1NiJ9.eyJpc3MiOiJrOHMifQ.c2ln token=abcdef0123456789\n"
    ),
    "pod JSON on one line": '{"metadata":{"name":"web-1","namespace":"shop"},"spec":{"nodeName":"node-3"}},',
    "Chinese log": "2026-11-21 04:58:41 错误：打开文件失败，没有那个文件或目录 path=/var/lib/kubelet/config.yaml\n",
    "one word": "a",
    "keys without end": "--token ",
    "keys without values": 'password="',
    "half a JWT": "-eyJ",
    "secrets in secrets": '{"kind":"Secret","data":{',
}


def main() -> None:
    """Measure each case of a megabyte, best of three; CPU time."""
    figures = Figures()
    for name, pattern in CASES.items():
        text = (pattern * (MEGABYTE // len(pattern) + 1))[:MEGABYTE]
        best = min(_seconds(text) for _ in range(3))
        figures.say(f"redact.{name.replace(' ', '-')}", best * 1000, "ms", reference=PROMISED_MS)


def _seconds(text: str) -> float:
    began = time.process_time()
    clean(text, total=2 * MEGABYTE)
    return time.process_time() - began


if __name__ == "__main__":
    main()
